//! Metadata that an API server would set, for the objects of sources without one.

use crate::model::{Object, Timestamp};

/// Sets a creation timestamp unless the object has one: that of the previous object of its name, or
/// else `now`.
pub(super) fn fill_creation_timestamp(
    object: &mut Object,
    previous: Option<&Object>,
    now: Timestamp,
) {
    let created = previous.and_then(|previous| previous.metadata().creation_timestamp);
    object.metadata_mut().creation_timestamp.get_or_insert_with(|| created.unwrap_or(now));
}

/// Sets the generation: that of the previous object of its name, plus one if the spec differs.
///
/// A new object keeps the generation it has, or else gets 1.
#[cfg(feature = "files")]
pub(super) fn fill_generation(object: &mut Object, previous: Option<&Object>) {
    let generation = match previous {
        Some(previous) => {
            let is_changed = !has_same_spec(object, previous);
            previous.metadata().generation.unwrap_or(1) + i64::from(is_changed)
        }
        None => object.metadata().generation.unwrap_or(1),
    };
    object.metadata_mut().generation = Some(generation);
}

/// Returns `true` if the specs are equal. Kinds without a status always count as equal, because
/// their generation is never read.
#[cfg(feature = "files")]
fn has_same_spec(one: &Object, other: &Object) -> bool {
    match (one, other) {
        (Object::GatewayClass(one), Object::GatewayClass(other)) => one.spec == other.spec,
        (Object::Gateway(one), Object::Gateway(other)) => one.spec == other.spec,
        (Object::TcpRoute(one), Object::TcpRoute(other)) => one.spec == other.spec,
        _ => true,
    }
}
