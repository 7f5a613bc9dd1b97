//! References from objects of kinds that routing does not use to objects of kinds that it uses.

use super::node_id::NodeId;
use super::tree::{Tree, Value};
use crate::model::meta::{NamespacedName, default_namespace};
use crate::model::object_key::ObjectKey;
use crate::model::object_kind::ObjectKind;
use crate::model::reference::GATEWAY_GROUP;
use crate::model::scalar::{Group, KindName, NamespaceName, ObjectName};
use crate::model::unserved::{UnservedKey, UnservedObject};

/// The kinds that parentRefs and targetRefs may refer to.
const TARGETS: [ObjectKind; 2] = [ObjectKind::Gateway, ObjectKind::TcpRoute];

/// Returns the object at a node, or `None` if the object has no references or no valid name.
///
/// References are the fields that Gateway API specifies for [routes][routes], ListenerSets and
/// [policies][policies]. Endpoints belong to the Service of the same name.
///
/// [routes]: https://gateway-api.sigs.k8s.io/reference/spec/#parentreference
/// [policies]: https://gateway-api.sigs.k8s.io/geps/gep-713/
pub(super) fn read_unserved(
    tree: &Tree<'_>,
    node: NodeId,
    group: &str,
    kind: &str,
) -> Option<(UnservedKey, UnservedObject)> {
    let metadata = tree.field(node, "metadata")?.value;
    let name = NamespacedName {
        // An API server treats an empty namespace as an absent one.
        namespace: match text(tree, metadata, "namespace") {
            None | Some("") => default_namespace(),
            Some(namespace) => NamespaceName::new(namespace).ok()?,
        },
        name: name(tree, metadata)?,
    };
    let references = match (group, kind) {
        ("", "Endpoints") => vec![ObjectKey::namespaced(ObjectKind::Service, &name)],
        _ => find_references(tree, node, &name.namespace),
    };
    if references.is_empty() {
        return None;
    }
    let key = UnservedKey::new(Group::new(group).ok()?, KindName::new(kind).ok()?, name);
    Some((key, UnservedObject::new(references)))
}

fn find_references(tree: &Tree<'_>, node: NodeId, own: &NamespaceName) -> Vec<ObjectKey> {
    let Some(spec) = tree.field(node, "spec") else { return Vec::new() };
    let read = |field: &str, defaults: Option<(&str, &str)>| {
        let nodes = match tree.field(spec.value, field).map(|field| field.value) {
            None => Vec::new(),
            Some(value) => match tree.value(value) {
                Value::List(items) => items.clone(),
                _ => vec![value],
            },
        };
        let reference = |node| read_reference(tree, node, defaults, own);
        nodes.into_iter().filter_map(reference).collect::<Vec<_>>()
    };
    let parent = Some((GATEWAY_GROUP, ObjectKind::Gateway.as_str()));
    [("parentRefs", parent), ("parentRef", parent), ("targetRefs", None), ("targetRef", None)]
        .into_iter()
        .flat_map(|(field, defaults)| read(field, defaults))
        .collect()
}

/// Reads one reference. `defaults` are group and kind if they are absent.
fn read_reference(
    tree: &Tree<'_>,
    node: NodeId,
    defaults: Option<(&str, &str)>,
    own: &NamespaceName,
) -> Option<ObjectKey> {
    let (default_group, default_kind) = defaults.unzip();
    let group = text(tree, node, "group").or(default_group)?;
    let kind = text(tree, node, "kind").or(default_kind)?;
    let kind = TARGETS.into_iter().find(|target| target.as_str() == kind)?;
    let namespace = namespace(tree, node).unwrap_or_else(|| Some(own.clone()))?;
    let name = ObjectName::new(text(tree, node, "name")?).ok()?;
    (group == GATEWAY_GROUP).then_some(ObjectKey { kind, namespace: Some(namespace), name })
}

/// Returns the name of an object, or else the prefix from which an API server generates it.
fn name(tree: &Tree<'_>, metadata: NodeId) -> Option<ObjectName> {
    let name = text(tree, metadata, "name").filter(|name| !name.is_empty());
    let prefix = || text(tree, metadata, "generateName").map(|prefix| prefix.trim_end_matches('-'));
    ObjectName::new(name.or_else(prefix)?).ok()
}

/// Returns the namespace in a mapping, `Some(None)` if it is invalid, and `None` if it is absent.
fn namespace(tree: &Tree<'_>, node: NodeId) -> Option<Option<NamespaceName>> {
    text(tree, node, "namespace").map(|name| NamespaceName::new(name).ok())
}

fn text<'t>(tree: &'t Tree<'_>, node: NodeId, field: &str) -> Option<&'t str> {
    tree.value(tree.field(node, field)?.value).as_text()
}
