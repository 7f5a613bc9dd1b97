//! Columns of the kinds of Kubernetes: those of `kubectl get`.

use serde_json::Value;

use super::age::age;
use super::column::{CellSource, Column};
use super::{event_cells, service_cells, workload_cells};
use crate::model::Timestamp;

type Cell = fn(&Value, Timestamp) -> Value;

/// Returns the columns of a built-in kind.
pub(in crate::schema) fn built_in_columns(group: &str, kind: &str) -> Vec<Column> {
    let age = column("Age", "Time since the object was created.", creation_age);
    match (group, kind) {
        ("", "Service") => vec![
            name_column(0),
            column("Type", "How the Service is exposed.", |one, _| one["spec"]["type"].clone()),
            column("Cluster-IP", "Address within the cluster.", service_cells::cluster_ip),
            column("External-IP", "Addresses of clients outside.", service_cells::external_ip),
            column("Port(s)", "Ports, node ports and protocols.", service_cells::ports),
            age,
            wide("Selector", "Labels of the pods.", service_cells::selector),
        ],
        ("", "Namespace") => vec![
            name_column(0),
            column("Status", "Phase of the Namespace.", |one, _| one["status"]["phase"].clone()),
            age,
        ],
        ("", "ConfigMap") => vec![name_column(0), count_column(workload_cells::config_size), age],
        ("", "Secret") => vec![
            name_column(0),
            column("Type", "Type of the contents.", |one, _| one["type"].clone()),
            count_column(workload_cells::secret_size),
            age,
        ],
        ("" | "events.k8s.io", "Event") => event_columns(),
        ("apps", _) => vec![
            name_column(0),
            column("Ready", "Ready and desired pods.", workload_cells::ready),
            column("Up-to-date", "Pods of the current template.", workload_cells::up_to_date),
            column("Available", "Available pods.", workload_cells::available),
            age,
            wide("Containers", "Names of the containers.", workload_cells::container_names),
            wide("Images", "Images of the containers.", workload_cells::container_images),
            wide("Selector", "Labels of the pods.", workload_cells::selector),
        ],
        ("discovery.k8s.io", _) => vec![
            name_column(0),
            column("AddressType", "Type of the addresses.", |one, _| one["addressType"].clone()),
            column("Ports", "Ports of the endpoints.", service_cells::slice_ports),
            column("Endpoints", "Addresses of the endpoints.", service_cells::slice_endpoints),
            age,
        ],
        ("coordination.k8s.io", _) => {
            vec![
                name_column(0),
                column("Holder", "Identity of the holder.", |one, _| {
                    match &one["spec"]["holderIdentity"] {
                        Value::Null => "".into(),
                        holder => holder.clone(),
                    }
                }),
                age,
            ]
        }
        _ => vec![name_column(0), age],
    }
}

fn event_columns() -> Vec<Column> {
    vec![
        column("Last Seen", "Time since the last occurrence.", event_cells::last_seen),
        column("Type", "Normal or Warning.", |one, _| one["type"].clone()),
        column("Reason", "Reason of the Event.", |one, _| one["reason"].clone()),
        column("Object", "Object of the Event.", event_cells::object),
        wide("Subobject", "Part of the object.", event_cells::field_path),
        wide("Source", "Component that reported the Event.", event_cells::source),
        column("Message", "Description of the Event.", event_cells::message),
        wide("First Seen", "Time since the first occurrence.", event_cells::first_seen),
        wide("Count", "Number of occurrences.", event_cells::count),
        name_column(1),
    ]
}

/// Returns the column with the name of the object.
pub(super) fn name_column(priority: i64) -> Column {
    let mut column =
        column("Name", "Name of the object.", |one, _| one["metadata"]["name"].clone());
    (column.format, column.priority) = ("name", priority);
    column
}

fn count_column(cell: Cell) -> Column {
    column("Data", "Number of entries.", cell)
}

fn column(name: &str, description: &str, cell: Cell) -> Column {
    Column {
        name: name.into(),
        column_type: "string".into(),
        format: "",
        description: description.into(),
        priority: 0,
        source: CellSource::Function(cell),
    }
}

fn wide(name: &str, description: &str, cell: Cell) -> Column {
    Column { priority: 1, ..column(name, description, cell) }
}

fn creation_age(object: &Value, now: Timestamp) -> Value {
    age(object["metadata"]["creationTimestamp"].as_str(), now).into()
}
