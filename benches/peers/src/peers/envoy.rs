//! [Envoy](https://www.envoyproxy.io/docs/envoy/latest/configuration/listeners/network_filters/tcp_proxy_filter)
//! with a TCP proxy filter on each listener.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Value, json};

use super::{MOST_CONNECTIONS, Proxy, Route};

fn configuration(routes: &[Route]) -> Value {
    let listeners: Vec<_> = routes.iter().map(listener).collect();
    let clusters: Vec<_> = routes.iter().map(cluster).collect();
    json!({ "static_resources": { "listeners": listeners, "clusters": clusters } })
}

/// TCP_NODELAY is always set.
fn listener(route: &Route) -> Value {
    let name = route.backend.name();
    json!({
        "name": name,
        "address": address(route.listen),
        "filter_chains": [{ "filters": [{
            "name": "envoy.filters.network.tcp_proxy",
            "typed_config": {
                "@type": "type.googleapis.com/envoy.extensions.filters.network.tcp_proxy.v3.TcpProxy",
                "stat_prefix": name,
                "cluster": name,
                "idle_timeout": "3600s",
            },
        }] }],
    })
}

/// The default circuit breaker lets no more than 1024 connections through.
fn cluster(route: &Route) -> Value {
    let name = route.backend.name();
    json!({
        "name": name,
        "type": "STATIC",
        "connect_timeout": "10s",
        "circuit_breakers": { "thresholds": [{
            "max_connections": 2 * MOST_CONNECTIONS,
            "max_pending_requests": 2 * MOST_CONNECTIONS,
            "max_requests": 2 * MOST_CONNECTIONS,
        }] },
        "load_assignment": {
            "cluster_name": name,
            "endpoints": [{ "lb_endpoints": [{ "endpoint": { "address": address(route.connect) } }] }],
        },
    })
}

fn address(port: u16) -> Value {
    json!({ "socket_address": { "address": "127.0.0.1", "port_value": port } })
}

struct Envoy {
    program: PathBuf,
}

pub(super) fn find() -> Option<Box<dyn Proxy>> {
    // Where install.sh puts the package from PyPI.
    let package = Path::new("target/peers/envoy/envoy/_bin/envoy");
    let program = match package.is_file() {
        true => package.to_owned(),
        false => super::installed("envoy")?,
    };
    Some(Box::new(Envoy { program }))
}

impl Proxy for Envoy {
    fn name(&self) -> &'static str {
        "envoy"
    }

    fn version(&self) -> String {
        super::version(&self.program, "--version")
    }

    fn command(&self, routes: &[Route], folder: &Path) -> io::Result<Option<Command>> {
        let file = folder.join("envoy.json");
        fs::write(&file, configuration(routes).to_string())?;
        let mut command = Command::new(&self.program);
        command.args(["--concurrency", "1", "--disable-hot-restart", "--log-level", "warn"]);
        command.arg("--config-path").arg(file);
        Ok(Some(command))
    }
}
