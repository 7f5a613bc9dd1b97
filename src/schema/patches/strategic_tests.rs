use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::schema::{ServedVersion, find_kind};

fn version(kind: &str) -> &'static ServedVersion {
    let group = if kind == "Deployment" { "apps" } else { "" };
    find_kind(group, "v1", kind).unwrap().1
}

fn merged(kind: &str, object: Value, patch: Value) -> Result<Value, PatchError> {
    let (Value::Object(mut object), Value::Object(patch)) = (object, patch) else { panic!() };
    merge(&mut object, patch, Some(version(kind).schema()))?;
    Ok(object.into())
}

fn ports(live: Value, patch: Value) -> Value {
    let (live, patch) = (json!({"spec": {"ports": live}}), json!({"spec": {"ports": patch}}));
    merged("Service", live, patch).unwrap()["spec"]["ports"].clone()
}

fn finalizers(live: Value, patch: Value) -> Value {
    let live = json!({"metadata": {"finalizers": live}});
    merged("Service", live, json!({"metadata": patch})).unwrap()["metadata"]["finalizers"].clone()
}

#[test]
fn maps_are_merged_and_null_deletes() {
    let object =
        json!({"metadata": {"labels": {"a": "1", "b": "2"}}, "spec": {"type": "ClusterIP"}});
    let patch = json!({"metadata": {"labels": {"a": null, "c": "3"}, "annotations": {"x": null, "y": "z"}}, "spec": null});
    let expected = json!({"metadata": {"labels": {"b": "2", "c": "3"}, "annotations": {"y": "z"}}});
    assert_eq!(merged("Service", object, patch).unwrap(), expected);
}

#[test]
fn lists_of_objects_are_merged_by_their_key() {
    let live = json!([{"port": 1, "name": "a", "protocol": "TCP"}, {"port": 2, "name": "b"}]);
    for (patch, expected) in [
        (
            json!([{"port": 2, "name": "c"}, {"port": 3}]),
            json!([{"port": 1, "name": "a", "protocol": "TCP"}, {"port": 2, "name": "c"}, {"port": 3}]),
        ),
        (json!([{"port": 1, "$patch": "delete"}]), json!([{"port": 2, "name": "b"}])),
        (json!([{"port": 9, "$patch": "delete"}]), live.clone()),
        (json!([{"$patch": "replace"}, {"port": 3, "name": null}]), json!([{"port": 3}])),
        (json!([{"$patch": "replace"}]), json!([])),
        (
            json!([{"port": 1, "name": null}]),
            json!([{"port": 1, "protocol": "TCP"}, {"port": 2, "name": "b"}]),
        ),
        (
            json!([{"port": 1, "$patch": "delete"}, {"port": 1}]),
            json!([{"port": 1}, {"port": 2, "name": "b"}]),
        ),
        (json!([]), live.clone()),
    ] {
        assert_eq!(ports(live.clone(), patch.clone()), expected, "{patch}");
    }
    assert_eq!(ports(json!([]), json!([{"port": 1}])), json!([{"port": 1}]));
}

#[test]
fn lists_without_a_strategy_are_replaced() {
    let live = json!({"spec": {"externalIPs": ["1.1.1.1"]}});
    let patch = json!({"spec": {"externalIPs": ["1.1.1.2"]}});
    assert_eq!(merged("Service", live, patch.clone()).unwrap(), patch);
    let arguments = |arguments: Value| {
        let container = json!({"name": "a", "args": arguments});
        json!({"spec": {"template": {"spec": {"containers": [container]}}}})
    };
    let merged =
        merged("Deployment", arguments(json!(["x", "y"])), arguments(json!(["z"]))).unwrap();
    assert_eq!(merged, arguments(json!(["z"])));
}

#[test]
fn lists_of_texts_are_merged() {
    let live = json!(["a", "b", "c"]);
    for (patch, expected) in [
        (json!({"finalizers": ["b", "d"]}), json!(["a", "b", "d", "c"])),
        (json!({"$deleteFromPrimitiveList/finalizers": ["a", "x"]}), json!(["b", "c"])),
        (
            json!({"$deleteFromPrimitiveList/finalizers": ["a"], "finalizers": ["d"]}),
            json!(["d", "b", "c"]),
        ),
        (
            json!({"$deleteFromPrimitiveList/finalizers": ["d"], "finalizers": ["d", "e"]}),
            json!(["e", "a", "b", "c"]),
        ),
        (
            json!({"$setElementOrder/finalizers": ["c", "d", "a"], "finalizers": ["d"]}),
            json!(["b", "c", "d", "a"]),
        ),
        (json!({"finalizers": null}), Value::Null),
    ] {
        assert_eq!(finalizers(live.clone(), patch.clone()), expected, "{patch}");
    }
    let patch = json!({"$deleteFromPrimitiveList/finalizers": ["a"], "finalizers": ["b"]});
    assert_eq!(finalizers(Value::Null, patch), json!(["b"]));
}

#[test]
fn element_order_arranges_the_items() {
    let container = |name: &str| json!({"name": name});
    let order = |live: &[&str], patch: Value| {
        let live: Vec<_> = live.iter().map(|name| container(name)).collect();
        let wrap = |pod: Value| json!({"spec": {"template": {"spec": pod}}});
        let merged = merged("Deployment", wrap(json!({"containers": live})), wrap(patch)).unwrap();
        let containers = merged["spec"]["template"]["spec"]["containers"].clone();
        let names = containers
            .as_array()
            .into_iter()
            .flatten()
            .map(|one| one["name"].as_str().unwrap().to_owned());
        names.collect::<Vec<_>>().join(" ")
    };
    let names = |names: &[&str]| -> Value { names.iter().map(|name| container(name)).collect() };
    for (live, elements, patch, expected) in [
        (&["a", "b", "c"][..], &["c", "b", "a"][..], None, "c b a"),
        (&["a", "b", "c"], &["c", "a"], None, "b c a"),
        (&["a", "b", "x"], &["b", "a"], None, "b a x"),
        (&["a"], &["b", "a"], Some(&["b"][..]), "b a"),
        (&["a", "x"], &["a", "b"], Some(&["b"]), "a b x"),
        (&[], &["a", "b"], Some(&["a", "b"]), "a b"),
        (&["x", "y"], &[], None, "x y"),
    ] {
        let mut pod = json!({"$setElementOrder/containers": names(elements)});
        if let Some(patch) = patch {
            pod["containers"] = names(patch);
        }
        assert_eq!(order(live, pod.clone()), expected, "{live:?} {pod}");
    }
}

#[test]
fn retain_keys_clears_the_other_fields() {
    let strategy = |strategy: Value| json!({"spec": {"strategy": strategy}});
    let live = strategy(json!({"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 1}}));
    let patch = strategy(json!({"$retainKeys": ["type"], "type": "Recreate"}));
    let expected = strategy(json!({"type": "Recreate"}));
    assert_eq!(merged("Deployment", live.clone(), patch).unwrap(), expected);
    let patch =
        strategy(json!({"$retainKeys": ["type"], "type": "Recreate", "rollingUpdate": null}));
    assert_eq!(merged("Deployment", live, patch).unwrap(), expected);
}

#[test]
fn directives_of_maps_replace_or_delete_them() {
    let live = json!({"spec": {"selector": {"a": "1"}}});
    for (patch, expected) in [
        (json!({"$patch": "replace", "b": "2", "c": null}), json!({"b": "2"})),
        (json!({"$patch": "delete", "b": "2"}), json!({})),
        (json!({"$patch": "merge", "b": "2"}), json!({"a": "1", "b": "2"})),
    ] {
        let patch = json!({"spec": {"selector": patch}});
        let merged = merged("Service", live.clone(), patch).unwrap();
        assert_eq!(merged["spec"]["selector"], expected);
    }
}

#[test]
fn directives_do_not_reach_new_values() {
    let patch = json!({
        "metadata": {"annotations": {"$patch": "delete"}},
        "spec": {
            "$retainKeys": ["ports", "selector", "externalIPs"],
            "$setElementOrder/ports": [{"port": 1}],
            "ports": [{"port": 1, "nodePort": null}, {"port": 2, "$patch": "delete"}],
            "selector": {"a": "b", "$retainKeys": ["a"], "c": null},
            "$deleteFromPrimitiveList/externalIPs": ["x"],
        },
    });
    let expected =
        json!({"metadata": {}, "spec": {"ports": [{"port": 1}], "selector": {"a": "b"}}});
    assert_eq!(merged("Service", json!({}), patch).unwrap(), expected);
}

#[test]
fn invalid_patches_are_refused() {
    let live = json!({"metadata": {"finalizers": ["a"]}, "spec": {"ports": [{"port": 1}]}});
    for (patch, is_malformed) in [
        (json!({"$patch": "remove"}), true),
        (json!({"spec": {"$retainKeys": "a"}}), true),
        (json!({"spec": {"$retainKeys": ["type"], "selector": {}}}), true),
        (json!({"metadata": {"$deleteFromPrimitiveList/finalizers": "a"}}), true),
        (json!({"metadata": {"$setElementOrder/finalizers": "a"}}), true),
        (json!({"metadata": {"$setElementOrder/finalizers": ["a"], "finalizers": ["b"]}}), true),
        (
            json!({"metadata": {"$setElementOrder/finalizers": ["a", "b"], "finalizers": ["b", "a"]}}),
            true,
        ),
        (json!({"spec": {"ports": [{"port": 1, "$patch": "merge"}]}}), true),
        (json!({"spec": {"ports": [{"name": "a"}]}}), false),
        (json!({"spec": {"ports": [{"$patch": "delete"}]}}), false),
        (json!({"spec": {"ports": [1]}}), false),
        (json!({"metadata": {"finalizers": [["a"]]}}), false),
    ] {
        let error = merged("Service", live.clone(), patch.clone()).unwrap_err();
        assert_eq!(error.is_malformed(), is_malformed, "{patch}: {error}");
    }
}

/// Returns a generator of the ports of a Service, each with its own number.
fn any_ports() -> impl Strategy<Value = Vec<Value>> {
    let port = (0..6_u8, prop::option::of("[a-c]"));
    prop::collection::btree_map(0..6_u8, port, 0..6).prop_map(|ports| {
        let port = |(number, (_, name)): (u8, (u8, Option<String>))| match name {
            Some(name) => json!({"port": number, "name": name}),
            None => json!({"port": number}),
        };
        ports.into_iter().map(port).collect()
    })
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 256,
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn patch_of_all_items_is_reached_and_stable(
        live in any_ports(),
        wanted in any_ports(),
        shuffle in any::<u64>(),
    ) {
        // The patch that kubectl makes: the wanted items, a deletion for each other one, the order.
        let mut wanted = wanted;
        let count = wanted.len().max(1);
        wanted.rotate_left(shuffle as usize % count);
        let is_wanted = |port: &Value| wanted.iter().any(|one| one["port"] == port["port"]);
        let deletions = live.iter().filter(|port| !is_wanted(port));
        let deletions = deletions.map(|port| json!({"port": port["port"], "$patch": "delete"}));
        let items = wanted.iter().map(|port| {
            let mut port = port.clone();
            // `null` removes a name that the live port has.
            let name = port.get("name").cloned().unwrap_or(Value::Null);
            port["name"] = name;
            port
        });
        let patch: Vec<_> = items.chain(deletions).collect();
        let order: Vec<_> = wanted.iter().map(|port| json!({"port": port["port"]})).collect();
        let patch = json!({"spec": {"ports": patch, "$setElementOrder/ports": order}});
        let live = json!({"spec": {"ports": live}});
        let once = merged("Service", live, patch.clone()).unwrap();
        prop_assert_eq!(&once["spec"]["ports"], &Value::from(wanted));
        prop_assert_eq!(merged("Service", once.clone(), patch).unwrap(), once);
    }

    #[test]
    fn order_loses_and_invents_nothing(live in any_ports(), patch in any_ports()) {
        let result = ports(live.clone().into(), patch.clone().into());
        let numbers = |list: &[Value]| {
            let mut numbers: Vec<_> = list.iter().map(|port| port["port"].as_u64()).collect();
            numbers.sort_unstable();
            numbers.dedup();
            numbers
        };
        let all = [live, patch].concat();
        let result = result.as_array().unwrap();
        prop_assert_eq!(numbers(result), numbers(&all));
        prop_assert_eq!(result.len(), numbers(&all).len());
    }
}
