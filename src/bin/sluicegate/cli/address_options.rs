//! Options for the addresses of Gateways.

use std::net::IpAddr;
use std::num::NonZeroU32;

use clap::{Args, value_parser};
use sluicegate::model::{ExternalTrafficPolicy, Labels, NamespaceName, ServiceType};
use sluicegate::sources::ServiceTemplate;
use sluicegate::translate::{Addresses, SpecialAddresses};

use super::address_mode::AddressMode;
use super::values::{
    parse_annotations, parse_external_traffic_policy, parse_ip, parse_listener_limit,
    parse_selector, parse_service_type, with_example,
};

#[derive(Debug, Args)]
#[command(next_help_heading = "Addresses")]
pub(crate) struct AddressOptions {
    /// Addresses that Gateways get: `host`, `service`, or IP ranges
    ///
    /// host     All Gateways share the addresses of this host.
    /// service  Each Gateway gets a Service in the cluster. Requires --kubernetes,
    ///          --service-namespace and --service-selector.
    /// RANGES   Each Gateway gets an address of its own from these ranges, such as
    ///          10.0.0.0/28,10.0.1.5-10.0.1.9. The addresses must be configured
    ///          on this host.
    #[arg(long, env = "SLUICEGATE_ADDRESSES", value_name = "host|service|RANGES")]
    #[arg(default_value = "host", value_parser = value_parser!(AddressMode), verbatim_doc_comment)]
    pub(crate) addresses: AddressMode,

    /// Namespace of the Services of Gateways: that of the pods of this gateway
    ///
    /// Required with --addresses service. With other addresses, the Services that were
    /// created there for Gateways before are deleted. Requires --kubernetes.
    #[arg(long, env = "SLUICEGATE_SERVICE_NAMESPACE", value_name = "NAMESPACE")]
    #[arg(value_parser = with_example::<NamespaceName>("sluicegate-system"))]
    #[arg(verbatim_doc_comment)]
    pub(crate) service_namespace: Option<NamespaceName>,

    /// Labels of the pods of this gateway, which the Services of Gateways select
    ///
    /// Separate them by commas. Required with --service-namespace.
    #[arg(long, env = "SLUICEGATE_SERVICE_SELECTOR", value_name = "KEY=VALUE,...")]
    #[arg(value_parser = parse_selector, verbatim_doc_comment)]
    pub(crate) service_selector: Option<Labels>,

    /// IP addresses of this pod, separated by commas [default: none]
    ///
    /// With them, a graceful shutdown accepts connections until no EndpointSlice in
    /// --service-namespace lists the pod as ready, and for --stop-delay after that. In
    /// a pod, take them from the field status.podIPs. Requires --addresses service.
    #[arg(long, env = "SLUICEGATE_POD_ADDRESSES", value_name = "ADDRESS,...")]
    #[arg(value_delimiter = ',', value_parser = parse_ip, verbatim_doc_comment)]
    pub(crate) pod_addresses: Vec<IpAddr>,

    /// Type of the Services of Gateways [default: LoadBalancer]
    ///
    /// LoadBalancer, ClusterIP or NodePort. Requires --addresses service.
    #[arg(long, env = "SLUICEGATE_SERVICE_TYPE", value_name = "TYPE")]
    #[arg(value_parser = parse_service_type, verbatim_doc_comment)]
    pub(crate) service_type: Option<ServiceType>,

    /// Annotations of the Services of Gateways [default: none]
    ///
    /// Separate them by commas. If a value contains a comma, separate them by line
    /// breaks. Requires --addresses service.
    #[arg(long, env = "SLUICEGATE_SERVICE_ANNOTATIONS", value_name = "KEY=VALUE,...")]
    #[arg(value_parser = parse_annotations, verbatim_doc_comment)]
    pub(crate) service_annotations: Option<Labels>,

    /// externalTrafficPolicy of the Services of Gateways [default: Cluster]
    ///
    /// Cluster  All nodes accept connections. The gateway may see the address of a
    ///          node as the client address.
    /// Local    Only nodes with a replica accept connections. The gateway sees the
    ///          address of the client.
    ///
    /// Requires --addresses service.
    #[arg(long, env = "SLUICEGATE_EXTERNAL_TRAFFIC_POLICY", value_name = "POLICY")]
    #[arg(value_parser = parse_external_traffic_policy, verbatim_doc_comment)]
    pub(crate) external_traffic_policy: Option<ExternalTrafficPolicy>,

    /// IP address to listen on [default: all addresses of this host]
    ///
    /// Used for Gateways that share the addresses of this host, unless
    /// spec.addresses of the Gateway contains an address.
    #[arg(long, env = "SLUICEGATE_BIND", value_name = "ADDRESS", verbatim_doc_comment)]
    #[arg(value_parser = parse_ip)]
    pub(crate) bind: Option<IpAddr>,

    /// IP address to report in status [default: detected]
    ///
    /// Used if a Gateway listens on all addresses. The default is the source address
    /// of the route to other hosts.
    #[arg(long, env = "SLUICEGATE_ADVERTISE", value_name = "ADDRESS", verbatim_doc_comment)]
    #[arg(value_parser = parse_ip)]
    pub(crate) advertise: Option<IpAddr>,

    /// Special addresses that Gateways may request: `allow`, `deny`, or IP ranges
    ///
    /// Special addresses are loopback, link-local, multicast and unspecified ones. A
    /// Gateway with such an address could impersonate a service of this host. Ranges,
    /// such as 127.0.0.0/8,fe80::/10, allow those addresses only. Loopback and
    /// link-local addresses in a pool (--addresses) need the permission too.
    /// [default: deny with --kubernetes, allow with --files]
    #[arg(long, env = "SLUICEGATE_SPECIAL_ADDRESSES", value_name = "allow|deny|RANGES")]
    #[arg(value_parser = with_example::<SpecialAddresses>("allow, deny or 127.0.0.0/8"), verbatim_doc_comment)]
    pub(crate) special_addresses: Option<SpecialAddresses>,

    /// Maximum number of listeners of all Gateways of a namespace [default: no limit]
    ///
    /// Older Gateways have precedence. Further listeners are not accepted.
    #[arg(long, env = "SLUICEGATE_LISTENERS_PER_NAMESPACE", value_name = "N")]
    #[arg(value_parser = parse_listener_limit, verbatim_doc_comment)]
    pub(crate) listeners_per_namespace: Option<NonZeroU32>,
}

impl AddressOptions {
    /// Returns the addresses of Gateways.
    pub(crate) fn addresses(&self) -> Addresses {
        match &self.addresses {
            AddressMode::Service => {
                let namespace = self.service_namespace.clone();
                Addresses::Service(namespace.expect("RunOptions::validate requires it"))
            }
            AddressMode::Other(addresses) => addresses.clone(),
        }
    }

    /// Returns namespace and selector of the Services of Gateways.
    pub(crate) fn services(&self) -> Option<(NamespaceName, Labels)> {
        Some((self.service_namespace.clone()?, self.service_selector.clone()?))
    }

    /// Returns the common part of the Services of Gateways, with `--addresses service`.
    pub(crate) fn service_template(&self) -> Option<ServiceTemplate> {
        let (namespace, selector) =
            self.services().filter(|_| self.addresses == AddressMode::Service)?;
        let mut template = ServiceTemplate::new(namespace, selector)
            .with_annotations(self.service_annotations.clone().unwrap_or_default())
            .with_external_traffic_policy(self.external_traffic_policy.unwrap_or_default());
        if let Some(service_type) = self.service_type {
            template = template.with_service_type(service_type);
        }
        Some(template)
    }
}
