//! Requests: path, verb, parameters and the resource that they lead to.
//!
//! | file | contents |
//! |---|---|
//! | `percent` | percent-encoding |
//! | `query` | parameters |
//! | `page_options` | the parameters `limit` and `continue` |
//! | `target` | the syntax of paths |
//! | `verb` | verbs of the API |
//! | `attributes` | the input of access control |
//! | `resource_request` | the resource of a path, and the verbs that it has |
//! | `selection` | label and field selectors |

mod attributes;
mod page_options;
mod percent;
mod query;
mod resource_request;
mod selection;
mod target;
mod verb;

pub(in crate::api) use self::attributes::Attributes;
pub(in crate::api) use self::page_options::PageOptions;
pub(in crate::api) use self::query::Query;
pub(in crate::api) use self::resource_request::{NotServed, ResourceRequest, Subresource};
pub(in crate::api) use self::selection::Selection;
pub(in crate::api) use self::target::{ResourcePath, Target};
pub(in crate::api) use self::verb::Verb;
