//! The state of a gateway as small tables.

use std::fmt::Write as _;

use sluicegate::Report;
use sluicegate::model::{
    Condition, ConditionStatus, ConditionType, ListenerStatus, find_condition,
};
use sluicegate::plan::ListenerId;

/// A line for each listener of each Gateway.
pub(crate) fn gateways(report: &Report) -> String {
    let mut rows =
        vec![row(["GATEWAY", "LISTENER", "ADDRESS", "ACCEPTED", "PROGRAMMED", "ROUTES"])];
    let mut remarks = Vec::new();
    for (id, listener) in listeners(report) {
        let dial = report.listeners.get(&id).map_or(&[][..], |listener| &listener.advertised);
        let addresses: Vec<_> = dial.iter().map(ToString::to_string).collect();
        rows.push(vec![
            id.gateway.to_string(),
            listener.name.to_string(),
            if addresses.is_empty() { "-".to_owned() } else { addresses.join(" ") },
            cell(&listener.conditions, &ConditionType::ACCEPTED),
            cell(&listener.conditions, &ConditionType::PROGRAMMED),
            listener.attached_routes.to_string(),
        ]);
        remark(&mut remarks, &id.to_string(), &listener.conditions);
    }
    for (name, gateway) in &report.status.gateways {
        remark(&mut remarks, &name.to_string(), &gateway.conditions);
    }
    align(&rows) + &remarks.concat()
}

/// The listeners, Gateway by Gateway, in the order in which people wrote them.
pub(crate) fn listeners(report: &Report) -> impl Iterator<Item = (ListenerId, &ListenerStatus)> {
    report.status.gateways.iter().flat_map(|(gateway, status)| {
        status.listeners.iter().map(|listener| {
            let name = listener.name.clone();
            (ListenerId { gateway: gateway.clone(), listener: name }, listener)
        })
    })
}

/// A line for each parent of each route.
pub(crate) fn routes(report: &Report) -> String {
    let mut rows = vec![row(["TCPROUTE", "PARENT", "ACCEPTED", "RESOLVEDREFS"])];
    let mut remarks = Vec::new();
    for (name, route) in &report.status.tcp_routes {
        for parent in &route.parents {
            let reference = &parent.parent_ref;
            let section = reference.section_name.as_ref().map(|section| format!("/{section}"));
            let port = reference.port.map(|port| format!(":{port}"));
            rows.push(vec![
                name.to_string(),
                format!(
                    "{}{}{}",
                    reference.name,
                    section.unwrap_or_default(),
                    port.unwrap_or_default()
                ),
                cell(&parent.conditions, &ConditionType::ACCEPTED),
                cell(&parent.conditions, &ConditionType::RESOLVED_REFS),
            ]);
            remark(&mut remarks, &name.to_string(), &parent.conditions);
        }
    }
    align(&rows) + &remarks.concat()
}

fn row<const N: usize>(cells: [&str; N]) -> Vec<String> {
    cells.map(str::to_owned).to_vec()
}

/// `True`, or the reason why not.
fn cell(conditions: &[Condition], condition_type: &ConditionType) -> String {
    match find_condition(conditions, condition_type) {
        Some(found) if found.status == ConditionStatus::True => "True".to_owned(),
        Some(found) => format!("{} ({})", found.status, found.reason),
        None => "-".to_owned(),
    }
}

/// The messages of conditions that a person should know of.
fn remark(remarks: &mut Vec<String>, object: &str, conditions: &[Condition]) {
    for condition in conditions.iter().filter(|condition| is_noteworthy(condition)) {
        remarks.push(format!("  {object}: {}: {}\n", condition.condition_type, condition.message));
    }
}

/// Whether a condition does not hold, or holds with a caveat: its message then goes on after the
/// first sentence.
pub(crate) fn is_noteworthy(condition: &Condition) -> bool {
    condition.status != ConditionStatus::True || condition.message.contains(". ")
}

fn align(rows: &[Vec<String>]) -> String {
    let width =
        |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
    let widths: Vec<_> = (0..rows[0].len()).map(width).collect();
    let mut text = String::new();
    for row in rows {
        let mut line = String::new();
        for (cell, width) in row.iter().zip(&widths) {
            write!(line, "{cell:width$}  ").expect("a String takes every text");
        }
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}
