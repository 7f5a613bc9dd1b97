//! Writes as functions: from the state and a request to a change or an error.

mod create;
mod delete;
mod identity;
mod namespace;
mod replace;
mod request;
mod staging;
mod step;

pub(super) use self::identity::Identities;
pub(crate) use self::identity::timestamp_text;
pub(super) use self::namespace::default_namespace;
pub(super) use self::staging::{Limits, Staging};
pub(super) use self::step::Step;
