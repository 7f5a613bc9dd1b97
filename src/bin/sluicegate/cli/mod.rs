//! The command line and the environment variables.

mod address_mode;
mod address_options;
mod api_options;
mod clean_up_options;
mod kubeconfig_options;
mod kubernetes_options;
mod options;
mod parse;
mod validate;
mod values;

pub(crate) use self::clean_up_options::CleanUpOptions;
pub(crate) use self::kubeconfig_options::KubeconfigOptions;
pub(crate) use self::kubernetes_options::KubernetesOptions;
pub(crate) use self::options::{Cli, Command, RunOptions};
