//! Parsers of option values.

use std::net::SocketAddr;
use std::num::NonZeroUsize;
use std::time::Duration;

use sluicegate::forward::ConnectionLog;
use sluicegate::model::{ExternalTrafficPolicy, Labels, ServiceType};

pub(super) fn parse_workers(text: &str) -> Result<NonZeroUsize, &'static str> {
    text.parse().map_err(|_| "expected a number of threads, 1 or more")
}

pub(super) fn parse_health_address(text: &str) -> Result<SocketAddr, &'static str> {
    text.parse().map_err(|_| "expected ADDRESS:PORT, such as 127.0.0.1:8081 or [::]:8081")
}

pub(super) fn parse_seconds(text: &str) -> Result<Duration, &'static str> {
    let expected = "expected a number of seconds, 0 or more, such as 30 or 0.5";
    let seconds = text.parse().map_err(|_| expected)?;
    Duration::try_from_secs_f64(seconds).map_err(|_| expected)
}

pub(super) fn parse_positive_seconds(text: &str) -> Result<Duration, &'static str> {
    match parse_seconds(text) {
        Ok(seconds) if !seconds.is_zero() => Ok(seconds),
        _ => Err("expected a number of seconds above 0, such as 3 or 0.5"),
    }
}

pub(super) fn parse_connection_log(text: &str) -> Result<ConnectionLog, &'static str> {
    match text {
        "all" => Ok(ConnectionLog::All),
        "failures" => Ok(ConnectionLog::Failures),
        "off" => Ok(ConnectionLog::Off),
        _ => Err("expected all, failures or off"),
    }
}

pub(super) fn parse_line_limit(text: &str) -> Result<u32, &'static str> {
    text.parse().map_err(|_| "expected a number of lines a second, such as 1000, or 0 for no limit")
}

pub(super) fn parse_service_type(text: &str) -> Result<ServiceType, &'static str> {
    match text {
        "LoadBalancer" => Ok(ServiceType::LoadBalancer),
        "ClusterIP" => Ok(ServiceType::ClusterIP),
        "NodePort" => Ok(ServiceType::NodePort),
        _ => Err("expected LoadBalancer, ClusterIP or NodePort"),
    }
}

pub(super) fn parse_external_traffic_policy(
    text: &str,
) -> Result<ExternalTrafficPolicy, &'static str> {
    match text {
        "Cluster" => Ok(ExternalTrafficPolicy::Cluster),
        "Local" => Ok(ExternalTrafficPolicy::Local),
        _ => Err("expected Cluster or Local"),
    }
}

/// Parses `KEY=VALUE` pairs, separated by line breaks if there are any, else by commas.
pub(super) fn parse_annotations(text: &str) -> Result<Labels, String> {
    let separator = if text.contains('\n') { '\n' } else { ',' };
    let pairs = text.split(separator).map(str::trim).filter(|pair| !pair.is_empty());
    let pair = |pair: &str| match pair.split_once('=') {
        Some((key, value)) => Ok((key.to_owned(), value.to_owned())),
        None => Err(format!("expected KEY=VALUE, found `{pair}`")),
    };
    pairs.map(pair).collect()
}
