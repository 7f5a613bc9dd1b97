//! Garbage collection: dependents of deleted owners, the content of deleted namespaces, and objects
//! whose time to live has passed.
//!
//! The rules of owners are those of Kubernetes:
//! <https://kubernetes.io/docs/concepts/architecture/garbage-collection/>.

mod collector;
mod expiries;
mod owners;

pub(super) use self::collector::Collector;
