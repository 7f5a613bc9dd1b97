//! Parses the parameter `labelSelector`.

use crate::model::{InvalidSelector, LabelSelector, Operator, Requirement};

/// Maximum number of keys and values. A list or watch compares all of them with each object.
const MAX_WORDS: usize = 1_000;

/// Error of [`parse_label_selector`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum LabelQueryError {
    /// The text does not follow the grammar.
    #[error("unable to parse requirement: found `{found}`, expected: {expected}")]
    Syntax {
        /// Part of the text at which parsing stopped.
        found: String,
        /// Description of what may be at this place.
        expected: &'static str,
    },
    /// The selector is too long.
    #[error("the label selector has more than {MAX_WORDS} keys and values")]
    TooLong,
    /// A key or value is not one of a label.
    #[error("the label selector is not valid")]
    Invalid(#[from] InvalidSelector),
}

/// Parses a selector such as `app=web,tier in (a,b),!old`. An empty text selects everything.
///
/// # Errors
/// Returns an error if the text is malformed or too long, or if a key or value is not one of a
/// label.
pub fn parse_label_selector(text: &str) -> Result<LabelSelector, LabelQueryError> {
    let mut selector = LabelSelector::default();
    let mut words = 0;
    let mut rest = text.trim();
    while !rest.is_empty() {
        let (requirement, after) = parse_requirement(rest)?;
        words += 1 + requirement.values.len();
        if words > MAX_WORDS {
            return Err(LabelQueryError::TooLong);
        }
        selector.match_expressions.push(requirement);
        rest = after.trim_start();
        if let Some(after) = rest.strip_prefix(',') {
            rest = after.trim_start();
            if rest.is_empty() {
                return Err(syntax(rest, "a label key after `,`"));
            }
        } else if !rest.is_empty() {
            return Err(syntax(rest, "`,` or the end of the selector"));
        }
    }
    selector.check()?;
    Ok(selector)
}

fn parse_requirement(text: &str) -> Result<(Requirement, &str), LabelQueryError> {
    if let Some(rest) = text.strip_prefix('!') {
        let (key, rest) = parse_word(rest.trim_start());
        return Ok((requirement(key, Operator::DoesNotExist, Vec::new()), rest));
    }
    let (key, rest) = parse_word(text);
    if key.is_empty() {
        return Err(syntax(text, "a label key, or `!` and a label key"));
    }
    let rest = rest.trim_start();
    if rest.is_empty() || rest.starts_with(',') {
        return Ok((requirement(key, Operator::Exists, Vec::new()), rest));
    }
    for (sign, operator) in [("==", Operator::In), ("=", Operator::In), ("!=", Operator::NotIn)] {
        if let Some(rest) = rest.strip_prefix(sign) {
            let (value, rest) = parse_word(rest.trim_start());
            return Ok((requirement(key, operator, vec![value.to_owned()]), rest));
        }
    }
    let (word, after) = parse_word(rest);
    let operator = match word {
        "in" => Operator::In,
        "notin" => Operator::NotIn,
        _ => return Err(syntax(rest, "`=`, `==`, `!=`, `in`, `notin`, `,` or the end")),
    };
    let (values, rest) = parse_values(after.trim_start())?;
    Ok((requirement(key, operator, values), rest))
}

/// Parses values in parentheses. As in Kubernetes, `()` contains one empty value.
fn parse_values(text: &str) -> Result<(Vec<String>, &str), LabelQueryError> {
    let Some(inner) = text.strip_prefix('(') else {
        return Err(syntax(text, "`(` and values"));
    };
    let Some((inner, rest)) = inner.split_once(')') else {
        return Err(syntax(text, "values and `)`"));
    };
    let values = inner.split(',').map(|value| value.trim().to_owned());
    Ok((values.collect(), rest))
}

/// Splits a text after its first word, which may be empty.
fn parse_word(text: &str) -> (&str, &str) {
    let is_end = |c: char| c.is_whitespace() || "=!(),<>".contains(c);
    text.split_at(text.find(is_end).unwrap_or(text.len()))
}

fn requirement(key: &str, operator: Operator, values: Vec<String>) -> Requirement {
    Requirement { key: key.to_owned(), operator, values }
}

fn syntax(found: &str, expected: &'static str) -> LabelQueryError {
    LabelQueryError::Syntax { found: found.chars().take(100).collect(), expected }
}

#[cfg(test)]
mod tests {
    use std::error::Error;

    use super::*;
    use crate::model::Labels;

    fn matches(selector: &str, labels: &Labels) -> bool {
        parse_label_selector(selector).unwrap().matches(labels)
    }

    #[test]
    fn selectors_match_labels() {
        let labels = [("app", "web"), ("tier", "a"), ("empty", "")];
        let labels = labels.map(|(key, value)| (key.to_owned(), value.to_owned())).into();
        for (selector, expected) in [
            ("", true),
            (" ", true),
            ("app", true),
            ("!app", false),
            ("! old", true),
            ("app=web", true),
            ("app == web", true),
            ("app!=web", false),
            ("old!=web", true),
            ("app=web,tier=b", false),
            ("app = web , tier in (a, b)", true),
            ("tier notin (a,b)", false),
            ("tier notin (c)", true),
            ("tier in ()", false),
            ("empty in ()", true),
            ("empty=", true),
            ("app=", false),
            ("empty=,app", true),
        ] {
            assert_eq!(matches(selector, &labels), expected, "{selector}");
        }
        assert!(matches("!a", &Labels::new()));
    }

    #[test]
    fn malformed_selectors_are_refused() {
        for selector in [
            "=a",
            "a=b,",
            ",",
            "a b",
            "a in b",
            "a in (b",
            "a in (b) c",
            "a>1",
            "a=b=c",
            "(a)",
            "a!b",
        ] {
            let error = parse_label_selector(selector).unwrap_err();
            assert!(matches!(error, LabelQueryError::Syntax { .. }), "{selector}: {error}");
        }
        for selector in ["a/b/c=d", "a=b_", "!", "-a", "a in (b c)"] {
            let error = parse_label_selector(selector).unwrap_err();
            assert!(error.source().is_some(), "{selector}: {error}");
        }
    }

    #[test]
    fn keys_and_values_are_limited() {
        let values = |count| format!("a in ({})", vec!["b"; count].join(","));
        assert!(parse_label_selector(&values(MAX_WORDS - 1)).is_ok());
        for selector in [values(MAX_WORDS), vec!["!a"; MAX_WORDS + 1].join(",")] {
            assert_eq!(parse_label_selector(&selector), Err(LabelQueryError::TooLong));
        }
    }
}
