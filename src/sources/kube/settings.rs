//! The settings of a [`KubeSource`](super::KubeSource).

use kube::Client;

use super::gateway_services::ServiceTemplate;
use super::lease::Election;
use crate::model::{GatewayController, NamespaceName};

/// The settings of a source, as its builder methods set them.
pub(super) struct Settings {
    pub(super) client: Client,
    pub(super) controller: GatewayController,
    pub(super) identity: Option<String>,
    pub(super) namespaces: Vec<NamespaceName>,
    pub(super) is_read_only: bool,
    pub(super) election: Option<Election>,
    pub(super) services: Option<ServiceTemplate>,
}
