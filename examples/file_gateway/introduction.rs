//! The text printed after the start: the objects as two tables, and commands to try.

use std::fmt::Write as _;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;

use sluicegate::Report;
use sluicegate::model::{
    Condition, ConditionStatus, ConditionType, ListenerStatus, find_condition,
};
use sluicegate::plan::ListenerId;

pub(crate) fn text(paths: &[PathBuf], report: &Report) -> String {
    let paths: Vec<_> = paths.iter().map(|path| path.display().to_string()).collect();
    let mut lines = vec![format!("Reading {}\n", paths.join(", "))];
    lines.extend(report.problems.iter().map(|problem| format!("PROBLEM: {problem}\n")));
    if report.resources.is_empty() {
        lines.push("No objects yet.\n".to_owned());
    }
    lines.extend([gateway_table(report), route_table(report)]);
    let listeners = list_listeners(report).filter_map(|(id, _)| report.listeners.get(&id));
    let mut addresses = listeners.flat_map(|listener| &listener.bound).peekable();
    if addresses.peek().is_some() {
        lines.push("Try:".to_owned());
    }
    for address in addresses {
        let ip = match address.ip() {
            ip if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
            ip => ip,
        };
        lines.push(format!("  nc -zv {ip} {}", address.port()));
        lines.push(format!("  curl -i http://{}", SocketAddr::new(ip, address.port())));
    }
    lines.push("\nEdit the files and watch. Ctrl-C stops.\n\n".to_owned());
    lines.join("\n")
}

/// Returns a table with a row for each listener of each Gateway.
fn gateway_table(report: &Report) -> String {
    let header = ["GATEWAY", "LISTENER", "ADDRESS", "ACCEPTED", "PROGRAMMED", "ROUTES"];
    let mut rows = vec![header.map(str::to_owned)];
    for (id, listener) in list_listeners(report) {
        let addresses = report.listeners.get(&id).map(|listener| &listener.advertised);
        let addresses = addresses.into_iter().flatten().map(ToString::to_string);
        let addresses = addresses.reduce(|all, address| all + " " + &address);
        rows.push([
            id.gateway.to_string(),
            listener.name.to_string(),
            addresses.unwrap_or_else(|| "-".to_owned()),
            cell(&listener.conditions, &ConditionType::ACCEPTED),
            cell(&listener.conditions, &ConditionType::PROGRAMMED),
            listener.attached_routes.to_string(),
        ]);
    }
    align(&rows)
}

/// Returns the listeners by Gateway, in the order of its spec.
fn list_listeners(report: &Report) -> impl Iterator<Item = (ListenerId, &ListenerStatus)> {
    report.status.gateways.iter().flat_map(|(gateway, status)| {
        status.listeners.iter().map(|listener| {
            let name = listener.name.clone();
            (ListenerId::new(gateway.clone(), name), listener)
        })
    })
}

/// Returns a table with a row for each parent of each route.
fn route_table(report: &Report) -> String {
    let header = ["TCPROUTE", "PARENT", "ACCEPTED", "RESOLVEDREFS"];
    let mut rows = vec![header.map(str::to_owned)];
    for (name, route) in &report.status.tcp_routes {
        for parent in &route.parents {
            rows.push([
                name.to_string(),
                parent.parent_ref.to_string(),
                cell(&parent.conditions, &ConditionType::ACCEPTED),
                cell(&parent.conditions, &ConditionType::RESOLVED_REFS),
            ]);
        }
    }
    align(&rows)
}

/// Returns the status of a condition, with its reason unless it is `True`.
fn cell(conditions: &[Condition], condition_type: &ConditionType) -> String {
    match find_condition(conditions, condition_type) {
        Some(found) if found.status == ConditionStatus::True => "True".to_owned(),
        Some(found) => format!("{} ({})", found.status, found.reason),
        None => "-".to_owned(),
    }
}

fn align<const N: usize>(rows: &[[String; N]]) -> String {
    let mut text = String::new();
    for row in rows {
        let mut line = String::new();
        for (column, cell) in row.iter().enumerate() {
            let width = rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
            let _ = write!(line, "{cell:width$}  ");
        }
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}
