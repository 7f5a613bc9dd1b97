//! The settings of a [`KubeSource`](super::KubeSource).

use std::net::IpAddr;

use kube::Client;
use tokio::sync::watch;

use super::gateway_services::ServicePolicy;
use super::lease::Election;
use super::watch::LastReceived;
use crate::model::{GatewayController, NamespaceName};

/// The settings of a source, as its builder methods set them.
pub(super) struct Settings {
    pub(super) client: Client,
    pub(super) controller: GatewayController,
    pub(super) identity: Option<String>,
    pub(super) namespaces: Vec<NamespaceName>,
    pub(super) is_read_only: bool,
    pub(super) election: Option<Election>,
    pub(super) services: Option<ServicePolicy>,
    pub(super) endpoint_addresses: Vec<IpAddr>,
    /// `true` if an EndpointSlice lists this replica as ready.
    pub(super) is_ready_endpoint: watch::Sender<bool>,
    /// The time at which each watch last received something.
    pub(super) last_received: LastReceived,
}
