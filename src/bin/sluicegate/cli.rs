//! The command line and the environment.

use std::net::{IpAddr, SocketAddr};
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::time::Duration;

use clap::builder::BoolishValueParser;
use clap::error::ErrorKind;
use clap::{Args, CommandFactory as _, Parser, Subcommand};
use sluicegate::model::{GatewayController, NamespaceName, NamespacedName};

use crate::logs::{Format, Level};

/// A TCP gateway for the Kubernetes Gateway API.
#[derive(Debug, Parser)]
#[command(name = "sluicegate", version)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) task: Task,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Task {
    /// Run a gateway: from a Kubernetes cluster, or from manifests in files.
    #[command(after_help = EXAMPLES)]
    Run(Options),
}

const EXAMPLES: &str = "\
Signals:
  SIGTERM, SIGINT  Stop: /readyz says no, connections are still taken for the stop
                   delay, those that live may finish within the drain timeout.
                   Once more: stop at once.

Exit status: 0 after a stop, 1 where it could not start or go on, 2 for a wrong
command line.

Examples:
  sluicegate run --files gateway.yaml routes/
  sluicegate run --kubernetes --read-only
  sluicegate run --kubernetes --lease sluicegate/sluicegate --log-format json";

#[derive(Debug, Args)]
pub(crate) struct Options {
    /// Take objects from a Kubernetes cluster: the one this runs in, or that of the kubeconfig
    #[arg(long, env = "SLUICEGATE_KUBERNETES", value_parser = BoolishValueParser::new())]
    #[arg(help_heading = "Objects (one of the two)")]
    pub(crate) kubernetes: bool,

    /// Take objects from files, and directories of *.yaml, *.yml and *.json; follow their changes
    #[arg(long, env = "SLUICEGATE_FILES", value_name = "PATH", num_args = 1.., value_delimiter = ',')]
    #[arg(help_heading = "Objects (one of the two)")]
    pub(crate) files: Vec<PathBuf>,

    /// Serve only GatewayClasses of this controller [default: sluicegate.dev/gateway-controller;
    /// with --files, every class]
    #[arg(long, env = "SLUICEGATE_CONTROLLER_NAME", value_name = "NAME")]
    #[arg(help_heading = "Objects (one of the two)")]
    pub(crate) controller_name: Option<GatewayController>,

    #[command(flatten)]
    pub(crate) cluster: Cluster,

    /// Listen on this address where a Gateway does not ask for one [default: all interfaces]
    #[arg(long, env = "SLUICEGATE_BIND", value_name = "ADDRESS", help_heading = "Forwarding")]
    pub(crate) bind: Option<IpAddr>,

    /// The address to report where all interfaces are bound [default: the one that a neighbour
    /// would dial]
    #[arg(long, env = "SLUICEGATE_ADVERTISE", value_name = "ADDRESS", help_heading = "Forwarding")]
    pub(crate) advertise: Option<IpAddr>,

    /// Threads that forward [default: one for each processor]
    #[arg(long, env = "SLUICEGATE_WORKERS", value_name = "N", help_heading = "Forwarding")]
    pub(crate) workers: Option<NonZeroUsize>,

    /// Where to answer /livez and /readyz; port 0 takes any, and the log says which
    #[arg(long, env = "SLUICEGATE_HEALTH", value_name = "ADDRESS:PORT", help_heading = "Running")]
    #[arg(default_value = "127.0.0.1:8081")]
    pub(crate) health: SocketAddr,

    /// How long to take connections after SIGTERM, until everybody knows that they should go
    /// elsewhere [default: 5 with --kubernetes, 0 with --files]
    #[arg(long, env = "SLUICEGATE_STOP_DELAY", value_name = "SECONDS", help_heading = "Running")]
    #[arg(value_parser = seconds)]
    pub(crate) stop_delay: Option<Duration>,

    /// How long live connections may go on after that, and after their listener was removed
    #[arg(
        long,
        env = "SLUICEGATE_DRAIN_TIMEOUT",
        value_name = "SECONDS",
        help_heading = "Running"
    )]
    #[arg(default_value = "30", value_parser = seconds)]
    pub(crate) drain_timeout: Duration,

    /// How to write the log, which goes to standard error
    #[arg(long, env = "SLUICEGATE_LOG_FORMAT", value_name = "FORMAT", help_heading = "Running")]
    #[arg(default_value = "text", value_enum)]
    pub(crate) log_format: Format,

    /// What to log: error, warn, info (a line for each connection), debug, trace; or directives,
    /// as in warn,sluicegate::server=info
    #[arg(long, env = "SLUICEGATE_LOG_LEVEL", value_name = "LEVEL", help_heading = "Running")]
    #[arg(default_value = "info", value_parser = Level::read)]
    pub(crate) log_level: Level,
}

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
    pub(crate) identity: Option<String>,
}

impl Options {
    /// Options that do not go together.
    pub(crate) fn check(&self) -> Result<(), clap::Error> {
        match (self.kubernetes, self.files.is_empty()) {
            (true, false) => {
                return Err(usage(
                    ErrorKind::ArgumentConflict,
                    "objects come from --kubernetes (SLUICEGATE_KUBERNETES) or from --files (SLUICEGATE_FILES), not from both",
                ));
            }
            (false, true) => {
                return Err(usage(
                    ErrorKind::MissingRequiredArgument,
                    "where do objects come from? Give --kubernetes, or --files with paths",
                ));
            }
            (true, true) => return Ok(()),
            (false, false) => {}
        }
        let needs_cluster = [
            ("--watch-namespaces", !self.cluster.watch_namespaces.is_empty()),
            ("--read-only", self.cluster.read_only),
            ("--lease", self.cluster.lease.is_some()),
            ("--identity", self.cluster.identity.is_some()),
        ];
        match needs_cluster.iter().find(|(_, is_given)| *is_given) {
            Some((flag, _)) => Err(usage(
                ErrorKind::ArgumentConflict,
                format!("{flag} is for --kubernetes; with --files it means nothing"),
            )),
            None => Ok(()),
        }
    }

    pub(crate) fn stop_delay(&self) -> Duration {
        self.stop_delay.unwrap_or(Duration::from_secs(if self.kubernetes { 5 } else { 0 }))
    }
}

fn usage(kind: ErrorKind, message: impl Into<String>) -> clap::Error {
    let mut command = Cli::command();
    command.build();
    let run = command.find_subcommand_mut("run").expect("there is one");
    run.error(kind, message.into())
}

fn seconds(text: &str) -> Result<Duration, String> {
    let seconds = text.parse().map_err(|_| "it should be a number of seconds, as in 30 or 0.5")?;
    Duration::try_from_secs_f64(seconds)
        .map_err(|_| "it should be a number of seconds that is not negative".to_owned())
}
