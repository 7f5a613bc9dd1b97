//! The parameter `fieldValidation`: the treatment of unknown and duplicate fields.

/// Treatment of unknown and duplicate fields.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum FieldValidation {
    /// The fields are dropped silently.
    Ignore,
    /// The fields are dropped with a warning.
    #[default]
    Warn,
    /// The request is refused.
    Strict,
}

/// Error of [`FieldValidation::check`]: the request is refused because of its fields.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("strict decoding error: {}", .0.join(", "))]
pub struct StrictDecodingError(Vec<String>);

impl FieldValidation {
    /// Parses the parameter; `None` if it has another value. An empty text is the default.
    pub fn parse(text: &str) -> Option<Self> {
        match text {
            "" | "Warn" => Some(Self::Warn),
            "Ignore" => Some(Self::Ignore),
            "Strict" => Some(Self::Strict),
            _ => None,
        }
    }

    /// Returns the warnings for the duplicate fields of a document and the unknown fields of its
    /// object.
    ///
    /// # Errors
    /// Returns an error if there are such fields and they are not allowed.
    pub fn check(
        self,
        duplicates: &[String],
        unknown: &[String],
    ) -> Result<Vec<String>, StrictDecodingError> {
        let duplicates = duplicates.iter().map(|path| format!("duplicate field \"{path}\""));
        let unknown = unknown.iter().map(|path| format!("unknown field \"{path}\""));
        let found: Vec<_> = duplicates.chain(unknown).collect();
        match self {
            Self::Ignore => Ok(Vec::new()),
            Self::Strict if !found.is_empty() => Err(StrictDecodingError(found)),
            Self::Warn | Self::Strict => Ok(found),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_ignored_reported_or_refused() {
        let (duplicates, unknown) = (["spec.a".to_owned()], ["spec.b".to_owned()]);
        let texts = ["duplicate field \"spec.a\"", "unknown field \"spec.b\""];
        let check = |text| FieldValidation::parse(text).unwrap().check(&duplicates, &unknown);
        assert_eq!(check("Ignore").unwrap(), [""; 0]);
        assert_eq!(check("Warn").unwrap(), texts);
        assert_eq!(check("").unwrap(), texts);
        let expected =
            "strict decoding error: duplicate field \"spec.a\", unknown field \"spec.b\"";
        assert_eq!(check("Strict").unwrap_err().to_string(), expected);
        assert_eq!(FieldValidation::Strict.check(&[], &[]).unwrap(), [""; 0]);
        assert_eq!(FieldValidation::parse("strict"), None);
    }
}
