//! Merging of reported statuses into those that exist already.
//!
//! Conditions follow the rules of Kubernetes' [API conventions]: they are merged by type, and
//! `lastTransitionTime` changes only with `status`. These rules (`transition.rs`, `lists.rs`) are
//! functions over types. They serve two callers: the report of a gateway (`report.rs`), and the
//! sources that write a status (`json.rs`), which must keep what other controllers wrote.
//!
//! [API conventions]: https://github.com/kubernetes/community/blob/master/contributors/devel/sig-architecture/api-conventions.md#typical-status-properties

#[cfg(any(feature = "api", feature = "kube"))]
mod json;
#[cfg(test)]
#[cfg(any(feature = "api", feature = "kube"))]
mod json_tests;
#[cfg(any(feature = "api", feature = "kube"))]
mod lists;
#[cfg(any(feature = "api", feature = "kube"))]
mod object_status;
mod report;
#[cfg(test)]
mod report_tests;
mod transition;

#[cfg(any(feature = "api", feature = "kube"))]
pub(crate) use self::json::{MergedStatus, merge_status};
#[cfg(any(feature = "api", feature = "kube"))]
pub(crate) use self::object_status::ObjectStatus;
