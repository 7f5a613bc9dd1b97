//! A Kubernetes cluster as a source.

mod lease;

pub use self::lease::{Election, Resigner};
