//! Rules of EndpointSlices. Counts, duplicate names and the family of addresses are rules of the
//! model.

use std::collections::HashSet;

use serde_json::Value;

use super::immutable::check_same;
use super::names::{check_enum, check_label_name, check_port_number, check_qualified_name};
use super::read::{items, text};
use super::special_address::{Loopback, check_special};
use crate::admission::settings::Settings;
use crate::schema::{Cause, Causes, FieldPath, subdomain_error};

pub(super) fn check(slice: &Value, old: Option<&Value>, settings: Settings, causes: &mut Causes) {
    let root = FieldPath::ROOT;
    check_enum(slice, "addressType", &["FQDN", "IPv4", "IPv6"], &root, causes);
    if text(slice, "addressType").is_empty() {
        causes.push(|| Cause::required(&root.field("addressType"), ""));
    }
    if let Some(old) = old {
        check_same(slice, old, "addressType", &root, causes);
    }
    let ports = root.field("ports");
    for (index, port) in items(&slice["ports"]).iter().enumerate() {
        let path = ports.index(index);
        if !text(port, "name").is_empty() {
            check_label_name(&port["name"], &path.field("name"), causes);
        }
        if !port["port"].is_null() {
            check_port_number(&port["port"], &path.field("port"), causes);
        }
        check_enum(port, "protocol", &["SCTP", "TCP", "UDP"], &path, causes);
        check_qualified_name(&port["appProtocol"], &path.field("appProtocol"), causes);
    }
    let stored_addresses = old.map(|old| addresses_to_keep(slice, old)).unwrap_or_default();
    let endpoints = root.field("endpoints");
    let is_fqdn = text(slice, "addressType") == "FQDN";
    let loopback = match settings.allows_local_endpoints {
        true => Loopback::Allowed,
        false => Loopback::NeedsOption,
    };
    for (index, endpoint) in items(&slice["endpoints"]).iter().enumerate() {
        let path = endpoints.index(index);
        check_label_name(&endpoint["hostname"], &path.field("hostname"), causes);
        let addresses = path.field("addresses");
        for (index, address) in items(&endpoint["addresses"]).iter().enumerate() {
            let path = addresses.index(index);
            if is_fqdn {
                check_domain(address, &path, causes);
            } else if !stored_addresses.contains(&address.as_str()) {
                check_special(address, &path, loopback, causes);
            }
        }
    }
}

/// Returns the addresses that an update may keep although a new slice could not have them, as after
/// a start without `--allow-local-endpoints`. With other ports they would be other endpoints.
fn addresses_to_keep<'a>(slice: &Value, old: &'a Value) -> HashSet<Option<&'a str>> {
    if slice["ports"] != old["ports"] {
        return HashSet::new();
    }
    let endpoints = items(&old["endpoints"]).iter();
    endpoints.flat_map(|one| items(&one["addresses"])).map(Value::as_str).collect()
}

/// Checks a fully qualified domain name, with or without the last dot.
fn check_domain(value: &Value, path: &FieldPath<'_>, causes: &mut Causes) {
    let text = value.as_str().unwrap_or_default();
    let name = text.strip_suffix('.').unwrap_or(text);
    if text.is_empty() {
        causes.push(|| Cause::required(path, ""));
    } else if let Some(error) = subdomain_error(name) {
        causes.push(|| Cause::invalid(path, value, error));
    } else if !name.contains('.') {
        let detail = "should be a domain with at least two segments separated by dots";
        causes.push(|| Cause::invalid(path, value, detail));
    }
}
