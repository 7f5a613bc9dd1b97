//! Kubernetes Events: the conditions of an object that its author should notice in the output of
//! `kubectl describe`.
//!
//! An Event is sent after a status was written that contains such a condition, if the status did
//! not contain it before. So each condition causes one Event, sent by the replica that wrote the
//! status. Events of a condition that flaps are limited, and sent as a series with a count.

mod rate_limit;
mod recorder;
mod reporter;
mod warning;

pub(super) use self::recorder::EventRecorder;
pub(super) use self::warning::{Warning, new_warnings};
