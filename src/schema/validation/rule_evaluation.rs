//! Evaluation of rules that span fields.

use serde_json::Value;

use super::old_item::find_old;
use crate::schema::cause::Cause;
use crate::schema::causes::Causes;
use crate::schema::field_path::FieldPath;
use crate::schema::node::Schema;
use crate::schema::rules::Check;

/// Returns a cause for each rule that an object breaks. `old` is the object that it replaces.
pub(super) fn evaluate(value: &Value, old: Option<&Value>, schema: &Schema) -> Causes {
    let mut causes = Causes::default();
    check(value, old, schema, FieldPath::ROOT, &mut causes);
    causes
}

/// Returns `true` if the schema has a rule anywhere.
pub(super) fn has_rules(schema: &Schema) -> bool {
    let children = schema.properties.values().chain(&schema.entries).chain(&schema.items);
    !schema.rules.is_empty() || children.into_iter().any(|child| has_rules(child))
}

fn check(
    value: &Value,
    old: Option<&Value>,
    schema: &Schema,
    path: FieldPath<'_>,
    causes: &mut Causes,
) {
    for rule in &schema.rules {
        let is_met = match rule.check {
            // An unchanged value may break a rule, so that other fields can be changed.
            Check::Value(check) => old == Some(value) || check(value),
            Check::Change(check) => old.is_none_or(|old| check(value, old)),
        };
        if !is_met {
            causes.push(|| Cause::broken_rule(&path, value, &rule.message));
        }
    }
    match value {
        Value::Object(map) => {
            for (name, value) in map {
                if let Some(child) = schema.child(name) {
                    let old = old.and_then(|old| old.get(name));
                    check(value, old, child, path.field(name), causes);
                }
            }
        }
        Value::Array(items) => {
            let Some(child) = &schema.items else { return };
            for (index, item) in items.iter().enumerate() {
                let old = old.and_then(|old| find_old(item, old, &schema.list_type));
                check(item, old, child, path.index(index), causes);
            }
        }
        _ => {}
    }
}

#[cfg(test)]
#[path = "rule_evaluation_tests.rs"]
mod tests;
