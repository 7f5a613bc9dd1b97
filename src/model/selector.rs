//! Label selectors.

use serde::{Deserialize, Serialize};

use super::meta::{Labels, null_as_default};
use super::validate::Violations;

/// Requirements on labels. Labels match if they meet all requirements; an empty selector matches
/// all labels.
///
/// Specification: [Label selectors][spec].
///
/// [spec]: https://kubernetes.io/docs/concepts/overview/working-with-objects/labels/#label-selectors
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct LabelSelector {
    /// Labels with the value that each of them must have.
    #[serde(
        default,
        deserialize_with = "null_as_default",
        skip_serializing_if = "Labels::is_empty"
    )]
    pub match_labels: Labels,
    /// Further requirements.
    #[serde(default, deserialize_with = "null_as_default", skip_serializing_if = "Vec::is_empty")]
    pub match_expressions: Vec<Requirement>,
}

/// Requirement on one label.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Requirement {
    /// Key of the label.
    pub key: String,
    /// Relation of the label to `values`.
    pub operator: Operator,
    /// Values; required for [`Operator::In`] and [`Operator::NotIn`], not allowed for the others.
    #[serde(default, deserialize_with = "null_as_default", skip_serializing_if = "Vec::is_empty")]
    pub values: Vec<String>,
}

/// Relation of a label to the values of a [`Requirement`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[expect(clippy::exhaustive_enums, reason = "Kubernetes does not extend this set")]
pub enum Operator {
    /// The label exists and has one of the values.
    In,
    /// The label does not exist, or has none of the values.
    NotIn,
    /// The label exists.
    Exists,
    /// The label does not exist.
    DoesNotExist,
}

impl LabelSelector {
    /// Returns `true` if the labels meet all requirements.
    pub fn matches(&self, labels: &Labels) -> bool {
        self.match_labels.iter().all(|(key, value)| labels.get(key) == Some(value))
            && self.match_expressions.iter().all(|requirement| requirement.matches(labels))
    }

    pub(crate) fn validate(&self, path: &str, violations: &mut Violations) {
        for (index, requirement) in self.match_expressions.iter().enumerate() {
            let needs_values = matches!(requirement.operator, Operator::In | Operator::NotIn);
            if needs_values == requirement.values.is_empty() {
                violations.add(
                    format!("{path}.matchExpressions[{index}].values"),
                    if needs_values {
                        format!(
                            "must contain at least one value for operator {:?}",
                            requirement.operator
                        )
                    } else {
                        format!("must be absent for operator {:?}", requirement.operator)
                    },
                );
            }
        }
    }
}

impl Requirement {
    fn matches(&self, labels: &Labels) -> bool {
        let value = labels.get(&self.key);
        match self.operator {
            Operator::In => value.is_some_and(|value| self.values.contains(value)),
            Operator::NotIn => value.is_none_or(|value| !self.values.contains(value)),
            Operator::Exists => value.is_some(),
            Operator::DoesNotExist => value.is_none(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(pairs: &[(&str, &str)]) -> Labels {
        pairs.iter().map(|(key, value)| ((*key).into(), (*value).into())).collect()
    }

    fn requirement(operator: Operator, values: &[&str]) -> LabelSelector {
        LabelSelector {
            match_labels: Labels::new(),
            match_expressions: vec![Requirement {
                key: "tier".into(),
                operator,
                values: values.iter().map(|value| (*value).into()).collect(),
            }],
        }
    }

    #[test]
    fn empty_selector_matches_everything() {
        assert!(LabelSelector::default().matches(&Labels::new()));
    }

    #[test]
    fn match_labels_must_all_match() {
        let selector = LabelSelector {
            match_labels: labels(&[("a", "1"), ("b", "2")]),
            match_expressions: Vec::new(),
        };
        assert!(selector.matches(&labels(&[("a", "1"), ("b", "2"), ("c", "3")])));
        assert!(!selector.matches(&labels(&[("a", "1")])));
        assert!(!selector.matches(&labels(&[("a", "1"), ("b", "3")])));
    }

    #[test]
    fn operators_match_absent_labels_as_in_kubernetes() {
        let (gold, none) = (labels(&[("tier", "gold")]), Labels::new());
        for (operator, values, on_gold, on_none) in [
            (Operator::In, &["gold"][..], true, false),
            (Operator::In, &["tin"], false, false),
            (Operator::NotIn, &["gold"], false, true),
            (Operator::NotIn, &["tin"], true, true),
            (Operator::Exists, &[], true, false),
            (Operator::DoesNotExist, &[], false, true),
        ] {
            let selector = requirement(operator, values);
            assert_eq!(selector.matches(&gold), on_gold, "{operator:?} {values:?}");
            assert_eq!(selector.matches(&none), on_none, "{operator:?} {values:?}");
        }
    }
}
