//! The command line and the environment.

mod address_options;
mod checks;
mod kubernetes_options;
mod options;
mod values;

pub(crate) use self::kubernetes_options::Cluster;
pub(crate) use self::options::{Cli, Options, Task};
