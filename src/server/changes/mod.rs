//! Summary of an applied change: the objects that changed, and the effect on routes and listeners.
//!
//! The summary is one line of the log, of limited length. Comparing two plans costs a pass over
//! their listeners; texts are created only for the items that the line contains.

mod name_list;
mod plan_changes;
mod route_text;
mod summary;
#[cfg(test)]
mod summary_tests;

pub(super) use self::plan_changes::PlanChanges;
pub(super) use self::summary::{Importance, Summary};
