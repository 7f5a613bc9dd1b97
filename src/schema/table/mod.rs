//! Tables (`meta.k8s.io/v1`), which `kubectl get` prints, and objects without their contents.
//!
//! | file | contents |
//! |---|---|
//! | `column` | a column and the source of its cells |
//! | `custom_columns` | columns of custom resources, from their definitions |
//! | `built_in_columns` | columns of the kinds of Kubernetes |
//! | `service_cells`, `workload_cells`, `event_cells` | their cells |
//! | `json_path` | the JSONPath of columns |
//! | `age` | durations, as kubectl writes them |
//! | `render` | the table |
//! | `partial_object` | PartialObjectMetadata |

mod age;
mod built_in_columns;
mod column;
mod custom_columns;
mod event_cells;
mod json_path;
mod partial_object;
mod render;
mod service_cells;
mod workload_cells;

pub(super) use self::built_in_columns::built_in_columns;
pub(super) use self::column::Column;
pub(super) use self::custom_columns::custom_columns;
pub use self::partial_object::{partial_object, partial_object_list};
pub use self::render::{RowObject, TableOptions, table, table_row};
