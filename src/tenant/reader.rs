//! What reading an environment takes, and the commands that give the operator's app just that.

use super::Cloud;

/// What the security role is called that the commands make.
pub const ROLE: &str = "Backstay Reader";

/// The privileges that all reads of an environment take together, at organization depth, and what each is for. Microsoft lists
/// them by message (previous-versions/dynamicscrm-2016/developers-guide: "Retrieve message privileges", "`RetrieveEntity`
/// message privileges"). The tables' definitions take none.
pub const PRIVILEGES: &[(&str, &str)] = &[
    ("prvReadUser", "the account's row"),
    ("prvReadRole", "the security roles that come along with it, and the privileges that it has"),
    ("prvReadTeam", "teams that give it roles"),
];

/// The commands, for a shell.
const COMMANDS: &str = include_str!("reader.sh");

/// The commands for these environments. What goes into them was checked: it can be nothing but an id and addresses.
///
/// # Errors
/// One sentence: what is no client id, or no environment's address.
pub fn commands(client_id: &str, environments: &[String]) -> Result<String, String> {
    if !is_client_id(client_id) {
        return Err(format!("{client_id:?} is no client id: a GUID is expected"));
    }
    let origins: Vec<String> = environments
        .iter()
        .map(|address| origin(address).ok_or_else(|| format!("{address:?} is no environment's address")))
        .collect::<Result<_, _>>()?;
    let privileges: Vec<&str> = PRIVILEGES.iter().map(|(name, _)| *name).collect();
    Ok(COMMANDS
        .replace("@ROLE@", ROLE)
        .replace("@CLIENT_ID@", &client_id.to_ascii_lowercase())
        .replace("@PRIVILEGES@", &privileges.join(" "))
        .replace("@ENVIRONMENTS@", &origins.join(" ")))
}

/// Whether it is one, and so can stand in a shell's command.
#[must_use]
pub fn is_client_id(text: &str) -> bool {
    let parts: Vec<&str> = text.split('-').collect();
    parts.iter().map(|part| part.len()).eq([8, 4, 4, 4, 12])
        && parts.iter().all(|part| part.bytes().all(|byte| byte.is_ascii_hexdigit()))
}

/// Scheme and host of an environment's address, if it is one of any cloud: a token is sent there.
#[must_use]
pub fn origin(address: &str) -> Option<String> {
    let host = address.strip_prefix("https://")?.trim_end_matches('/').to_ascii_lowercase();
    let plain = host.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-'));
    let known = Cloud::ALL.into_iter().any(|cloud| cloud.has_environment(&host));
    (plain && known).then(|| format!("https://{host}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "c0ffee00-1111-4222-8333-444455556666";

    #[test]
    fn nothing_but_an_id_and_addresses_gets_into_the_commands() {
        let all = ["https://contoso.crm4.dynamics.com/".to_owned(), "https://Gov.crm.appsplatform.us".to_owned()];
        let text = commands(&ID.to_uppercase(), &all).unwrap();
        assert!(text.contains("CLIENT_ID='c0ffee00-1111-4222-8333-444455556666'"), "{text}");
        assert!(text.contains("'https://contoso.crm4.dynamics.com https://gov.crm.appsplatform.us'"), "{text}");
        assert!(
            !["@ROLE@", "@CLIENT_ID@", "@PRIVILEGES@", "@ENVIRONMENTS@"].iter().any(|it| text.contains(it)),
            "{text}"
        );
        for address in [
            "http://contoso.crm4.dynamics.com",
            "https://contoso.example.com",
            "https://contoso.crm4.dynamics.com/path",
            "https://contoso.crm4.dynamics.com'; rm -rf ~ #.crm4.dynamics.com",
            "https://user@contoso.crm4.dynamics.com",
            "",
        ] {
            assert!(commands(ID, &[address.to_owned()]).is_err(), "{address}");
        }
        for id in ["c", "'; true #", "c0ffee00-1111-4222-8333-44445555666g"] {
            assert!(commands(id, &all).is_err(), "{id}");
        }
    }
}
