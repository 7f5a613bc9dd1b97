//! Conversion of the options into a gateway.

use std::net::SocketAddr;
use std::num::NonZeroU32;

use rustix::system::uname;
use sluicegate::forward::{ConnectionLines, Settings};
use sluicegate::sources::{
    Election, EndpointHandle, FileSource, KubeSource, LeaseHandle, ReloadHandle,
};
use sluicegate::{Builder, Server};

use crate::api::Api;
use crate::api_storage::ApiStorage;
use crate::cli::{KubernetesOptions, RunOptions};
use crate::error::RunError;

/// A gateway that is not started, and the handles of its source.
pub(crate) struct ConfiguredGateway {
    pub(crate) builder: Builder,
    /// Releases the Lease, with `--lease`.
    pub(crate) lease: Option<LeaseHandle>,
    /// Reports if the cluster lists this pod as ready, with `--pod-addresses`.
    pub(crate) endpoint: Option<EndpointHandle>,
    /// Reads all files again, with `--files`.
    pub(crate) reload: Option<ReloadHandle>,
    /// Serves the objects, with `--api`.
    pub(crate) api: Option<Api>,
}

/// Configures the gateway. Its routes must not lead to the health endpoints.
///
/// # Errors
/// Returns [`RunError::Kubernetes`] if there is no configuration for a cluster, and the errors of
/// [`Api::start`].
pub(crate) async fn build_gateway(
    options: &RunOptions,
    connection_lines: Option<ConnectionLines>,
    health: SocketAddr,
    storage: Option<ApiStorage>,
) -> Result<ConfiguredGateway, RunError> {
    // For connections of a removed listener. The shutdown has the same timeout.
    let mut forward = Settings::default()
        .with_drain_timeout(options.drain_timeout)
        .with_connection_log(options.connection_log)
        .with_connection_lines(connection_lines)
        .with_connection_log_limit(NonZeroU32::new(options.connection_log_limit))
        .with_dial_timeout(options.dial_timeout)
        .with_dial_budget(options.dial_budget);
    if let Some(workers) = options.workers {
        forward = forward.with_workers(workers);
    }
    let addresses = &options.address_options;
    let mut builder =
        Server::builder().forward(forward).addresses(addresses.addresses()).own_sockets([health]);
    if let Some(address) = addresses.bind {
        builder = builder.bind(address);
    }
    if let Some(address) = addresses.advertise {
        builder = builder.advertise(address);
    }
    if let Some(special_addresses) = &addresses.special_addresses {
        builder = builder.special_addresses(special_addresses.clone());
    }
    if let Some(limit) = addresses.listeners_per_namespace {
        builder = builder.listeners_per_namespace(limit);
    }
    if options.kubernetes {
        let (source, lease) = build_kubernetes_source(options).await?;
        let endpoint = (!addresses.pod_addresses.is_empty()).then(|| source.endpoint_handle());
        let builder = builder.source(source);
        return Ok(ConfiguredGateway { builder, lease, endpoint, reload: None, api: None });
    }
    if let Some(name) = &options.controller_name {
        builder = builder.controller_name(name.clone());
    }
    if let Some(storage) = storage {
        let api = Api::start(options, storage)?;
        // Admission has checked the endpoints when they were written, maybe with another address of
        // the API.
        let builder = builder.local_endpoints(api.local_endpoints());
        let mut source = api.source();
        if let Some(name) = &options.controller_name {
            source = source.controller_name(name.clone());
        }
        let builder = builder.own_sockets([api.address()]).source(source);
        let api = Some(api);
        return Ok(ConfiguredGateway { builder, lease: None, endpoint: None, reload: None, api });
    }
    let mut files = FileSource::new(&options.files);
    if let Some(interval) = options.poll {
        files = files.poll_interval(interval);
    }
    let reload = Some(files.reload_handle());
    let builder = builder.source(files);
    Ok(ConfiguredGateway { builder, lease: None, endpoint: None, reload, api: None })
}

async fn build_kubernetes_source(
    options: &RunOptions,
) -> Result<(KubeSource, Option<LeaseHandle>), RunError> {
    let KubernetesOptions { watch_namespaces, read_only, lease, identity } =
        &options.kubernetes_options;
    let identity = match identity {
        Some(identity) => identity.clone(),
        None => uname().nodename().to_string_lossy().into_owned(),
    };
    let mut source =
        KubeSource::infer().await?.namespaces(watch_namespaces.iter().cloned()).identity(identity);
    if let Some(name) = &options.controller_name {
        source = source.controller_name(name.clone());
    }
    let addresses = &options.address_options;
    if let Some(template) = addresses.service_template() {
        let pod_addresses = addresses.pod_addresses.iter().copied();
        source = source.services(template).endpoint_addresses(pod_addresses);
    } else if let Some((namespace, selector)) = addresses.services() {
        source = source.delete_services(namespace, selector);
    }
    if *read_only {
        return Ok((source.read_only(), None));
    }
    let Some(lease) = lease else { return Ok((source, None)) };
    let election = Election::new(lease.clone());
    let lease = election.handle();
    Ok((source.election(election), Some(lease)))
}
