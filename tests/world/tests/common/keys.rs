//! With which keys do tests sign what they assert?

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{RSA_PKCS1_SHA256, RSA_PSS_SHA256, RsaKeyPair};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use rcgen::{CertificateParams, KeyPair, KeyUsagePurpose, PKCS_RSA_SHA256};
use serde_json::Value;

/// A key pair with a certificate of its own.
pub struct Key {
    pub pair: KeyPair,
    pub certificate: rcgen::Certificate,
}

pub fn key() -> Key {
    key_for(&[])
}

/// With these in the Key Usage of the certificate; without any the extension is left out.
pub fn key_for(usages: &[KeyUsagePurpose]) -> Key {
    let pair = KeyPair::generate_for(&PKCS_RSA_SHA256).unwrap();
    let mut params = CertificateParams::new(vec!["backstay".to_owned()]).unwrap();
    params.key_usages = usages.to_vec();
    let certificate = params.self_signed(&pair).unwrap();
    Key { pair, certificate }
}

impl Key {
    /// A JWT; `x5t#S256: own` in the header becomes the thumbprint of the certificate.
    pub fn sign(&self, mut header: Value, claims: &Value) -> String {
        if header["x5t#S256"] == "own" {
            let hash = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, self.certificate.der());
            header["x5t#S256"] = URL_SAFE_NO_PAD.encode(hash.as_ref()).into();
        }
        let rsa = RsaKeyPair::from_pkcs8(&self.pair.serialize_der()).unwrap();
        let signed =
            format!("{}.{}", URL_SAFE_NO_PAD.encode(header.to_string()), URL_SAFE_NO_PAD.encode(claims.to_string()));
        let mut signature = vec![0; rsa.public_modulus_len()];
        let padding: &dyn aws_lc_rs::signature::RsaEncoding =
            if header["alg"] == "PS256" { &RSA_PSS_SHA256 } else { &RSA_PKCS1_SHA256 };
        rsa.sign(padding, &SystemRandom::new(), signed.as_bytes(), &mut signature).unwrap();
        format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature))
    }
}
