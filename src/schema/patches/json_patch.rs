//! JSON patch (RFC 6902) with bounds. The library applies the operations.

use json_patch::jsonptr::Pointer;
use json_patch::{Patch, PatchOperation};
use serde_json::Value;

use super::error::PatchError;

/// Operations of a patch, as in Kubernetes.
const MAX_OPERATIONS: usize = 10_000;

/// Bytes of memory that the operations of a patch may add, copy and move in all, and items of lists
/// that they may shift. A few operations that copy their own result would otherwise make an object
/// of any size.
const MAX_WORK: usize = 32 * 1024 * 1024;

/// Bytes of a B-tree node of an object. A node has 5 to 11 fields, or fewer if it is the only one:
/// an object with the short text `{"a":0}` needs this memory too.
const NODE_BYTES: usize = 11 * (size_of::<String>() + size_of::<Value>()) + 16;
const MIN_NODE_FIELDS: usize = 5;

/// Levels of the result, as many as the parser of JSON allows.
const MAX_LEVELS: usize = 128;

/// Applies a patch.
///
/// # Errors
/// Returns an error if the patch is malformed, cannot be applied, or exceeds a bound. The object
/// may have changed in part.
pub(super) fn apply(object: &mut Value, patch: Value) -> Result<(), PatchError> {
    let Patch(operations) = serde_json::from_value(patch)
        .map_err(|source| PatchError::Malformed { expected: "JSON patch", source })?;
    if operations.len() > MAX_OPERATIONS {
        let (count, limit) = (operations.len(), MAX_OPERATIONS);
        return Err(PatchError::TooManyOperations { count, limit });
    }
    let mut work = 0;
    for (index, operation) in operations.iter().enumerate() {
        check_bounds(object, operation, &mut work)?;
        // One call for each operation, so that the bounds are checked before each.
        json_patch::patch(object, std::slice::from_ref(operation)).map_err(|error| {
            PatchError::Operation { index, path: error.path.to_string(), source: error.kind }
        })?;
    }
    Ok(())
}

fn check_bounds(
    object: &Value,
    operation: &PatchOperation,
    work: &mut usize,
) -> Result<(), PatchError> {
    let (value, from) = match operation {
        PatchOperation::Add(add) => (Some(&add.value), None),
        PatchOperation::Replace(replace) => (Some(&replace.value), None),
        PatchOperation::Copy(copy) => (copy.from.resolve(object).ok(), None),
        PatchOperation::Move(one) => (one.from.resolve(object).ok(), Some(&one.from)),
        PatchOperation::Remove(_) => (None, None),
        PatchOperation::Test(_) => return Ok(()),
    };
    // If the source does not exist, the operation fails later.
    let added = value.map_or(0, memory);
    let shifted = shifted_items(object, operation.path())
        + from.map_or(0, |from| shifted_items(object, from));
    *work += added + shifted;
    if *work > MAX_WORK {
        return Err(PatchError::TooLarge { limit: MAX_WORK });
    }
    if operation.path().count() + value.map_or(0, levels) > MAX_LEVELS {
        return Err(PatchError::TooDeep { limit: MAX_LEVELS });
    }
    Ok(())
}

/// Returns the length of the list that contains a location.
fn shifted_items(object: &Value, location: &Pointer) -> usize {
    let list = location.parent().and_then(|parent| parent.resolve(object).ok());
    list.and_then(Value::as_array).map_or(0, Vec::len)
}

/// Estimates the memory of a value in bytes.
fn memory(value: &Value) -> usize {
    let own = match value {
        Value::Null | Value::Bool(_) | Value::Number(_) => 0,
        Value::String(text) => text.len(),
        Value::Array(items) => items.iter().map(memory).sum(),
        Value::Object(map) => {
            let fields = map.iter().map(|(key, value)| key.len() + memory(value));
            map.len().div_ceil(MIN_NODE_FIELDS) * NODE_BYTES + fields.sum::<usize>()
        }
    };
    size_of::<Value>() + own
}

/// Returns the levels of objects and lists in a value.
fn levels(value: &Value) -> usize {
    match value {
        Value::Array(items) => 1 + items.iter().map(levels).max().unwrap_or_default(),
        Value::Object(map) => 1 + map.values().map(levels).max().unwrap_or_default(),
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use json_patch::PatchErrorKind;
    use serde_json::json;

    use super::*;

    fn patched(object: Value, patch: Value) -> Result<Value, PatchError> {
        let mut object = object;
        apply(&mut object, patch)?;
        Ok(object)
    }

    #[test]
    fn operations_are_applied_in_order() {
        let patch = json!([
            {"op": "test", "path": "/a", "value": 1},
            {"op": "copy", "from": "/a", "path": "/b"},
            {"op": "move", "from": "/a", "path": "/c~1d"},
            {"op": "add", "path": "/list/0", "value": "x"},
            {"op": "remove", "path": "/list/1"},
            {"op": "replace", "path": "/b", "value": {"e": null}},
        ]);
        let object = patched(json!({"a": 1, "list": ["y"]}), patch).unwrap();
        assert_eq!(object, json!({"b": {"e": null}, "c/d": 1, "list": ["x"]}));
    }

    #[test]
    fn failed_operation_has_its_index() {
        for (operation, expected) in [
            (json!({"op": "test", "path": "/a", "value": 2}), PatchErrorKind::TestFailed),
            (json!({"op": "remove", "path": "/b"}), PatchErrorKind::InvalidPointer),
            (json!({"op": "add", "path": "/b/c", "value": 1}), PatchErrorKind::InvalidPointer),
            (json!({"op": "copy", "from": "/b", "path": "/c"}), PatchErrorKind::InvalidFromPointer),
        ] {
            let first = json!({"op": "test", "path": "/a", "value": 1});
            let error = patched(json!({"a": 1}), json!([first, operation])).unwrap_err();
            assert!(!error.is_malformed() && !error.exceeds_limit());
            let PatchError::Operation { index, source, .. } = error else { panic!("{error}") };
            assert_eq!((index, source.to_string()), (1, expected.to_string()), "{operation}");
        }
    }

    #[test]
    fn malformed_patches_are_refused() {
        for patch in [
            json!({}),
            json!([{"op": "delete", "path": "/a"}]),
            json!([{"op": "add", "path": "a", "value": 1}]),
            json!([{"op": "add", "path": "/a"}]),
        ] {
            assert!(patched(json!({}), patch.clone()).unwrap_err().is_malformed(), "{patch}");
        }
    }

    #[test]
    fn number_of_operations_is_bounded() {
        let operation = json!({"op": "test", "path": "/a", "value": 1});
        let patch = |count| json!(vec![operation.clone(); count]);
        assert!(patched(json!({"a": 1}), patch(10_000)).is_ok());
        let error = patched(json!({"a": 1}), patch(10_001)).unwrap_err();
        assert!(error.exceeds_limit(), "{error}");
    }

    #[test]
    fn work_is_bounded() {
        let copies = (1..40).map(|n| json!({"op": "copy", "from": "", "path": format!("/a{n}")}));
        let patch = copies.collect::<Value>();
        let error = patched(json!({"text": "x".repeat(1000)}), patch).unwrap_err();
        assert!(matches!(error, PatchError::TooLarge { .. }), "{error}");
        // Many small objects need much more memory than text.
        let copies = (0..24).map(|n| {
            json!({"op": "copy", "from": "/x", "path": if n % 2 == 0 { "/x/a" } else { "/x/b" }})
        });
        let error = patched(json!({"x": {"a": {}, "b": {}}}), copies.collect()).unwrap_err();
        assert!(matches!(error, PatchError::TooLarge { .. }), "{error}");
        let list = json!({"list": vec![0; 10_000]});
        let step = json!({"op": "remove", "path": "/list/0"});
        let error = patched(list, json!(vec![step; 10_000])).unwrap_err();
        assert!(matches!(error, PatchError::TooLarge { .. }), "{error}");
    }

    #[test]
    fn depth_is_bounded() {
        let deeper = json!({"op": "copy", "from": "/a", "path": "/a/a"});
        let error = patched(json!({"a": {}}), json!(vec![deeper; 200])).unwrap_err();
        assert!(matches!(error, PatchError::TooDeep { .. }), "{error}");
        let step = [
            json!({"op": "move", "from": "/a", "path": "/b"}),
            json!({"op": "add", "path": "/a", "value": {}}),
            json!({"op": "move", "from": "/b", "path": "/a/b"}),
        ];
        let patch: Vec<_> = (0..200).flat_map(|_| step.clone()).collect();
        let error = patched(json!({"a": {}}), json!(patch)).unwrap_err();
        assert!(matches!(error, PatchError::TooDeep { .. }), "{error}");
        // Each value has one level; the paths get deeper.
        let add = |depth: usize| json!({"op": "add", "path": "/a".repeat(depth), "value": {}});
        let steps = |depth: usize| (1..=depth).map(add).collect::<Value>();
        assert!(patched(json!({}), steps(127)).is_ok());
        let error = patched(json!({}), steps(200)).unwrap_err();
        assert!(matches!(error, PatchError::TooDeep { .. }), "{error}");
    }
}
