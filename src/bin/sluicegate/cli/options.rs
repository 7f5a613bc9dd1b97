//! Commands, and the options of `sluicegate run`.

use std::net::SocketAddr;
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::time::Duration;

use clap::builder::BoolishValueParser;
use clap::{Args, Parser, Subcommand};
use sluicegate::model::GatewayController;

use super::address_options::Place;
use super::kubernetes_options::Cluster;
use super::values::seconds;
use crate::logging::{Format, Level};

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

    #[command(flatten)]
    pub(crate) place: Place,

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

impl Options {
    pub(crate) fn stop_delay(&self) -> Duration {
        let default = Duration::from_secs(if self.kubernetes { 5 } else { 0 });
        self.stop_delay.unwrap_or(default)
    }
}
