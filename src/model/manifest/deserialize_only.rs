//! Deserialization of the only document of a text into any type.

use serde::de::DeserializeOwned;

use super::build::{MAX_DEPTH, Parsed, parse, too_deep};
use super::control_character::find_control_character;
use super::deserialize::deserialize_value;
use super::error::ManifestError;
use super::node_id::NodeId;
use super::position::Position;
use super::split::split;
use super::tree::{Tree, Value};

/// Deserializes a text with one document, by the rules of [`read`](super::read()).
///
/// # Errors
/// Returns the first error: of the syntax, a duplicate key, more than one document, or a value that
/// the type does not allow.
pub(crate) fn deserialize_only<T: DeserializeOwned>(text: &str) -> Result<T, ManifestError> {
    let refuse = |position: Position, message: String| {
        ManifestError::new(position, None, String::new(), message)
    };
    if let Some(found) = find_control_character(text) {
        return Err(refuse(found.position, found.message()));
    }
    let mut documents = split(text);
    let Some(document) = documents.next() else {
        return Err(refuse(Position::new(1, 1), "contains no object".to_owned()));
    };
    if let Some(second) = documents.next() {
        let message = "a second document begins here; one object is expected";
        return Err(refuse(Position::new(second.line, second.column), message.to_owned()));
    }
    let Parsed { tree, problems, failure } = parse(&document);
    if let Some(failure) = failure {
        return Err(refuse(failure.position, failure.message));
    }
    if let Some(problem) = problems.into_iter().next() {
        return Err(problem.of(None));
    }
    if tree.is_empty() {
        return Err(refuse(Position::new(1, 1), "contains no object".to_owned()));
    }
    if let Some(position) = find_deep_node(&tree, NodeId::ROOT, MAX_DEPTH) {
        return Err(refuse(position, too_deep()));
    }
    deserialize_value(&tree, NodeId::ROOT).map_err(|error| {
        let (position, field) =
            error.location.unwrap_or_else(|| (tree.position(NodeId::ROOT), String::new()));
        ManifestError::new(position, None, field, error.message)
    })
}

/// Finds a node below which there are more levels than allowed. Aliases can nest levels that are
/// apart in the text, so the parser does not find all of these nodes.
fn find_deep_node(tree: &Tree<'_>, node: NodeId, levels: usize) -> Option<Position> {
    let is_container = matches!(tree.value(node), Value::List(_) | Value::Mapping(_));
    if is_container && levels == 0 {
        return Some(tree.position(node));
    }
    match tree.value(node) {
        Value::List(items) => items.iter().find_map(|item| find_deep_node(tree, *item, levels - 1)),
        Value::Mapping(fields) => {
            fields.as_slice().iter().find_map(|field| find_deep_node(tree, field.value, levels - 1))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn error(text: &str) -> String {
        deserialize_only::<Value>(text).unwrap_err().to_string()
    }

    #[test]
    fn document_is_read_as_kubectl_reads_it() {
        let text =
            "# comment\n---\na: yes\nb: 0x1F\nc: \"yes\"\nd: [1.5, ~]\n5: &x {e: 5.0}\nf: *x\n";
        let expected = json!({
            "a": true, "b": 31, "c": "yes", "d": [1.5, null], "5": {"e": 5}, "f": {"e": 5},
        });
        assert_eq!(deserialize_only::<Value>(text).unwrap(), expected);
        assert_eq!(
            deserialize_only::<Value>("{\"a\": [\"\\u00e9\"]}").unwrap(),
            json!({"a": ["é"]})
        );
    }

    #[test]
    fn first_error_has_its_position() {
        assert_eq!(error(""), "1:1: contains no object");
        assert_eq!(error("# comment\n"), "1:1: contains no object");
        assert!(error("a: 1\na: 2\n").starts_with("2:1: a: is already set in line 1"));
        assert!(error("a: 1\n---\nb: 2\n").contains("a second document begins here"));
        assert!(error("a: [\n").contains("cannot be parsed"));
        assert!(error("a: \u{0}\n").contains("NUL"));
        assert!(error("a: *b\n").contains("no anchor"));
    }

    #[test]
    fn depth_is_bounded_also_through_aliases() {
        let deep = |levels: usize| format!("{}{}", "[".repeat(levels), "]".repeat(levels));
        assert!(deserialize_only::<Value>(&deep(128)).is_ok());
        assert!(error(&deep(129)).contains("128 levels"));
        let halves = |levels: usize| {
            let (open, close) = ("[".repeat(levels), "]".repeat(levels));
            format!("a: &a {open}{close}\nb: {open}*a{close}\n")
        };
        assert!(deserialize_only::<Value>(&halves(60)).is_ok());
        assert!(error(&halves(100)).contains("128 levels"));
    }
}
