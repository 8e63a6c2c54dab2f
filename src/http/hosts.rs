//! Which hosts may be asked at all.

use url::Url;

use crate::fault::{Fault, Kind};

/// Hosts that may be asked: the compiled-in ones of the vendors and of Microsoft, and what `--allow-host` adds.
///
/// A pattern is a host name, or `*.` and the rest of one for any single or multiple labels before it.
#[derive(Clone, Debug, Default)]
pub struct Hosts {
    compiled_in: Vec<String>,
    allowed: Vec<String>,
}

impl Hosts {
    /// The compiled-in patterns, and those of `--allow-host`.
    ///
    /// # Errors
    /// When a pattern is not a host name, optionally after `*.`.
    pub fn new(
        compiled_in: impl IntoIterator<Item = impl Into<String>>,
        allowed: impl IntoIterator<Item = impl AsRef<str>>,
    ) -> Result<Self, String> {
        let compiled_in = compiled_in.into_iter().map(Into::into).collect();
        let mut patterns = Vec::new();
        for pattern in allowed {
            let pattern = pattern.as_ref().trim().to_ascii_lowercase();
            let name = pattern.strip_prefix("*.").unwrap_or(&pattern);
            let plain = !name.is_empty() && name.contains('.') && name.split('.').all(is_label);
            if !plain {
                return Err(format!(
                    "--allow-host '{pattern}' is not a host name such as api.example.com or *.example.com"
                ));
            }
            patterns.push(pattern);
        }
        Ok(Self { compiled_in, allowed: patterns })
    }

    /// Whether this host may be asked.
    #[must_use]
    pub fn allows(&self, host: &str) -> bool {
        self.allows_expressly(host) || self.compiled_in.iter().any(|pattern| matches(pattern, host))
    }

    /// Whether `--allow-host` itself names this host.
    #[must_use]
    pub fn allows_expressly(&self, host: &str) -> bool {
        self.allowed.iter().any(|pattern| matches(pattern, host))
    }

    /// Refuses what may not be asked: another scheme, a port, a user in the URL, or a host that is not allowed.
    ///
    /// # Errors
    /// [`Kind::HostNotAllowed`], naming the host and the flag.
    pub fn admit(&self, url: &Url) -> Result<(), Fault> {
        let host = url.host_str().unwrap_or_default();
        let plain = url.scheme() == "https" && url.port().is_none() && url.username().is_empty();
        if plain && self.allows(host) {
            return Ok(());
        }
        Err(Fault::new(
            Kind::HostNotAllowed,
            format!(
                "The host {host} is not one that the operator may ask; if it is right, start it with --allow-host {host}"
            ),
        ))
    }
}

fn matches(pattern: &str, host: &str) -> bool {
    match pattern.strip_prefix('*') {
        Some(suffix) => host.len() > suffix.len() && host.ends_with(suffix),
        None => host == pattern,
    }
}

fn is_label(label: &str) -> bool {
    !label.is_empty() && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hosts() -> Hosts {
        Hosts::new(["graph.microsoft.com", "*.crm4.dynamics.com"], ["*.Example.com"]).unwrap()
    }

    #[test]
    fn only_listed_hosts_over_plain_https_are_admitted() {
        let admitted = |url: &str| hosts().admit(&Url::parse(url).unwrap()).is_ok();
        assert!(admitted("https://graph.microsoft.com/v1.0/users"));
        assert!(admitted("https://contoso.crm4.dynamics.com/api"));
        assert!(admitted("https://a.b.example.com/"));
        for refused in [
            "http://graph.microsoft.com/",
            "https://graph.microsoft.com:8443/",
            "https://user@graph.microsoft.com/",
            "https://crm4.dynamics.com/",
            "https://evilcrm4.dynamics.com/",
            "https://graph.microsoft.com.evil.net/",
            "https://example.com/",
            "https://127.0.0.1/",
        ] {
            assert!(!admitted(refused), "{refused}");
        }
    }

    #[test]
    fn what_is_compiled_in_is_not_allowed_expressly() {
        assert!(hosts().allows_expressly("a.example.com"));
        assert!(!hosts().allows_expressly("graph.microsoft.com"));
    }

    #[test]
    fn a_refusal_names_the_host_and_the_flag() {
        let fault = hosts().admit(&Url::parse("https://evil.net/x?secret=1").unwrap()).unwrap_err();
        assert!(fault.sentence.contains("--allow-host evil.net"), "{fault}");
        assert!(!fault.sentence.contains("secret"), "{fault}");
    }

    #[test]
    fn a_pattern_that_is_no_host_name_is_refused() {
        for bad in ["", "*", "*.", "https://a.b", "a b.c", "localhost", "*.*.com"] {
            assert!(Hosts::new([""; 0], [bad]).is_err(), "{bad}");
        }
    }
}
