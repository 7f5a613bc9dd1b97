//! JSONPath of columns: fields, `[*]`, and `[?(@.FIELD=="VALUE")]`. Definitions of custom resources
//! may use only this syntax.

use serde_json::Value;

/// Path to the values that a column shows.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct JsonPath(Vec<Step>);

#[derive(Debug, PartialEq, Eq)]
enum Step {
    Field(String),
    /// All items of a list.
    Items,
    /// The items that have a value in a field.
    ItemsWith {
        field: String,
        value: String,
    },
}

impl JsonPath {
    /// Parses a path; `None` if it uses syntax that columns may not use.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let mut steps = Vec::new();
        let mut rest = text;
        while !rest.is_empty() {
            if let Some(after) = rest.strip_prefix("[*]") {
                steps.push(Step::Items);
                rest = after;
            } else if let Some(after) = rest.strip_prefix("[?(@.") {
                let (filter, after) = after.split_once("\")]")?;
                let (field, value) = filter.split_once("==\"")?;
                steps.push(Step::ItemsWith { field: field.into(), value: value.into() });
                rest = after;
            } else {
                let after = rest.strip_prefix('.')?;
                let end = after.find(['.', '[']).unwrap_or(after.len());
                let (field, after) = after.split_at(end);
                let is_name = |c: char| c.is_ascii_alphanumeric() || "-_".contains(c);
                if field.is_empty() || !field.chars().all(is_name) {
                    return None;
                }
                steps.push(Step::Field(field.into()));
                rest = after;
            }
        }
        Some(Self(steps))
    }

    /// Returns the first value at the path.
    pub(super) fn first<'a>(&self, value: &'a Value) -> Option<&'a Value> {
        find(value, &self.0)
    }
}

fn find<'a>(value: &'a Value, steps: &[Step]) -> Option<&'a Value> {
    let Some((step, rest)) = steps.split_first() else { return Some(value) };
    match step {
        Step::Field(name) => find(value.get(name)?, rest),
        Step::Items => value.as_array()?.iter().find_map(|item| find(item, rest)),
        Step::ItemsWith { field, value: wanted } => {
            let items = value.as_array()?.iter();
            let mut matching = items.filter(|item| item[field] == wanted.as_str());
            matching.find_map(|item| find(item, rest))
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn first_value_is_found() {
        let object = json!({
            "spec": {"controllerName": "a/b"},
            "status": {
                "addresses": [{}, {"value": "10.0.0.1"}, {"value": "10.0.0.2"}],
                "conditions": [
                    {"type": "Accepted", "status": "False"},
                    {"type": "Programmed", "status": "True"},
                ],
            },
        });
        for (path, expected) in [
            (".spec.controllerName", Some(json!("a/b"))),
            (".spec.other", None),
            (".spec.controllerName.other", None),
            (".status.addresses[*].value", Some(json!("10.0.0.1"))),
            (r#".status.conditions[?(@.type=="Programmed")].status"#, Some(json!("True"))),
            (r#".status.conditions[?(@.type=="Other")].status"#, None),
            (".spec[*].a", None),
        ] {
            let found = JsonPath::parse(path).unwrap();
            assert_eq!(found.first(&object), expected.as_ref(), "{path}");
        }
    }

    #[test]
    fn other_syntax_is_refused() {
        for path in
            ["spec", ".", "..a", ".a[0]", ".a['b']", ".a[?(@.b>1)]", ".a[?(@.b==\"c\"", "a.b"]
        {
            assert_eq!(JsonPath::parse(path), None, "{path}");
        }
    }
}
