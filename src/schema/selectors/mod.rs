//! Selectors of lists and watches: the parameters `labelSelector` and `fieldSelector`.

mod field_selector;
mod label_query;
mod label_text;
mod selectable_fields;

pub use self::field_selector::{FieldSelector, FieldSelectorError};
pub use self::label_query::{LabelQueryError, parse_label_selector};
pub(super) use self::label_text::label_selector_text;
