//! Defaults of the pods of a template.

use serde_json::{Map, Value, json};

use super::fields::{existing, items, object, set_absent, set_default};

/// Permissions of the files of a volume: 0644.
const FILE_MODE: i64 = 0o644;
const TOKEN_SECONDS: i64 = 3600;
const PROBES: [&str; 3] = ["livenessProbe", "readinessProbe", "startupProbe"];

pub(super) fn apply(pod: &mut Map<String, Value>) {
    // `serviceAccount` is the old name of `serviceAccountName`; the new one has precedence.
    if let Some(account) = pod.get("serviceAccount").cloned() {
        set_default(pod, "serviceAccountName", account);
    }
    if let Some(account) = pod.get("serviceAccountName").cloned() {
        pod.insert("serviceAccount".into(), account);
    }
    set_default(pod, "dnsPolicy", "ClusterFirst");
    set_default(pod, "restartPolicy", "Always");
    set_default(pod, "schedulerName", "default-scheduler");
    set_absent(pod, "securityContext", json!({}));
    set_absent(pod, "terminationGracePeriodSeconds", 30);
    for list in ["containers", "initContainers", "ephemeralContainers"] {
        items(pod, list).for_each(container);
    }
    items(pod, "volumes").for_each(volume);
}

fn container(container: &mut Map<String, Value>) {
    let image = container.get("image").and_then(Value::as_str).unwrap_or_default();
    let policy = pull_policy(image);
    set_default(container, "imagePullPolicy", policy);
    set_default(container, "terminationMessagePath", "/dev/termination-log");
    set_default(container, "terminationMessagePolicy", "File");
    set_absent(container, "resources", json!({}));
    items(container, "ports").for_each(|port| set_default(port, "protocol", "TCP"));
    for variable in items(container, "env") {
        if let Some(source) = existing(variable, "valueFrom") {
            field_reference(source);
        }
    }
    for name in PROBES {
        let Some(probe) = existing(container, name) else { continue };
        set_default(probe, "timeoutSeconds", 1);
        set_default(probe, "periodSeconds", 10);
        set_default(probe, "successThreshold", 1);
        set_default(probe, "failureThreshold", 3);
        request(probe);
        if let Some(call) = existing(probe, "grpc") {
            set_absent(call, "service", "");
        }
    }
    if let Some(lifecycle) = existing(container, "lifecycle") {
        for name in ["postStart", "preStop"] {
            if let Some(step) = existing(lifecycle, name) {
                request(step);
            }
        }
    }
}

fn request(action: &mut Map<String, Value>) {
    if let Some(request) = existing(action, "httpGet") {
        set_default(request, "path", "/");
        set_default(request, "scheme", "HTTP");
    }
}

fn volume(volume: &mut Map<String, Value>) {
    if volume.keys().all(|field| field == "name") {
        volume.insert("emptyDir".into(), json!({}));
    }
    for source in ["secret", "configMap", "downwardAPI", "projected"] {
        if let Some(source) = existing(volume, source) {
            set_absent(source, "defaultMode", FILE_MODE);
            items(source, "items").for_each(field_reference);
        }
    }
    if let Some(path) = existing(volume, "hostPath") {
        set_absent(path, "type", "");
    }
    if let Some(image) = existing(volume, "image") {
        let reference = image.get("reference").and_then(Value::as_str).unwrap_or_default();
        let policy = pull_policy(reference);
        set_default(image, "pullPolicy", policy);
    }
    if let Some(projected) = existing(volume, "projected") {
        for source in items(projected, "sources") {
            if let Some(fields) = existing(source, "downwardAPI") {
                items(fields, "items").for_each(field_reference);
            }
            if let Some(token) = existing(source, "serviceAccountToken") {
                set_absent(token, "expirationSeconds", TOKEN_SECONDS);
            }
        }
    }
    if let Some(claim) =
        existing(volume, "ephemeral").and_then(|one| existing(one, "volumeClaimTemplate"))
        && let Some(spec) = object(claim, "spec")
    {
        set_absent(spec, "volumeMode", "Filesystem");
    }
}

fn field_reference(source: &mut Map<String, Value>) {
    if let Some(reference) = existing(source, "fieldRef") {
        set_default(reference, "apiVersion", "v1");
    }
}

/// Returns `Always` for images whose tag is `latest`, also by default. An absent image has no tag.
fn pull_policy(image: &str) -> &'static str {
    let (name, has_digest) = image.split_once('@').map_or((image, false), |(name, _)| (name, true));
    // A colon before the last slash separates the port of the registry.
    let last = name.rsplit('/').next().unwrap_or_default();
    let tag = last.split_once(':').map(|(_, tag)| tag);
    let is_latest = tag == Some("latest") || tag.is_none() && !has_digest && !name.is_empty();
    if is_latest { "Always" } else { "IfNotPresent" }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with_defaults(mut pod: Value) -> Value {
        apply(pod.as_object_mut().unwrap());
        pod
    }

    #[test]
    fn images_are_pulled_by_tag() {
        for (image, policy) in [
            ("nginx", "Always"),
            ("nginx:latest", "Always"),
            ("nginx:1.0", "IfNotPresent"),
            ("registry:5000/nginx", "Always"),
            ("registry:5000/nginx:1.0", "IfNotPresent"),
            ("nginx@sha256:abc", "IfNotPresent"),
            ("nginx:latest@sha256:abc", "Always"),
            ("", "IfNotPresent"),
        ] {
            assert_eq!(pull_policy(image), policy, "{image}");
        }
    }

    #[test]
    fn pod_has_the_defaults_of_kubernetes() {
        let expected = json!({
            "containers": [{
                "image": "a:1",
                "imagePullPolicy": "IfNotPresent",
                "name": "a",
                "ports": [{"containerPort": 80, "protocol": "TCP"}],
                "resources": {},
                "terminationMessagePath": "/dev/termination-log",
                "terminationMessagePolicy": "File",
            }],
            "dnsPolicy": "ClusterFirst",
            "restartPolicy": "Always",
            "schedulerName": "default-scheduler",
            "securityContext": {},
            "terminationGracePeriodSeconds": 30,
        });
        let pod = json!({"containers": [{"name": "a", "image": "a:1", "ports": [{"containerPort": 80}]}]});
        assert_eq!(with_defaults(pod), expected);
        assert_eq!(with_defaults(expected.clone()), expected);
    }

    #[test]
    fn service_account_has_two_names() {
        for (pod, account) in [
            (json!({"serviceAccount": "a"}), "a"),
            (json!({"serviceAccountName": "b"}), "b"),
            (json!({"serviceAccount": "a", "serviceAccountName": "b"}), "b"),
        ] {
            let pod = with_defaults(pod);
            assert_eq!(
                (&pod["serviceAccount"], &pod["serviceAccountName"]),
                (&json!(account), &json!(account))
            );
        }
    }

    #[test]
    fn probes_and_references_have_defaults() {
        let pod = with_defaults(json!({"containers": [{
            "env": [{"name": "A", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}}],
            "livenessProbe": {"httpGet": {"port": 80}, "failureThreshold": 5},
            "readinessProbe": {"grpc": {"port": 80}, "periodSeconds": 0},
            "lifecycle": {"preStop": {"httpGet": {"path": "/a", "scheme": "HTTPS"}}},
        }]}));
        let container = &pod["containers"][0];
        assert_eq!(container["env"][0]["valueFrom"]["fieldRef"]["apiVersion"], "v1");
        let expected = json!({
            "failureThreshold": 5,
            "httpGet": {"path": "/", "port": 80, "scheme": "HTTP"},
            "periodSeconds": 10,
            "successThreshold": 1,
            "timeoutSeconds": 1,
        });
        assert_eq!(container["livenessProbe"], expected);
        assert_eq!(container["readinessProbe"]["grpc"]["service"], "");
        assert_eq!(container["readinessProbe"]["periodSeconds"], 10);
        let request = json!({"path": "/a", "scheme": "HTTPS"});
        assert_eq!(container["lifecycle"]["preStop"]["httpGet"], request);
    }

    #[test]
    fn volumes_have_defaults() {
        let pod = with_defaults(json!({"volumes": [
            {"name": "a"},
            {"name": "b", "secret": {"secretName": "x"}},
            {"name": "c", "configMap": {"defaultMode": 0}},
            {"name": "d", "hostPath": {"path": "/x"}},
            {"name": "e", "projected": {"sources": [{"serviceAccountToken": {"path": "x"}}]}},
        ]}));
        let volumes = &pod["volumes"];
        assert_eq!(volumes[0], json!({"name": "a", "emptyDir": {}}));
        assert_eq!(volumes[1]["secret"]["defaultMode"], 420);
        assert_eq!(volumes[2]["configMap"]["defaultMode"], 0);
        assert_eq!(volumes[3]["hostPath"]["type"], "");
        assert_eq!(volumes[4]["projected"]["defaultMode"], 420);
        let token = &volumes[4]["projected"]["sources"][0]["serviceAccountToken"];
        assert_eq!(token["expirationSeconds"], 3600);
    }
}
