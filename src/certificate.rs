//! What is in a certificate's Secret, whether one can sign in with it, and what is signed. [pure]

use aws_lc_rs::digest::{SHA1_FOR_LEGACY_USE_ONLY, SHA256, digest};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{KeyPair, RSA_PKCS1_SHA256, RSA_PSS_SHA256, RsaEncoding, RsaKeyPair};
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
    /// The older one, by which some know their certificates: as a token writes it, and in hexadecimal digits.
    sha1: (String, String),
    // Of the key: who has no more than the certificate is somebody else.
    secret: String,
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
    /// RSA is all that is taken.
    #[error("tls.key is not an RSA key of at least 2048 bits, and no other is taken")]
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

/// How an assertion is signed, and how it names the certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signature {
    /// RSASSA-PSS, as Microsoft asks for it (facts/microsoft.md §4.1).
    Pss,
    /// RSASSA-PKCS1-v1_5, as `AvePoint` asks for it (facts/avepoint-fluentpro.md §1).
    Pkcs1,
}

/// An assertion is good for this long: Microsoft asks for five to ten minutes.
const GOOD_FOR: SignedDuration = SignedDuration::from_mins(9);

fn at(time: &Time) -> Timestamp {
    let seconds = i64::try_from(time.to_unix_duration().as_secs()).unwrap_or(i64::MAX);
    Timestamp::from_second(seconds).unwrap_or(Timestamp::MAX)
}

impl Certificate {
    /// Reads PEM as it is in a `kubernetes.io/tls` Secret: the first certificate of the chain, and its key.
    ///
    /// # Errors
    /// What is not there, can't be read, or does not belong together.
    pub fn read(chain: &str, key: &str) -> Result<Self, Unfit> {
        let der = CertificateDer::from_pem_slice(chain.as_bytes()).map_err(|_| Unfit::NoCertificate)?;
        let certificate = x509_cert::Certificate::from_der(&der).map_err(|_| Unfit::NoCertificate)?;
        let certificate = certificate.tbs_certificate();
        let secret = PrivateKeyDer::from_pem_slice(key.as_bytes()).map_err(|_| Unfit::NoKey)?;
        let key = match &secret {
            PrivateKeyDer::Pkcs1(key) => RsaKeyPair::from_der(key.secret_pkcs1_der()),
            PrivateKeyDer::Pkcs8(key) => RsaKeyPair::from_pkcs8(key.secret_pkcs8_der()),
            _ => return Err(Unfit::NotRsa),
        };
        // A readable PEM whose content is not an RSA key of a fit size.
        let key = key.map_err(|_| Unfit::NotRsa)?;
        if certificate.subject_public_key_info().subject_public_key.raw_bytes() != key.public_key().as_ref() {
            return Err(Unfit::OtherKey);
        }
        let sha1 = digest(&SHA1_FOR_LEGACY_USE_ONLY, &der);
        let validity = certificate.validity();
        Ok(Self {
            key,
            thumbprint: URL_SAFE_NO_PAD.encode(digest(&SHA256, &der)),
            sha1: (URL_SAFE_NO_PAD.encode(sha1), hexadecimal(sha1.as_ref())),
            secret: URL_SAFE_NO_PAD.encode(digest(&SHA256, secret.secret_der())),
            valid: (at(&validity.not_before), at(&validity.not_after)),
        })
    }

    /// When the first certificate of a chain ends; `None`: there is none.
    #[must_use]
    pub fn ends(chain: &str) -> Option<Timestamp> {
        let der = CertificateDer::from_pem_slice(chain.as_bytes()).ok()?;
        let certificate = x509_cert::Certificate::from_der(&der).ok()?;
        Some(at(&certificate.tbs_certificate().validity().not_after))
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

    /// Tells it from every other pair of a certificate and a key.
    #[must_use]
    pub fn identity(&self) -> String {
        format!("{}.{}", self.thumbprint, self.secret)
    }

    /// A signed statement that whoever holds the key is this app, for one sign-in at this endpoint. `None`: it can't be signed.
    #[must_use]
    pub fn assertion(&self, client_id: &str, endpoint: &str, how: Signature, now: Timestamp) -> Option<String> {
        let header = match how {
            Signature::Pss => json!({ "alg": "PS256", "typ": "JWT", "x5t#S256": self.thumbprint }),
            Signature::Pkcs1 => json!({ "alg": "RS256", "typ": "JWT", "x5t": self.sha1.0, "kid": self.sha1.1 }),
        };
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
        let encoding: &dyn RsaEncoding = match how {
            Signature::Pss => &RSA_PSS_SHA256,
            Signature::Pkcs1 => &RSA_PKCS1_SHA256,
        };
        self.key.sign(encoding, &SystemRandom::new(), signed.as_bytes(), &mut signature).ok()?;
        Some(format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature)))
    }
}

fn hexadecimal(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02X}");
        text
    })
}

/// No two assertions have the same.
fn unique() -> Option<String> {
    let mut bytes = [0; 16];
    aws_lc_rs::rand::fill(&mut bytes).ok()?;
    Some(URL_SAFE_NO_PAD.encode(bytes))
}

#[cfg(test)]
mod tests {
    use aws_lc_rs::signature::{RSA_PKCS1_2048_8192_SHA256, RSA_PSS_2048_8192_SHA256, UnparsedPublicKey};
    use base64::engine::general_purpose::STANDARD;
    use rcgen::{CertificateParams, KeyPair as Pair, PKCS_ECDSA_P256_SHA256, PKCS_RSA_SHA256, date_time_ymd};

    use super::*;

    const ENDPOINT: &str = "https://login.microsoftonline.com/contoso.com/oauth2/v2.0/token";

    fn rsa() -> Pair {
        Pair::generate_for(&PKCS_RSA_SHA256).unwrap()
    }

    /// A certificate of this key, valid in 2025 and 2026.
    fn certificate_of(pair: &Pair) -> rcgen::Certificate {
        let mut params = CertificateParams::new(["backstay".to_owned()]).unwrap();
        (params.not_before, params.not_after) = (date_time_ymd(2025, 1, 1), date_time_ymd(2027, 1, 1));
        params.self_signed(pair).unwrap()
    }

    fn at(time: &str) -> Timestamp {
        time.parse().unwrap()
    }

    fn decoded(part: &str) -> Value {
        serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap()
    }

    #[test]
    fn an_assertion_is_signed_by_the_key_and_names_the_certificate_the_app_and_the_endpoint() {
        let pair = rsa();
        let made = certificate_of(&pair);
        let certificate = Certificate::read(&made.pem(), &pair.serialize_pem()).unwrap();
        let now = at("2026-11-24T12:00:00Z");
        let assertion = certificate.assertion("app", ENDPOINT, Signature::Pss, now).unwrap();
        let (signed, signature) = assertion.rsplit_once('.').unwrap();
        let (header, claims) = signed.split_once('.').unwrap();
        let (header, claims) = (decoded(header), decoded(claims));
        let thumbprint = URL_SAFE_NO_PAD.encode(digest(&SHA256, made.der()));
        assert_eq!(header, json!({ "alg": "PS256", "typ": "JWT", "x5t#S256": thumbprint }));
        assert_eq!((&claims["iss"], &claims["sub"], &claims["aud"]), (&json!("app"), &json!("app"), &json!(ENDPOINT)));
        assert_eq!(claims["nbf"], now.as_second());
        let lasts = claims["exp"].as_i64().unwrap() - now.as_second();
        assert!((300..=600).contains(&lasts), "good for {lasts} s");
        let public = certificate.key.public_key().as_ref();
        UnparsedPublicKey::new(&RSA_PSS_2048_8192_SHA256, public)
            .verify(signed.as_bytes(), &URL_SAFE_NO_PAD.decode(signature).unwrap())
            .unwrap();
        assert_ne!(
            assertion,
            certificate.assertion("app", ENDPOINT, Signature::Pss, now).unwrap(),
            "each is another one"
        );
    }

    #[test]
    fn an_assertion_may_be_signed_the_older_way_too() {
        let pair = rsa();
        let made = certificate_of(&pair);
        let certificate = Certificate::read(&made.pem(), &pair.serialize_pem()).unwrap();
        let assertion = certificate.assertion("app", ENDPOINT, Signature::Pkcs1, at("2026-11-24T12:00:00Z")).unwrap();
        let (signed, signature) = assertion.rsplit_once('.').unwrap();
        let sha1 = digest(&SHA1_FOR_LEGACY_USE_ONLY, made.der());
        let thumbprint = URL_SAFE_NO_PAD.encode(sha1);
        let kid = hexadecimal(sha1.as_ref());
        let header = decoded(signed.split_once('.').unwrap().0);
        assert_eq!(header, json!({ "alg": "RS256", "typ": "JWT", "x5t": thumbprint, "kid": kid }));
        let public = certificate.key.public_key().as_ref();
        UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, public)
            .verify(signed.as_bytes(), &URL_SAFE_NO_PAD.decode(signature).unwrap())
            .unwrap();
    }

    #[test]
    fn the_first_of_a_chain_counts_and_the_key_may_be_pkcs1() {
        let (pair, other) = (rsa(), rsa());
        let chain = format!("{}{}", certificate_of(&pair).pem(), certificate_of(&other).pem());
        // PKCS#8 is PKCS#1 after 26 bytes that say so.
        let pkcs1 = STANDARD.encode(&pair.serialize_der()[26..]);
        let key = format!("-----BEGIN RSA PRIVATE KEY-----\n{pkcs1}\n-----END RSA PRIVATE KEY-----\n");
        let by_pkcs1 = Certificate::read(&chain, &key).unwrap();
        let by_pkcs8 = Certificate::read(&chain, &pair.serialize_pem()).unwrap();
        assert_eq!(by_pkcs1.thumbprint, by_pkcs8.thumbprint);
        assert_eq!(Certificate::read(&chain, &other.serialize_pem()).unwrap_err(), Unfit::OtherKey);
    }

    #[test]
    fn what_one_can_not_sign_in_with_is_told_apart() {
        let pair = rsa();
        let (crt, key) = (certificate_of(&pair).pem(), pair.serialize_pem());
        let elliptic = Pair::generate_for(&PKCS_ECDSA_P256_SHA256).unwrap();
        let garbage = |label: &str| format!("-----BEGIN {label}-----\nAAAA\n-----END {label}-----\n");
        for (crt, key, unfit) in [
            ("", key.as_str(), Unfit::NoCertificate),
            ("no PEM at all", &key, Unfit::NoCertificate),
            (&garbage("CERTIFICATE"), &key, Unfit::NoCertificate),
            // The two in the wrong places.
            (&key, &crt, Unfit::NoCertificate),
            (&crt, "", Unfit::NoKey),
            (&crt, &crt, Unfit::NoKey),
            (&crt, &garbage("ENCRYPTED PRIVATE KEY"), Unfit::NoKey),
            (&crt, &garbage("PRIVATE KEY"), Unfit::NotRsa),
            (&crt, &elliptic.serialize_pem(), Unfit::NotRsa),
            (&crt, &rsa().serialize_pem(), Unfit::OtherKey),
        ] {
            assert_eq!(Certificate::read(crt, key).unwrap_err(), unfit);
        }
    }

    #[test]
    fn a_certificate_counts_from_its_begin_up_to_its_end() {
        let pair = rsa();
        let certificate = Certificate::read(&certificate_of(&pair).pem(), &pair.serialize_pem()).unwrap();
        for (time, expected) in [
            ("2024-12-31T23:59:59Z", Err(Unfit::NotYet)),
            ("2025-01-01T00:00:00Z", Ok(())),
            ("2026-12-31T23:59:59Z", Ok(())),
            ("2027-01-01T00:00:00Z", Err(Unfit::Expired)),
        ] {
            assert_eq!(certificate.valid_at(at(time)), expected, "{time}");
        }
    }
}
