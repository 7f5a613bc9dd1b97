//! Metadata that an API server would set, for the objects of sources without one: files and the
//! embedder's code.

use crate::model::{Object, ObjectKind, Timestamp};

/// Sets the metadata that an object does not have yet, given the `previous` object of its name.
///
/// - Without a creation timestamp, the object gets that of the previous one, or else `now`.
/// - The generation is that of the previous object, plus one if the spec differs; 1 for a new
///   object. A higher one that the object has already is kept. Only kinds with a status have a
///   generation, because it is read in conditions only.
///
/// An object with another UID than the previous one is a new object.
pub(super) fn fill_server_metadata(object: &mut Object, previous: Option<&Object>, now: Timestamp) {
    let previous = previous.filter(|previous| !has_other_uid(object, previous));
    let metadata = object.metadata();
    let created = metadata
        .creation_timestamp
        .or_else(|| previous.and_then(|previous| previous.metadata().creation_timestamp))
        .unwrap_or(now);
    let generation = match has_generation(object.kind()) {
        true => Some(next_generation(object, previous)),
        false => metadata.generation,
    };
    // An object that is shared is copied for a change.
    if (metadata.creation_timestamp, metadata.generation) != (Some(created), generation) {
        let metadata = object.metadata_mut();
        metadata.creation_timestamp = Some(created);
        metadata.generation = generation;
    }
}

/// Returns `true` for the kinds with a status.
pub(super) fn has_generation(kind: ObjectKind) -> bool {
    matches!(kind, ObjectKind::GatewayClass | ObjectKind::Gateway | ObjectKind::TcpRoute)
}

fn next_generation(object: &Object, previous: Option<&Object>) -> i64 {
    let next = previous.map_or(1, |previous| {
        let is_changed = !has_same_spec(object, previous);
        previous.metadata().generation.unwrap_or(1).saturating_add(i64::from(is_changed))
    });
    object.metadata().generation.map_or(next, |own| own.max(next))
}

fn has_other_uid(object: &Object, previous: &Object) -> bool {
    let uids = object.metadata().uid.as_ref().zip(previous.metadata().uid.as_ref());
    uids.is_some_and(|(uid, previous)| uid != previous)
}

/// Returns `true` if the specs are equal. Kinds without a generation always count as equal.
fn has_same_spec(one: &Object, other: &Object) -> bool {
    match (one, other) {
        (Object::GatewayClass(one), Object::GatewayClass(other)) => one.spec == other.spec,
        (Object::Gateway(one), Object::Gateway(other)) => one.spec == other.spec,
        (Object::TcpRoute(one), Object::TcpRoute(other)) => one.spec == other.spec,
        _ => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{ObjectMeta, ParentRef, Service, TcpRoute};

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(seconds).unwrap()
    }

    /// A route whose spec refers to this Gateway.
    fn route(gateway: &str) -> Object {
        let parent = ParentRef::gateway(gateway.parse().unwrap());
        TcpRoute::new(ObjectMeta::named("r".parse().unwrap()), vec![parent], Vec::new()).into()
    }

    fn with(mut object: Object, change: impl FnOnce(&mut ObjectMeta)) -> Object {
        change(object.metadata_mut());
        object
    }

    fn filled(mut object: Object, previous: Option<&Object>, now: i64) -> Object {
        fill_server_metadata(&mut object, previous, at(now));
        object
    }

    fn metadata(object: &Object) -> (i64, Option<i64>) {
        let metadata = object.metadata();
        (metadata.creation_timestamp.unwrap().as_second(), metadata.generation)
    }

    #[test]
    fn generation_counts_changes_of_the_spec_and_the_age_is_kept() {
        let first = filled(route("a"), None, 1);
        assert_eq!(metadata(&first), (1, Some(1)));
        assert_eq!(filled(route("a"), Some(&first), 2), first);
        let labels = [("a".into(), "b".into())].into_iter().collect();
        let labelled = with(route("a"), |metadata| metadata.labels = labels);
        assert_eq!(metadata(&filled(labelled, Some(&first), 2)), (1, Some(1)));
        let second = filled(route("b"), Some(&first), 2);
        assert_eq!(metadata(&second), (1, Some(2)));
        // An object that is changed in place has the generation before the change.
        let in_place = with(route("c"), |metadata| metadata.generation = Some(2));
        assert_eq!(metadata(&filled(in_place, Some(&second), 3)), (1, Some(3)));
    }

    #[test]
    fn generation_of_the_object_is_kept_if_it_is_higher() {
        let of = |gateway, generation| {
            with(route(gateway), |metadata| metadata.generation = Some(generation))
        };
        let first = filled(of("a", 5), None, 1);
        assert_eq!(metadata(&first), (1, Some(5)));
        assert_eq!(metadata(&filled(of("b", 6), Some(&first), 2)), (1, Some(6)));
        assert_eq!(metadata(&filled(of("b", 9), Some(&first), 2)), (1, Some(9)));
        assert_eq!(metadata(&filled(of("b", 1), Some(&first), 2)), (1, Some(6)));
    }

    #[test]
    fn object_with_another_uid_is_new() {
        let of = |gateway, uid: &str| with(route(gateway), |it| it.uid = Some(uid.into()));
        let first = filled(of("a", "1"), None, 1);
        assert_eq!(metadata(&filled(of("b", "2"), Some(&first), 2)), (2, Some(1)));
        assert_eq!(metadata(&filled(of("b", "1"), Some(&first), 2)), (1, Some(2)));
        assert_eq!(metadata(&filled(route("b"), Some(&first), 2)), (1, Some(2)));
    }

    #[test]
    fn kind_without_status_gets_no_generation() {
        let name = ObjectMeta::named("s".parse().unwrap());
        let service = Object::from(Service::new(name, 1.try_into().unwrap()));
        assert_eq!(metadata(&filled(service, None, 1)), (1, None));
    }

    #[test]
    fn complete_object_is_not_copied() {
        let first = filled(route("a"), None, 1);
        let Object::TcpRoute(again) = filled(first.clone(), Some(&first), 2) else { panic!() };
        assert!(matches!(&first, Object::TcpRoute(first) if std::sync::Arc::ptr_eq(first, &again)));
    }
}
