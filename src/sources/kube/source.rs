//! [`KubeSource`]: the source and its builder methods.

use std::fmt;
use std::net::IpAddr;

use kube::{Client, Config};
use tokio::sync::watch;

use super::client::build_client;
use super::endpoint::EndpointHandle;
use super::error::{EmptyIdentity, KubeError};
use super::event_loop::EventLoop;
use super::gateway_services::{ServicePolicy, ServiceTemplate};
use super::lease::Election;
use super::request_limits::limit_requests;
use super::settings::Settings;
use super::watch::{LastReceived, WatchHandle};
use crate::model::{GatewayController, Labels, NamespaceName, SLUICEGATE_CONTROLLER};
use crate::sources::{Feed, Source, SourceError, async_trait};

/// Source of the objects of a Kubernetes cluster, which also writes their status.
///
/// It watches GatewayClasses, Gateways, TCPRoutes, ReferenceGrants, Services, EndpointSlices and
/// Namespaces, and Nodes if Gateways have Services that are not of type ClusterIP. Discovery runs
/// periodically: if the definitions of Gateway API are missing, the source reports a problem and
/// continues when they are installed.
///
/// Its snapshots contain only the Services and EndpointSlices that matter: those that a TCPRoute of
/// any source refers to, and those in front of Gateways. Fields without effect, such as annotations
/// and the status, are left out.
///
/// ```no_run
/// # async fn start() -> Result<(), Box<dyn std::error::Error>> {
/// use sluicegate::Server;
/// use sluicegate::sources::KubeSource;
///
/// let gateway = Server::builder().source(KubeSource::infer().await?).start().await?;
/// # gateway.shutdown().await;
/// # Ok(())
/// # }
/// ```
#[must_use = "a source does nothing until a gateway runs it"]
pub struct KubeSource(Settings);

impl KubeSource {
    /// Creates a source for the cluster of `client`.
    ///
    /// Every request of the source fails if the API server does not respond in time, whatever the
    /// client does. A watch whose connection is silent is noticed within 95 s, and much earlier if
    /// the connections of the client have TCP keepalive, as those of
    /// [`with_config`](Self::with_config) have. The client should not retry by itself.
    pub fn new(client: Client) -> Self {
        let controller =
            GatewayController::new(SLUICEGATE_CONTROLLER).expect("a domain and a path");
        Self(Settings {
            client: limit_requests(client),
            controller,
            identity: None,
            namespaces: Vec::new(),
            is_read_only: false,
            election: None,
            services: None,
            endpoint_addresses: Vec::new(),
            is_ready_endpoint: watch::Sender::new(false),
            last_received: LastReceived::default(),
        })
    }

    /// Creates a source for the cluster of a configuration. The kernel closes the connections of
    /// its client if the API server is silent for 30 s (TCP keepalive and user timeout).
    ///
    /// If the configuration has a proxy, the client is the default one of `kube`, which has
    /// neither: only the time limits of requests and watches notice silence, after 95 s at most. It
    /// also requires a feature of `kube` (`http-proxy` or `socks5`). A kubeconfig contains a proxy
    /// if its cluster has a `proxy-url`, or if `HTTPS_PROXY` is set. The configuration inside of a
    /// pod contains none.
    ///
    /// # Errors
    /// [`KubeError`] if the configuration is not valid. The API server need not be reachable yet.
    pub fn with_config(config: Config) -> Result<Self, KubeError> {
        Ok(Self::new(build_client(config)?))
    }

    /// Creates a source for the cluster that this process runs in or, outside of a cluster, for the
    /// one that kubectl uses by default. Its connections are those of
    /// [`with_config`](Self::with_config).
    ///
    /// # Errors
    /// [`KubeError`] if there is no configuration or it is not valid. The API server need not be
    /// reachable yet.
    pub async fn infer() -> Result<Self, KubeError> {
        Self::with_config(Config::infer().await.map_err(KubeError::new)?)
    }

    /// Sets the controller: its GatewayClasses are served, and status is written in its name.
    /// Default: [`SLUICEGATE_CONTROLLER`].
    pub fn controller_name(mut self, name: GatewayController) -> Self {
        self.0.controller = name;
        self
    }

    /// Sets the name of this process among the replicas: the holder of the Lease of an
    /// [`election`](Self::election), and the reporting instance in Events. No two replicas may have
    /// the same one, and it must not be empty: the source would end with an error. Default: the
    /// host name, which in a pod is the name of the pod.
    pub fn identity(mut self, identity: impl Into<String>) -> Self {
        self.0.identity = Some(identity.into());
        self
    }

    /// Watches only these namespaces. Default: all.
    pub fn namespaces(mut self, namespaces: impl IntoIterator<Item = NamespaceName>) -> Self {
        self.0.namespaces = namespaces.into_iter().collect();
        self
    }

    /// Writes only while this process is the leader of several replicas. Default: it is the only
    /// replica, and always writes.
    pub fn election(mut self, election: Election) -> Self {
        self.0.election = Some(election);
        self
    }

    /// Creates, updates and deletes the Service in front of each Gateway. The addresses of the
    /// Gateway are those of its Service, so this is used with
    /// [`Addresses::Service`](crate::translate::Addresses::Service) of the same namespace. Default:
    /// no Services.
    pub fn services(mut self, template: ServiceTemplate) -> Self {
        self.0.services = Some(ServicePolicy::Manage(template));
        self
    }

    /// Deletes the Services in front of Gateways that this gateway created earlier, when
    /// [`services`](Self::services) was set with this namespace and selector. Other Services stay.
    pub fn delete_services(mut self, namespace: NamespaceName, selector: Labels) -> Self {
        self.0.services = Some(ServicePolicy::Delete { namespace, selector });
        self
    }

    /// Sets the addresses of this replica as an endpoint of Services: those of its pod, for
    /// [`endpoint_handle`](Self::endpoint_handle). Default: none.
    pub fn endpoint_addresses(mut self, addresses: impl IntoIterator<Item = IpAddr>) -> Self {
        self.0.endpoint_addresses = addresses.into_iter().collect();
        self
    }

    /// Returns a handle that reports if EndpointSlices list this replica as ready.
    pub fn endpoint_handle(&self) -> EndpointHandle {
        EndpointHandle::new(self.0.is_ready_endpoint.subscribe())
    }

    /// Returns a handle that reports how current the objects of this source are.
    pub fn watch_handle(&self) -> WatchHandle {
        WatchHandle::new(self.0.last_received.clone())
    }

    pub(super) fn settings(&self) -> &Settings {
        &self.0
    }

    /// Writes nothing into the cluster, not even a Lease.
    pub fn read_only(mut self) -> Self {
        self.0.is_read_only = true;
        self
    }
}

impl fmt::Debug for KubeSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KubeSource")
            .field("controller", &self.0.controller)
            .field("identity", &self.0.identity)
            .field("namespaces", &self.0.namespaces)
            .field("is_read_only", &self.0.is_read_only)
            .field("election", &self.0.election)
            .field("services", &self.0.services)
            .field("endpoint_addresses", &self.0.endpoint_addresses)
            .finish_non_exhaustive()
    }
}

#[async_trait]
impl Source for KubeSource {
    fn name(&self) -> String {
        "kubernetes".to_owned()
    }

    fn controller(&self) -> Option<GatewayController> {
        Some(self.0.controller.clone())
    }

    /// Returns `false`: anyone with permission in a namespace may create Gateways.
    fn allows_special_addresses(&self) -> bool {
        false
    }

    async fn run(self: Box<Self>, feed: Feed) -> Result<(), SourceError> {
        // Kubernetes reads a Lease with an empty holder as released, so every replica would acquire
        // it, and an Event without a reporting instance is refused.
        if self.0.identity.as_deref() == Some("") && !self.0.is_read_only {
            return Err(EmptyIdentity.into());
        }
        EventLoop::new(self.0, feed).run().await
    }
}
