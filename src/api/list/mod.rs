//! Answers that are lists.
//!
//! A list is written object by object when the client reads it, in each form. Between two chunks it
//! holds a bounded part of its objects, and a position in the store for those that follow.
//!
//! | file | contents |
//! |---|---|
//! | `object_list` | the objects of an answer |
//! | `list_reader` | reads them in parts |
//! | `list_writer` | writes them in the form that was negotiated |
//! | `list_body` | the body of the answer |

mod list_body;
mod list_reader;
mod list_writer;
mod object_list;

pub(super) use self::list_body::list_body;
pub(super) use self::object_list::{ListSource, ObjectList};
