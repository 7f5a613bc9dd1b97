//! What changed between two reports, in a line or two for each change.

use std::collections::BTreeMap;

use serde_yaml::Value;
use sluicegate::Report;
use sluicegate::model::StatusReport;
use sluicegate::model::{Condition, Object, ObjectKey};

use crate::table::is_noteworthy;

/// Objects, listeners, conditions and problems that are not as they were.
pub(crate) fn lines(before: &Report, now: &Report) -> Vec<String> {
    objects(before, now)
        .into_iter()
        .chain(listeners(before, now))
        .chain(statuses(&before.status, &now.status))
        .chain(unmanaged(before, now))
        .chain(problems(before, now))
        .collect()
}

fn objects(before: &Report, now: &Report) -> Vec<String> {
    let keyed = |report: &Report| -> BTreeMap<ObjectKey, Object> {
        report.resources.objects().map(|object| (object.key(), object)).collect()
    };
    let (before, now) = (keyed(before), keyed(now));
    let mut lines = Vec::new();
    for (key, object) in &now {
        match before.get(key) {
            None => lines.push(format!("added    {key}")),
            Some(old) if old != object => {
                let mut fields = Vec::new();
                compare("", &value(old), &value(object), &mut fields);
                lines.push(format!("changed  {key}: {}", fields.join(", ")));
            }
            Some(_) => {}
        }
    }
    lines.extend(
        before.keys().filter(|key| !now.contains_key(key)).map(|key| format!("removed  {key}")),
    );
    lines
}

/// An object without what changes along with everything.
fn value(object: &Object) -> Value {
    let mut object = object.clone();
    object.metadata_mut().generation = None;
    serde_yaml::to_value(&object).unwrap_or_default()
}

/// The fields in which two values differ.
fn compare(path: &str, old: &Value, new: &Value, fields: &mut Vec<String>) {
    match (old, new) {
        (Value::Mapping(old), Value::Mapping(new)) => {
            let gone = old.keys().filter(|key| !new.contains_key(*key));
            for key in new.keys().chain(gone) {
                let name = key.as_str().unwrap_or("?");
                let path = if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") };
                let side = |side: &serde_yaml::Mapping| side.get(key).cloned().unwrap_or_default();
                compare(&path, &side(old), &side(new), fields);
            }
        }
        (Value::Sequence(old), Value::Sequence(new)) => {
            for index in 0..old.len().max(new.len()) {
                let side = |side: &[Value]| side.get(index).cloned().unwrap_or_default();
                compare(&format!("{path}[{index}]"), &side(old), &side(new), fields);
            }
        }
        _ if old == new => {}
        _ => fields.push(format!("{path} {} -> {}", brief(old), brief(new))),
    }
}

fn brief(value: &Value) -> String {
    match value {
        Value::Null => "(none)".to_owned(),
        Value::String(text) => text.clone(),
        Value::Number(number) => number.to_string(),
        Value::Bool(flag) => flag.to_string(),
        Value::Mapping(mapping) => match mapping.get("name").and_then(Value::as_str) {
            Some(name) => format!("{{{name}}}"),
            None => "{…}".to_owned(),
        },
        Value::Sequence(_) | Value::Tagged(_) => "[…]".to_owned(),
    }
}

fn listeners(before: &Report, now: &Report) -> Vec<String> {
    let mut lines = Vec::new();
    for (id, listener) in &now.listeners {
        let old = before.listeners.get(id);
        if old.is_none_or(|old| old.bound != listener.bound) {
            lines.extend(
                listener.advertised.iter().map(|address| format!("open     {address} ({id})")),
            );
        }
        for failure in &listener.failures {
            if old.is_none_or(|old| !old.failures.contains(failure)) {
                lines.push(format!(
                    "NOT OPEN {} ({id}): {}; trying again",
                    failure.address, failure.message
                ));
            }
        }
    }
    let gone = before.listeners.keys().filter(|id| !now.listeners.contains_key(id));
    lines.extend(gone.map(|id| format!("closed   {id}; its connections may finish")));
    lines
}

/// Conditions that have flipped, or that are new to a person who should know of them.
fn statuses(before: &StatusReport, now: &StatusReport) -> Vec<String> {
    let (before, now) = (conditions(before), conditions(now));
    let mut lines = Vec::new();
    for ((object, condition_type), condition) in &now {
        let old = before.get(&(object.clone(), condition_type.clone()));
        let flipped = old.is_some_and(|old| old.status != condition.status);
        let new = old
            .is_none_or(|old| old.reason != condition.reason || old.message != condition.message);
        if flipped || (new && is_noteworthy(condition)) {
            let Condition { status, reason, message, .. } = condition;
            lines.push(format!(
                "status   {object}: {condition_type} {status} ({reason}): {message}"
            ));
        }
    }
    lines
}

/// Every condition, by its object and type.
fn conditions(status: &StatusReport) -> BTreeMap<(String, String), &Condition> {
    let mut all = BTreeMap::new();
    for (name, gateway) in &status.gateways {
        all.extend(keyed(&format!("Gateway {name}"), &gateway.conditions));
        for listener in &gateway.listeners {
            all.extend(keyed(&format!("listener {name}/{}", listener.name), &listener.conditions));
        }
    }
    for (name, route) in &status.tcp_routes {
        for parent in &route.parents {
            let parent_name = &parent.parent_ref.name;
            let section =
                parent.parent_ref.section_name.iter().map(|section| format!("/{section}"));
            let parent_name = format!("{parent_name}{}", section.collect::<String>());
            all.extend(keyed(&format!("TCPRoute {name} at {parent_name}"), &parent.conditions));
        }
    }
    all
}

fn keyed<'a>(
    object: &str,
    conditions: &'a [Condition],
) -> impl Iterator<Item = ((String, String), &'a Condition)> {
    let key =
        move |condition: &Condition| (object.to_owned(), condition.condition_type.to_string());
    conditions.iter().map(move |condition| (key(condition), condition))
}

fn unmanaged(before: &Report, now: &Report) -> Vec<String> {
    let new = now.unmanaged.iter().filter(|(key, why)| before.unmanaged.get(key) != Some(*why));
    new.map(|(key, why)| format!("unmanaged  {key}: {why}")).collect()
}

fn problems(before: &Report, now: &Report) -> Vec<String> {
    let new = now.problems.iter().filter(|problem| !before.problems.contains(problem));
    let solved = before.problems.iter().filter(|problem| !now.problems.contains(problem));
    new.map(|problem| format!("PROBLEM  {problem}"))
        .chain(solved.map(|problem| format!("solved   {problem}")))
        .collect()
}
