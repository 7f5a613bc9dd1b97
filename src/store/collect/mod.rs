//! Garbage collection: dependents of deleted owners, and the content of deleted namespaces.
//!
//! The rules are those of Kubernetes:
//! <https://kubernetes.io/docs/concepts/architecture/garbage-collection/>.

mod collector;
mod owners;

pub(super) use self::collector::Collector;
