//! Parses the parameter `fieldSelector`.

use serde_json::Value;

use super::selectable_fields::{field_value, selectable_fields};
use crate::schema::resource::Resource;

/// Fields that the key of an object contains.
const NAME: &str = "metadata.name";
const NAMESPACE: &str = "metadata.namespace";

/// Requirements on fields. Objects match if they meet all of them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FieldSelector {
    terms: Vec<Term>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Term {
    field: &'static str,
    value: String,
    is_equal: bool,
}

/// Error of [`FieldSelector::parse`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FieldSelectorError {
    /// A term has no operator.
    #[error("invalid selector: `{0}`; expected FIELD=VALUE, FIELD==VALUE or FIELD!=VALUE")]
    Syntax(String),
    /// A value contains an escape sequence that does not exist.
    #[error("invalid escape sequence in `{0}`; expected `\\\\`, `\\,` or `\\=`")]
    Escape(String),
    /// Objects of this kind cannot be selected by the field.
    #[error("field label not supported: {field}; supported: {supported}")]
    UnknownField {
        /// The field.
        field: String,
        /// The fields that are supported.
        supported: String,
    },
}

impl FieldSelector {
    /// Parses a selector such as `metadata.name=a,type!=Normal`. An empty text selects everything.
    ///
    /// # Errors
    /// Returns an error if the text is malformed, or if a field cannot be selected.
    pub fn parse(text: &str, resource: &Resource) -> Result<Self, FieldSelectorError> {
        let terms = split_terms(text).into_iter().filter(|term| !term.is_empty());
        let terms = terms.map(|term| Term::parse(term, resource));
        Ok(Self { terms: terms.collect::<Result<_, _>>()? })
    }

    /// Returns `true` if an object meets all requirements. The object has the version of the
    /// request: the fields of Events have other names in the other group.
    pub fn matches(&self, object: &Value) -> bool {
        self.terms
            .iter()
            .all(|term| (field_value(object, term.field) == term.value) == term.is_equal)
    }

    /// Returns `true` if an object meets the requirements on `metadata.name` and
    /// `metadata.namespace`. The namespace of a cluster-scoped object is empty.
    pub fn matches_key(&self, namespace: &str, name: &str) -> bool {
        self.terms.iter().all(|term| {
            let value = match term.field {
                NAME => name,
                NAMESPACE => namespace,
                _ => return true,
            };
            (value == term.value) == term.is_equal
        })
    }

    /// Returns `true` if [`matches_key`](Self::matches_key) tests all requirements, so that the
    /// object need not be decoded.
    pub fn is_of_key(&self) -> bool {
        self.terms.iter().all(|term| [NAME, NAMESPACE].contains(&term.field))
    }
}

impl Term {
    fn parse(text: &str, resource: &Resource) -> Result<Self, FieldSelectorError> {
        let found = text.find(['=', '!']).map(|end| text.split_at(end));
        let operator = found.and_then(|(field, rest)| {
            let operators = [("!=", false), ("==", true), ("=", true)];
            let mut operators = operators.into_iter();
            operators.find_map(|(sign, is_equal)| Some((field, rest.strip_prefix(sign)?, is_equal)))
        });
        let Some((field, value, is_equal)) = operator else {
            return Err(FieldSelectorError::Syntax(text.to_owned()));
        };
        let Some(known) = selectable_fields(resource).find(|known| *known == field) else {
            let supported: Vec<_> = selectable_fields(resource).collect();
            let supported = supported.join(", ");
            return Err(FieldSelectorError::UnknownField { field: field.to_owned(), supported });
        };
        Ok(Self { field: known, value: unescape(value)?, is_equal })
    }
}

/// Splits a text at the commas that are not escaped.
fn split_terms(text: &str) -> Vec<&str> {
    let mut terms = Vec::new();
    let (mut start, mut is_escaped) = (0, false);
    for (index, c) in text.char_indices() {
        match c {
            _ if is_escaped => is_escaped = false,
            '\\' => is_escaped = true,
            ',' => {
                terms.push(&text[start..index]);
                start = index + 1;
            }
            _ => {}
        }
    }
    terms.push(&text[start..]);
    terms
}

fn unescape(text: &str) -> Result<String, FieldSelectorError> {
    let invalid = || FieldSelectorError::Escape(text.to_owned());
    let mut value = String::new();
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        match c {
            '\\' => {
                let escaped = chars.next().filter(|c| ['\\', ',', '='].contains(c));
                value.push(escaped.ok_or_else(invalid)?);
            }
            '=' => return Err(invalid()),
            c => value.push(c),
        }
    }
    Ok(value)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::schema::find_kind;

    fn parse(group: &str, kind: &str, text: &str) -> Result<FieldSelector, FieldSelectorError> {
        FieldSelector::parse(text, find_kind(group, "v1", kind).unwrap().0)
    }

    #[test]
    fn selectors_match_fields() {
        let event = json!({
            "metadata": {"name": "a,b", "namespace": "n"},
            "involvedObject": {"kind": "Gateway", "name": "g"},
            "type": "Normal",
            "reportingComponent": "sluicegate",
        });
        for (selector, expected) in [
            ("", true),
            (r"metadata.name=a\,b", true),
            ("metadata.name!=a", true),
            ("metadata.namespace==m", false),
            ("involvedObject.kind=Gateway,involvedObject.name=g", true),
            ("involvedObject.kind=Gateway,involvedObject.name=h", false),
            ("involvedObject.uid=", true),
            ("type!=Normal", false),
            ("source=sluicegate", true),
        ] {
            let parsed = parse("", "Event", selector).unwrap();
            assert_eq!(parsed.matches(&event), expected, "{selector}");
        }
        let secret = json!({"type": "Opaque"});
        assert!(parse("", "Secret", "type=Opaque").unwrap().matches(&secret));
        let event = json!({"regarding": {"name": "g"}});
        assert!(parse("events.k8s.io", "Event", "regarding.name=g").unwrap().matches(&event));
    }

    #[test]
    fn name_and_namespace_are_compared_without_the_object() {
        for (selector, is_of_key, expected) in [
            ("", true, true),
            ("metadata.name=a", true, true),
            ("metadata.name!=a", true, false),
            ("metadata.namespace=n,metadata.name!=b", true, true),
            ("metadata.namespace=m", true, false),
            ("metadata.namespace!=n", true, false),
            ("type=Opaque,metadata.name=a", false, true),
            ("type=Opaque,metadata.name=b", false, false),
        ] {
            let parsed = parse("", "Secret", selector).unwrap();
            let found = (parsed.is_of_key(), parsed.matches_key("n", "a"));
            assert_eq!(found, (is_of_key, expected), "{selector}");
        }
        let cluster_scoped = parse("", "Namespace", "metadata.namespace=").unwrap();
        assert!(cluster_scoped.matches_key("", "a"));
    }

    #[test]
    fn invalid_selectors_are_refused() {
        type Error = FieldSelectorError;
        for selector in ["metadata.name", "metadata.name!a"] {
            let error = parse("", "Secret", selector).unwrap_err();
            assert!(matches!(error, Error::Syntax(_)), "{selector}: {error}");
        }
        for selector in [r"metadata.name=a\b", "metadata.name=a=b", r"metadata.name=a\"] {
            let error = parse("", "Secret", selector).unwrap_err();
            assert!(matches!(error, Error::Escape(_)), "{selector}: {error}");
        }
        let error = parse("", "Secret", "spec.type=a").unwrap_err().to_string();
        let expected = "field label not supported: spec.type; supported: metadata.name, metadata.namespace, type";
        assert_eq!(error, expected);
        assert!(parse("apps", "Deployment", "type=a").is_err());
    }
}
