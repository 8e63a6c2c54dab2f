//! What Microsoft's numbers for a refused sign-in mean, and where in the spec it is mended (facts/microsoft.md §4.2). [pure]

use super::signin::Credential;
use crate::fault::{Fault, Kind};

/// The fault that a refusal stands for. The number is shown, Microsoft's text is not: it quotes what was sent.
pub fn refusal(said: &str, credential: &Credential) -> Fault {
    let number: String = said
        .split("AADSTS")
        .nth(1)
        .map(|rest| rest.chars().take_while(char::is_ascii_digit).collect())
        .unwrap_or_default();
    if let "90002" | "900021" | "900023" = number.as_str() {
        return Fault::new(
            Kind::TenantNotFound,
            "Microsoft knows no tenant of the id in spec.tenant.id in the cloud that spec.tenant.cloud names",
        );
    }
    let place = credential.place();
    let said = match number.as_str() {
        "700016" | "700011" => format!("does not know the app ({place}.clientID) in this tenant"),
        "7000112" | "50057" => format!("says that the app ({place}.clientID) is disabled in this tenant"),
        "7000215" => format!(
            "refused the client secret ({place}.secretRef): it is not one of the app's (is it the secret's id instead of its value?)"
        ),
        "7000222" => format!("refused the client secret ({place}.secretRef): it has expired"),
        "700211" | "700212" | "700213" | "70021" => match credential {
            Credential::Federated(tokens) => format!(
                "found no federated credential at the app for the ServiceAccount ({}): there must be one with the cluster's issuer, the subject {} and the cloud's audience",
                tokens.place(),
                tokens.subject()
            ),
            _ => format!("found no certificate at the app for the one that it was shown ({place}.secretRef)"),
        },
        "700027" => match credential {
            Credential::Federated(tokens) => format!(
                "can't verify the ServiceAccount's token ({}) with the keys that the cluster's issuer publishes",
                tokens.place()
            ),
            _ => format!(
                "did not accept the certificate ({place}.secretRef): it is not registered at the app, or no longer valid there"
            ),
        },
        "700024" => {
            "did not accept the time of the sign-in: the clock of the operator's node or of the API server is wrong"
                .to_owned()
        }
        "53003" => {
            "refused the sign-in of the operator's app: a Conditional Access policy of the tenant blocks it".to_owned()
        }
        "530035" => "refused the sign-in of the operator's app: the tenant's security defaults block it".to_owned(),
        "500011" => "knows no such service in this tenant: the app can't get a token for it".to_owned(),
        _ => "refused the sign-in of the operator's app".to_owned(),
    };
    let code = if number.is_empty() { String::new() } else { format!(" (AADSTS{number})") };
    Fault::new(Kind::CredentialRefused, format!("Microsoft {said}{code}"))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use async_trait::async_trait;
    use secrecy::SecretString;

    use super::*;
    use crate::tenant::signin::Federated;

    struct Somebody;

    #[async_trait]
    impl Federated for Somebody {
        fn subject(&self) -> &'static str {
            "system:serviceaccount:backup:entra"
        }

        fn place(&self) -> &'static str {
            "spec.credential.workloadIdentity.serviceAccountRef"
        }

        async fn token(&self, _: &str) -> Result<SecretString, Fault> {
            Ok("token".to_owned().into())
        }
    }

    fn secret() -> Credential {
        Credential::Secret("hush".to_owned().into())
    }

    #[test]
    fn a_refusal_tells_what_to_mend_and_where_and_never_quotes() {
        let federated = Credential::Federated(Arc::new(Somebody));
        for (number, credential, pieces) in [
            (7_000_215, &secret(), &["client secret", "spec.credential.clientSecret.secretRef"][..]),
            (7_000_222, &secret(), &["has expired", "spec.credential.clientSecret.secretRef"]),
            (700_016, &secret(), &["spec.credential.clientSecret.clientID"]),
            (700_016, &federated, &["spec.credential.workloadIdentity.clientID"]),
            (50057, &federated, &["disabled"]),
            (70021, &federated, &["system:serviceaccount:backup:entra", "serviceAccountRef"]),
            (700_213, &federated, &["system:serviceaccount:backup:entra", "serviceAccountRef"]),
            (700_027, &federated, &["issuer", "serviceAccountRef"]),
            (53003, &secret(), &["Conditional Access"]),
            (530_035, &secret(), &["security defaults"]),
            (123_456, &secret(), &[]),
        ] {
            let fault = refusal(&format!("AADSTS{number}: Quoted hush-hush."), credential);
            assert_eq!(fault.kind, Kind::CredentialRefused, "{fault}");
            assert!(fault.sentence.starts_with("Microsoft ") && !fault.sentence.contains("hush"), "{fault}");
            for piece in pieces.iter().chain(&[number.to_string().as_str()]) {
                assert!(fault.sentence.contains(piece), "{fault} does not say {piece}");
            }
        }
    }

    #[test]
    fn a_tenant_that_is_not_there_is_no_wrong_credential() {
        let fault = refusal("AADSTS90002: Tenant 'x' not found.", &secret());
        assert_eq!(fault.kind, Kind::TenantNotFound);
        assert!(fault.sentence.contains("spec.tenant.id") && fault.sentence.contains("spec.tenant.cloud"));
    }

    #[test]
    fn without_a_number_it_is_still_a_sentence() {
        assert_eq!(refusal("?", &secret()).sentence, "Microsoft refused the sign-in of the operator's app");
    }
}
