//! Commands, and the options of `sluicegate run`.

use std::net::SocketAddr;
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, Subcommand, ValueHint};
use sluicegate::forward::ConnectionLog;
use sluicegate::model::GatewayController;

use super::address_options::AddressOptions;
use super::api_options::ApiOptions;
use super::clean_up_options::CleanUpOptions;
use super::kubeconfig_options::KubeconfigOptions;
use super::kubernetes_options::KubernetesOptions;
use super::values::{
    parse_bool, parse_connection_log, parse_line_limit, parse_positive_seconds, parse_seconds,
    parse_socket_address, parse_workers, path_parser,
};
use crate::logging::{LogFilter, LogFormat};

/// TCP gateway for the Kubernetes Gateway API.
#[derive(Debug, Parser)]
#[command(name = "sluicegate", version)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Run a gateway for the objects of a Kubernetes cluster, of files, or of an API of its own.
    #[command(after_help = AFTER_HELP)]
    Run(Box<RunOptions>),
    /// Delete the Services of Gateways, and remove the finalizer of GatewayClasses.
    ///
    /// Run it when the gateway is uninstalled and no replica runs any more.
    CleanUp(CleanUpOptions),
    /// Write a kubeconfig for the API of a gateway, with the token of its administrator.
    ///
    /// The gateway may run or not. It must have run with --api before.
    Kubeconfig(KubeconfigOptions),
}

const AFTER_HELP: &str = "\
Signals:
  SIGTERM, SIGINT, SIGQUIT
           Graceful shutdown: /acceptz fails, new connections are accepted for the
           time of --stop-delay, /readyz fails, open connections get --drain-timeout
           to finish. A second signal exits immediately. Signals within a second
           count as one. In a pod (--pod-addresses), the stop delay begins when no
           EndpointSlice lists the pod as ready; the end of the shutdown stays the
           same.
  SIGHUP   Read all files again, and log the changes and the remaining errors.
           Ignored with --kubernetes and --api, which follow changes anyway.
  SIGUSR1, SIGUSR2
           No effect.

Environment variables:
  Each option has one. An option on the command line takes precedence, and an
  empty variable counts as unset. Times are in seconds, or with a unit: 500ms,
  30s, 5m, 1h. The longest is a year, 8760h.

Exit status:
  0  stopped by a signal
  1  could not start, or a source of objects failed
  2  invalid command line

Examples:
  sluicegate run --files gateway.yaml routes/
  sluicegate run --api --data /var/lib/sluicegate
  sluicegate run --kubernetes --read-only
  sluicegate run --kubernetes --lease sluicegate/sluicegate --log-format json";

#[derive(Debug, Args)]
pub(crate) struct RunOptions {
    /// Read objects from a Kubernetes cluster, and write their status there
    ///
    /// In a pod, from the cluster of the pod; elsewhere, from the cluster of the
    /// kubeconfig. The environment variable is true or false.
    #[arg(long, env = "SLUICEGATE_KUBERNETES", value_parser = parse_bool)]
    #[arg(help_heading = "Source of objects (one of --kubernetes, --files and --api is required)")]
    #[arg(verbatim_doc_comment)]
    pub(crate) kubernetes: bool,

    /// Read objects from files and directories, and follow their changes
    ///
    /// In a directory: *.yaml, *.yml and *.json, without subdirectories. Symbolic links
    /// are followed. In the environment variable, separate paths by commas.
    #[arg(long, env = "SLUICEGATE_FILES", value_name = "PATH")]
    #[arg(num_args = 1.., value_delimiter = ',', value_parser = path_parser())]
    #[arg(value_hint = ValueHint::AnyPath)]
    #[arg(help_heading = "Source of objects (one of --kubernetes, --files and --api is required)")]
    #[arg(verbatim_doc_comment)]
    pub(crate) files: Vec<PathBuf>,

    /// Interval of polling the files, in seconds; 0 turns polling off [default: 5]
    ///
    /// Needed for changes that send no events, such as those on NFS. Polling reads the
    /// metadata of all files, and the content of those that changed. Requires --files.
    #[arg(long, env = "SLUICEGATE_POLL", value_name = "SECONDS", verbatim_doc_comment)]
    #[arg(value_parser = parse_seconds)]
    #[arg(help_heading = "Source of objects (one of --kubernetes, --files and --api is required)")]
    pub(crate) poll: Option<Duration>,

    /// Serve an API like that of Kubernetes, and use the objects that clients write to it
    ///
    /// kubectl and other clients of Kubernetes work with it, without a cluster. The status
    /// of objects is written there. `sluicegate kubeconfig` writes a kubeconfig. The
    /// environment variable is true or false.
    #[arg(long, env = "SLUICEGATE_API", value_parser = parse_bool)]
    #[arg(help_heading = "Source of objects (one of --kubernetes, --files and --api is required)")]
    #[arg(verbatim_doc_comment)]
    pub(crate) api: bool,

    /// Controller name of the GatewayClasses to serve
    ///
    /// A domain, a slash and a path, such as example.com/gateway.
    /// [default: sluicegate.dev/gateway-controller; with --files and --api, any name]
    #[arg(long, env = "SLUICEGATE_CONTROLLER_NAME", value_name = "NAME")]
    #[arg(help_heading = "Source of objects (one of --kubernetes, --files and --api is required)")]
    #[arg(verbatim_doc_comment)]
    pub(crate) controller_name: Option<GatewayController>,

    #[command(flatten)]
    pub(crate) kubernetes_options: KubernetesOptions,

    #[command(flatten)]
    pub(crate) api_options: ApiOptions,

    #[command(flatten)]
    pub(crate) address_options: AddressOptions,

    /// Number of forwarding threads, 1 or more [default: number of processors]
    #[arg(long, env = "SLUICEGATE_WORKERS", value_name = "N", help_heading = "Operation")]
    #[arg(value_parser = parse_workers)]
    pub(crate) workers: Option<NonZeroUsize>,

    /// Time to connect to one endpoint while others are left to try, in seconds
    ///
    /// The last endpoint that a connection tries gets the rest of --dial-budget.
    #[arg(long, env = "SLUICEGATE_DIAL_TIMEOUT", value_name = "SECONDS", verbatim_doc_comment)]
    #[arg(default_value = "3", value_parser = parse_positive_seconds, help_heading = "Operation")]
    pub(crate) dial_timeout: Duration,

    /// Time to connect a client to an endpoint, over all that are tried, in seconds
    ///
    /// After that time, the connection of the client is reset.
    #[arg(long, env = "SLUICEGATE_DIAL_BUDGET", value_name = "SECONDS", verbatim_doc_comment)]
    #[arg(default_value = "10", value_parser = parse_positive_seconds, help_heading = "Operation")]
    pub(crate) dial_budget: Duration,

    /// Address of the health endpoints /livez, /readyz and /acceptz
    ///
    /// /readyz succeeds while connections are accepted. /acceptz fails as soon as a
    /// shutdown begins: it is for load balancers that probe the gateway itself.
    /// :8081 is the port at all addresses, IPv6 and IPv4. localhost is 127.0.0.1; other
    /// host names are not resolved. With port 0, the kernel chooses the port, and the
    /// log contains it.
    #[arg(long, env = "SLUICEGATE_HEALTH", value_name = "[ADDRESS]:PORT", verbatim_doc_comment)]
    #[arg(default_value = "127.0.0.1:8081", value_parser = parse_socket_address)]
    #[arg(help_heading = "Operation")]
    pub(crate) health: SocketAddr,

    /// Time to accept connections after SIGTERM, in seconds
    ///
    /// Set it to the time that load balancers need to notice that /acceptz fails, or,
    /// with --pod-addresses, to follow a change of an EndpointSlice.
    /// [default: 5 with --kubernetes, 0 with --files and --api]
    #[arg(long, env = "SLUICEGATE_STOP_DELAY", value_name = "SECONDS", verbatim_doc_comment)]
    #[arg(value_parser = parse_seconds, help_heading = "Operation")]
    pub(crate) stop_delay: Option<Duration>,

    /// Time for open connections to finish, in seconds
    ///
    /// Applies after the stop delay of a shutdown, and after the removal of a
    /// listener. Connections that are still open then are reset. A shutdown takes at
    /// most the sum of both times.
    #[arg(long, env = "SLUICEGATE_DRAIN_TIMEOUT", value_name = "SECONDS", verbatim_doc_comment)]
    #[arg(default_value = "30", value_parser = parse_seconds, help_heading = "Operation")]
    pub(crate) drain_timeout: Duration,

    /// Format of the log on standard error
    #[arg(long, env = "SLUICEGATE_LOG_FORMAT", value_name = "FORMAT", help_heading = "Operation")]
    #[arg(default_value = "text", value_enum)]
    pub(crate) log_format: LogFormat,

    /// Lowest level to log: error, warn, info, debug or trace
    ///
    /// info includes a line for each connection that ends (see --connection-log), debug
    /// also one for each that opens. Also allowed: directives of the crate
    /// tracing-subscriber, such as warn,sluicegate::server=info.
    #[arg(long, env = "SLUICEGATE_LOG_LEVEL", value_name = "LEVEL", verbatim_doc_comment)]
    #[arg(default_value = "info", value_parser = LogFilter::parse, help_heading = "Operation")]
    pub(crate) log_level: LogFilter,

    /// Connections to log when they end: all, failures or off
    ///
    /// failures are those that do not complete: rejected, reset, not connected to an
    /// endpoint, or cut by a drain. Warnings and errors are logged in any case.
    #[arg(long, env = "SLUICEGATE_CONNECTION_LOG", value_name = "all|failures|off")]
    #[arg(default_value = "all", value_parser = parse_connection_log, verbatim_doc_comment)]
    #[arg(help_heading = "Operation")]
    pub(crate) connection_log: ConnectionLog,

    /// Maximum number of log lines about connections a second; 0 turns the limit off
    ///
    /// Further lines are counted, and one line a second contains the counts by listener
    /// and outcome.
    #[arg(long, env = "SLUICEGATE_CONNECTION_LOG_LIMIT", value_name = "LINES")]
    #[arg(default_value = "1000", value_parser = parse_line_limit, verbatim_doc_comment)]
    #[arg(help_heading = "Operation")]
    pub(crate) connection_log_limit: u32,
}

impl RunOptions {
    /// Returns the time between the signal and the drain.
    pub(crate) fn stop_delay(&self) -> Duration {
        let default = Duration::from_secs(if self.kubernetes { 5 } else { 0 });
        self.stop_delay.unwrap_or(default)
    }
}
