//! Each rule of Deployments, ConfigMaps and Secrets, allowed and refused.

use serde_json::{Value, json};

use crate::admission::requests_in_tests::{assert_causes, causes, create, update, with};

fn deployment() -> Value {
    json!({"spec": {
        "selector": {"matchLabels": {"app": "x"}},
        "template": {
            "metadata": {"labels": {"app": "x"}},
            "spec": {"containers": [{"name": "c", "image": "i", "ports": [{"containerPort": 80}]}]},
        },
    }})
}

#[track_caller]
fn assert_field(pointer: &str, value: Value, expected: &[&str]) {
    assert_causes(create("Deployment", with(&deployment(), pointer, value)), expected);
}

#[test]
fn selector_matches_the_labels_of_the_template() {
    assert_field("/spec/replicas", 0.into(), &[]);
    assert_field(
        "/spec/template/metadata/labels",
        json!({"app": "y"}),
        &[
            "spec.template.metadata.labels: Invalid value: {\"app\":\"y\"}: `selector` does not match template `label",
        ],
    );
    assert_field(
        "/spec/selector",
        json!({}),
        &["spec.selector: Invalid value: {}: empty selector is invalid for deployment"],
    );
    let expressions =
        json!({"matchExpressions": [{"key": "app", "operator": "In", "values": ["x"]}]});
    assert_field("/spec/selector", expressions, &[]);
    let expressions = json!({"matchExpressions": [{"key": "app", "operator": "In"}]});
    assert_field("/spec/selector", expressions, &["spec.selector: Invalid value: "]);
    assert_field("/spec/selector", Value::Null, &["spec.selector: Required value"]);
    let old = create("Deployment", deployment()).unwrap().object;
    let mut changed = with(&deployment(), "/spec/selector/matchLabels", json!({"app": "y"}));
    changed["spec"]["template"]["metadata"]["labels"] = json!({"app": "y"});
    assert_causes(update("Deployment", deployment(), &old), &[]);
    assert_causes(
        update("Deployment", changed, &old),
        &["spec.selector: Invalid value: {\"matchLabels\":{\"app\":\"y\"}}: field is immutable"],
    );
}

#[test]
fn numbers_and_strategy_are_checked() {
    for field in ["replicas", "minReadySeconds", "revisionHistoryLimit"] {
        let expected = format!("spec.{field}: Invalid value: -1: must be greater than or equal");
        assert_field(&format!("/spec/{field}"), (-1).into(), &[&expected]);
    }
    assert_field("/spec/progressDeadlineSeconds", 1.into(), &[]);
    assert_field("/spec/progressDeadlineSeconds", 0.into(), &["spec.progressDeadlineSeconds: Inv"]);
    let rolling = |update: Value| json!({"type": "RollingUpdate", "rollingUpdate": update});
    assert_field("/spec/strategy", json!({"type": "Recreate"}), &[]);
    assert_field("/spec/strategy", rolling(json!({"maxSurge": "150%"})), &[]);
    assert_field(
        "/spec/strategy",
        json!({"type": "x"}),
        &["spec.strategy.type: Unsupported value"],
    );
    assert_field(
        "/spec/strategy",
        json!({"type": "Recreate", "rollingUpdate": {}}),
        &["spec.strategy.rollingUpdate: Forbidden: may not be specified when strategy `type`"],
    );
    let unavailable = "spec.strategy.rollingUpdate.maxUnavailable: Invalid value: ";
    for bad in [json!("101%"), json!("x"), json!("%"), json!(-1)] {
        assert_field("/spec/strategy", rolling(json!({"maxUnavailable": bad})), &[unavailable]);
    }
    let zero = rolling(json!({"maxUnavailable": 0, "maxSurge": "0%"}));
    assert_field("/spec/strategy", zero, &[unavailable]);
}

#[test]
fn template_of_pods_is_checked() {
    let pod = "/spec/template/spec";
    let containers = "/spec/template/spec/containers";
    assert_field(
        &format!("{pod}/restartPolicy"),
        "Never".into(),
        &[
            "spec.template.spec.restartPolicy: Unsupported value: \"Never\": supported values: \"Always\"",
        ],
    );
    assert_field(containers, json!([]), &["spec.template.spec.containers: Required value"]);
    let container = |extra: Value| {
        let mut container = json!({"name": "c", "image": "i"});
        container.as_object_mut().unwrap().extend(extra.as_object().unwrap().clone());
        json!([container])
    };
    let first = "spec.template.spec.containers[0]";
    for (extra, expected) in [
        (json!({"name": ""}), "name: Required value"),
        (json!({"name": "C"}), "name: Invalid value: \"C\""),
        (json!({"image": ""}), "image: Required value"),
        (json!({"ports": [{"containerPort": 0}]}), "ports[0].containerPort: Invalid value: 0"),
        (
            json!({"ports": [{"containerPort": 1, "hostPort": -1}]}),
            "ports[0].hostPort: Invalid value: -1",
        ),
        (
            json!({"ports": [{"containerPort": 1, "name": "--"}]}),
            "ports[0].name: Invalid value: \"--\"",
        ),
        (
            json!({"ports": [{"containerPort": 1, "name": "a"}, {"containerPort": 2, "name": "a"}]}),
            "ports[1].name: Duplicate value: \"a\"",
        ),
    ] {
        assert_field(containers, container(extra), &[&format!("{first}.{expected}")]);
    }
    let twice = json!([{"name": "c", "image": "i"}, {"name": "c", "image": "i"}]);
    let expected = "spec.template.spec.containers[1].name: Duplicate value: \"c\"";
    assert_field(containers, twice, &[expected]);
}

#[test]
fn keys_of_config_maps_are_file_names() {
    let map = |data: Value| create("ConfigMap", json!({"data": data}));
    assert_causes(map(json!({"a.b_C-1": "", ".a": ""})), &[]);
    for (key, detail) in [
        ("a b", "a valid config key"),
        ("", "a valid config key"),
        (".", "must not be '.'"),
        ("..", "must not be '..'"),
        ("..a", "must not start with '..'"),
        (&"a".repeat(254), "must be no more than 253 bytes"),
    ] {
        let error = match map(json!({key: "x"})) {
            Err(error) => error.to_string(),
            Ok(_) => panic!("{key} is admitted"),
        };
        assert!(
            error.contains(&format!("data[{key}]: Invalid value: \"{key}\": {detail}")),
            "{error}"
        );
    }
    let both = json!({"data": {"a": ""}, "binaryData": {"a": ""}});
    assert_causes(create("ConfigMap", both), &["data[a]: Invalid value: \"a\": duplicate of key"]);
}

#[test]
fn data_is_bounded() {
    let text = |length| json!({"data": {"a": "x".repeat(length)}});
    assert_causes(create("ConfigMap", text(1024 * 1024)), &[]);
    let expected = "data: Too long: may not be more than 1048576 bytes";
    assert_causes(create("ConfigMap", text(1024 * 1024 + 1)), &[expected]);
    let secret = |length| json!({"stringData": {"a": "x".repeat(length)}});
    assert_causes(create("Secret", secret(1024 * 1024)), &[]);
    assert_causes(create("Secret", secret(1024 * 1024 + 1)), &[expected]);
}

#[test]
fn immutable_data_stays() {
    for kind in ["ConfigMap", "Secret"] {
        let object =
            |value: &str, immutable: bool| json!({"data": {"a": value}, "immutable": immutable});
        let open = create(kind, object("eA==", false)).unwrap().object;
        assert_causes(update(kind, object("eQ==", true), &open), &[]);
        let old = create(kind, object("eA==", true)).unwrap().object;
        assert_causes(update(kind, object("eA==", true), &old), &[]);
        let detail = "Forbidden: field is immutable when `immutable` is set";
        assert_causes(update(kind, object("eQ==", true), &old), &[&format!("data: {detail}")]);
        let found = update(kind, object("eA==", false), &old);
        assert_causes(found, &[&format!("immutable: {detail}")]);
    }
}

#[test]
fn secrets_have_the_keys_of_their_type() {
    let secret = |secret_type: &str, data: Value| {
        create("Secret", json!({"type": secret_type, "stringData": data}))
    };
    for (secret_type, good, bad, expected) in [
        (
            "kubernetes.io/tls",
            json!({"tls.crt": "", "tls.key": ""}),
            json!({}),
            &["data[tls.crt]: Required value", "data[tls.key]: Required value"][..],
        ),
        (
            "kubernetes.io/basic-auth",
            json!({"username": "u"}),
            json!({}),
            &["data[username]: Required value", "data[password]: Required value"],
        ),
        (
            "kubernetes.io/ssh-auth",
            json!({"ssh-privatekey": "k"}),
            json!({"ssh-privatekey": ""}),
            &["data[ssh-privatekey]: Required value"],
        ),
        (
            "kubernetes.io/dockerconfigjson",
            json!({".dockerconfigjson": "{}"}),
            json!({".dockerconfigjson": "topsecret"}),
            &["data[.dockerconfigjson]: Invalid value: \"<secret contents redacted>\""],
        ),
        (
            "kubernetes.io/dockercfg",
            json!({".dockercfg": "{}"}),
            json!({}),
            &["data[.dockercfg]: Required value"],
        ),
        ("example.com/any", json!({}), json!({"a b": "topsecret"}), &["data[a b]: Invalid value"]),
    ] {
        assert_causes(secret(secret_type, good), &[]);
        assert_causes(secret(secret_type, bad), expected);
    }
    let found = secret("kubernetes.io/service-account-token", json!({}));
    assert_causes(found, &["metadata.annotations[kubernetes.io/service-account.name]: Required"]);
    let old = secret("a", json!({})).unwrap().object;
    let found = update("Secret", json!({"type": "b"}), &old);
    assert_causes(found, &["type: Invalid value: \"b\": field is immutable"]);
}

#[test]
fn values_of_secrets_are_in_no_message() {
    for object in [
        json!({"data": {"a": "topsecret!"}}),
        json!({"data": {"a": ["topsecret!"]}}),
        json!({"stringData": {"a": ["topsecret!"]}}),
        json!({"data": "topsecret!"}),
    ] {
        let found = causes(create("Secret", object.clone()));
        assert!(!found.is_empty(), "{object}");
        assert!(!format!("{found:?}").contains("topsecret!"), "{found:?}");
    }
}
