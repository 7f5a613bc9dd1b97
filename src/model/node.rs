//! Node: addresses at which clients dial Services of type NodePort.

use std::net::IpAddr;

use serde::{Deserialize, Serialize};

use super::condition::ConditionStatus;
use super::deserialize::{valid_entries, valid_or_default};
use super::meta::ObjectMeta;
use super::validate::Violations;

/// A [node](https://kubernetes.io/docs/concepts/architecture/nodes/), as far as routing uses it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Node {
    /// Name; a node is cluster-scoped.
    pub metadata: ObjectMeta,
    /// Addresses and conditions.
    #[serde(default, deserialize_with = "valid_or_default")]
    pub status: NodeStatus,
}

/// Status of a node.
///
/// Specification: [NodeStatus][spec].
///
/// [spec]: https://kubernetes.io/docs/reference/kubernetes-api/cluster-resources/node-v1/#NodeStatus
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct NodeStatus {
    /// Addresses of several types.
    #[serde(default, deserialize_with = "valid_entries", skip_serializing_if = "Vec::is_empty")]
    pub addresses: Vec<NodeAddress>,
    /// Conditions such as `Ready`.
    #[serde(default, deserialize_with = "valid_entries", skip_serializing_if = "Vec::is_empty")]
    pub conditions: Vec<NodeCondition>,
}

/// Address of a node.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NodeAddress {
    /// Type of the address, such as `ExternalIP`, `InternalIP` or `Hostname`.
    #[serde(rename = "type")]
    pub address_type: String,
    /// The address.
    pub address: String,
}

/// Condition of a node.
///
/// Its timestamps are not read: the kubelet updates them every few minutes, and each update would
/// look like a change of the node.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NodeCondition {
    /// Type of the condition.
    #[serde(rename = "type")]
    pub condition_type: String,
    /// Status of the condition.
    pub status: ConditionStatus,
}

/// Type of the condition of a node that runs pods.
const READY: &str = "Ready";

/// Label of a node that is not reached from outside the cluster; its value does not matter.
const EXCLUDE_LABEL: &str = "node.kubernetes.io/exclude-from-external-load-balancers";

impl Node {
    /// Returns `true` if the condition `Ready` is `True`.
    pub fn is_ready(&self) -> bool {
        self.status.conditions.iter().any(|condition| {
            condition.condition_type == READY && condition.status == ConditionStatus::True
        })
    }

    /// Removes the labels and conditions that no method of this type reads. There may be thousands
    /// of nodes, and a change of the rest would look like a change of the node.
    #[cfg(any(feature = "api", feature = "kube"))]
    pub(crate) fn remove_unused(&mut self) {
        self.metadata.labels.retain(|label, _| label == EXCLUDE_LABEL);
        self.status.conditions.retain(|condition| condition.condition_type == READY);
    }

    /// Returns `true` if the label `node.kubernetes.io/exclude-from-external-load-balancers`
    /// excludes the node from the connections of clients from outside the cluster.
    pub fn is_excluded_from_load_balancers(&self) -> bool {
        self.metadata.labels.contains_key(EXCLUDE_LABEL)
    }

    /// Returns the IP addresses of this type.
    pub fn ips<'a>(&'a self, address_type: &'a str) -> impl Iterator<Item = IpAddr> + 'a {
        let addresses = self.status.addresses.iter();
        addresses
            .filter(move |address| address.address_type == address_type)
            .filter_map(|address| address.address.parse().ok())
    }

    pub(crate) fn validate(&self, violations: &mut Violations) {
        violations.check_metadata(&self.metadata);
    }
}
