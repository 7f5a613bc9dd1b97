//! Deserialization accepts everything that an API server can store. Translation handles it, and
//! gives every Gateway and route of this controller a status.

use proptest::prelude::*;
use proptest::sample::select;
use serde::Deserialize;
use serde_json::{Value, json};
use sluicegate::model::manifest::{Content, read};
use sluicegate::model::{
    Gateway, GatewayClass, NamespacedName, Object, ObjectKind, Resources, StatusReport, TcpRoute,
};
use sluicegate::translate::{Assignments, Settings, translate};

use super::{core_kinds, schema};

const CHANNELS: [&str; 2] =
    [include_str!("crds/standard.yaml"), include_str!("crds/experimental.yaml")];

/// Returns the definitions of both channels.
fn definitions() -> Vec<Value> {
    let documents = CHANNELS.iter().flat_map(|text| serde_yaml::Deserializer::from_str(text));
    documents.map(|document| Value::deserialize(document).unwrap()).collect()
}

fn find_kind(name: &str) -> ObjectKind {
    *ObjectKind::ALL.iter().find(|kind| kind.as_str() == name).unwrap()
}

/// Returns a generator of the objects of a kind that an API server can store, in any version and
/// channel.
fn objects(kind: &'static str) -> BoxedStrategy<Value> {
    let mut generators = Vec::new();
    for definition in definitions() {
        if definition["spec"]["names"]["kind"] != kind {
            continue;
        }
        for version in definition["spec"]["versions"].as_array().unwrap() {
            let mut schema = version["schema"]["openAPIV3Schema"].clone();
            let properties = schema["properties"].as_object_mut().unwrap();
            for field in ["apiVersion", "kind", "metadata"] {
                properties.remove(field);
            }
            generators.push(schema::values(&schema));
        }
    }
    if generators.is_empty() {
        generators.push(core_kinds::objects(kind));
    }
    let odd_status = prop_oneof![3 => Just(None), 1 => core_kinds::odd().prop_map(Some)];
    let object = select(generators).prop_flat_map(|generator| generator);
    (object, core_kinds::metadata("x"), odd_status)
        .prop_map(move |(mut object, metadata, odd_status)| {
            object["kind"] = kind.into();
            object["metadata"] = metadata;
            // These kinds have no status.
            let has_status = !["EndpointSlice", "ReferenceGrant"].contains(&kind);
            if let Some(status) = odd_status.filter(|_| has_status) {
                object["status"] = status;
            }
            object
        })
        .boxed()
}

/// Deserializes an object as from an API server. A manifest with the object must be read alike, and
/// have no errors but the violations of the object.
fn deserialize(object: &Value) -> Result<Object, TestCaseError> {
    let kind = find_kind(object["kind"].as_str().unwrap());
    let deserialized = kind
        .deserialize(object)
        .map_err(|error| TestCaseError::fail(format!("{error}: {object:#}")))?;
    let mut manifest = object.clone();
    manifest["apiVersion"] = kind.api_version().into();
    let entries = read(&manifest.to_string());
    let violations = deserialized.validate("v1");
    match &entries[0].content {
        Content::Object(read) => {
            prop_assert_eq!(read, &deserialized);
            prop_assert!(violations.is_empty(), "{:?}", violations);
        }
        Content::Invalid(errors) => {
            let mut errors: Vec<_> =
                errors.iter().map(|error| (&*error.field, &*error.message)).collect();
            let mut violations: Vec<_> = violations
                .iter()
                .map(|violation| (&*violation.field, &*violation.message))
                .collect();
            errors.sort_unstable();
            violations.sort_unstable();
            prop_assert_eq!(errors, violations, "{:#}", object);
        }
        content => return Err(TestCaseError::fail(format!("{content:?}"))),
    }
    Ok(deserialized)
}

fn translated(objects: impl IntoIterator<Item = Object>) -> StatusReport {
    let resources: Resources = objects.into_iter().collect();
    let translation = translate(&resources, &Settings::default(), &Assignments::default());
    (*translation.status).clone()
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 128,
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn storable_core_objects_are_read(
        objects in ["Service", "EndpointSlice", "Node", "Namespace"].map(objects),
    ) {
        for object in objects {
            translated([deserialize(&object)?]);
        }
    }

    #[test]
    fn storable_classes_and_grants_are_read(
        objects in ["GatewayClass", "ReferenceGrant"].map(objects),
    ) {
        for object in objects {
            translated([deserialize(&object)?]);
        }
    }

    #[test]
    fn storable_gateways_get_status(gateway in objects("Gateway")) {
        let mut gateway = gateway;
        gateway["spec"]["gatewayClassName"] = json!("c");
        let class: GatewayClass = serde_json::from_value(json!({
            "metadata": { "name": "c" }, "spec": { "controllerName": "a/b" },
        })).unwrap();
        let object = deserialize(&gateway)?;
        let name = NamespacedName {
            namespace: object.metadata().namespace(),
            name: object.metadata().name.clone(),
        };
        let Object::Gateway(typed) = &object else { unreachable!() };
        let count = typed.spec.listeners.len();
        let report = translated([class.into(), object.clone()]);
        prop_assert_eq!(report.gateways[&name].listeners.len(), count, "{:#}", gateway);
    }

    #[test]
    fn storable_routes_get_status(route in objects("TCPRoute")) {
        let mut route = route;
        let mut parents = route["spec"]["parentRefs"].as_array().cloned().unwrap_or_default();
        parents.push(json!({ "name": "g", "namespace": "default" }));
        route["spec"]["parentRefs"] = parents.into();
        let object = deserialize(&route)?;
        let Object::TcpRoute(typed) = &object else { unreachable!() };
        let name = typed.metadata.namespaced_name();
        let typed: TcpRoute = (**typed).clone();
        let class = GatewayClass::new("c".parse().unwrap(), "a/b".parse().unwrap());
        let gateway: Gateway = serde_json::from_value(json!({
            "metadata": { "name": "g" },
            "spec": { "gatewayClassName": "c", "listeners": [
                { "name": "l", "port": 5000, "protocol": "TCP" },
            ] },
        })).unwrap();
        let report = translated([class.into(), gateway.into(), typed.into()]);
        prop_assert!(
            report.tcp_routes[&name].parents.iter().any(|parent| parent.parent_ref.name == "g"),
            "{:#}", route,
        );
    }
}
