//! Properties that hold for any object: no function panics, and functions that change an object are
//! stable.

use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{Map, Value, json};

use super::*;

/// Names of fields that the functions read, and others.
const NAMES: [&str; 32] = [
    "metadata",
    "spec",
    "status",
    "name",
    "namespace",
    "labels",
    "annotations",
    "ownerReferences",
    "finalizers",
    "controller",
    "ports",
    "port",
    "type",
    "template",
    "containers",
    "volumes",
    "strategy",
    "rollingUpdate",
    "listeners",
    "tls",
    "addresses",
    "value",
    "rules",
    "backendRefs",
    "parentRefs",
    "conditions",
    "data",
    "stringData",
    "series",
    "$patch",
    "$setElementOrder/ports",
    "$deleteFromPrimitiveList/finalizers",
];

fn any_json() -> impl Strategy<Value = Value> {
    let scalar = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        (0..100_i64).prop_map(Value::from),
        any::<i32>().prop_map(|number| Value::from(f64::from(number) / 4.0)),
        select(vec!["", "a", "TCP", "ClientIP", "LoadBalancer", "merge", "replace", "delete"])
            .prop_map(Value::from),
        ".{0,4}".prop_map(Value::from),
    ];
    let name = prop_oneof![9 => select(NAMES.to_vec()).prop_map(str::to_owned), 1 => ".{0,3}"];
    scalar.prop_recursive(6, 64, 6, move |inner| {
        let fields = prop::collection::vec((name.clone(), inner.clone()), 0..6);
        prop_oneof![
            prop::collection::vec(inner, 0..4).prop_map(Value::from),
            fields.prop_map(|fields| Value::from(fields.into_iter().collect::<Map<_, _>>())),
        ]
    })
}

fn any_object() -> impl Strategy<Value = Value> {
    (any_json(), any_json(), any_json(), any_json()).prop_map(|(metadata, spec, status, data)| {
        json!({"metadata": metadata, "spec": spec, "status": status, "data": data})
    })
}

fn any_version() -> impl Strategy<Value = (&'static Resource, &'static ServedVersion)> {
    let all =
        resources().iter().flat_map(|one| one.versions().iter().map(move |version| (one, version)));
    select(all.collect::<Vec<_>>())
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 400,
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn pruning_and_defaults_are_stable((resource, version) in any_version(), object in any_object()) {
        let mut object = object;
        prune(&mut object, version);
        apply_defaults(&mut object, resource, version);
        let once = object.clone();
        let unknown = prune(&mut object, version);
        prop_assert!(unknown.is_empty(), "defaults are known fields: {:?}", unknown);
        apply_defaults(&mut object, resource, version);
        prop_assert_eq!(&object, &once);
        validate(&object, version);
        validate_metadata(&object, resource);
        validate_update(&object, &once, version);
    }

    #[test]
    fn tables_have_a_cell_for_each_column((_, version) in any_version(), object in any_object()) {
        let options = TableOptions::new(crate::model::Timestamp::UNIX_EPOCH);
        let table = table(version, [&object], json!({}), options);
        let columns = table["columnDefinitions"].as_array().unwrap().len();
        prop_assert_eq!(table["rows"][0]["cells"].as_array().unwrap().len(), columns);
    }

    #[test]
    fn patches_never_panic((_, version) in any_version(), object in any_object(), patch in any_object()) {
        let merged = apply_patch(&object, PatchType::Merge, patch.to_string().as_bytes(), version);
        prop_assert!(merged.unwrap().value.is_object());
        let merged = apply_patch(&object, PatchType::StrategicMerge, patch.to_string().as_bytes(), version);
        prop_assert!(merged.is_err() || merged.is_ok_and(|merged| merged.value.is_object()));
        let operations = json!([
            {"op": "add", "path": "/spec", "value": patch},
            {"op": "copy", "from": "/spec", "path": "/status"},
            {"op": "move", "from": "/status", "path": "/data"},
        ]);
        let patched = apply_patch(&object, PatchType::Json, operations.to_string().as_bytes(), version);
        prop_assert_eq!(&patched.unwrap().value["data"], &patch);
    }

    #[test]
    fn selectors_and_json_never_panic(text in ".{0,40}") {
        let _ = parse_label_selector(&text);
        let _ = parse_json(text.as_bytes());
        for resource in resources() {
            let _ = FieldSelector::parse(&text, resource);
        }
    }
}
