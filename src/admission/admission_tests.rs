use serde_json::json;

use super::*;
use crate::admission::requests_in_tests::{
    assert_causes, create, document, named, target, update, with,
};
use crate::schema::{find_resource, parse_json, resources};

fn gateway() -> Value {
    json!({"spec": {
        "gatewayClassName": "a",
        "listeners": [{"name": "a", "protocol": "TCP", "port": 80}],
    }})
}

fn admission() -> Admission {
    Admission::new(Settings::new())
}

#[test]
fn unknown_fields_are_dropped_reported_or_refused() {
    let object = named(with(&gateway(), "/spec/foo", 1.into()));
    let admit = |validation| {
        let body = JsonDocument { value: object.clone(), duplicates: vec!["spec.bar".into()] };
        admission().create(&target("Gateway", None), body, validation)
    };
    let warned = admit(FieldValidation::Warn).unwrap();
    let warnings = ["duplicate field \"spec.bar\"", "unknown field \"spec.foo\""];
    assert_eq!(warned.warnings, warnings);
    assert_eq!(warned.object["spec"].get("foo"), None);
    let ignored = admit(FieldValidation::Ignore).unwrap();
    assert_eq!((ignored.warnings.len(), ignored.object), (0, warned.object));
    let error = admit(FieldValidation::Strict).unwrap_err().to_string();
    let expected = "Gateway in version \"v1\" cannot be handled as a Gateway: strict decoding error: duplicate field \"spec.bar\", unknown field \"spec.foo\"";
    assert_eq!(error, expected);
}

#[test]
fn status_of_a_new_object_is_dropped_and_has_its_default() {
    let object = with(&gateway(), "/status", json!({"addresses": [{"value": "10.0.0.1"}]}));
    let stored = create("Gateway", object).unwrap().object;
    assert_eq!(stored["status"].get("addresses"), None);
    assert_eq!(stored["status"]["conditions"][0]["message"], "Waiting for controller");
    let service = json!({"spec": {"ports": [{"port": 1}]}, "status": {"loadBalancer": {"ingress": [{"ip": "10.0.0.1"}]}}});
    let stored = create("Service", service).unwrap().object;
    assert_eq!(stored.pointer("/status/loadBalancer/ingress"), None);
}

#[test]
fn update_keeps_the_status_and_status_update_the_rest() {
    let mut old = create("Gateway", gateway()).unwrap().object;
    old["status"]["addresses"] = json!([{"type": "IPAddress", "value": "10.0.0.1"}]);
    let changed = with(&gateway(), "/spec/gatewayClassName", "b".into());
    let changed = with(&changed, "/status", json!({}));
    let stored = update("Gateway", changed.clone(), &old).unwrap().object;
    assert_eq!(
        (&stored["status"], &stored["spec"]["gatewayClassName"]),
        (&old["status"], &json!("b"))
    );
    let mut request = named(changed);
    request["metadata"]["resourceVersion"] = "7".into();
    request["metadata"]["labels"] = json!({"a": "b"});
    request["status"]["addresses"] = json!([{"value": "10.0.0.2"}]);
    let target = target("Gateway", Some("a"));
    let stored = admission()
        .update_status(&target, document(&request), FieldValidation::Strict, &old)
        .unwrap()
        .object;
    assert_eq!(stored["spec"], old["spec"]);
    assert_eq!(stored["metadata"].get("labels"), None);
    assert_eq!(stored["metadata"]["resourceVersion"], "7");
    assert_eq!(stored["status"]["addresses"][0]["value"], "10.0.0.2");
    request["status"]["addresses"] = json!("x");
    let found =
        admission().update_status(&target, document(&request), FieldValidation::Strict, &old);
    assert!(matches!(found, Err(AdmissionError::Invalid(_))));
}

#[test]
fn custom_resources_and_leases_need_a_revision() {
    for (kind, object, expected) in [
        (
            "Gateway",
            gateway(),
            &["metadata.resourceVersion: Invalid value: 0: must be specified for an update"][..],
        ),
        (
            "Lease",
            json!({"spec": {}}),
            &["metadata.resourceVersion: Invalid value: 0: must be specified for an update"],
        ),
        ("ConfigMap", json!({}), &[]),
    ] {
        let old = create(kind, object.clone()).unwrap().object;
        let target = target(kind, Some("a"));
        let body = document(&named(object));
        let found = admission().update(&target, body, FieldValidation::Strict, &old);
        assert_causes(found, expected);
    }
}

#[test]
fn generated_names_are_checked_by_their_prefix() {
    let object = |prefix: &str| json!({"metadata": {"generateName": prefix}});
    assert_causes(create("ConfigMap", object("a-")), &[]);
    assert_causes(create("ConfigMap", object("a.")), &["metadata.generateName: Invalid value"]);
    assert_causes(create("ConfigMap", object("A-")), &["metadata.generateName: Invalid value"]);
    let none = create("ConfigMap", json!({"metadata": {}}));
    assert_causes(none, &["metadata.name: Required value: name or generateName is required"]);
}

#[test]
fn objects_of_all_kinds_may_have_a_generated_name() {
    for resource in resources() {
        let kind = resource.kind();
        let mut object = match kind {
            "Gateway" => gateway(),
            "GatewayClass" => json!({"spec": {"controllerName": "a.b/c"}}),
            "TCPRoute" => json!({"spec": {"rules": [{"backendRefs": [{"name": "s", "port": 1}]}]}}),
            "ReferenceGrant" => json!({"spec": {
                "from": [{"group": "g", "kind": "K", "namespace": "n"}],
                "to": [{"group": "", "kind": "Service"}],
            }}),
            "Service" => json!({"spec": {"ports": [{"port": 80}]}}),
            "EndpointSlice" => json!({"addressType": "IPv4", "endpoints": []}),
            "Deployment" => json!({"spec": {
                "selector": {"matchLabels": {"a": "b"}},
                "template": {
                    "metadata": {"labels": {"a": "b"}},
                    "spec": {"containers": [{"name": "a", "image": "a"}]},
                },
            }}),
            "Event" if resource.group().is_empty() => {
                json!({"involvedObject": {"namespace": "n"}})
            }
            // The other Event, which `create` does not find: it has the same kind.
            "Event" => continue,
            _ => json!({}),
        };
        object["metadata"] = json!({"generateName": "a-"});
        assert_causes(create(kind, object), &[]);
    }
}

#[test]
fn schema_and_rules_of_gateways_are_checked() {
    assert_causes(create("Gateway", gateway()), &[]);
    let port = with(&gateway(), "/spec/listeners/0/port", 0.into());
    let expected = [
        "spec.listeners[0].port: Invalid value: 0: spec.listeners[0].port in body should be greater",
    ];
    let found = create("Gateway", port);
    let Err(AdmissionError::Invalid(found)) = found else { panic!("{found:?}") };
    assert!(found[0].to_string().starts_with(expected[0]), "{}", found[0]);
    let tls = with(&gateway(), "/spec/listeners/0/tls", json!({"mode": "Passthrough"}));
    let found = create("Gateway", tls);
    assert!(matches!(found, Err(AdmissionError::Invalid(_))), "{found:?}");
}

#[test]
fn patch_is_applied_in_the_version_of_the_request() {
    let route = json!({
        "spec": {"rules": [{"backendRefs": [{"name": "s", "port": 1}]}]},
    });
    let old = create("TCPRoute", route).unwrap().object;
    assert_eq!(old["apiVersion"], "gateway.networking.k8s.io/v1");
    let (resource, version) =
        find_resource("gateway.networking.k8s.io", "v1alpha2", "tcproutes").unwrap();
    let target = Target { resource, version, namespace: Some("n"), name: Some("a") };
    let mut old = old;
    old["metadata"]["resourceVersion"] = "1".into();
    let patch = |patch: &str, validation| {
        admission().patch(&target, (PatchType::Merge, patch.as_bytes()), validation, &old)
    };
    let text = r#"{"apiVersion": "gateway.networking.k8s.io/v1alpha2", "metadata": {"labels": {"a": "b"}}, "x": 1, "x": 2}"#;
    let patched = patch(text, FieldValidation::Warn).unwrap();
    assert_eq!(patched.object["apiVersion"], "gateway.networking.k8s.io/v1");
    assert_eq!(patched.object["metadata"]["labels"], json!({"a": "b"}));
    assert_eq!(patched.warnings, ["duplicate field \"x\"", "unknown field \"x\""]);
    let expected =
        "patch: Invalid value: strict decoding error: duplicate field \"x\", unknown field \"x\"";
    assert_causes(patch(text, FieldValidation::Strict), &[expected]);
    let renamed = patch(r#"{"metadata": {"name": "b"}}"#, FieldValidation::Warn);
    assert!(matches!(renamed, Err(AdmissionError::Mismatch(_))), "{renamed:?}");
    assert!(matches!(patch("[]", FieldValidation::Warn), Err(AdmissionError::Patch(_))));
    let kind = patch(r#"{"kind": "Gateway"}"#, FieldValidation::Warn);
    assert!(matches!(kind, Err(AdmissionError::Mismatch(_))), "{kind:?}");
}

#[test]
fn admitted_objects_are_admitted_again_unchanged() {
    for (kind, object) in [
        ("Gateway", gateway()),
        ("Service", json!({"spec": {"clusterIP": "None"}})),
        ("Secret", json!({"stringData": {"a": "b"}})),
        ("EndpointSlice", json!({"addressType": "IPv4", "endpoints": [], "ports": [{"port": 1}]})),
    ] {
        let first = create(kind, object).unwrap().object;
        let mut again = first.clone();
        again["metadata"]["resourceVersion"] = "1".into();
        let target = target(kind, Some("a"));
        let second =
            admission().update(&target, document(&again), FieldValidation::Strict, &first).unwrap();
        assert_eq!(second.object, again, "{kind}");
        assert!(second.warnings.is_empty());
    }
}

#[test]
fn no_object_causes_a_panic() {
    let values = [json!(null), json!(1), json!(-1.5), json!("x"), json!([1]), json!({"a": "b"})];
    for resource in resources() {
        let target = target(resource.kind(), None);
        for field in ["metadata", "spec", "status", "data", "endpoints", "ports", "type"] {
            for value in &values {
                let object = json!({"metadata": {"name": "a"}, field: value});
                let list = json!({"metadata": {"name": "a"}, field: [value, {"ports": value}]});
                for object in [object, list] {
                    let created =
                        admission().create(&target, document(&object), FieldValidation::Ignore);
                    if let Ok(created) = created {
                        let target = Target { name: Some("a"), ..target };
                        _ = admission().update(
                            &target,
                            document(&object),
                            FieldValidation::Ignore,
                            &created.object,
                        );
                    }
                }
            }
        }
    }
}

#[test]
fn number_without_a_fraction_is_an_integer_of_custom_resources_only() {
    let metadata = r#""metadata": {"name": "a", "generation": 1.0}"#;
    let admit = |kind, text: String| {
        let body = parse_json(text.as_bytes()).unwrap();
        admission().create(&target(kind, None), body, FieldValidation::Strict)
    };
    let listener = r#"{"name": "a", "protocol": "TCP", "port": 8e1}"#;
    let gateway = format!(
        r#"{{{metadata}, "spec": {{"gatewayClassName": "c", "listeners": [{listener}]}}}}"#
    );
    let stored = admit("Gateway", gateway).unwrap().object;
    assert_eq!(stored["spec"]["listeners"][0]["port"].to_string(), "80");
    assert_eq!(stored["metadata"]["generation"].to_string(), "1");
    let service = |metadata: &str, port: &str, target_port: &str| {
        admit(
            "Service",
            format!(
                r#"{{{metadata}, "spec": {{"ports": [{{"port": {port}, "targetPort": {target_port}}}]}}}}"#
            ),
        )
    };
    let plain = r#""metadata": {"name": "a"}"#;
    assert_causes(service(plain, "80", "80"), &[]);
    let refused = "Invalid value: \"number\"";
    for (found, field) in [
        (service(metadata, "80", "80"), "metadata.generation"),
        (service(plain, "80.0", "80"), "spec.ports[0].port"),
        (service(plain, "80", "8e1"), "spec.ports[0].targetPort"),
        (
            service(&metadata.replace("generation", "deletionGracePeriodSeconds"), "80", "80"),
            "metadata.deletionGracePeriodSeconds",
        ),
    ] {
        assert_causes(found, &[&format!("{field}: {refused}")]);
    }
}

#[test]
fn number_without_a_fraction_in_a_strategic_merge_patch_is_an_integer() {
    let old = create("Service", json!({"spec": {"ports": [{"port": 1}]}})).unwrap().object;
    let patch = |patch_type, patch: &str| {
        let target = target("Service", Some("a"));
        admission().patch(&target, (patch_type, patch.as_bytes()), FieldValidation::Strict, &old)
    };
    let text = r#"{"spec": {"ports": [{"port": 1, "targetPort": 80.0}]}}"#;
    let stored = patch(PatchType::StrategicMerge, text).unwrap().object;
    assert_eq!(stored["spec"]["ports"][0]["targetPort"].to_string(), "80");
    let expected = "spec.ports[0].targetPort: Invalid value: \"number\"";
    assert_causes(patch(PatchType::Merge, text), &[expected]);
    let text = r#"[{"op": "add", "path": "/spec/ports/0/targetPort", "value": 8e1}]"#;
    assert_causes(patch(PatchType::Json, text), &[expected]);
}
