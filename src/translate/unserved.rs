//! Objects of kinds that are not served, but which refer to objects of this controller.

use std::collections::BTreeMap;

use super::unmanaged::Unmanaged;
use crate::model::{ObjectKey, ObjectKind, Resources, UnservedKey};

/// Returns the objects of kinds that are not served, each with the first managed Gateway or
/// TCPRoute that it refers to. The author of such an object expects an effect.
pub(super) fn list(
    resources: &Resources,
    unmanaged: &BTreeMap<ObjectKey, Unmanaged>,
) -> BTreeMap<UnservedKey, ObjectKey> {
    let is_managed = |reference: &&ObjectKey| {
        matches!(reference.kind, ObjectKind::Gateway | ObjectKind::TcpRoute)
            && resources.get(reference).is_some()
            && !unmanaged.contains_key(reference)
    };
    let unserved = resources.unserved.iter().filter_map(|(key, object)| {
        let reference = object.references.iter().find(is_managed)?;
        Some((key.clone(), reference.clone()))
    });
    unserved.collect()
}
