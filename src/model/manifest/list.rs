//! Reading the items of a list. An invalid item does not affect the others.

use std::collections::HashMap;

use super::entry::{Content, Entry};
use super::header::Header;
use super::node_id::NodeId;
use super::problem::Problem;
use super::read_object::ObjectNode;

/// Reads the items of a list.
///
/// An error in the YAML of the list itself has an entry of its own, before the items.
pub(super) fn read_items(header: Header<'_>, items: &[NodeId], list: ObjectNode<'_>) -> Vec<Entry> {
    let ObjectNode { tree, problems, line, .. } = list;
    let mut of_items: HashMap<usize, Vec<Problem>> = HashMap::new();
    let mut of_list = Vec::new();
    for problem in problems {
        match problem.in_item() {
            Ok((index, problem)) => of_items.entry(index).or_default().push(problem),
            Err(problem) => of_list.push(problem.of(None)),
        }
    }
    let list_entry = (!of_list.is_empty()).then_some(Entry {
        line,
        key: None,
        content: Content::Invalid(of_list),
    });
    let entries = items.iter().enumerate().map(|(index, node)| {
        let problems = of_items.remove(&index).unwrap_or_default();
        ObjectNode { tree, node: *node, problems, line }.read(header.item_kind(*node))
    });
    list_entry.into_iter().chain(entries).collect()
}
