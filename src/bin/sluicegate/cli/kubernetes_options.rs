//! Options that apply to a Kubernetes cluster only.

use clap::Args;
use clap::builder::{BoolishValueParser, NonEmptyStringValueParser};
use sluicegate::model::{NamespaceName, NamespacedName};

/// What is only there with a cluster.
#[derive(Debug, Args)]
#[command(next_help_heading = "With --kubernetes")]
pub(crate) struct Cluster {
    /// See only the objects of these namespaces [default: all]
    #[arg(long, env = "SLUICEGATE_WATCH_NAMESPACES", value_name = "NAMESPACE")]
    #[arg(num_args = 1.., value_delimiter = ',')]
    pub(crate) watch_namespaces: Vec<NamespaceName>,

    /// Write nothing to the cluster: no status, no Events, no Lease
    #[arg(long, env = "SLUICEGATE_READ_ONLY", value_parser = BoolishValueParser::new())]
    pub(crate) read_only: bool,

    /// Of several replicas, the one that holds this Lease writes [default: there is only this one]
    #[arg(long, env = "SLUICEGATE_LEASE", value_name = "NAMESPACE/NAME")]
    pub(crate) lease: Option<NamespacedName>,

    /// What to call this replica in the Lease and in Events; no two may have one name [default:
    /// the host name]
    #[arg(long, env = "SLUICEGATE_IDENTITY", value_name = "NAME")]
    #[arg(value_parser = NonEmptyStringValueParser::new())]
    pub(crate) identity: Option<String>,
}
