//! Misspelt header fields.

use super::field_list::Field;
use super::node_id::NodeId;
use super::suggest::nearest_within;
use super::suspicious_character::{find_suspicious_character, remove_suspicious_characters};
use super::tree::Tree;

/// The fields without which an object has no kind.
const HEADER_FIELDS: [&str; 2] = ["apiVersion", "kind"];

/// Finds a misspelt `apiVersion` or `kind`, such as `apiversion`, and returns it with the right
/// name. A mapping counts as an object only if it has both fields, correct or misspelt.
pub(super) fn find_misspelt_field<'t>(
    tree: &'t Tree<'_>,
    object: NodeId,
) -> Option<(&'t Field<'t>, &'static str)> {
    let mut misspelt = None;
    for name in HEADER_FIELDS {
        if tree.field(object, name).is_none() {
            let is_close = |field: &&Field<'_>| is_close(&field.key, name);
            let field = tree.fields(object).iter().find(is_close)?;
            misspelt = misspelt.or(Some((field, name)));
        }
    }
    misspelt
}

fn is_close(field: &str, name: &str) -> bool {
    nearest_within(1, &remove_suspicious_characters(field), [name]).is_some()
}

/// Returns the error message for a misspelt name.
pub(super) fn describe_misspelt(name: &str, meant: &str) -> String {
    match find_suspicious_character(name) {
        Some(found) => format!("contains {found}; did you mean {meant}?"),
        None => format!("is not a field of an object; did you mean {meant}?"),
    }
}
