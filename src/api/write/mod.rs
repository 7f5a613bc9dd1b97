//! Requests that change objects.

#[allow(clippy::module_inception, reason = "the function of the module")]
mod write;

pub(super) use self::write::write;
