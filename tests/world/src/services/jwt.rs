//! Is this client assertion a JWT that was signed by the given key?

use aws_lc_rs::digest;
use aws_lc_rs::signature::{self, RsaPublicKeyComponents, UnparsedPublicKey, VerificationAlgorithm};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject as _;
use serde_json::Value;

/// A JWT taken apart, its signature not yet checked.
pub struct Jwt {
    pub header: Value,
    pub claims: Value,
    signed: String,
    signature: Vec<u8>,
}

impl Jwt {
    pub fn parse(text: &str) -> Option<Self> {
        let (signed, signature) = text.rsplit_once('.')?;
        let (header, claims) = signed.split_once('.')?;
        let json = |part: &str| {
            URL_SAFE_NO_PAD.decode(part).ok().and_then(|bytes| serde_json::from_slice::<Value>(&bytes).ok())
        };
        Some(Self {
            header: json(header)?,
            claims: json(claims)?,
            signed: signed.to_owned(),
            signature: URL_SAFE_NO_PAD.decode(signature).ok()?,
        })
    }

    pub fn claim(&self, name: &str) -> &str {
        self.claims[name].as_str().unwrap_or_default()
    }

    /// `aud` is a string or a list of strings (a Kubernetes token has a list).
    pub fn has_audience(&self, wanted: &str) -> bool {
        let is = |value: &Value| value.as_str().is_some_and(|text| text == wanted);
        is(&self.claims["aud"]) || self.claims["aud"].as_array().is_some_and(|all| all.iter().any(is))
    }

    /// Valid at that second: `nbf` with five minutes of grace, `exp` present and ahead.
    pub fn is_current(&self, now: i64) -> bool {
        let number = |name: &str| self.claims[name].as_f64();
        #[allow(clippy::cast_precision_loss, reason = "seconds since 1970 fit")]
        let now = now as f64;
        number("exp").is_some_and(|end| end > now - 300.0) && number("nbf").is_none_or(|start| start < now + 300.0)
    }

    /// The header names this certificate, by SHA-256 (current page) or SHA-1 (SDKs) thumbprint (microsoft.md §4.1).
    pub fn names_certificate(&self, der: &[u8]) -> bool {
        let thumbprint = |algorithm, field: &str| {
            let hash = digest::digest(algorithm, der);
            self.header[field]
                .as_str()
                .is_some_and(|text| text.trim_end_matches('=') == URL_SAFE_NO_PAD.encode(hash.as_ref()))
        };
        thumbprint(&digest::SHA256, "x5t#S256") || thumbprint(&digest::SHA1_FOR_LEGACY_USE_ONLY, "x5t")
    }

    /// The header names this certificate in whatever way: as above, or by `kid`, the SHA-1 thumbprint in hex (.NET's way).
    pub fn names(&self, der: &[u8]) -> bool {
        let hash = digest::digest(&digest::SHA1_FOR_LEGACY_USE_ONLY, der);
        let halves = hash.as_ref().iter().flat_map(|byte| [byte >> 4, byte & 15]);
        let hex: String = halves.filter_map(|half| char::from_digit(half.into(), 16)).collect();
        let by_kid = self.header["kid"].as_str().is_some_and(|kid| kid.eq_ignore_ascii_case(&hex));
        by_kid || self.names_certificate(der)
    }

    /// The signature holds for a public key in DER (`SubjectPublicKeyInfo`).
    pub fn is_signed_by(&self, key: &[u8]) -> bool {
        let algorithm: &dyn VerificationAlgorithm = match self.header["alg"].as_str() {
            Some("RS256") => &signature::RSA_PKCS1_2048_8192_SHA256,
            Some("PS256") => &signature::RSA_PSS_2048_8192_SHA256,
            Some("ES256") => &signature::ECDSA_P256_SHA256_FIXED,
            _ => return false,
        };
        UnparsedPublicKey::new(algorithm, key).verify(self.signed.as_bytes(), &self.signature).is_ok()
    }

    /// The signature holds for one of the issuer's keys: a PEM public key, or a JWK.
    pub fn is_signed_by_issuer_key(&self, key: &Value) -> bool {
        match key {
            Value::String(pem) => pem_body(pem).is_some_and(|der| self.is_signed_by(&der)),
            jwk => self.is_signed_by_jwk(jwk),
        }
    }

    fn is_signed_by_jwk(&self, jwk: &Value) -> bool {
        let part = |name: &str| jwk[name].as_str().and_then(|text| URL_SAFE_NO_PAD.decode(text).ok());
        let named = jwk["kid"].is_null() || self.header["kid"].is_null() || jwk["kid"] == self.header["kid"];
        if !named {
            return false;
        }
        if let (Some(x), Some(y)) = (part("x"), part("y")) {
            let point: Vec<u8> = [vec![4], x, y].concat();
            return self.is_signed_by(&point);
        }
        let (Some(n), Some(e)) = (part("n"), part("e")) else {
            return false;
        };
        let algorithm = match self.header["alg"].as_str() {
            Some("RS256") => &signature::RSA_PKCS1_2048_8192_SHA256,
            Some("PS256") => &signature::RSA_PSS_2048_8192_SHA256,
            _ => return false,
        };
        RsaPublicKeyComponents { n: &n, e: &e }.verify(algorithm, self.signed.as_bytes(), &self.signature).is_ok()
    }
}

/// A registered certificate: its DER and the public key in it.
pub fn certificate(pem: &str) -> Option<(Vec<u8>, Vec<u8>)> {
    let der = CertificateDer::from_pem_slice(pem.as_bytes()).ok()?;
    let key = webpki::EndEntityCert::try_from(&der).ok()?.subject_public_key_info().to_vec();
    Some((der.to_vec(), key))
}

/// May this certificate sign: is Digital Signature in its Key Usage (OID 2.5.29.15, bit 0)? Without the extension it is not said.
pub fn allows_digital_signature(der: &[u8]) -> bool {
    const KEY_USAGE: &[u8] = &[0x06, 0x03, 0x55, 0x1d, 0x0f];
    const CRITICAL: &[u8] = &[0x01, 0x01, 0xff];
    let Some(at) = der.windows(KEY_USAGE.len()).position(|bytes| bytes == KEY_USAGE) else {
        return false;
    };
    let rest = &der[at + KEY_USAGE.len()..];
    let rest = rest.strip_prefix(CRITICAL).unwrap_or(rest);
    // OCTET STRING { BIT STRING { unused bits, first byte, … } }
    matches!(rest, [0x04, _, 0x03, _, _, first, ..] if first & 0x80 != 0)
}

fn pem_body(pem: &str) -> Option<Vec<u8>> {
    let body: String = pem.lines().map(str::trim).filter(|line| !line.starts_with("-----")).collect();
    STANDARD.decode(body).ok()
}
