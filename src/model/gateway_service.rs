//! Service in front of a Gateway: name, pod ports and ownership.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;

use super::gateway::Gateway;
use super::hash::stable_hash;
use super::meta::NamespacedName;
use super::resources::Resources;
use super::scalar::{ObjectName, PortNumber, is_dns_label};
use super::service::Service;

/// Range of pod ports, the `targetPort`s of the Services of Gateways. It ends below the node ports
/// of Kubernetes (30000 to 32767) and the ephemeral ports of Linux (32768 and up).
pub(crate) const POD_PORTS: RangeInclusive<u16> = 20_000..=29_999;

/// The pod port (`targetPort`) that the Service of a Gateway needs for each listener port, by
/// Gateway.
pub type PodPorts = BTreeMap<NamespacedName, BTreeMap<PortNumber, PortNumber>>;

/// Maximum length of the name of a Service.
const MAX_LEN: usize = 63;

/// Result of [`Resources::service_of`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum GatewayServiceLookup<'a> {
    /// There is no Service of this name.
    Missing,
    /// The Service is owned by the Gateway.
    Owned(&'a Service),
    /// The Service is owned by a deleted Gateway of the same name. Kubernetes garbage-collects it.
    Predecessor,
    /// The Service belongs to something else, and its name is not available to the Gateway.
    Foreign,
}

impl Gateway {
    /// Returns namespace and name of the Service in front of the Gateway.
    ///
    /// The name is `<gateway>-<class>`, as specified by
    /// [GEP-1762](https://gateway-api.sigs.k8s.io/geps/gep-1762/). If this is not a valid name of a
    /// Service, invalid characters are replaced, the text is truncated, and a hash of the original
    /// text is appended.
    pub fn service_name(&self) -> NamespacedName {
        let full = format!("{}-{}", self.metadata.name, self.spec.gateway_class_name);
        NamespacedName { namespace: self.metadata.namespace(), name: to_service_name(&full) }
    }
}

impl Resources {
    /// Returns the Service in front of a Gateway, [`Gateway::service_name`], if the Gateway owns
    /// it.
    ///
    /// The Gateway owns the Service if an owner reference has the Gateway's uid. The name alone is
    /// not sufficient: any client may have created a Service of that name.
    pub fn service_of(&self, gateway: &Gateway) -> GatewayServiceLookup<'_> {
        let Some(service) = self.services.get(&gateway.service_name()) else {
            return GatewayServiceLookup::Missing;
        };
        if service.metadata.is_owned_by(&gateway.metadata) {
            return GatewayServiceLookup::Owned(service);
        }
        let name = gateway.metadata.name.as_str();
        let mut owners = service.metadata.owner_references.iter();
        if owners.any(|owner| owner.kind == "Gateway" && owner.name == name) {
            GatewayServiceLookup::Predecessor
        } else {
            GatewayServiceLookup::Foreign
        }
    }
}

/// Returns a valid name of a Service for the text `<gateway>-<class>`.
fn to_service_name(full: &str) -> ObjectName {
    let name = if is_dns_label(full) && starts_with_letter(full) {
        full.to_owned()
    } else {
        let to_valid = |letter: char| {
            if letter.is_ascii_alphanumeric() { letter.to_ascii_lowercase() } else { '-' }
        };
        let mut name: String = full.chars().map(to_valid).collect();
        if !starts_with_letter(&name) {
            name.insert_str(0, "gateway-");
        }
        let hash = format!("-{:08x}", stable_hash(full) as u32);
        name.truncate(MAX_LEN - hash.len());
        name.trim_end_matches('-').to_owned() + &hash
    };
    ObjectName::new(name).expect("a DNS label")
}

fn starts_with_letter(text: &str) -> bool {
    text.starts_with(|first: char| first.is_ascii_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{ObjectMeta, OwnerReference, PortNumber};

    fn service_name(gateway: &str, class: &str) -> String {
        let metadata = ObjectMeta::named(gateway.parse().unwrap());
        Gateway::new(metadata, class.parse().unwrap(), Vec::new()).service_name().name.to_string()
    }

    #[test]
    fn service_name_follows_gep_1762() {
        assert_eq!(service_name("edge", "sluicegate"), "edge-sluicegate");
        let long = "g".repeat(52);
        assert_eq!(service_name(&long, "sluicegate"), format!("{long}-sluicegate"));
    }

    #[test]
    fn service_name_is_valid_and_unique() {
        let long = "g".repeat(253);
        let names = [
            service_name(&long, "sluicegate"),
            service_name(&format!("{long:.252}h"), "sluicegate"),
            service_name("edge.example.com", "sluicegate"),
            service_name("edge-example.com", "sluicegate"),
            service_name("1st", "sluicegate"),
            service_name(&"-".repeat(60), "sluicegate"),
            service_name("Ä", "Ö"),
        ];
        for (index, name) in names.iter().enumerate() {
            assert!(is_dns_label(name) && starts_with_letter(name), "{name}");
            assert!(!names[..index].contains(name), "{name}");
        }
        assert_eq!(service_name("1st", "sluicegate"), "gateway-1st-sluicegate-53772d68");
    }

    #[test]
    fn service_of_gateway_is_found_by_name_and_owner() {
        let mut metadata = ObjectMeta::named("edge".parse().unwrap());
        metadata.uid = Some("new".into());
        let gateway = Gateway::new(metadata, "c".parse().unwrap(), Vec::new());
        let with_owner = |owner: Option<(&str, &str, &str)>| -> Resources {
            let mut metadata = ObjectMeta::named("edge-c".parse().unwrap());
            metadata.owner_references = owner
                .map(|(kind, name, uid)| OwnerReference {
                    kind: kind.to_owned(),
                    name: name.to_owned(),
                    uid: uid.into(),
                })
                .into_iter()
                .collect();
            [Service::new(metadata, PortNumber::new(80).unwrap())].into_iter().collect()
        };
        assert_eq!(Resources::new().service_of(&gateway), GatewayServiceLookup::Missing);
        let owned = with_owner(Some(("Gateway", "edge", "new")));
        let service = &owned.services[&gateway.service_name()];
        assert_eq!(owned.service_of(&gateway), GatewayServiceLookup::Owned(service));
        let old = with_owner(Some(("Gateway", "edge", "old")));
        assert_eq!(old.service_of(&gateway), GatewayServiceLookup::Predecessor);
        for owner in [None, Some(("Gateway", "other", "x")), Some(("Ingress", "edge", "old"))] {
            assert_eq!(with_owner(owner).service_of(&gateway), GatewayServiceLookup::Foreign);
        }
    }
}
