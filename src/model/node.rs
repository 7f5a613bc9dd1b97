//! Node: a machine of the cluster, at whose addresses Services of type NodePort are reached.

use std::net::IpAddr;

use serde::{Deserialize, Serialize};

use super::condition::ConditionStatus;
use super::meta::{ObjectMeta, null_as_default};
use super::validate::Violations;

/// A [node](https://kubernetes.io/docs/concepts/architecture/nodes/), as far as clients dial it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Node {
    /// Its name; a node is in no namespace.
    pub metadata: ObjectMeta,
    /// Its addresses, and how it is.
    #[serde(default, deserialize_with = "null_as_default")]
    pub status: NodeStatus,
}

/// The addresses of a node, and how it is.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct NodeStatus {
    /// The addresses, of several types.
    #[serde(default, deserialize_with = "null_as_default", skip_serializing_if = "Vec::is_empty")]
    pub addresses: Vec<NodeAddress>,
    /// Ready, and others.
    #[serde(default, deserialize_with = "null_as_default", skip_serializing_if = "Vec::is_empty")]
    pub conditions: Vec<NodeCondition>,
}

/// An address of a node.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NodeAddress {
    /// `ExternalIP`, `InternalIP`, `Hostname` and such.
    #[serde(rename = "type")]
    pub address_type: String,
    /// The address.
    pub address: String,
}

/// What is said of a node, without the time at which it was said: that changes all the time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NodeCondition {
    /// What it is about.
    #[serde(rename = "type")]
    pub condition_type: String,
    /// Whether it holds.
    pub status: ConditionStatus,
}

impl Node {
    /// Whether it takes connections.
    pub fn is_ready(&self) -> bool {
        self.status.conditions.iter().any(|condition| {
            condition.condition_type == "Ready" && condition.status == ConditionStatus::True
        })
    }

    /// Its IP addresses of a type.
    pub fn ips<'a>(&'a self, address_type: &'a str) -> impl Iterator<Item = IpAddr> + 'a {
        let addresses = self.status.addresses.iter();
        addresses
            .filter(move |address| address.address_type == address_type)
            .filter_map(|address| address.address.parse().ok())
    }

    pub(crate) fn validate(&self, violations: &mut Violations) {
        violations.metadata(&self.metadata);
    }
}
