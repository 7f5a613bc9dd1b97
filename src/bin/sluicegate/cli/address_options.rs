//! Options that choose the addresses of Gateways.

use std::net::IpAddr;

use clap::Args;
use sluicegate::model::{ExternalTrafficPolicy, Labels, NamespacedName, ServiceType};
use sluicegate::sources::ServiceTemplate;
use sluicegate::translate::Addresses;

use super::values::{annotations, external_traffic_policy, service_type};

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
