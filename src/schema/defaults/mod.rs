//! Defaults: those of the schemas, and those that Kubernetes sets in code.

mod apply;
mod built_in;
mod deployment;
mod fields;
mod pod;
mod service;
mod structural;

pub use self::apply::apply_defaults;
