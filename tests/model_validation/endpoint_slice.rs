//! EndpointSlice.

use super::{accepted, many, object, refused};

#[test]
fn slice_addresses_match_the_address_type() {
    let slice = |family: &str, endpoints: &str| {
        object(
            "discovery.k8s.io/v1",
            "EndpointSlice",
            &format!("addressType: {family}\nports: [{{port: 1}}]\nendpoints: [{endpoints}]"),
        )
    };
    accepted(slice("IPv4", "{addresses: [10.0.0.1]}"));
    accepted(slice("IPv6", "{addresses: [\"2001:db8::1\"]}"));
    accepted(slice("FQDN", "{addresses: [db.example.com]}"));
    let field = "endpoints[0].addresses[0]";
    refused(slice("IPv4", "{addresses: [\"2001:db8::1\"]}"), field, "addressType IPv4");
    refused(slice("IPv6", "{addresses: [10.0.0.1]}"), field, "addressType IPv6");
    refused(slice("IPv4", "{addresses: [db.example.com]}"), field, "addressType IPv4");
    refused(slice("IPv6", "{addresses: [\"::ffff:10.0.0.1\"]}"), field, "addressType IPv6");
    refused(slice("IPv4", "{addresses: []}"), "endpoints[0].addresses", "has 0 entries; 1 to 100");
    refused(slice("IPv4", "{}"), "endpoints[0].addresses", "is missing");
    let full = |count| {
        slice("IPv4", &many(count, |n| format!("{{addresses: [10.0.{}.{}]}}", n / 250, n % 250)))
    };
    accepted(full(1000));
    refused(full(1001), "endpoints", "has 1001 entries; 0 to 1000");
    refused(slice("IPv5", ""), "addressType", "found the text `IPv5`");
}

#[test]
fn slice_ports_are_numbers_and_unique() {
    let slice = |ports: &str| {
        object(
            "discovery.k8s.io/v1",
            "EndpointSlice",
            &format!("addressType: IPv4\nports: [{ports}]\nendpoints: ~"),
        )
    };
    accepted(slice("{}"));
    accepted(slice("{port: ~, name: ~, protocol: ~}"));
    accepted(slice("{port: 80.0}, {name: a, port: 80}"));
    for bad in ["0", "-1", "65536", "4294967296"] {
        let message = format!("{bad} must be a port from 1 to 65535");
        refused(slice(&format!("{{port: {bad}}}")), "ports[0].port", &message);
    }
    for bad in ["\"80\"", "8.5", "http"] {
        refused(slice(&format!("{{port: {bad}}}")), "ports[0].port", "a port from 1 to 65535");
    }
    refused(slice("{port: 1}, {name: \"\", port: 2}"), "ports[1].name", "must be unique");
    refused(slice("{protocol: \"\"}"), "ports[0].protocol", "an empty text");
}
