//! Label selectors.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::deserialize::{null_as_default, texts};
use super::labels::{Labels, MAX_PREFIX, is_label_key, is_label_value};
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
    #[serde(default, deserialize_with = "texts", skip_serializing_if = "Labels::is_empty")]
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
    /// Values. A selector is invalid without values for [`Operator::In`] and [`Operator::NotIn`],
    /// and with values for the others.
    #[serde(default, deserialize_with = "null_as_default", skip_serializing_if = "Vec::is_empty")]
    pub values: Vec<String>,
}

/// Relation of a label to the values of a [`Requirement`].
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Operator {
    /// The label exists and has one of the values.
    In,
    /// The label does not exist, or has none of the values.
    NotIn,
    /// The label exists.
    Exists,
    /// The label does not exist.
    DoesNotExist,
    /// Any other text, which the schema of Gateway API allows. The selector is invalid.
    Other(String),
}

/// Error of [`LabelSelector::check`]: the selector is not valid.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidSelector {
    /// The operator is not one of Kubernetes.
    #[error("operator `{0}` must be In, NotIn, Exists or DoesNotExist")]
    UnknownOperator(String),
    /// The operator requires values.
    #[error("operator {0} for label `{1}` requires at least one value")]
    NoValues(Operator, String),
    /// The operator does not allow values.
    #[error("operator {0} for label `{1}` allows no values")]
    UnexpectedValues(Operator, String),
    /// No label can have this key.
    #[error("`{0}` is not a valid label key")]
    InvalidKey(String),
    /// No label can have this value.
    #[error("`{1}` is not a valid value of label `{0}`")]
    InvalidValue(String, String),
}

impl LabelSelector {
    /// Returns `true` if the selector is valid and the labels meet all requirements.
    pub fn matches(&self, labels: &Labels) -> bool {
        self.is_met_by(labels) && self.check().is_ok()
    }

    /// Returns `true` if the labels meet all requirements of a selector that is known to be valid.
    pub(crate) fn is_met_by(&self, labels: &Labels) -> bool {
        self.match_labels.iter().all(|(key, value)| labels.get(key) == Some(value))
            && self.match_expressions.iter().all(|requirement| requirement.matches(labels))
    }

    /// Checks the syntax of the selector. An invalid selector matches no labels, as in Kubernetes,
    /// where the schema of Gateway API does not check it.
    ///
    /// # Errors
    /// Returns the first error.
    pub fn check(&self) -> Result<(), InvalidSelector> {
        for (key, value) in &self.match_labels {
            check_key(key)?;
            check_value(key, value)?;
        }
        self.match_expressions.iter().try_for_each(Requirement::check)
    }

    /// Checks the operators, which a misspelling may change. Other rules are reported in the status
    /// of the Gateway, as in a cluster.
    pub(crate) fn validate(&self, path: &str, violations: &mut Violations) {
        for (index, requirement) in self.match_expressions.iter().enumerate() {
            if let Operator::Other(operator) = &requirement.operator {
                violations.add(
                    format!("{path}.matchExpressions[{index}].operator"),
                    format!("`{operator}` must be In, NotIn, Exists or DoesNotExist"),
                );
            }
        }
    }
}

impl Requirement {
    fn matches(&self, labels: &Labels) -> bool {
        let value = labels.get(&self.key);
        match &self.operator {
            Operator::In => value.is_some_and(|value| self.values.contains(value)),
            Operator::NotIn => value.is_none_or(|value| !self.values.contains(value)),
            Operator::Exists => value.is_some(),
            Operator::DoesNotExist => value.is_none(),
            Operator::Other(_) => false,
        }
    }

    fn check(&self) -> Result<(), InvalidSelector> {
        let operator_and_key = || (self.operator.clone(), self.key.clone());
        match &self.operator {
            Operator::Other(text) => return Err(InvalidSelector::UnknownOperator(text.clone())),
            Operator::In | Operator::NotIn if self.values.is_empty() => {
                let (operator, key) = operator_and_key();
                return Err(InvalidSelector::NoValues(operator, key));
            }
            Operator::Exists | Operator::DoesNotExist if !self.values.is_empty() => {
                let (operator, key) = operator_and_key();
                return Err(InvalidSelector::UnexpectedValues(operator, key));
            }
            _ => {}
        }
        check_key(&self.key)?;
        self.values.iter().try_for_each(|value| check_value(&self.key, value))
    }
}

fn check_key(key: &str) -> Result<(), InvalidSelector> {
    if is_label_key(key, MAX_PREFIX) {
        Ok(())
    } else {
        Err(InvalidSelector::InvalidKey(key.to_owned()))
    }
}

fn check_value(key: &str, value: &str) -> Result<(), InvalidSelector> {
    if is_label_value(value) {
        Ok(())
    } else {
        Err(InvalidSelector::InvalidValue(key.to_owned(), value.to_owned()))
    }
}

impl Operator {
    fn as_str(&self) -> &str {
        match self {
            Self::In => "In",
            Self::NotIn => "NotIn",
            Self::Exists => "Exists",
            Self::DoesNotExist => "DoesNotExist",
            Self::Other(text) => text,
        }
    }
}

impl fmt::Display for Operator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Serialize for Operator {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for Operator {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Ok(match text.as_str() {
            "In" => Self::In,
            "NotIn" => Self::NotIn,
            "Exists" => Self::Exists,
            "DoesNotExist" => Self::DoesNotExist,
            _ => Self::Other(text),
        })
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
            assert_eq!(selector.matches(&gold), on_gold, "{selector:?}");
            assert_eq!(selector.matches(&none), on_none, "{selector:?}");
        }
    }

    #[test]
    fn invalid_selector_matches_nothing() {
        let (gold, none) = (labels(&[("tier", "gold")]), Labels::new());
        for (operator, values, error) in [
            (Operator::Other("Near".into()), &["gold"][..], "operator `Near` must be In"),
            (Operator::Other(String::new()), &[], "operator `` must be In"),
            (Operator::In, &[], "operator In for label `tier` requires"),
            (Operator::NotIn, &[], "operator NotIn for label `tier` requires"),
            (Operator::Exists, &["gold"], "operator Exists for label `tier` allows no"),
            (Operator::DoesNotExist, &["gold"], "operator DoesNotExist for label `tier` allows no"),
            (Operator::NotIn, &["a b"], "`a b` is not a valid value of label `tier`"),
        ] {
            let selector = requirement(operator, values);
            assert!(!selector.matches(&gold) && !selector.matches(&none), "{selector:?}");
            let found = selector.check().unwrap_err().to_string();
            assert!(found.starts_with(error), "{found}");
        }
        let mut selector = requirement(Operator::DoesNotExist, &[]);
        selector.match_expressions[0].key = "a/b/c".into();
        assert!(!selector.matches(&none));
    }
}
