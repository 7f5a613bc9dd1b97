//! Rules of Deployments.

use serde_json::Value;

use super::immutable::check_same;
use super::pod_template;
use super::read::{is_unset, labels, text};
use crate::model::LabelSelector;
use crate::schema::{Cause, Causes, FieldPath};

pub(super) fn check(deployment: &Value, old: Option<&Value>, causes: &mut Causes) {
    let (spec, path) = (&deployment["spec"], FieldPath::ROOT.field("spec"));
    for field in ["replicas", "minReadySeconds", "revisionHistoryLimit", "progressDeadlineSeconds"]
    {
        if spec[field].as_f64().is_some_and(|number| number < 0.0) {
            let detail = "must be greater than or equal to 0";
            causes.push(|| Cause::invalid(&path.field(field), &spec[field], detail));
        }
    }
    let seconds = |field: &str| spec[field].as_i64();
    if let Some(deadline) = seconds("progressDeadlineSeconds")
        && deadline <= seconds("minReadySeconds").unwrap_or_default()
    {
        let (field, detail) = ("progressDeadlineSeconds", "must be greater than minReadySeconds");
        causes.push(|| Cause::invalid(&path.field(field), &spec[field], detail));
    }
    check_selector(spec, path, causes);
    check_strategy(&spec["strategy"], path.field("strategy"), causes);
    pod_template::check(&spec["template"], path.field("template"), causes);
    if let Some(old) = old {
        check_same(spec, &old["spec"], "selector", &path, causes);
    }
}

fn check_selector(spec: &Value, path: FieldPath<'_>, causes: &mut Causes) {
    let (value, selector_path) = (&spec["selector"], path.field("selector"));
    let selector = match serde_json::from_value::<LabelSelector>(value.clone()) {
        Ok(selector) => selector,
        Err(error) => {
            causes.push(|| Cause::invalid(&selector_path, value, &error.to_string()));
            return;
        }
    };
    if selector == LabelSelector::default() {
        let detail = "empty selector is invalid for deployment";
        causes.push(|| Cause::invalid(&selector_path, value, detail));
    } else if let Err(error) = selector.check() {
        causes.push(|| Cause::invalid(&selector_path, value, &error.to_string()));
    } else {
        let found = &spec["template"]["metadata"]["labels"];
        if !selector.matches(&labels(found)) {
            let template = path.field("template");
            let metadata = template.field("metadata");
            let detail = "`selector` does not match template `labels`";
            causes.push(|| Cause::invalid(&metadata.field("labels"), found, detail));
        }
    }
}

fn check_strategy(strategy: &Value, path: FieldPath<'_>, causes: &mut Causes) {
    let (rolling, rolling_path) = (&strategy["rollingUpdate"], path.field("rollingUpdate"));
    match text(strategy, "type") {
        "Recreate" => {
            if !rolling.is_null() {
                let detail = "may not be specified when strategy `type` is 'Recreate'";
                causes.push(|| Cause::forbidden(&rolling_path, detail));
            }
        }
        "RollingUpdate" => {
            for field in ["maxUnavailable", "maxSurge"] {
                check_share(&rolling[field], &rolling_path.field(field), causes);
            }
            let is_zero = |field: &str| is_unset(&rolling[field]) || rolling[field] == "0%";
            if is_zero("maxUnavailable") && is_zero("maxSurge") {
                let detail = "may not be 0 when `maxSurge` is 0";
                let value = &rolling["maxUnavailable"];
                causes
                    .push(|| Cause::invalid(&rolling_path.field("maxUnavailable"), value, detail));
            }
        }
        _ => {
            let allowed = ["Recreate", "RollingUpdate"];
            causes.push(|| Cause::not_supported(&path.field("type"), &strategy["type"], allowed));
        }
    }
}

/// Checks a number of pods, or a percentage of them.
fn check_share(value: &Value, path: &FieldPath<'_>, causes: &mut Causes) {
    match value {
        Value::String(text) => {
            let digits = text.strip_suffix('%').unwrap_or_default();
            let is_percentage =
                !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
            if !is_percentage {
                let detail = "a valid percent string must be a numeric string followed by an \
                    ending '%' (e.g. '1%',  or '93%', regex used for validation is '[0-9]+%')";
                causes.push(|| Cause::invalid(path, value, detail));
            } else if path.to_string().ends_with("maxUnavailable")
                && digits.parse::<u64>().map_or(true, |share| share > 100)
            {
                causes.push(|| Cause::invalid(path, value, "must not be greater than 100%"));
            }
        }
        number => {
            if number.as_f64().is_some_and(|number| number < 0.0) {
                let detail = "must be greater than or equal to 0";
                causes.push(|| Cause::invalid(path, value, detail));
            }
        }
    }
}
