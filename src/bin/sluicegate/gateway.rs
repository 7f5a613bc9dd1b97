//! The gateway that the options describe.

use rustix::system::uname;
use sluicegate::forward::Settings;
use sluicegate::sources::{Election, FileSource, KubeSource, LeaseHandle};
use sluicegate::{Builder, Server};

use crate::cli::{Cluster, Options};
use crate::error::RunError;

/// The gateway that was asked for, and who gives its Lease up.
pub(crate) async fn gateway(options: &Options) -> Result<(Builder, Option<LeaseHandle>), RunError> {
    // The connections of a listener that is removed get as much time as those of a stop.
    let mut forward = Settings::default().with_drain_timeout(options.drain_timeout);
    if let Some(workers) = options.workers {
        forward = forward.with_workers(workers);
    }
    let gateway = Server::builder().forward(forward);
    let mut gateway = gateway.addresses(options.place.addresses.clone());
    if let Some(address) = options.place.bind {
        gateway = gateway.bind(address);
    }
    if let Some(address) = options.place.advertise {
        gateway = gateway.advertise(address);
    }
    if options.kubernetes {
        let (source, resigner) = cluster(options).await?;
        return Ok((gateway.source(source), resigner));
    }
    if let Some(name) = &options.controller_name {
        gateway = gateway.controller_name(name.clone());
    }
    Ok((gateway.source(FileSource::new(&options.files)), None))
}

/// The cluster as a source, and who gives its Lease up.
async fn cluster(options: &Options) -> Result<(KubeSource, Option<LeaseHandle>), RunError> {
    let Cluster { watch_namespaces, read_only, lease, identity } = &options.cluster;
    let identity = match identity {
        Some(identity) => identity.clone(),
        None => uname().nodename().to_string_lossy().into_owned(),
    };
    let mut source = KubeSource::infer()
        .await?
        .namespaces(watch_namespaces.iter().cloned())
        .identity(identity.clone());
    if let Some(name) = &options.controller_name {
        source = source.controller_name(name.clone());
    }
    if let Some(template) = options.place.services() {
        source = source.services(template);
    }
    if *read_only {
        return Ok((source.read_only(), None));
    }
    let Some(lease) = lease else { return Ok((source, None)) };
    let election = Election::new(lease.clone(), identity);
    let resigner = election.resigner();
    Ok((source.election(election), Some(resigner)))
}
