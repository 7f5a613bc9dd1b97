//! A TCP gateway from a Kubernetes cluster: the one this runs in or, outside of any, the one that
//! kubectl would speak to. Stop it with ctrl-c.
//!
//! `kube_gateway NAMESPACE/NAME` is one of several replicas: it writes status only while it holds the
//! Lease of that name.

use std::time::Duration;

use sluicegate::Server;
use sluicegate::sources::{Election, KubeSource};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    tracing_subscriber::fmt().init();
    let mut source = KubeSource::infer().await?;
    let mut resigner = None;
    if let Some(lease) = std::env::args().nth(1) {
        let identity = format!("kube-gateway-{}", std::process::id());
        let election = Election::new(lease.parse()?, identity);
        resigner = Some(election.resigner());
        source = source.election(election);
    }
    let gateway = tokio::select! {
        started = Server::builder().source(source).start() => started?,
        _ = tokio::signal::ctrl_c() => return Ok(()),
    };

    tokio::signal::ctrl_c().await?;
    // Another replica writes from here on, while this one waits for its last connections.
    if let Some(resigner) = resigner {
        resigner.resign().await;
    }
    gateway.drain(Duration::from_secs(30)).await;
    Ok(())
}
