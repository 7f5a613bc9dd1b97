//! Generators of the objects of Kubernetes' own kinds, as far as this crate reads their fields, and
//! of the metadata of every kind. The values are those that an API server stores or turns into
//! defaults.

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{Map, Value, json};

fn one_of(values: &[Value]) -> BoxedStrategy<Value> {
    select(values.to_vec()).boxed()
}

/// Returns a generator of objects: each field is absent, or has one of its values.
fn fields(fields: Vec<(&'static str, BoxedStrategy<Value>)>) -> BoxedStrategy<Value> {
    let fields: Vec<_> = fields
        .into_iter()
        .map(|(name, value)| option::weighted(0.7, value.prop_map(move |value| (name, value))))
        .collect();
    let object = |fields: Vec<Option<(&str, Value)>>| {
        let fields = fields.into_iter().flatten();
        Value::Object(fields.map(|(name, value)| (name.to_owned(), value)).collect::<Map<_, _>>())
    };
    fields.prop_map(object).boxed()
}

fn with(object: BoxedStrategy<Value>, required: Value) -> BoxedStrategy<Value> {
    object
        .prop_map(move |mut object| {
            let required = required.as_object().cloned().unwrap_or_default();
            object.as_object_mut().unwrap().extend(required);
            object
        })
        .boxed()
}

fn list(entry: BoxedStrategy<Value>) -> BoxedStrategy<Value> {
    prop_oneof![1 => Just(Value::Null), 4 => vec(entry, 0..4).prop_map(Value::from)].boxed()
}

fn labels() -> BoxedStrategy<Value> {
    one_of(&[json!(null), json!({}), json!({ "a": "b", "example.com/c": null, "d": "" })])
}

pub(crate) fn metadata(name: &str) -> BoxedStrategy<Value> {
    let owner = json!({
        "apiVersion": "v1", "kind": "K", "name": "n", "uid": "1-2", "controller": null,
        "blockOwnerDeletion": true,
    });
    let metadata = fields(vec![
        ("namespace", one_of(&[json!(null), json!(""), json!("default"), json!("0-a")])),
        ("generateName", one_of(&[json!("x-")])),
        ("generation", one_of(&[json!(null), json!(0), json!(i64::MAX)])),
        (
            "creationTimestamp",
            one_of(&[
                json!(null),
                json!("2026-01-31T12:00:00Z"),
                json!("2026-01-31T12:00:00+01:00"),
            ]),
        ),
        ("deletionTimestamp", one_of(&[json!("2026-01-31T12:00:00Z")])),
        ("labels", labels()),
        ("annotations", labels()),
        ("uid", one_of(&[json!("0-1"), json!("")])),
        ("resourceVersion", one_of(&[json!("17"), json!("")])),
        ("finalizers", one_of(&[json!(null), json!(["a/b"])])),
        ("ownerReferences", list(one_of(&[owner]))),
        ("managedFields", one_of(&[json!([{ "fieldsV1": { "f:spec": {} } }])])),
    ]);
    with(metadata, json!({ "name": name }))
}

fn service() -> BoxedStrategy<Value> {
    let port = fields(vec![
        ("name", one_of(&[json!(null), json!(""), json!("a")])),
        ("protocol", one_of(&[json!(null), json!(""), json!("TCP"), json!("UDP"), json!("SCTP")])),
        (
            "targetPort",
            one_of(&[json!(null), json!(0), json!(""), json!("http"), json!(65535), json!(80.0)]),
        ),
        ("nodePort", one_of(&[json!(null), json!(0), json!(30000)])),
        ("appProtocol", one_of(&[json!("http")])),
    ]);
    let port =
        prop_oneof![with(port.clone(), json!({ "port": 1 })), with(port, json!({ "port": 65535 }))];
    let types = ["", "ClusterIP", "NodePort", "LoadBalancer", "ExternalName"];
    let spec = fields(vec![
        ("type", one_of(&types.map(Value::from))),
        ("ports", list(port.boxed())),
        ("selector", labels()),
        ("clusterIP", one_of(&[json!(null), json!(""), json!("None"), json!("10.0.0.1")])),
        ("clusterIPs", one_of(&[json!(null), json!(["None"]), json!(["10.0.0.1", "fd00::1"])])),
        ("ipFamilies", one_of(&[json!(null), json!(["IPv6", "IPv4"])])),
        ("sessionAffinity", one_of(&[json!(null), json!(""), json!("None"), json!("ClientIP")])),
    ]);
    let ingress = one_of(&[
        json!({ "ip": "192.0.2.1", "ipMode": "VIP" }),
        json!({ "hostname": "a.example.com", "ip": null, "ports": null }),
        json!({}),
    ]);
    let load_balancer = fields(vec![("ingress", list(ingress))]);
    let status = fields(vec![("loadBalancer", load_balancer), ("conditions", odd())]);
    let spec = prop_oneof![4 => spec, 1 => Just(Value::Null)].boxed();
    fields(vec![("spec", spec), ("status", prop_oneof![3 => status, 1 => odd()].boxed())])
}

fn endpoint_slice() -> BoxedStrategy<Value> {
    let state = || one_of(&[json!(null), json!(true), json!(false)]);
    let conditions =
        fields(vec![("ready", state()), ("serving", state()), ("terminating", state())]);
    let endpoint = fields(vec![
        ("conditions", prop_oneof![3 => conditions, 1 => Just(Value::Null)].boxed()),
        ("hostname", one_of(&[json!(null), json!("a")])),
        ("nodeName", one_of(&[json!(null), json!("n")])),
        ("zone", one_of(&[json!(null), json!("z")])),
        ("targetRef", one_of(&[json!({ "kind": "Pod", "name": "p" })])),
        ("hints", one_of(&[json!({ "forZones": [{ "name": "z" }] })])),
    ]);
    // Older API servers stored addresses with leading zeros.
    let addresses =
        [json!(["10.0.0.1"]), json!(["fd00::1", "fd00::2"]), json!(["a.b"]), json!(["010.0.0.1"])];
    let endpoint = (endpoint, select(addresses.to_vec())).prop_map(|(mut endpoint, addresses)| {
        endpoint["addresses"] = addresses;
        endpoint
    });
    // An API server does not check these numbers.
    let numbers = [json!(null), json!(80), json!(0), json!(-1), json!(70_000), json!(i32::MAX)];
    let port = fields(vec![
        ("name", one_of(&[json!(null), json!(""), json!("a")])),
        ("port", one_of(&numbers)),
        ("protocol", one_of(&[json!(null), json!("TCP"), json!("UDP"), json!("SCTP")])),
        ("appProtocol", one_of(&[json!(null), json!("http")])),
    ]);
    let slice = fields(vec![("endpoints", list(endpoint.boxed())), ("ports", list(port))]);
    (slice, select(vec!["IPv4", "IPv6", "FQDN"]))
        .prop_map(|(mut slice, address_type)| {
            slice["addressType"] = address_type.into();
            slice
        })
        .boxed()
}

fn node() -> BoxedStrategy<Value> {
    // An API server checks neither the types nor the status of a condition.
    let condition = one_of(&[
        json!({ "type": "Ready", "status": "True", "lastHeartbeatTime": null }),
        json!({ "type": "Ready", "status": "yes" }),
        json!({ "type": "", "status": "" }),
    ]);
    let address = one_of(&[
        json!({ "type": "InternalIP", "address": "10.0.0.1" }),
        json!({ "type": "", "address": "" }),
    ]);
    let status = fields(vec![("conditions", list(condition)), ("addresses", list(address))]);
    fields(vec![
        ("spec", one_of(&[json!(null), json!({ "podCIDR": "10.0.0.0/24" })])),
        ("status", prop_oneof![3 => status, 1 => odd()].boxed()),
    ])
}

/// Returns a generator of objects of a kind, without metadata.
pub(crate) fn objects(kind: &str) -> BoxedStrategy<Value> {
    match kind {
        "Service" => service(),
        "EndpointSlice" => endpoint_slice(),
        "Node" => node(),
        "Namespace" => fields(vec![("spec", one_of(&[json!(null), json!({})])), ("status", odd())]),
        other => panic!("{other} has a schema"),
    }
}

/// Returns a generator of values that no status should have.
pub(crate) fn odd() -> BoxedStrategy<Value> {
    let condition = [
        json!(null),
        json!(1),
        json!({}),
        json!({ "type": "Accepted", "status": "True" }),
        json!({ "type": "Accepted", "status": "true", "reason": null, "message": [] }),
    ];
    let parent = [
        json!("a"),
        json!({ "controllerName": "BadController", "parentRef": { "name": "" } }),
        json!({ "controllerName": "a/b", "parentRef": null, "conditions": "none" }),
    ];
    let listener = [json!(null), json!({ "name": "L", "attachedRoutes": null }), json!([])];
    let address = [json!(7), json!({ "type": 1, "value": null }), json!({ "value": "10.0.0.1" })];
    let status = fields(vec![
        ("conditions", list(one_of(&condition))),
        ("parents", list(one_of(&parent))),
        ("listeners", list(one_of(&listener))),
        ("addresses", list(one_of(&address))),
        ("supportedFeatures", one_of(&[json!("TCP"), json!(["TCP", 1, { "name": "TCP" }])])),
        ("loadBalancer", one_of(&[json!("none"), json!({ "ingress": [1] })])),
    ]);
    let other = [json!(null), json!("foo"), json!([]), json!({}), json!(true), json!(0.5)];
    prop_oneof![3 => status, 1 => one_of(&other)].boxed()
}
