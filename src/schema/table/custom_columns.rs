//! Columns of custom resources: `additionalPrinterColumns` of their definitions.

use serde_json::Value;

use super::built_in_columns::name_column;
use super::column::{CellSource, Column};
use super::json_path::JsonPath;

/// Returns the columns of a version of a custom resource.
pub(in crate::schema) fn custom_columns(json: &Value) -> Vec<Column> {
    let columns = json.as_array().into_iter().flatten().map(column);
    [name_column(0)].into_iter().chain(columns).collect()
}

fn column(json: &Value) -> Column {
    let text = |field: &str| json[field].as_str().unwrap_or_default().to_owned();
    let path = text("jsonPath");
    let description = match text("description") {
        text if text.is_empty() => {
            format!("Custom resource definition column (in JSONPath format): {path}")
        }
        text => text,
    };
    Column {
        name: text("name"),
        column_type: text("type"),
        format: "",
        description,
        priority: json["priority"].as_i64().unwrap_or_default(),
        source: CellSource::Path(JsonPath::parse(&path).expect("a test parses all paths")),
    }
}
