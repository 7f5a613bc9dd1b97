//! Requests that change objects.
//!
//! | file | contents |
//! |---|---|
//! | `write` | the verb of a request |
//! | `create`, `update`, `patch`, `delete`, `delete_collection` | the verbs |
//! | `object_body` | objects in the body of a request |
//! | `write_options`, `delete_options` | parameters, and the body of a deletion |
//! | `attempts` | repetition after a conflict with another writer |
//! | `store_answer` | timeout of the store |
//! | `of_admission` | the Status of a refused object |

mod attempts;
mod create;
mod delete;
mod delete_collection;
mod delete_options;
mod object_body;
mod of_admission;
mod patch;
mod store_answer;
mod update;
#[allow(clippy::module_inception, reason = "the function of the module")]
mod write;
mod write_options;

pub(super) use self::write::write;
