//! Parsers of option values.

use std::time::Duration;

use sluicegate::model::{ExternalTrafficPolicy, Labels, ServiceType};

pub(super) fn seconds(text: &str) -> Result<Duration, String> {
    let seconds = text.parse().map_err(|_| "it should be a number of seconds, as in 30 or 0.5")?;
    Duration::try_from_secs_f64(seconds)
        .map_err(|_| "it should be a number of seconds that is not negative".to_owned())
}

pub(super) fn service_type(text: &str) -> Result<ServiceType, &'static str> {
    match text {
        "LoadBalancer" => Ok(ServiceType::LoadBalancer),
        "ClusterIP" => Ok(ServiceType::ClusterIP),
        "NodePort" => Ok(ServiceType::NodePort),
        _ => Err("it should be LoadBalancer, ClusterIP or NodePort"),
    }
}

pub(super) fn external_traffic_policy(text: &str) -> Result<ExternalTrafficPolicy, &'static str> {
    match text {
        "Cluster" => Ok(ExternalTrafficPolicy::Cluster),
        "Local" => Ok(ExternalTrafficPolicy::Local),
        _ => Err("it should be Cluster or Local"),
    }
}

pub(super) fn annotations(text: &str) -> Result<Labels, String> {
    let separator = if text.contains('\n') { '\n' } else { ',' };
    let pairs = text.split(separator).map(str::trim).filter(|pair| !pair.is_empty());
    let pair = |pair: &str| match pair.split_once('=') {
        Some((key, value)) => Ok((key.to_owned(), value.to_owned())),
        None => Err(format!("`{pair}` should be KEY=VALUE")),
    };
    pairs.map(pair).collect()
}
