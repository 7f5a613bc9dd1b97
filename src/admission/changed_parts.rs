//! The parts of an object that a write changes.

use serde_json::{Map, Value};

/// Parts of an object that differ from the stored one. The rules of a kind apply to these: an
/// object that older rules allowed can be labelled, get a status, and lose its finalizers.
#[derive(Debug, Clone, Copy)]
pub(super) struct ChangedParts {
    /// Everything except the header, the metadata and the status.
    pub(super) content: bool,
    /// The status.
    pub(super) status: bool,
}

impl ChangedParts {
    /// Compares an object with the stored one. Both are of the same version, with defaults. All
    /// parts of a new object are changed.
    pub(super) fn of(object: &Value, old: Option<&Value>) -> Self {
        let Some(old) = old else { return Self { content: true, status: true } };
        Self {
            content: !content(object).eq(content(old)),
            status: object.get("status") != old.get("status"),
        }
    }
}

fn content(object: &Value) -> impl Iterator<Item = (&String, &Value)> {
    const OTHER_PARTS: [&str; 4] = ["apiVersion", "kind", "metadata", "status"];
    let fields = object.as_object().into_iter().flat_map(Map::iter);
    fields.filter(|(name, _)| !OTHER_PARTS.contains(&name.as_str()))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn content_and_status_are_compared_separately() {
        let old = json!({"apiVersion": "v1", "metadata": {}, "spec": {"a": 1}, "status": {}});
        for (object, expected) in [
            (json!({"apiVersion": "v2", "metadata": {"a": 1}}), (false, false)),
            (json!({"spec": {"a": 2}}), (true, false)),
            (json!({"data": {}}), (true, false)),
            (json!({"spec": null}), (true, false)),
            (json!({"status": {"a": 1}}), (false, true)),
        ] {
            let mut changed = old.clone();
            changed.as_object_mut().unwrap().extend(object.as_object().unwrap().clone());
            let parts = ChangedParts::of(&changed, Some(&old));
            assert_eq!((parts.content, parts.status), expected, "{object}");
        }
        let parts = ChangedParts::of(&json!({"spec": {"a": 1}}), Some(&old));
        assert_eq!((parts.content, parts.status), (false, true));
        let parts = ChangedParts::of(&json!({}), None);
        assert_eq!((parts.content, parts.status), (true, true));
    }
}
