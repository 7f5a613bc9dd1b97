//! The object that a path leads to, read without the code of the server.

use sluicegate::store::Key;

/// Address of a request.
#[derive(Debug, Default)]
pub(super) struct Address {
    /// Parameters after the question mark, decoded.
    pub(super) query: Vec<(String, String)>,
    pub(super) path: String,
    pub(super) plural: String,
    pub(super) namespace: Option<String>,
    pub(super) name: Option<String>,
    pub(super) subresource: Option<String>,
}

impl Address {
    pub(super) fn parse(path: &str, query: &str) -> Self {
        let pairs = query.split('&').filter_map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            Some((decode(&name.replace('+', " "))?, decode(&value.replace('+', " "))?))
        });
        let mut address = Self { query: pairs.collect(), path: path.to_owned(), ..Self::default() };
        let segments: Option<Vec<_>> = path.trim_matches('/').split('/').map(decode).collect();
        let segments = segments.unwrap_or_default();
        let mut rest = segments.into_iter();
        match rest.next().as_deref() {
            Some("api") => _ = rest.next(),
            Some("apis") => _ = (rest.next(), rest.next()),
            _ => return address,
        }
        let rest: Vec<_> = rest.collect();
        let rest = match rest.as_slice() {
            [scope, namespace, plural, ..]
                if scope == "namespaces" && plural != "status" && plural != "finalize" =>
            {
                address.namespace = Some(namespace.clone());
                &rest[2..]
            }
            rest => rest,
        };
        address.plural = rest.first().cloned().unwrap_or_default();
        address.name = rest.get(1).cloned();
        address.subresource = rest.get(2).cloned();
        address
    }

    /// Returns the first value of a parameter.
    pub(super) fn parameter(&self, name: &str) -> Option<&str> {
        let found = self.query.iter().find(|(found, _)| found == name);
        found.map(|(_, value)| value.as_str())
    }

    /// Returns `true` if a parameter has a value, perhaps beside others.
    pub(super) fn has_parameter(&self, name: &str, value: &str) -> bool {
        self.query.iter().any(|(found, other)| found == name && other == value)
    }

    /// Returns `true` if the request names an object, in its path or by the name in its body.
    pub(super) fn is_of(&self, key: &Key, name: Option<&str>) -> bool {
        let is_named = self.name.as_deref().or(name).is_none_or(|name| name == key.name());
        key.resource().plural() == self.plural
            && is_named
            && key.namespace() == self.namespace.as_deref()
    }
}

/// Decodes a text with percent-encoding.
fn decode(text: &str) -> Option<String> {
    let mut bytes = Vec::new();
    let mut rest = text.as_bytes();
    while let [first, others @ ..] = rest {
        rest = others;
        if *first != b'%' {
            bytes.push(*first);
            continue;
        }
        let [high, low, others @ ..] = rest else { return None };
        rest = others;
        let digit = |byte: u8| char::from(byte).to_digit(16);
        bytes.push(u8::try_from(digit(*high)? * 16 + digit(*low)?).ok()?);
    }
    String::from_utf8(bytes).ok()
}
