//! What an API server would write into an object's metadata.

use crate::model::{Object, Timestamp};

/// Gives an object the age and the generation that an API server would give it.
pub(super) fn stamp(object: &mut Object, old: Option<&Object>, now: Timestamp) {
    let generation = match old {
        Some(old) => old.metadata().generation.unwrap_or(1) + i64::from(!same_spec(object, old)),
        None => object.metadata().generation.unwrap_or(1),
    };
    let born = old.and_then(|old| old.metadata().creation_timestamp).unwrap_or(now);
    let metadata = object.metadata_mut();
    metadata.generation = Some(generation);
    metadata.creation_timestamp.get_or_insert(born);
}

/// Of the kinds with a status; the generation of the others is not looked at.
fn same_spec(one: &Object, other: &Object) -> bool {
    match (one, other) {
        (Object::GatewayClass(one), Object::GatewayClass(other)) => one.spec == other.spec,
        (Object::Gateway(one), Object::Gateway(other)) => one.spec == other.spec,
        (Object::TcpRoute(one), Object::TcpRoute(other)) => one.spec == other.spec,
        _ => true,
    }
}
