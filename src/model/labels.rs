//! Labels and annotations, and the syntax of their keys and values.

use std::collections::BTreeMap;

use super::scalar::is_dns_subdomain;

/// Labels or annotations.
pub type Labels = BTreeMap<String, String>;

/// The maximum length of the prefix of a key.
pub(super) const MAX_PREFIX: usize = 253;

/// Returns `true` for the syntax of a key: a name of at most 63 characters, optionally after a DNS
/// subdomain of at most `max_prefix` characters and a slash.
pub(super) fn is_label_key(key: &str, max_prefix: usize) -> bool {
    let (prefix, name) =
        key.split_once('/').map_or((None, key), |(prefix, name)| (Some(prefix), name));
    prefix.is_none_or(|prefix| prefix.len() <= max_prefix && is_dns_subdomain(prefix))
        && !name.is_empty()
        && is_label_value(name)
}

/// Returns `true` for the syntax of a label's value.
pub(super) fn is_label_value(text: &str) -> bool {
    let bytes = text.as_bytes();
    let (Some(first), Some(last)) = (bytes.first(), bytes.last()) else { return true };
    bytes.len() <= 63
        && first.is_ascii_alphanumeric()
        && last.is_ascii_alphanumeric()
        && bytes.iter().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(byte))
}
