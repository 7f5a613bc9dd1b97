//! The Status type: failures with their reasons, codes, details and causes.
//!
//! | file | contents |
//! |---|---|
//! | `status` | the type, and failures that need no request |
//! | `reason` | reasons and HTTP codes |
//! | `of_path` | failures about a path that is not served |
//! | `of_resource` | failures about a resource or an object |
//! | `of_store` | errors of the store |

mod of_path;
mod of_resource;
mod of_store;
mod reason;
#[allow(clippy::module_inception, reason = "the type of the module")]
mod status;

pub(in crate::api) use self::reason::Reason;
pub(in crate::api) use self::status::{Status, StatusDetails};
