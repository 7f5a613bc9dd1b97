//! A Kubernetes cluster as a source.
//!
//! ```text
//! served ──► watch, one for each kind ──► cluster ──► snapshot ──► the gateway
//!                                            │                        │ report
//!                                            └──────► write ◄─────────┘
//!                                                       └──► API server
//! ```
//!
//! Nothing is published before every watch has listed what there is: half of a cluster must not look
//! like routes that were deleted. After that nothing the API server does or does not do takes anything
//! away: what is known stays until it says otherwise.

mod active_errors;
mod cluster;
mod events;
mod lease;
mod object;
mod operation;
mod run;
mod scope;
mod served;
mod services;
mod version;
mod watch;
mod write;

use std::error::Error;

use kube::{Client, Config};

pub use self::lease::{Election, LeaseHandle};
use self::run::Run;
pub use self::services::ServiceTemplate;
use super::{Feed, Source, SourceError, async_trait};
use crate::model::SLUICEGATE_CONTROLLER;
use crate::model::{GatewayController, NamespaceName};

/// Objects from a Kubernetes cluster, and their status back into it.
///
/// It watches GatewayClasses, Gateways, TCPRoutes, ReferenceGrants, Services, EndpointSlices and
/// Namespaces. Which of them the server has is discovered, and looked at again: where the definitions
/// of Gateway API are missing it says so, and goes on when they are installed.
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
#[derive(Clone)]
#[must_use = "a source does nothing until a gateway runs it"]
pub struct KubeSource {
    client: Client,
    controller: GatewayController,
    identity: Option<String>,
    namespaces: Vec<NamespaceName>,
    is_read_only: bool,
    election: Option<Election>,
    services: Option<ServiceTemplate>,
}

impl KubeSource {
    /// The cluster that `client` speaks to.
    pub fn new(client: Client) -> Self {
        Self {
            client,
            controller: GatewayController::new(SLUICEGATE_CONTROLLER).expect("a domain and a path"),
            identity: None,
            namespaces: Vec::new(),
            is_read_only: false,
            election: None,
            services: None,
        }
    }

    /// The cluster that this process runs in or, outside of any, the one that kubectl would speak to.
    ///
    /// # Errors
    /// [`KubeError`], where there is neither, or what there is cannot be used. The server need not
    /// answer yet.
    pub async fn infer() -> Result<Self, KubeError> {
        let mut config = Config::infer().await.map_err(|error| KubeError(Box::new(error)))?;
        // What fails is tried again here, in its own measure, and it is said that it fails.
        config.default_retry = false;
        Ok(Self::new(Client::try_from(config)?))
    }

    /// The controller whose GatewayClasses are served, and in whose name status is written. Default:
    /// [`SLUICEGATE_CONTROLLER`].
    pub fn controller_name(mut self, name: GatewayController) -> Self {
        self.controller = name;
        self
    }

    /// What this process calls itself in Events, such as the name of its pod. Default: the host's
    /// name.
    pub fn identity(mut self, identity: impl Into<String>) -> Self {
        self.identity = Some(identity.into());
        self
    }

    /// Watches only these namespaces. Default: all.
    pub fn namespaces(mut self, namespaces: impl IntoIterator<Item = NamespaceName>) -> Self {
        self.namespaces = namespaces.into_iter().collect();
        self
    }

    /// Writes only while this process is the elected one of several replicas. Default: it is the only
    /// one.
    pub fn election(mut self, election: Election) -> Self {
        self.election = Some(election);
        self
    }

    /// Keeps a Service in front of each Gateway, of which the Gateway's addresses are taken: to be used
    /// with [`Addresses::Service`](crate::translate::Addresses::Service). Default: none.
    pub fn services(mut self, template: ServiceTemplate) -> Self {
        self.services = Some(template);
        self
    }

    /// Writes nothing at all into the cluster, not even a Lease.
    pub fn read_only(mut self) -> Self {
        self.is_read_only = true;
        self
    }
}

impl std::fmt::Debug for KubeSource {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("KubeSource")
            .field("controller", &self.controller)
            .field("identity", &self.identity)
            .field("namespaces", &self.namespaces)
            .field("is_read_only", &self.is_read_only)
            .field("election", &self.election)
            .field("services", &self.services)
            .finish_non_exhaustive()
    }
}

#[async_trait]
impl Source for KubeSource {
    fn name(&self) -> String {
        "kubernetes".to_owned()
    }

    fn controller(&self) -> Option<GatewayController> {
        Some(self.controller.clone())
    }

    async fn run(self: Box<Self>, feed: Feed) -> Result<(), SourceError> {
        Run::start(*self, feed).run().await
    }
}

/// Why there is no client for a cluster.
#[derive(Debug, thiserror::Error)]
#[error(
    "cannot configure a client for a Kubernetes cluster; outside of a cluster, set KUBECONFIG to the path of a valid kubeconfig file"
)]
pub struct KubeError(#[source] Box<dyn Error + Send + Sync>);

impl From<kube::Error> for KubeError {
    fn from(error: kube::Error) -> Self {
        Self(Box::new(error))
    }
}
