//! Defaults of Deployments.

use serde_json::{Map, Value};

use super::fields::{existing, object, set_absent, set_default};
use super::pod;

pub(super) fn apply(deployment: &mut Map<String, Value>) {
    let Some(spec) = object(deployment, "spec") else { return };
    set_absent(spec, "replicas", 1);
    set_absent(spec, "revisionHistoryLimit", 10);
    set_absent(spec, "progressDeadlineSeconds", 600);
    if let Some(strategy) = object(spec, "strategy") {
        set_default(strategy, "type", "RollingUpdate");
        if strategy["type"] == "RollingUpdate"
            && let Some(update) = object(strategy, "rollingUpdate")
        {
            set_absent(update, "maxUnavailable", "25%");
            set_absent(update, "maxSurge", "25%");
        }
    }
    let template = existing(spec, "template");
    if let Some(pod) = template.and_then(|template| object(template, "spec")) {
        pod::apply(pod);
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::schema::apply_defaults;
    use crate::schema::find_kind;

    fn with_defaults(spec: Value) -> Value {
        let (resource, version) = find_kind("apps", "v1", "Deployment").unwrap();
        let mut deployment = json!({"spec": spec});
        apply_defaults(&mut deployment, resource, version);
        let once = deployment.clone();
        apply_defaults(&mut deployment, resource, version);
        assert_eq!(deployment, once, "defaults are stable");
        deployment["spec"].take()
    }

    #[test]
    fn deployment_rolls_by_a_quarter() {
        let expected = json!({
            "replicas": 1,
            "revisionHistoryLimit": 10,
            "progressDeadlineSeconds": 600,
            "strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": "25%", "maxUnavailable": "25%"}},
        });
        assert_eq!(with_defaults(json!({})), expected);
    }

    #[test]
    fn own_values_stay() {
        let spec = json!({
            "replicas": 0,
            "revisionHistoryLimit": 0,
            "progressDeadlineSeconds": 5,
            "strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 0, "maxUnavailable": 1}},
        });
        assert_eq!(with_defaults(spec.clone()), spec);
        let spec = with_defaults(json!({"strategy": {"type": "Recreate"}}));
        assert_eq!(spec["strategy"], json!({"type": "Recreate"}));
    }

    #[test]
    fn template_has_the_defaults_of_a_pod() {
        let spec = with_defaults(json!({"template": {"spec": {"containers": [{"name": "a"}]}}}));
        assert_eq!(spec["template"]["spec"]["restartPolicy"], "Always");
    }
}
