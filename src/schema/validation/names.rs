//! Syntax of names and keys, with the messages of Kubernetes.

const LABEL_ERROR: &str = "a lowercase RFC 1123 label must consist of lower case alphanumeric \
    characters or '-', and must start and end with an alphanumeric character (e.g. 'my-name',  or \
    '123-abc', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')";
const SUBDOMAIN_ERROR: &str = "a lowercase RFC 1123 subdomain must consist of lower case \
    alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character \
    (e.g. 'example.com', regex used for validation is \
    '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')";
const KEY_ERROR: &str = "name part must consist of alphanumeric characters, '-', '_' or '.', and \
    must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or \
    '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')";
const VALUE_ERROR: &str = "a valid label must be an empty string or consist of alphanumeric \
    characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. \
    'MyValue',  or 'my_value',  or '12345', regex used for validation is \
    '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')";
const NAME_LENGTH_ERROR: &str = "must be no more than 63 bytes";

/// Returns the error in the name of a Namespace or Service.
pub(crate) fn label_error(name: &str) -> Option<&'static str> {
    if name.len() > 63 {
        return Some(NAME_LENGTH_ERROR);
    }
    (!is_label(name)).then_some(LABEL_ERROR)
}

/// Returns the error in the name of any other object.
pub(crate) fn subdomain_error(name: &str) -> Option<&'static str> {
    if name.len() > 253 {
        return Some("must be no more than 253 bytes");
    }
    (!name.split('.').all(is_label)).then_some(SUBDOMAIN_ERROR)
}

/// Returns the error in a key of a label or annotation, or in a finalizer.
pub(crate) fn key_error(key: &str) -> Option<String> {
    let (prefix, name) = match key.split_once('/') {
        Some((prefix, name)) => (Some(prefix), name),
        None => (None, key),
    };
    if prefix == Some("") {
        return Some("prefix part must be non-empty".into());
    }
    if let Some(error) = prefix.and_then(subdomain_error) {
        return Some(format!("prefix part {error}"));
    }
    match name {
        "" => Some("name part must be non-empty".into()),
        _ if name.len() > 63 => Some(format!("name part {NAME_LENGTH_ERROR}")),
        _ if !is_alphanumeric(name) => Some(KEY_ERROR.into()),
        _ => None,
    }
}

/// Returns the error in the value of a label.
pub(super) fn value_error(value: &str) -> Option<&'static str> {
    if value.len() > 63 {
        return Some(NAME_LENGTH_ERROR);
    }
    (!value.is_empty() && !is_alphanumeric(value)).then_some(VALUE_ERROR)
}

/// Returns `true` for a part of a DNS name in lower case. As in Kubernetes, a part of a subdomain
/// may be longer than 63 bytes.
fn is_label(text: &str) -> bool {
    let is_inner = |byte: &u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || *byte == b'-';
    let is_end = |byte: Option<&u8>| byte.is_some_and(|byte| is_inner(byte) && *byte != b'-');
    let bytes = text.as_bytes();
    is_end(bytes.first()) && is_end(bytes.last()) && bytes.iter().all(is_inner)
}

fn is_alphanumeric(text: &str) -> bool {
    let is_end = |byte: Option<&u8>| byte.is_some_and(u8::is_ascii_alphanumeric);
    let bytes = text.as_bytes();
    is_end(bytes.first())
        && is_end(bytes.last())
        && bytes.iter().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_have_the_syntax_of_kubernetes() {
        for (name, is_label, is_subdomain) in [
            ("a", true, true),
            ("1-a", true, true),
            ("a.b", false, true),
            ("A", false, false),
            ("-a", false, false),
            ("", false, false),
            (&"a".repeat(63), true, true),
            (&"a".repeat(64), false, true),
            (&"a.".repeat(127), false, false),
        ] {
            assert_eq!(label_error(name).is_none(), is_label, "{name}");
            assert_eq!(subdomain_error(name).is_none(), is_subdomain, "{name}");
        }
    }

    #[test]
    fn keys_and_values_have_the_syntax_of_kubernetes() {
        for (key, error) in [
            ("a_B.c", None),
            ("example.com/a", None),
            ("/a", Some("prefix part must be non-empty")),
            ("A/a", Some("prefix part a lowercase")),
            ("a/", Some("name part must be non-empty")),
            ("a/b/c", Some("name part must consist")),
            ("-a", Some("name part must consist")),
        ] {
            let found = key_error(key);
            assert_eq!(found.is_some(), error.is_some(), "{key}");
            assert!(found.unwrap_or_default().starts_with(error.unwrap_or_default()), "{key}");
        }
        assert!(key_error(&"a".repeat(64)).is_some());
        assert_eq!(value_error(""), None);
        assert_eq!(value_error("a_B.c"), None);
        assert!(value_error("a b").is_some() && value_error(&"a".repeat(64)).is_some());
    }
}
