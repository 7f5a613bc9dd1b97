//! Ports of Services. Missing names and duplicate ports are rules of the model.

use std::collections::BTreeSet;

use serde_json::Value;

use super::names::{
    check_enum, check_label_name, check_port_number, check_port_or_name, check_qualified_name,
};
use super::read::{is_unset, items, text};
use crate::schema::{Cause, Causes, FieldPath};

pub(super) fn check(spec: &Value, path: FieldPath<'_>, causes: &mut Causes) {
    let service_type = text(spec, "type");
    let ports_path = path.field("ports");
    let mut node_ports = BTreeSet::new();
    for (index, port) in items(&spec["ports"]).iter().enumerate() {
        let path = ports_path.index(index);
        if !text(port, "name").is_empty() {
            check_label_name(&port["name"], &path.field("name"), causes);
        }
        check_port_number(&port["port"], &path.field("port"), causes);
        check_enum(port, "protocol", &["SCTP", "TCP", "UDP"], &path, causes);
        check_port_or_name(&port["targetPort"], &path.field("targetPort"), causes);
        check_qualified_name(&port["appProtocol"], &path.field("appProtocol"), causes);
        let (node_port, path) = (&port["nodePort"], path.field("nodePort"));
        if is_unset(node_port) {
            continue;
        }
        check_port_number(node_port, &path, causes);
        if ["ClusterIP", "ExternalName"].contains(&service_type) {
            let detail = format!("may not be used when `type` is '{service_type}'");
            causes.push(|| Cause::forbidden(&path, &detail));
        }
        if !node_ports.insert((node_port.as_i64(), text(port, "protocol"))) {
            causes.push(|| Cause::duplicate(&path, node_port));
        }
    }
}
