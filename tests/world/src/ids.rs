//! How do the things of a world get their ids?

use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine as _;

/// The same parts give the same GUID in every world, so that examples can quote ids.
pub fn guid_of(parts: &[&str]) -> String {
    let hash = digest(&SHA256, parts.join("|").to_lowercase().as_bytes());
    guid(hash.as_ref())
}

/// A GUID nobody has seen before.
pub fn fresh_guid() -> String {
    guid(&random::<16>())
}

fn guid(bytes: &[u8]) -> String {
    let mut b = [0_u8; 16];
    for (to, from) in b.iter_mut().zip(bytes) {
        *to = *from;
    }
    b[6] = (b[6] & 0x0f) | 0x40;
    b[8] = (b[8] & 0x3f) | 0x80;
    let hex: String =
        b.iter().flat_map(|byte| [byte >> 4, byte & 15]).filter_map(|half| char::from_digit(half.into(), 16)).collect();
    format!("{}-{}-{}-{}-{}", &hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..])
}

/// The same parts give the same digits in every world.
pub fn digits_of(parts: &[&str], count: usize) -> String {
    let hash = digest(&SHA256, parts.join("|").as_bytes());
    hash.as_ref().iter().take(count).filter_map(|byte| char::from_digit(u32::from(byte % 10), 10)).collect()
}

/// Keepit's form: groups of six lower-case letters and digits (keepit.md §1 "Ids"): three for accounts and connectors, four for jobs.
pub fn keepit_id(groups: usize) -> String {
    keepit_form(&random::<32>(), groups)
}

/// The same parts give the same Keepit id in every world.
pub fn keepit_id_of(parts: &[&str], groups: usize) -> String {
    keepit_form(digest(&SHA256, parts.join("|").as_bytes()).as_ref(), groups)
}

fn keepit_form(bytes: &[u8], groups: usize) -> String {
    const LETTERS: &[u8] = b"abcdefghijklmnopqrstuvwxyz0123456789";
    let letters: Vec<char> =
        bytes.iter().take(groups * 6).map(|byte| char::from(LETTERS[usize::from(*byte) % LETTERS.len()])).collect();
    letters.chunks(6).map(|group| group.iter().collect::<String>()).collect::<Vec<_>>().join("-")
}

/// An access token. Opaque on purpose, and with a word in it that a test can look for in logs.
pub fn access_token() -> String {
    format!("world-access-token-{}", base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(random::<32>()))
}

/// Entra writes the id of a role assignment as base64 of role and principal with a suffix; so does this world.
pub fn assignment_id(role: &str, principal: &str, scope: &str) -> String {
    let bytes: Vec<u8> = guid_of(&[role, principal, scope]).replace('-', "").into_bytes();
    format!("{}-1", base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(bytes))
}

fn random<const N: usize>() -> [u8; N] {
    let mut bytes = [0_u8; N];
    // The generator of aws-lc fails only when the operating system has no randomness at all; zeroes are then as good as anything.
    let _ = aws_lc_rs::rand::fill(&mut bytes);
    bytes
}

pub fn is_guid(text: &str) -> bool {
    text.len() == 36
        && text.bytes().enumerate().all(
            |(i, b)| {
                if matches!(i, 8 | 13 | 18 | 23) { b == b'-' } else { b.is_ascii_hexdigit() }
            },
        )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_have_the_form_of_their_service() {
        assert!(is_guid(&fresh_guid()));
        assert!(is_guid(&guid_of(&["a", "b"])));
        assert_eq!(guid_of(&["A"]), guid_of(&["a"]));
        let id = keepit_id(3);
        assert_eq!(id.len(), 20);
        assert!(id.split('-').all(|group| group.len() == 6));
    }
}
