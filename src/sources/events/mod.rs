//! Events: the problems of an object that its author should notice in the output of
//! `kubectl describe`. Most are conditions.
//!
//! A source sends an Event after it has written a status that contains such a condition, if the
//! status did not contain it before. So each condition causes one Event, sent by the replica that
//! wrote the status. Events of a condition that flaps are limited, and sent with a count.

mod event_name;
mod rate_limit;
mod reporter;
mod warning;

pub(super) use self::event_name::event_name;
pub(super) use self::rate_limit::RateLimit;
pub(super) use self::reporter::reporting_controller;
pub(super) use self::warning::{Origin, Warning, new_warnings};
