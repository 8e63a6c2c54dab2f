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
                "found no federated credential at the app for the ServiceAccount ({place}.serviceAccountRef): there must be one with the cluster's issuer, the subject {} and the cloud's audience",
                tokens.subject()
            ),
            _ => format!("found no certificate at the app for the one that it was shown ({place}.secretRef)"),
        },
        "700027" => match credential {
            Credential::Federated(_) => format!(
                "can't verify the ServiceAccount's token ({place}.serviceAccountRef) with the keys that the cluster's issuer publishes"
            ),
            _ => format!(
                "did not accept the certificate ({place}.secretRef): it is not registered at the app, or no longer valid there"
            ),
        },
        "700024" => "did not accept the time of the sign-in: the clock of the operator's node or of the API server is wrong".to_owned(),
        "53003" => "refused the sign-in of the operator's app: a Conditional Access policy of the tenant blocks it".to_owned(),
        "530035" => "refused the sign-in of the operator's app: the tenant's security defaults block it".to_owned(),
        "500011" => "knows no such service in this tenant: the app can't get a token for it".to_owned(),
        _ => "refused the sign-in of the operator's app".to_owned(),
    };
    let code = if number.is_empty() { String::new() } else { format!(" (AADSTS{number})") };
    Fault::new(Kind::CredentialRefused, format!("Microsoft {said}{code}"))
}

#[cfg(test)]
mod tests {
    use async_trait::async_trait;
    use rstest::rstest;
    use secrecy::SecretString;

    use super::*;
}
