//! The command line and the environment.

use std::net::{IpAddr, SocketAddr};
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::time::Duration;

use clap::builder::{BoolishValueParser, NonEmptyStringValueParser};
use clap::error::ErrorKind;
use clap::{Args, CommandFactory as _, Parser, Subcommand};
use sluicegate::model::{
    ExternalTrafficPolicy, GatewayController, Labels, NamespaceName, NamespacedName, ServiceType,
};
use sluicegate::sources::ServiceTemplate;
use sluicegate::translate::Addresses;

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

/// Where Gateways live.
#[derive(Debug, Args)]
#[command(next_help_heading = "Addresses")]
pub(crate) struct Place {
    /// Where Gateways live: `host` (all share this host's addresses), ranges such as
    /// 10.0.0.0/28,10.0.1.5-10.0.1.9 (each has addresses of its own, which are this host's), or
    /// `service` (with --kubernetes: each has a Service)
    #[arg(long, env = "SLUICEGATE_ADDRESSES", value_name = "host|service|RANGES")]
    #[arg(default_value = "host")]
    pub(crate) addresses: Addresses,

    /// With `service`: the headless Service whose endpoints are the replicas of this gateway
    #[arg(long, env = "SLUICEGATE_REPLICAS", value_name = "NAMESPACE/SERVICE")]
    pub(crate) replicas: Option<NamespacedName>,

    /// With `service`: the type of the Services [default: LoadBalancer]
    #[arg(long, env = "SLUICEGATE_SERVICE_TYPE", value_name = "TYPE", value_parser = service_type)]
    pub(crate) service_type: Option<ServiceType>,

    /// With `service`: annotations of the Services, separated by commas; where a value has commas,
    /// by line breaks
    #[arg(long, env = "SLUICEGATE_SERVICE_ANNOTATIONS", value_name = "KEY=VALUE,...")]
    #[arg(value_parser = annotations)]
    pub(crate) service_annotations: Option<Labels>,

    /// With `service`: which nodes take connections from outside, Cluster (all) or Local (those
    /// with a replica, and it sees the client's address) [default: Cluster]
    #[arg(long, env = "SLUICEGATE_EXTERNAL_TRAFFIC_POLICY", value_name = "POLICY")]
    #[arg(value_parser = external_traffic_policy)]
    pub(crate) external_traffic_policy: Option<ExternalTrafficPolicy>,

    /// Listen on this address where a Gateway has none of its own [default: all interfaces]
    #[arg(long, env = "SLUICEGATE_BIND", value_name = "ADDRESS")]
    pub(crate) bind: Option<IpAddr>,

    /// The address to report where all interfaces are bound [default: the one that a neighbour
    /// would dial]
    #[arg(long, env = "SLUICEGATE_ADVERTISE", value_name = "ADDRESS")]
    pub(crate) advertise: Option<IpAddr>,
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
    #[arg(value_parser = NonEmptyStringValueParser::new())]
    pub(crate) identity: Option<String>,
}

impl Place {
    /// What the Services in front of Gateways have in common, where there are any.
    pub(crate) fn services(&self) -> Option<ServiceTemplate> {
        let replicas = self.replicas.clone().filter(|_| self.addresses == Addresses::Service)?;
        let mut template = ServiceTemplate::new(replicas)
            .with_annotations(self.service_annotations.clone().unwrap_or_default())
            .with_external_traffic_policy(self.external_traffic_policy.unwrap_or_default());
        if let Some(service_type) = self.service_type {
            template = template.with_service_type(service_type);
        }
        Some(template)
    }
}

impl Options {
    /// Whether the options go together.
    ///
    /// # Errors
    /// What does not, as Clap says it.
    pub(crate) fn check(&self) -> Result<(), clap::Error> {
        let conflict = |message: String| Err(usage(ErrorKind::ArgumentConflict, message));
        let missing = |message: &str| Err(usage(ErrorKind::MissingRequiredArgument, message));
        let Self { cluster, place, .. } = self;
        match (self.kubernetes, !self.files.is_empty()) {
            (true, true) => {
                return conflict("objects come from --kubernetes (SLUICEGATE_KUBERNETES) or from --files (SLUICEGATE_FILES), not from both".to_owned());
            }
            (false, false) => {
                return missing(
                    "where do objects come from? Give --kubernetes, or --files with paths",
                );
            }
            (true, false) | (false, true) => {}
        }
        let has_services = place.addresses == Addresses::Service;
        let of_a_cluster = [
            ("--watch-namespaces", !cluster.watch_namespaces.is_empty()),
            ("--read-only", cluster.read_only),
            ("--lease", cluster.lease.is_some()),
            ("--identity", cluster.identity.is_some()),
            ("--addresses service", has_services),
        ];
        if let Some(option) = given(&of_a_cluster).filter(|_| !self.kubernetes) {
            return conflict(format!(
                "{option} is for --kubernetes; with --files it means nothing"
            ));
        }
        let of_services = [
            ("--replicas", place.replicas.is_some()),
            ("--service-type", place.service_type.is_some()),
            ("--service-annotations", place.service_annotations.is_some()),
            ("--external-traffic-policy", place.external_traffic_policy.is_some()),
        ];
        match given(&of_services) {
            Some(option) if !has_services => conflict(format!(
                "{option} is for --addresses service; where Gateways live at {} it means nothing",
                place.addresses
            )),
            _ if has_services && place.replicas.is_none() => missing(
                "--addresses service needs --replicas NAMESPACE/SERVICE: the headless Service whose endpoints are the replicas of this gateway",
            ),
            _ => Ok(()),
        }
    }

    pub(crate) fn stop_delay(&self) -> Duration {
        let default = if self.kubernetes { 5 } else { 0 };
        self.stop_delay.unwrap_or(Duration::from_secs(default))
    }
}

/// The first option that is given.
fn given<'a>(options: &[(&'a str, bool)]) -> Option<&'a str> {
    options.iter().find_map(|(option, is_given)| is_given.then_some(*option))
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

fn service_type(text: &str) -> Result<ServiceType, &'static str> {
    match text {
        "LoadBalancer" => Ok(ServiceType::LoadBalancer),
        "ClusterIP" => Ok(ServiceType::ClusterIP),
        "NodePort" => Ok(ServiceType::NodePort),
        _ => Err("it should be LoadBalancer, ClusterIP or NodePort"),
    }
}

fn external_traffic_policy(text: &str) -> Result<ExternalTrafficPolicy, &'static str> {
    match text {
        "Cluster" => Ok(ExternalTrafficPolicy::Cluster),
        "Local" => Ok(ExternalTrafficPolicy::Local),
        _ => Err("it should be Cluster or Local"),
    }
}

fn annotations(text: &str) -> Result<Labels, String> {
    let separator = if text.contains('\n') { '\n' } else { ',' };
    let pairs = text.split(separator).map(str::trim).filter(|pair| !pair.is_empty());
    let pair = |pair: &str| match pair.split_once('=') {
        Some((key, value)) => Ok((key.to_owned(), value.to_owned())),
        None => Err(format!("`{pair}` should be KEY=VALUE")),
    };
    pairs.map(pair).collect()
}
