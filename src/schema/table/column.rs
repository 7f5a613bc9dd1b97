//! Columns of tables.

use serde_json::{Value, json};

use super::age::age;
use super::json_path::JsonPath;
use crate::model::Timestamp;

/// Column of a table.
#[derive(Debug)]
pub(in crate::schema) struct Column {
    pub(super) name: String,
    pub(super) column_type: String,
    /// `name` for the column with the object's name.
    pub(super) format: &'static str,
    pub(super) description: String,
    /// Columns above 0 are shown by `kubectl get -o wide` only.
    pub(super) priority: i64,
    pub(super) source: CellSource,
}

/// Source of the cells of a column.
#[derive(Debug)]
pub(super) enum CellSource {
    /// Computes the cell of a built-in kind.
    Function(fn(&Value, Timestamp) -> Value),
    /// Reads the cell from a field of a custom resource.
    Path(JsonPath),
}

impl Column {
    /// Returns the definition of the column in a table.
    pub(super) fn definition(&self) -> Value {
        json!({
            "name": self.name,
            "type": self.column_type,
            "format": self.format,
            "description": self.description,
            "priority": self.priority,
        })
    }

    /// Returns the cell of an object.
    pub(super) fn cell(&self, object: &Value, now: Timestamp) -> Value {
        match &self.source {
            CellSource::Function(cell) => cell(object, now),
            CellSource::Path(path) => {
                path.first(object).map_or(Value::Null, |value| self.typed(value, now))
            }
        }
    }

    /// Converts a field to the type of the column; `null` if it has another type.
    fn typed(&self, value: &Value, now: Timestamp) -> Value {
        match (self.column_type.as_str(), value) {
            (_, Value::Null) => Value::Null,
            ("date", Value::String(text)) => age(Some(text), now).into(),
            ("string", Value::String(_)) | ("boolean", Value::Bool(_)) => value.clone(),
            ("string", other) => other.to_string().into(),
            ("integer" | "number", Value::Number(_)) => value.clone(),
            _ => Value::Null,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_have_the_type_of_their_column() {
        let cell = |column_type: &str, value: Value| {
            let column = Column {
                name: "A".into(),
                column_type: column_type.into(),
                format: "",
                description: String::new(),
                priority: 0,
                source: CellSource::Path(JsonPath::parse(".a").unwrap()),
            };
            column.cell(&json!({"a": value}), "2026-01-01T00:01:00Z".parse().unwrap())
        };
        assert_eq!(cell("string", json!("x")), json!("x"));
        assert_eq!(cell("string", json!(5)), json!("5"));
        assert_eq!(cell("string", json!(null)), json!(null));
        assert_eq!(cell("integer", json!(5)), json!(5));
        assert_eq!(cell("integer", json!("5")), json!(null));
        assert_eq!(cell("boolean", json!(true)), json!(true));
        assert_eq!(cell("date", json!("2026-01-01T00:00:00Z")), json!("60s"));
        assert_eq!(cell("date", json!(5)), json!(null));
    }
}
