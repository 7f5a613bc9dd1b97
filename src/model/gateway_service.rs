//! Service in front of a Gateway: name, labels and pod ports.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::ops::RangeInclusive;

use super::gateway::Gateway;
use super::hash::stable_hash;
use super::meta::NamespacedName;
use super::resources::Resources;
use super::scalar::{NamespaceName, ObjectName, PortNumber};
use super::service::Service;

/// Range of pod ports, the `targetPort`s of the Services of Gateways. It ends below the node ports
/// of Kubernetes (30000 to 32767) and the ephemeral ports of Linux (32768 and up).
pub(crate) const POD_PORTS: RangeInclusive<u16> = 20_000..=29_999;

/// The pod port (`targetPort`) that the Service of a Gateway needs for each listener port, by
/// Gateway.
pub type PodPorts = BTreeMap<NamespacedName, BTreeMap<PortNumber, PortNumber>>;

/// The Service that a Gateway needs, as translation decides it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ServiceRequest {
    /// The pod port (`targetPort`) of each listener port.
    pub pod_ports: BTreeMap<PortNumber, PortNumber>,
    /// The address to request for the Service. `None` if the Gateway requests none, more than one
    /// (a Service can request only one), or one that it may not request.
    pub address: Option<IpAddr>,
}

/// The Services that Gateways need, by Gateway.
pub type ServiceRequests = BTreeMap<NamespacedName, ServiceRequest>;

/// Label with the name of the program that manages a Service, and the value of this program.
pub(crate) const MANAGED_BY_LABEL: &str = "app.kubernetes.io/managed-by";
pub(crate) const MANAGED_BY: &str = "sluicegate";

/// Label of the Service of a Gateway with the uid of the Gateway.
pub(crate) const GATEWAY_UID_LABEL: &str = "sluicegate.dev/gateway-uid";

/// Maximum length of the name of a Service.
const MAX_LEN: usize = 63;

/// Result of [`Resources::service_of`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum GatewayServiceLookup<'a> {
    /// There is no Service of this name.
    Missing,
    /// The Service is that of the Gateway.
    Found(&'a Service),
    /// The Service is that of a deleted Gateway of the same name. The Kubernetes source deletes it.
    Predecessor,
    /// Another program manages the Service, so its name is not available to the Gateway.
    Foreign,
}

impl Gateway {
    /// Returns the name of the Service in front of the Gateway: `<namespace>-<gateway>-<hash>`,
    /// with a hash of namespace and name.
    ///
    /// The Services of all Gateways are in one namespace. The hash distinguishes Gateways for which
    /// the rest of the text is the same, because of the hyphens or because a long text is
    /// truncated.
    pub fn service_name(&self) -> ObjectName {
        let name = self.metadata.namespaced_name();
        let to_valid = |letter: char| {
            if letter.is_ascii_alphanumeric() { letter.to_ascii_lowercase() } else { '-' }
        };
        let mut text: String =
            format!("{}-{}", name.namespace, name.name).chars().map(to_valid).collect();
        if !text.starts_with(|first: char| first.is_ascii_lowercase()) {
            text.insert_str(0, "gateway-");
        }
        let hash = format!("-{:08x}", stable_hash(&name.to_string()) as u32);
        text.truncate(MAX_LEN - hash.len());
        ObjectName::new(text.trim_end_matches('-').to_owned() + &hash).expect("a DNS label")
    }
}

impl Resources {
    /// Returns the Service in front of a Gateway: the Service in `namespace` with the name
    /// [`Gateway::service_name`] and the labels of the Gateway.
    ///
    /// The name alone is not sufficient: the Gateway may have been deleted and created again, and
    /// any client with permissions in the namespace may have created a Service of that name.
    pub fn service_of(
        &self,
        gateway: &Gateway,
        namespace: &NamespaceName,
    ) -> GatewayServiceLookup<'_> {
        let name = NamespacedName { namespace: namespace.clone(), name: gateway.service_name() };
        let Some(service) = self.services.get(&name) else { return GatewayServiceLookup::Missing };
        let label = |key: &str| service.metadata.labels.get(key).map(String::as_str);
        if label(MANAGED_BY_LABEL) != Some(MANAGED_BY) {
            return GatewayServiceLookup::Foreign;
        }
        match label(GATEWAY_UID_LABEL) {
            Some(uid) if gateway.metadata.uid.as_deref() != Some(uid) => {
                GatewayServiceLookup::Predecessor
            }
            // A client that removes the label must not make the Service unusable.
            Some(_) | None => GatewayServiceLookup::Found(service),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::ObjectMeta;
    use crate::model::scalar::is_dns_label;

    fn gateway(namespace: &str, name: &str) -> Gateway {
        let mut metadata = ObjectMeta::named(name.parse().unwrap());
        metadata.namespace = Some(namespace.parse().unwrap());
        metadata.uid = Some("new".into());
        Gateway::new(metadata, "c".parse().unwrap(), Vec::new())
    }

    #[test]
    fn service_name_is_valid_and_unique() {
        let long = "g".repeat(253);
        let names = [
            ("infra", "edge"),
            ("infra", &*long),
            ("infra", &format!("{long:.252}h")),
            ("infra", "edge.example.com"),
            ("infra", "edge-example.com"),
            ("infra-edge", "example.com"),
            ("1st", "edge"),
            ("i", &"-".repeat(60)),
            ("infra", "Ä"),
        ]
        .map(|(namespace, name)| gateway(namespace, name).service_name().to_string());
        for (index, name) in names.iter().enumerate() {
            assert!(is_dns_label(name), "{name}");
            assert!(name.starts_with(|first: char| first.is_ascii_lowercase()), "{name}");
            assert!(!names[..index].contains(name), "{name}");
        }
        assert_eq!(names[0], "infra-edge-e408412f");
        assert!(names[6].starts_with("gateway-1st-edge-"), "{}", names[6]);
    }

    #[test]
    fn service_of_gateway_is_found_by_name_and_uid() {
        let gateway = gateway("infra", "edge");
        let system: NamespaceName = "system".parse().unwrap();
        let with_labels = |namespace: &str, labels: &[(&str, &str)]| -> Resources {
            let mut metadata = ObjectMeta::named(gateway.service_name());
            metadata.namespace = Some(namespace.parse().unwrap());
            metadata.labels =
                labels.iter().map(|(key, value)| ((*key).into(), (*value).into())).collect();
            [Service::new(metadata, PortNumber::new(80).unwrap())].into_iter().collect()
        };
        let managed = (MANAGED_BY_LABEL, MANAGED_BY);
        let lookup = |resources: &Resources| match resources.service_of(&gateway, &system) {
            GatewayServiceLookup::Missing => "missing",
            GatewayServiceLookup::Found(_) => "found",
            GatewayServiceLookup::Predecessor => "predecessor",
            GatewayServiceLookup::Foreign => "foreign",
        };
        let (new, old) = ((GATEWAY_UID_LABEL, "new"), (GATEWAY_UID_LABEL, "old"));
        assert_eq!(lookup(&Resources::new()), "missing");
        assert_eq!(lookup(&with_labels("infra", &[managed, new])), "missing");
        assert_eq!(lookup(&with_labels("system", &[managed, new])), "found");
        assert_eq!(lookup(&with_labels("system", &[managed, old])), "predecessor");
        assert_eq!(lookup(&with_labels("system", &[managed])), "found");
        assert_eq!(lookup(&with_labels("system", &[new])), "foreign");
        assert_eq!(lookup(&with_labels("system", &[(MANAGED_BY_LABEL, "x"), new])), "foreign");
    }
}
