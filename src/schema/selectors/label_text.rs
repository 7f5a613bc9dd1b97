//! Label selectors as strings.

use crate::model::{LabelSelector, Operator};

/// Returns a selector as `kubectl` writes it: `app=web,tier in (a,b),!old`.
pub(in crate::schema) fn label_selector_text(selector: &LabelSelector) -> String {
    let mut terms: Vec<(&str, String)> = Vec::new();
    for (key, value) in &selector.match_labels {
        terms.push((key, format!("{key}={value}")));
    }
    for requirement in &selector.match_expressions {
        let key = requirement.key.as_str();
        let mut values = requirement.values.clone();
        values.sort_unstable();
        let values = values.join(",");
        let text = match &requirement.operator {
            Operator::In => format!("{key} in ({values})"),
            Operator::NotIn => format!("{key} notin ({values})"),
            Operator::Exists => key.to_owned(),
            Operator::DoesNotExist => format!("!{key}"),
            Operator::Other(operator) => format!("{key} {operator} ({values})"),
        };
        terms.push((key, text));
    }
    terms.sort_by_key(|(key, _)| *key);
    terms.into_iter().map(|(_, text)| text).collect::<Vec<_>>().join(",")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn terms_are_in_the_order_of_their_keys() {
        let selector = json!({
            "matchLabels": {"b": "1"},
            "matchExpressions": [
                {"key": "d", "operator": "DoesNotExist"},
                {"key": "c", "operator": "NotIn", "values": ["x"]},
                {"key": "a", "operator": "In", "values": ["y", "x"]},
                {"key": "e", "operator": "Exists"},
            ],
        });
        let selector = serde_json::from_value(selector).unwrap();
        assert_eq!(label_selector_text(&selector), "a in (x,y),b=1,c notin (x),!d,e");
        assert_eq!(label_selector_text(&LabelSelector::default()), "");
    }
}
