//! Patterns of names in the CRD schemas.

/// Maximum length of a name, hostname or group.
const MAX_LEN: usize = 253;

/// Returns `true` for a text of 1 to 253 characters. The CRDs have no pattern for names in
/// references, and count characters, not bytes.
pub(super) fn is_object_name(text: &str) -> bool {
    !text.is_empty() && (text.len() <= MAX_LEN || text.chars().count() <= MAX_LEN)
}

/// Returns `true` for an RFC 1123 label in lower case.
pub(crate) fn is_dns_label(text: &str) -> bool {
    text.len() <= 63 && is_label_of_any_length(text)
}

/// Returns `true` for an RFC 1123 subdomain in lower case. As in the CRDs, the length of its labels
/// is not limited.
pub(crate) fn is_dns_subdomain(text: &str) -> bool {
    text.len() <= MAX_LEN && text.split('.').all(is_label_of_any_length)
}

fn is_label_of_any_length(text: &str) -> bool {
    let bytes = text.as_bytes();
    let (Some(first), Some(last)) = (bytes.first(), bytes.last()) else { return false };
    let alphanumeric = |byte: &u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    alphanumeric(first)
        && alphanumeric(last)
        && bytes.iter().all(|byte| alphanumeric(byte) || *byte == b'-')
}

pub(super) fn is_hostname(text: &str) -> bool {
    text.len() <= MAX_LEN && is_dns_subdomain(text.strip_prefix("*.").unwrap_or(text))
}

pub(super) fn is_group(text: &str) -> bool {
    text.is_empty() || is_dns_subdomain(text)
}

pub(super) fn is_kind(text: &str) -> bool {
    let bytes = text.as_bytes();
    (1..=63).contains(&bytes.len())
        && bytes[0].is_ascii_alphabetic()
        && bytes[bytes.len() - 1] != b'-'
        && bytes.iter().all(|byte| byte.is_ascii_alphanumeric() || *byte == b'-')
}

pub(super) fn is_controller(text: &str) -> bool {
    let Some((domain, path)) = text.split_once('/') else { return false };
    text.len() <= MAX_LEN
        && is_dns_subdomain(domain)
        && !path.is_empty()
        && path
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"/-._~%!$&'()*+,;=:".contains(&byte))
}
