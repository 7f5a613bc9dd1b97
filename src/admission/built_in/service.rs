//! Rules of Services.

use std::net::IpAddr;

use serde_json::Value;

use super::names::check_enum;
use super::read::{is_unset, items, text};
use super::special_address::{IP_ADDRESS_ERROR, Loopback, check_special};
use super::{cluster_ip, service_port};
use crate::schema::{Cause, Causes, FieldPath, check_labels, subdomain_error};

/// Longest time of session affinity: a day.
const MAX_AFFINITY_SECONDS: i64 = 86_400;

pub(super) fn check(service: &Value, old: Option<&Value>, causes: &mut Causes) {
    let (spec, path) = (&service["spec"], FieldPath::ROOT.field("spec"));
    let enums: [(&str, &[&str]); 6] = [
        ("type", &["ClusterIP", "ExternalName", "LoadBalancer", "NodePort"]),
        ("sessionAffinity", &["ClientIP", "None"]),
        ("externalTrafficPolicy", &["Cluster", "Local"]),
        ("internalTrafficPolicy", &["Cluster", "Local"]),
        ("ipFamilyPolicy", &["PreferDualStack", "RequireDualStack", "SingleStack"]),
        ("trafficDistribution", &["PreferClose", "PreferSameNode", "PreferSameZone"]),
    ];
    for (field, allowed) in enums {
        check_enum(spec, field, allowed, &path, causes);
    }
    service_port::check(spec, path, causes);
    cluster_ip::check(spec, path, causes);
    if let Some(old) = old {
        cluster_ip::check_update(spec, &old["spec"], path, causes);
    }
    check_labels(&spec["selector"], &path.field("selector"), causes);
    check_external_name(spec, path, causes);
    check_affinity(spec, path, causes);
    check_families(spec, path, causes);
    let external = path.field("externalIPs");
    for (index, value) in items(&spec["externalIPs"]).iter().enumerate() {
        check_special(value, &external.index(index), Loopback::NotAllowed, causes);
    }
    check_load_balancer(spec, path, causes);
}

/// Checks the addresses that a load balancer reported.
pub(super) fn check_status(service: &Value, causes: &mut Causes) {
    let balancer = &service["status"]["loadBalancer"];
    let status = FieldPath::ROOT.field("status");
    let balancer_path = status.field("loadBalancer");
    let list = balancer_path.field("ingress");
    for (index, ingress) in items(&balancer["ingress"]).iter().enumerate() {
        let path = list.index(index);
        let (ip, hostname) = (text(ingress, "ip"), text(ingress, "hostname"));
        if !ip.is_empty() && ip.parse::<IpAddr>().is_err() {
            causes.push(|| Cause::invalid(&path.field("ip"), &ingress["ip"], IP_ADDRESS_ERROR));
        }
        if hostname.is_empty() {
            continue;
        }
        let path = path.field("hostname");
        if let Some(error) = subdomain_error(hostname) {
            causes.push(|| Cause::invalid(&path, &ingress["hostname"], error));
        } else if hostname.parse::<IpAddr>().is_ok() {
            let detail = "must be a DNS name, not an IP address";
            causes.push(|| Cause::invalid(&path, &ingress["hostname"], detail));
        }
    }
}

fn check_external_name(spec: &Value, path: FieldPath<'_>, causes: &mut Causes) {
    if text(spec, "type") != "ExternalName" {
        return;
    }
    let (name, path) = (text(spec, "externalName"), path.field("externalName"));
    if name.is_empty() {
        causes.push(|| Cause::required(&path, ""));
    } else if let Some(error) = subdomain_error(name.strip_suffix('.').unwrap_or(name)) {
        causes.push(|| Cause::invalid(&path, &name.into(), error));
    }
}

fn check_affinity(spec: &Value, path: FieldPath<'_>, causes: &mut Causes) {
    if text(spec, "sessionAffinity") != "ClientIP" {
        return;
    }
    let value = &spec["sessionAffinityConfig"]["clientIP"]["timeoutSeconds"];
    let config = path.field("sessionAffinityConfig");
    let client = config.field("clientIP");
    if !value.as_i64().is_some_and(|seconds| (1..=MAX_AFFINITY_SECONDS).contains(&seconds)) {
        let detail = format!("must be greater than 0 and less than {MAX_AFFINITY_SECONDS}");
        causes.push(|| Cause::invalid(&client.field("timeoutSeconds"), value, &detail));
    }
}

fn check_families(spec: &Value, path: FieldPath<'_>, causes: &mut Causes) {
    let families = items(&spec["ipFamilies"]);
    let path = path.field("ipFamilies");
    if families.len() > 2 {
        let detail = "may only hold up to 2 values";
        causes.push(|| Cause::invalid(&path, &spec["ipFamilies"], detail));
        return;
    }
    for (index, family) in families.iter().enumerate() {
        let item = path.index(index);
        if !["IPv4", "IPv6"].contains(&family.as_str().unwrap_or_default()) {
            causes.push(|| Cause::not_supported(&item, family, ["IPv4", "IPv6"]));
        }
        if families[..index].contains(family) {
            causes.push(|| Cause::duplicate(&item, family));
        }
    }
}

fn check_load_balancer(spec: &Value, path: FieldPath<'_>, causes: &mut Causes) {
    let service_type = text(spec, "type");
    let is_load_balancer = service_type == "LoadBalancer";
    let only = "may only be used when `type` is 'LoadBalancer'";
    for field in ["loadBalancerSourceRanges", "loadBalancerClass", "allocateLoadBalancerNodePorts"]
    {
        if !is_load_balancer && !is_unset(&spec[field]) {
            causes.push(|| Cause::forbidden(&path.field(field), only));
        }
    }
    let ranges = path.field("loadBalancerSourceRanges");
    for (index, range) in items(&spec["loadBalancerSourceRanges"]).iter().enumerate() {
        if !range.as_str().is_some_and(is_cidr) {
            let detail = "must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)";
            causes.push(|| Cause::invalid(&ranges.index(index), range, detail));
        }
    }
    let is_external = is_load_balancer
        || service_type == "NodePort"
        || service_type == "ClusterIP" && !items(&spec["externalIPs"]).is_empty();
    let policy = &spec["externalTrafficPolicy"];
    if !is_external && !is_unset(policy) {
        let detail = "may only be set for externally-accessible services";
        causes.push(|| Cause::invalid(&path.field("externalTrafficPolicy"), policy, detail));
    }
    let health_check = &spec["healthCheckNodePort"];
    let is_health_checked = is_load_balancer && *policy == "Local";
    if !is_health_checked && !is_unset(health_check) {
        let detail = "may only be set when `type` is 'LoadBalancer' and `externalTrafficPolicy` \
                      is 'Local'";
        causes.push(|| Cause::invalid(&path.field("healthCheckNodePort"), health_check, detail));
    }
}

fn is_cidr(text: &str) -> bool {
    let Some((address, length)) = text.trim().split_once('/') else { return false };
    let Ok(address) = address.parse::<IpAddr>() else { return false };
    let most = if address.is_ipv4() { 32 } else { 128 };
    length.bytes().all(|byte| byte.is_ascii_digit())
        && length.parse::<u8>().is_ok_and(|length| length <= most)
}
