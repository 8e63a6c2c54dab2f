//! What is in a certificate's Secret, whether one can sign in with it, and what is signed (facts/microsoft.md §4.1). [pure]

use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{KeyPair, RSA_PSS_SHA256, RsaKeyPair};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::{SignedDuration, Timestamp};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use serde_json::{Value, json};
use x509_cert::der::Decode;
use x509_cert::time::Time;

/// A certificate and its private key.
pub struct Certificate {
    key: RsaKeyPair,
    thumbprint: String,
    valid: (Timestamp, Timestamp),
}

impl std::fmt::Debug for Certificate {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Certificate").field("thumbprint", &self.thumbprint).finish_non_exhaustive()
    }
}

/// Why one can't sign in with what is in the Secret: the end of a sentence, in the words of a `kubernetes.io/tls` Secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unfit {
    /// No certificate, or one that can't be read.
    #[error("tls.crt holds no readable certificate in PEM")]
    NoCertificate,
    /// No key, an encrypted one, or one that can't be read.
    #[error("tls.key holds no readable private key in PEM (PKCS#1 or PKCS#8, not encrypted)")]
    NoKey,
    /// Microsoft takes RSA only.
    #[error("tls.key is not an RSA key of at least 2048 bits, and Microsoft takes no other")]
    NotRsa,
    /// The two don't belong together.
    #[error("tls.key is not the key of the certificate in tls.crt")]
    OtherKey,
    /// It has ended.
    #[error("the certificate in tls.crt has expired")]
    Expired,
    /// It has not begun.
    #[error("the certificate in tls.crt is not valid yet")]
    NotYet,
}

/// An assertion is good for this long: Microsoft asks for five to ten minutes.
const GOOD_FOR: SignedDuration = SignedDuration::from_mins(9);

impl Certificate {
    /// Reads PEM as it is in a `kubernetes.io/tls` Secret: the first certificate of the chain, and its key.
    ///
    /// # Errors
    /// What is not there, can't be read, or does not belong together.
    pub fn read(chain: &str, key: &str) -> Result<Self, Unfit> {
        let der = CertificateDer::from_pem_slice(chain.as_bytes()).map_err(|_| Unfit::NoCertificate)?;
        let certificate = x509_cert::Certificate::from_der(&der).map_err(|_| Unfit::NoCertificate)?;
        let certificate = certificate.tbs_certificate();
        let key = match PrivateKeyDer::from_pem_slice(key.as_bytes()).map_err(|_| Unfit::NoKey)? {
            PrivateKeyDer::Pkcs1(key) => RsaKeyPair::from_der(key.secret_pkcs1_der()),
            PrivateKeyDer::Pkcs8(key) => RsaKeyPair::from_pkcs8(key.secret_pkcs8_der()),
            _ => return Err(Unfit::NotRsa),
        };
        // A readable PEM whose content is not an RSA key of a fit size.
        let key = key.map_err(|_| Unfit::NotRsa)?;
        if certificate.subject_public_key_info().subject_public_key.raw_bytes() != key.public_key().as_ref() {
            return Err(Unfit::OtherKey);
        }
        let validity = certificate.validity();
        let at = |time: &Time| {
            let seconds = i64::try_from(time.to_unix_duration().as_secs()).unwrap_or(i64::MAX);
            Timestamp::from_second(seconds).unwrap_or(Timestamp::MAX)
        };
        Ok(Self {
            key,
            thumbprint: URL_SAFE_NO_PAD.encode(digest(&SHA256, &der)),
            valid: (at(&validity.not_before), at(&validity.not_after)),
        })
    }

    /// Whether it is valid at this time.
    ///
    /// # Errors
    /// That it has ended, or has not begun.
    pub fn valid_at(&self, now: Timestamp) -> Result<(), Unfit> {
        match self.valid {
            (_, end) if end <= now => Err(Unfit::Expired),
            (begin, _) if begin > now => Err(Unfit::NotYet),
            _ => Ok(()),
        }
    }

    /// SHA-256 of the certificate, in base64url: `x5t#S256`.
    #[must_use]
    pub fn thumbprint(&self) -> &str {
        &self.thumbprint
    }

    /// A signed statement that whoever holds the key is this app, for one sign-in at this endpoint. `None`: it can't be signed.
    #[must_use]
    pub fn assertion(&self, client_id: &str, endpoint: &str, now: Timestamp) -> Option<String> {
        let header = json!({ "alg": "PS256", "typ": "JWT", "x5t#S256": self.thumbprint });
        let claims = json!({
            "aud": endpoint,
            "iss": client_id,
            "sub": client_id,
            "jti": unique()?,
            "nbf": now.as_second(),
            "iat": now.as_second(),
            "exp": now.checked_add(GOOD_FOR).ok()?.as_second(),
        });
        let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let signed = format!("{}.{}", part(&header), part(&claims));
        let mut signature = vec![0; self.key.public_modulus_len()];
        self.key.sign(&RSA_PSS_SHA256, &SystemRandom::new(), signed.as_bytes(), &mut signature).ok()?;
        Some(format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature)))
    }
}

/// No two assertions have the same.
fn unique() -> Option<String> {
    let mut bytes = [0; 16];
    aws_lc_rs::rand::fill(&mut bytes).ok()?;
    Some(URL_SAFE_NO_PAD.encode(bytes))
}
