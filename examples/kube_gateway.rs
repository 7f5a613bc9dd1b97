//! A TCP gateway for the objects of a Kubernetes cluster. In a pod, this is the cluster of the pod;
//! elsewhere, it is the current cluster of kubectl. Ctrl-C stops the gateway.
//!
//! `kube_gateway NAMESPACE/NAME` runs one of several replicas with leader election: it writes
//! status only while it holds the Lease of that name.

use std::time::Duration;

use sluicegate::Server;
use sluicegate::sources::{Election, KubeSource};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    tracing_subscriber::fmt().init();
    let mut source = KubeSource::infer().await?;
    let mut lease_handle = None;
    if let Some(lease) = std::env::args().nth(1) {
        let identity = format!("kube-gateway-{}", std::process::id());
        let election = Election::new(lease.parse()?);
        lease_handle = Some(election.handle());
        source = source.identity(identity).election(election);
    }
    let gateway = tokio::select! {
        started = Server::builder().source(source).start() => started?,
        _ = tokio::signal::ctrl_c() => return Ok(()),
    };

    tokio::signal::ctrl_c().await?;
    // Another replica can become the leader while this one drains its connections.
    if let Some(lease) = lease_handle {
        lease.release().await;
    }
    gateway.drain(Duration::from_secs(30)).await;
    Ok(())
}
