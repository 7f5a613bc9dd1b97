//! Cells of Deployments, ConfigMaps and Secrets.

use serde_json::Value;

use crate::model::{LabelSelector, Timestamp};
use crate::schema::selectors::label_selector_text;

pub(super) fn ready(deployment: &Value, _: Timestamp) -> Value {
    let ready = count(&deployment["status"]["readyReplicas"]);
    format!("{ready}/{}", count(&deployment["spec"]["replicas"])).into()
}

pub(super) fn up_to_date(deployment: &Value, _: Timestamp) -> Value {
    count(&deployment["status"]["updatedReplicas"]).into()
}

pub(super) fn available(deployment: &Value, _: Timestamp) -> Value {
    count(&deployment["status"]["availableReplicas"]).into()
}

pub(super) fn container_names(deployment: &Value, _: Timestamp) -> Value {
    containers(deployment, "name")
}

pub(super) fn container_images(deployment: &Value, _: Timestamp) -> Value {
    containers(deployment, "image")
}

pub(super) fn selector(deployment: &Value, _: Timestamp) -> Value {
    let selector = serde::Deserialize::deserialize(&deployment["spec"]["selector"]);
    selector.map_or_else(
        |_| "<invalid>".into(),
        |selector: LabelSelector| label_selector_text(&selector).into(),
    )
}

pub(super) fn config_size(config: &Value, _: Timestamp) -> Value {
    (size(&config["data"]) + size(&config["binaryData"])).into()
}

pub(super) fn secret_size(secret: &Value, _: Timestamp) -> Value {
    size(&secret["data"]).into()
}

fn count(value: &Value) -> i64 {
    value.as_i64().unwrap_or_default()
}

fn size(value: &Value) -> usize {
    value.as_object().map_or(0, |map| map.len())
}

fn containers(deployment: &Value, field: &str) -> Value {
    let list = deployment.pointer("/spec/template/spec/containers").and_then(Value::as_array);
    let texts = list.into_iter().flatten().filter_map(|container| container[field].as_str());
    texts.collect::<Vec<_>>().join(",").into()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn deployment_shows_its_pods() {
        let now = Timestamp::UNIX_EPOCH;
        let deployment = json!({
            "spec": {
                "replicas": 2,
                "selector": {"matchLabels": {"app": "a"}},
                "template": {"spec": {"containers": [{"name": "a", "image": "x:1"}, {"name": "b", "image": "y"}]}},
            },
            "status": {"readyReplicas": 1, "updatedReplicas": 2},
        });
        assert_eq!(ready(&deployment, now), "1/2");
        assert_eq!(
            (up_to_date(&deployment, now), available(&deployment, now)),
            (2.into(), 0.into())
        );
        assert_eq!(container_names(&deployment, now), "a,b");
        assert_eq!(container_images(&deployment, now), "x:1,y");
        assert_eq!(selector(&deployment, now), "app=a");
        assert_eq!(selector(&json!({"spec": {"selector": 5}}), now), "<invalid>");
    }

    #[test]
    fn entries_are_counted() {
        let now = Timestamp::UNIX_EPOCH;
        assert_eq!(
            config_size(&json!({"data": {"a": ""}, "binaryData": {"b": "", "c": ""}}), now),
            3
        );
        assert_eq!(secret_size(&json!({"data": {"a": ""}}), now), 1);
        assert_eq!(secret_size(&json!({}), now), 0);
    }
}
