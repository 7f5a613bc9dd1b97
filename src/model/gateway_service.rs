//! The Service in front of a Gateway: its name, and the ports it leads to.

use std::ops::RangeInclusive;

use super::gateway::Gateway;
use super::hash::stable_hash;
use super::scalar::{ObjectName, is_dns_label};

/// The range of pod ports: the `targetPort`s of Gateways' Services. It ends below the ephemeral
/// ports of Linux (32768 and up) and the node ports of Kubernetes (30000 to 32767).
pub(crate) const POD_PORTS: RangeInclusive<u16> = 20_000..=29_999;

/// The longest name of a Service.
const MAX_LEN: usize = 63;

/// The name of the Service through which a Gateway is reached, where each has one:
/// `<gateway>-<class>`, as [GEP-1762](https://gateway-api.sigs.k8s.io/geps/gep-1762/) says. Where a
/// Service cannot have that name, it is made to fit, and told from others by a hash.
pub fn gateway_service_name(gateway: &Gateway) -> ObjectName {
    let (name, class) = (&gateway.metadata.name, &gateway.spec.gateway_class_name);
    let whole = format!("{name}-{class}");
    let name = if is_dns_label(&whole) && starts_with_letter(&whole) {
        whole
    } else {
        let fitting = |letter: char| {
            if letter.is_ascii_alphanumeric() { letter.to_ascii_lowercase() } else { '-' }
        };
        let mut name: String = whole.chars().map(fitting).collect();
        if !starts_with_letter(&name) {
            name.insert_str(0, "gateway-");
        }
        let hash = format!("-{:08x}", stable_hash(&whole) as u32);
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
    use crate::model::ObjectMeta;

    fn service_name(gateway: &str, class: &str) -> String {
        let metadata = ObjectMeta::named(gateway.parse().unwrap());
        gateway_service_name(&Gateway::new(metadata, class.parse().unwrap(), Vec::new()))
            .to_string()
    }

    #[test]
    fn it_is_what_gep_1762_says_wherever_that_is_a_name() {
        assert_eq!(service_name("edge", "sluicegate"), "edge-sluicegate");
        let long = "g".repeat(52);
        assert_eq!(service_name(&long, "sluicegate"), format!("{long}-sluicegate"));
    }

    #[test]
    fn it_is_always_a_name_that_a_service_can_have() {
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
        for (place, name) in names.iter().enumerate() {
            assert!(is_dns_label(name) && starts_with_letter(name), "{name}");
            assert!(!names[..place].contains(name), "{name}");
        }
        assert_eq!(service_name("1st", "sluicegate"), "gateway-1st-sluicegate-53772d68");
    }
}
