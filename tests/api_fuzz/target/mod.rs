//! The fuzz target: requests to the API in process, and the invariants after each of them.
//!
//! An input is the text of one to four HTTP requests, so that it can be read, written by hand and
//! mutated by the parts of a request.
//!
//! | file | contents |
//! |---|---|
//! | `input` | the text of requests |
//! | `world` | a store with objects of every kind, and the service over it |
//! | `address` | the object that a path leads to |
//! | `target` | an execution |
//! | `answer` | invariants of answers |
//! | `changes` | invariants of changes |
//! | `watch` | invariants of watches |
//! | `mutate`, `mutate_json`, `words` | mutations |

mod address;
mod answer;
mod changes;
mod input;
mod mutate;
mod mutate_json;
#[allow(clippy::module_inception, reason = "the type of the module")]
mod target;
mod watch;
mod words;
mod world;

pub(crate) use self::input::Input;
pub(crate) use self::mutate::mutate;
pub(crate) use self::target::Target;
