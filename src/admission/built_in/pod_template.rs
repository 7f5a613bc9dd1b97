//! Rules of the template of pods, as far as they concern names, labels and ports. Nothing here runs
//! pods, so the many further rules of Kubernetes are left to the cluster that does.

use std::collections::BTreeSet;

use serde_json::Value;

use super::names::{check_label_name, check_port_number, port_name_error};
use super::read::{is_unset, items, text};
use crate::schema::{Cause, Causes, FieldPath, check_labels};

pub(super) fn check(template: &Value, path: FieldPath<'_>, causes: &mut Causes) {
    let metadata = path.field("metadata");
    check_labels(&template["metadata"]["labels"], &metadata.field("labels"), causes);
    let (spec, path) = (&template["spec"], path.field("spec"));
    let policy = text(spec, "restartPolicy");
    if !["", "Always"].contains(&policy) {
        let policy_path = path.field("restartPolicy");
        causes.push(|| Cause::not_supported(&policy_path, &spec["restartPolicy"], ["Always"]));
    }
    let containers = path.field("containers");
    if items(&spec["containers"]).is_empty() {
        causes.push(|| Cause::required(&containers, ""));
    }
    let mut names = BTreeSet::new();
    for field in ["containers", "initContainers"] {
        let list = path.field(field);
        for (index, container) in items(&spec[field]).iter().enumerate() {
            check_container(container, list.index(index), &mut names, causes);
        }
    }
}

fn check_container<'a>(
    container: &'a Value,
    path: FieldPath<'_>,
    names: &mut BTreeSet<&'a str>,
    causes: &mut Causes,
) {
    let (name, name_path) = (text(container, "name"), path.field("name"));
    if name.is_empty() {
        causes.push(|| Cause::required(&name_path, ""));
    } else {
        check_label_name(&container["name"], &name_path, causes);
        if !names.insert(name) {
            causes.push(|| Cause::duplicate(&name_path, &container["name"]));
        }
    }
    if text(container, "image").is_empty() {
        causes.push(|| Cause::required(&path.field("image"), ""));
    }
    let ports = path.field("ports");
    let mut port_names = BTreeSet::new();
    for (index, port) in items(&container["ports"]).iter().enumerate() {
        let path = ports.index(index);
        check_port_number(&port["containerPort"], &path.field("containerPort"), causes);
        if !is_unset(&port["hostPort"]) {
            check_port_number(&port["hostPort"], &path.field("hostPort"), causes);
        }
        let port_name = text(port, "name");
        if port_name.is_empty() {
            continue;
        }
        let path = path.field("name");
        if let Some(error) = port_name_error(port_name) {
            causes.push(|| Cause::invalid(&path, &port["name"], error));
        } else if !port_names.insert(port_name) {
            causes.push(|| Cause::duplicate(&path, &port["name"]));
        }
    }
}
