//! The cluster IP addresses of Services. Nothing allocates them without a cluster: a Service has
//! those that its author sets.

use std::net::IpAddr;

use serde_json::{Map, Value, json};

use super::read::{is_unset, items, text};
use super::special_address::IP_ADDRESS_ERROR;
use crate::schema::{Cause, Causes, FieldPath};

/// Keeps the cluster IP addresses of the stored Service if the new one has none, and sets
/// `clusterIP` and `clusterIPs` from each other.
pub(super) fn keep_allocated(service: &mut Value, old: Option<&Value>) {
    let Some(spec) = service.get_mut("spec").and_then(Value::as_object_mut) else { return };
    let is_external = spec.get("type").is_some_and(|text| text == "ExternalName");
    if let Some(old) = old.map(|old| &old["spec"]) {
        let was_external = text(old, "type") == "ExternalName";
        if is_external && !was_external {
            drop_unchanged(spec, old);
        } else if !is_external && !was_external && has_none(spec) {
            for field in ["clusterIP", "clusterIPs"] {
                if let Some(value) = old.get(field) {
                    spec.insert(field.into(), value.clone());
                }
            }
        } else {
            follow_change(spec, old);
        }
    }
    let first = spec.get("clusterIP").filter(|value| !is_unset(value)).cloned();
    let list = spec.get("clusterIPs").filter(|value| !is_unset(value)).cloned();
    match (first, list) {
        (Some(first), None) if first.is_string() => {
            spec.insert("clusterIPs".into(), json!([first]));
        }
        (None, Some(list)) if list[0].is_string() => {
            spec.insert("clusterIP".into(), list[0].clone());
        }
        _ => {}
    }
}

fn has_none(spec: &Map<String, Value>) -> bool {
    ["clusterIP", "clusterIPs"].iter().all(|field| spec.get(*field).is_none_or(is_unset))
}

/// Removes the addresses of a Service that becomes one of type ExternalName, unless its author
/// changed them.
fn drop_unchanged(spec: &mut Map<String, Value>, old: &Value) {
    for field in ["clusterIP", "clusterIPs"] {
        if spec.get(field).is_some_and(|value| *value == old[field]) {
            spec.remove(field);
        }
    }
}

/// Replaces `clusterIPs` if the author changed `clusterIP` only.
fn follow_change(spec: &mut Map<String, Value>, old: &Value) {
    let is_same = |spec: &Map<String, Value>, field: &str| {
        spec.get(field).unwrap_or(&Value::Null) == &old[field]
    };
    if !is_same(spec, "clusterIP") && is_same(spec, "clusterIPs") {
        spec.remove("clusterIPs");
    }
}

pub(super) fn check(spec: &Value, path: FieldPath<'_>, causes: &mut Causes) {
    let list_path = path.field("clusterIPs");
    let list = items(&spec["clusterIPs"]);
    let service_type = text(spec, "type");
    if service_type == "ExternalName" {
        if !list.is_empty() || !text(spec, "clusterIP").is_empty() {
            causes
                .push(|| Cause::forbidden(&list_path, "may not be set for ExternalName services"));
        }
        return;
    }
    let first = list.first().unwrap_or(&Value::Null);
    if text(spec, "clusterIP") != first.as_str().unwrap_or_default() {
        let detail = "first value must match `clusterIP`";
        causes.push(|| Cause::invalid(&list_path.index(0), first, detail));
    }
    if list.len() > 2 {
        let detail = "may only hold up to 2 values";
        causes.push(|| Cause::invalid(&list_path, &spec["clusterIPs"], detail));
    }
    let mut families = Vec::new();
    for (index, value) in list.iter().enumerate() {
        let path = list_path.index(index);
        match value.as_str().unwrap_or_default() {
            "None" if index > 0 || list.len() > 1 => {
                let detail = "'None' must be the first and only value";
                causes.push(|| Cause::invalid(&path, value, detail));
            }
            "None" if ["NodePort", "LoadBalancer"].contains(&service_type) => {
                let detail = format!("may not be set to 'None' for {service_type} services");
                causes.push(|| Cause::invalid(&path, value, &detail));
            }
            "None" => {}
            text => match text.parse::<IpAddr>() {
                Ok(address) => families.push(address.is_ipv4()),
                Err(_) => causes.push(|| Cause::invalid(&path, value, IP_ADDRESS_ERROR)),
            },
        }
    }
    if let [first, second] = families[..]
        && first == second
    {
        let detail = "may specify no more than one IP for each IP family";
        causes.push(|| Cause::invalid(&list_path, &spec["clusterIPs"], detail));
    }
}

/// Checks that the addresses stay, once they are set.
pub(super) fn check_update(spec: &Value, old: &Value, path: FieldPath<'_>, causes: &mut Causes) {
    if [spec, old].iter().any(|spec| text(spec, "type") == "ExternalName") {
        return;
    }
    let (new, old) = (text(spec, "clusterIP"), text(old, "clusterIP"));
    if !old.is_empty() && new != old {
        let path = path.field("clusterIPs");
        let detail = "may not change once set";
        causes.push(|| Cause::invalid(&path.index(0), &spec["clusterIPs"], detail));
    }
}
