//! Options that require `--kubernetes`.

use clap::Args;
use sluicegate::model::{NamespaceName, NamespacedName};

use super::values::{parse_bool, parse_identity, with_example};

#[derive(Debug, Args)]
#[command(next_help_heading = "With --kubernetes")]
pub(crate) struct KubernetesOptions {
    /// Namespaces to watch [default: all]
    ///
    /// Objects in other namespaces count as absent.
    #[arg(long, env = "SLUICEGATE_WATCH_NAMESPACES", value_name = "NAMESPACE")]
    #[arg(num_args = 1.., value_delimiter = ',', verbatim_doc_comment)]
    #[arg(value_parser = with_example::<NamespaceName>("team-a"))]
    pub(crate) watch_namespaces: Vec<NamespaceName>,

    /// Write nothing to the cluster: no status, no Events, no Lease
    ///
    /// The environment variable is true or false.
    #[arg(long, env = "SLUICEGATE_READ_ONLY", value_parser = parse_bool)]
    #[arg(verbatim_doc_comment)]
    pub(crate) read_only: bool,

    /// Lease for leader election [default: none, for a single replica]
    ///
    /// All replicas forward. Only the replica that holds this Lease writes to the
    /// cluster. Required if there are several replicas.
    #[arg(long, env = "SLUICEGATE_LEASE", value_name = "NAMESPACE/NAME")]
    #[arg(value_parser = with_example::<NamespacedName>("sluicegate/sluicegate"))]
    #[arg(verbatim_doc_comment)]
    pub(crate) lease: Option<NamespacedName>,

    /// Name of this replica in the Lease and in Events [default: host name]
    ///
    /// It must be unique among the replicas.
    #[arg(long, env = "SLUICEGATE_IDENTITY", value_name = "NAME")]
    #[arg(value_parser = parse_identity, verbatim_doc_comment)]
    pub(crate) identity: Option<String>,
}
