//! The operator's own `ServiceAccount` at Microsoft: by the token that the Pod has of it, for the namespaces that the installation names.

use std::path::PathBuf;

use async_trait::async_trait;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use secrecy::SecretString;
use serde::Deserialize;

use super::problem::Problem;
use crate::api::Reason;
use crate::fault::{Fault, Kind};
use crate::tenant::Federated;

const PLACE: &str = "spec.credential.workloadIdentity";

/// Where the token is, and whose policies may sign in with it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OwnIdentity {
    /// The file that the kubelet keeps a token in, with the audience that Microsoft asks for; `None`: there is none.
    pub file: Option<PathBuf>,
    /// The namespaces whose policies may sign in as the operator itself. Empty: nobody's.
    pub namespaces: Vec<String>,
}

/// The tokens of one file.
struct Own {
    file: PathBuf,
    subject: String,
}

impl OwnIdentity {
    /// What a policy of this namespace signs in with. The file is read each time: the kubelet renews it.
    ///
    /// # Errors
    /// One sentence: this namespace may not, there is no file, or no token in it.
    pub fn tokens(&self, namespace: &str) -> Result<impl Federated + use<>, Problem> {
        let wrong = |message: String| Problem::wrong("CredentialsValid", Reason::ServiceAccountInvalid, message);
        let file = self.file.clone().filter(|_| self.namespaces.iter().any(|it| it == namespace)).ok_or_else(|| {
            wrong(format!(
                "{PLACE} names no serviceAccountRef, and no policy of namespace {namespace} may sign in as the operator itself \
                 (--federated-token-file, --federated-token-namespace)"
            ))
        })?;
        let own = read(&file).and_then(|token| {
            let subject = subject(&token).ok_or_else(|| format!("{} holds no token", file.display()))?;
            Ok(Own { file, subject })
        });
        own.map_err(|why| wrong(format!("The operator's own token ({PLACE}) can't be read: {why}")))
    }
}

fn read(file: &PathBuf) -> Result<String, String> {
    let text = std::fs::read_to_string(file).map_err(|error| format!("{}: {error}", file.display()))?;
    Ok(text.trim().to_owned())
}

/// Whose token it is.
fn subject(token: &str) -> Option<String> {
    #[derive(Deserialize)]
    struct Claims {
        sub: String,
    }
    let claims = URL_SAFE_NO_PAD.decode(token.split('.').nth(1)?).ok()?;
    Some(serde_json::from_slice::<Claims>(&claims).ok()?.sub)
}

#[async_trait]
impl Federated for Own {
    fn subject(&self) -> &str {
        &self.subject
    }

    fn place(&self) -> &'static str {
        PLACE
    }

    async fn token(&self, _audience: &str) -> Result<SecretString, Fault> {
        // The audience is what the kubelet was told.
        let refused =
            |why| Fault::new(Kind::CredentialRefused, format!("The operator's own token can't be read: {why}"));
        read(&self.file).map(SecretString::from).map_err(refused)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_namespace_that_is_not_named_gets_no_token_and_a_file_without_one_is_told() {
        let file = std::env::temp_dir().join(format!("backstay-own-{}", std::process::id()));
        let own = |file: Option<&PathBuf>, namespaces: &[&str]| OwnIdentity {
            file: file.cloned(),
            namespaces: namespaces.iter().map(|&it| it.to_owned()).collect(),
        };
        let refused = |own: &OwnIdentity| own.tokens("backup").map(|_| ()).unwrap_err().message;
        assert!(refused(&own(Some(&file), &[])).contains("no policy of namespace backup"));
        assert!(refused(&own(Some(&file), &["other"])).contains("--federated-token-namespace"));
        assert!(refused(&own(None, &["backup"])).contains("--federated-token-file"));
        assert!(refused(&own(Some(&file), &["backup"])).contains("No such file"));
        std::fs::write(&file, "secret").unwrap();
        let told = refused(&own(Some(&file), &["backup"]));
        assert!(told.contains("holds no token") && !told.contains("secret"), "{told}");
        let token = format!("e30.{}.c2ln\n", URL_SAFE_NO_PAD.encode(r#"{"sub":"system:serviceaccount:a:b"}"#));
        std::fs::write(&file, token).unwrap();
        assert_eq!(own(Some(&file), &["backup"]).tokens("backup").ok().unwrap().subject(), "system:serviceaccount:a:b");
        std::fs::remove_file(&file).unwrap();
    }
}
