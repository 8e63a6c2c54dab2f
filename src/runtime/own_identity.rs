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
            let subject = claims(&token).ok_or_else(|| format!("{} holds no token", file.display()))?.sub;
            Ok(Own { file, subject })
        });
        own.map_err(|why| wrong(format!("The operator's own token ({PLACE}) can't be read: {why}")))
    }
}

fn read(file: &PathBuf) -> Result<String, String> {
    let text = std::fs::read_to_string(file).map_err(|error| format!("{}: {error}", file.display()))?;
    Ok(text.trim().to_owned())
}

/// Whose token it is, and for whom.
#[derive(Deserialize)]
struct Claims {
    sub: String,
    aud: Vec<String>,
}

fn claims(token: &str) -> Option<Claims> {
    let claims = URL_SAFE_NO_PAD.decode(token.split('.').nth(1)?).ok()?;
    serde_json::from_slice(&claims).ok()
}

#[async_trait]
impl Federated for Own {
    fn subject(&self) -> &str {
        &self.subject
    }

    fn place(&self) -> &'static str {
        PLACE
    }

    async fn token(&self, audience: &str) -> Result<SecretString, Fault> {
        let refused = |why: String| Fault::new(Kind::CredentialRefused, why);
        let token =
            read(&self.file).map_err(|why| refused(format!("The operator's own token can't be read: {why}")))?;
        // A token for one cloud is shown to no other.
        if !claims(&token).is_some_and(|claims| claims.aud.iter().any(|it| it == audience)) {
            return Err(refused(format!(
                "The operator's own token ({PLACE}) is not for {audience}, which the cloud of spec.tenant.cloud asks for (workloadIdentity.audience of the chart)"
            )));
        }
        Ok(token.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_namespace_that_is_not_named_gets_no_token_and_a_file_without_one_is_told() {
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
        let token = format!(
            "e30.{}.c2ln\n",
            URL_SAFE_NO_PAD.encode(r#"{"sub":"system:serviceaccount:a:b","aud":["api://here"]}"#)
        );
        std::fs::write(&file, token).unwrap();
        let tokens = own(Some(&file), &["backup"]).tokens("backup").ok().unwrap();
        assert_eq!(tokens.subject(), "system:serviceaccount:a:b");
        assert!(tokens.token("api://here").await.is_ok());
        assert!(tokens.token("api://there").await.unwrap_err().sentence.contains("workloadIdentity.audience"));
        std::fs::remove_file(&file).unwrap();
    }
}
