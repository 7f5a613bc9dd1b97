//! Addresses that no endpoint may have.

use std::net::{IpAddr, Ipv4Addr};

use serde_json::Value;

use crate::schema::{Cause, Causes, FieldPath};

/// Error of a text that is not an IP address.
pub(super) const IP_ADDRESS_ERROR: &str =
    "must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)";

/// Rule for loopback addresses.
#[derive(Debug, Clone, Copy)]
pub(super) enum Loopback {
    Allowed,
    /// Not allowed; an option of the program would allow them.
    NeedsOption,
    NotAllowed,
}

/// Checks an IP address: unspecified, link-local and multicast addresses are refused, and loopback
/// addresses unless they are allowed. A link-local address may be that of a metadata service.
pub(super) fn check_special(
    value: &Value,
    path: &FieldPath<'_>,
    loopback: Loopback,
    causes: &mut Causes,
) {
    let Ok(address) = value.as_str().unwrap_or_default().parse::<IpAddr>() else {
        causes.push(|| Cause::invalid(path, value, IP_ADDRESS_ERROR));
        return;
    };
    if let Some(detail) = special_error(address.to_canonical(), loopback) {
        causes.push(|| Cause::invalid(path, value, detail));
    }
}

fn special_error(address: IpAddr, loopback: Loopback) -> Option<&'static str> {
    let is_link_local = match address {
        IpAddr::V4(address) => address.is_link_local(),
        IpAddr::V6(address) => address.is_unicast_link_local(),
    };
    if is_this_network(address) {
        Some("may not be unspecified (0.0.0.0 or ::)")
    } else if address.is_loopback() {
        match loopback {
            Loopback::Allowed => None,
            Loopback::NeedsOption => Some(
                "may not be in the loopback range (127.0.0.0/8, ::1/128), unless the gateway runs with --allow-local-endpoints",
            ),
            Loopback::NotAllowed => Some("may not be in the loopback range (127.0.0.0/8, ::1/128)"),
        }
    } else if is_link_local {
        Some("may not be in the link-local range (169.254.0.0/16, fe80::/10)")
    } else if address.is_multicast() {
        Some("may not be in the multicast range (224.0.0.0/4, ff00::/8)")
    } else if address == Ipv4Addr::BROADCAST {
        Some("may not be the broadcast address (255.255.255.255)")
    } else {
        None
    }
}

/// Returns `true` for an address of 0.0.0.0/8 or `::`. Linux connects to some of them on loopback.
fn is_this_network(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => address.octets()[0] == 0,
        IpAddr::V6(address) => address.is_unspecified(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn special_addresses_are_refused_in_all_notations() {
        for (text, allowed, allowed_locally) in [
            ("10.0.0.1", true, true),
            ("2001:db8::1", true, true),
            ("127.0.0.1", false, true),
            ("127.9.9.9", false, true),
            ("::1", false, true),
            ("::ffff:127.0.0.1", false, true),
            ("0.0.0.0", false, false),
            ("0.0.0.1", false, false),
            ("::", false, false),
            ("::ffff:0.0.0.0", false, false),
            ("169.254.169.254", false, false),
            ("::ffff:169.254.169.254", false, false),
            ("fe80::1", false, false),
            ("febf::1", false, false),
            ("224.0.0.1", false, false),
            ("239.1.1.1", false, false),
            ("ff02::1", false, false),
            ("255.255.255.255", false, false),
            ("10.0.0.256", false, false),
            ("010.0.0.1", false, false),
            ("fe80::1%eth0", false, false),
            ("name", false, false),
            ("", false, false),
        ] {
            for (loopback, expected) in [
                (Loopback::Allowed, allowed_locally),
                (Loopback::NeedsOption, allowed),
                (Loopback::NotAllowed, allowed),
            ] {
                let mut causes = Causes::default();
                check_special(&text.into(), &FieldPath::ROOT, loopback, &mut causes);
                assert_eq!(causes.is_empty(), expected, "{text} {loopback:?}: {causes:?}");
                let names_option = format!("{causes:?}").contains("--allow-local-endpoints");
                let needs_option = matches!(loopback, Loopback::NeedsOption);
                assert_eq!(names_option, needs_option && allowed != allowed_locally, "{text}");
            }
        }
    }
}
