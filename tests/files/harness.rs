//! Harness: a gateway that follows a directory of manifests, and texts to write into it.

use std::fs;
use std::net::{IpAddr, SocketAddr};
use std::path::Path;
use std::sync::LazyLock;

use sluicegate::sources::FileSource;
use sluicegate::{Handle, Report, Reports, Server};
use tempfile::TempDir;

use crate::support::{backend, eventually, free_port, name_at, own_address, report_where};

/// A directory of manifests, and the gateway that follows it.
pub(crate) struct Follower {
    pub(crate) directory: TempDir,
    pub(crate) address: IpAddr,
    pub(crate) gateway: Handle,
    pub(crate) reports: Reports,
}

/// The ports of the listeners.
pub(crate) static FIRST: LazyLock<u16> = LazyLock::new(free_port);
pub(crate) static SECOND: LazyLock<u16> = LazyLock::new(free_port);

pub(crate) const CLASS: &str = "
apiVersion: gateway.networking.k8s.io/v1
kind: GatewayClass
metadata: {name: c}
spec: {controllerName: example.com/c}
";

pub(crate) fn gateway(name: &str, ports: &[u16]) -> String {
    let named = |port: &u16| if port == &*FIRST { "first" } else { "second" };
    let listener =
        |port: &u16| format!("  - {{name: {}, protocol: TCP, port: {port}}}\n", named(port));
    format!(
        "apiVersion: gateway.networking.k8s.io/v1\nkind: Gateway\nmetadata: {{name: {name}}}\nspec:\n  gatewayClassName: c\n  listeners:\n{}",
        ports.iter().map(listener).collect::<String>()
    )
}

pub(crate) fn route(name: &str, listener: &str, service: &str) -> String {
    format!(
        "apiVersion: gateway.networking.k8s.io/v1\nkind: TCPRoute\nmetadata: {{name: {name}}}\nspec:\n  parentRefs: [{{name: g, sectionName: {listener}}}]\n  rules: [{{backendRefs: [{{name: {service}, port: 1}}]}}]\n"
    )
}

pub(crate) fn service(name: &str, endpoint: SocketAddr) -> String {
    format!(
        "apiVersion: v1
kind: Service
metadata: {{name: {name}}}
spec: {{ports: [{{port: 1}}]}}
---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: {{name: {name}, labels: {{kubernetes.io/service-name: {name}}}}}
addressType: IPv4
endpoints: [{{addresses: [{}]}}]
ports: [{{port: {}}}]
",
        endpoint.ip(),
        endpoint.port()
    )
}

pub(crate) fn join(documents: &[String]) -> String {
    documents.join("\n---\n")
}

/// Starts a gateway with one listener, one route and a backend `one`, each in its own file.
pub(crate) async fn follow() -> Follower {
    let directory = TempDir::new().unwrap();
    fs::write(
        directory.path().join("gateway.yaml"),
        join(&[CLASS.to_owned(), gateway("g", &[*FIRST])]),
    )
    .unwrap();
    fs::write(directory.path().join("route.yaml"), route("r", "first", "one")).unwrap();
    fs::write(
        directory.path().join("services.yaml"),
        join(&[service("one", backend("one")), service("two", backend("two"))]),
    )
    .unwrap();
    follow_directory(directory).await
}

pub(crate) async fn follow_directory(directory: TempDir) -> Follower {
    let address = own_address();
    let gateway = Server::builder()
        .source(FileSource::new([directory.path()]))
        .bind(address)
        .start()
        .await
        .unwrap();
    let reports = gateway.reports();
    Follower { directory, address, gateway, reports }
}

impl Follower {
    pub(crate) fn path(&self, file: &str) -> std::path::PathBuf {
        self.directory.path().join(file)
    }

    pub(crate) fn at(&self, port: u16) -> SocketAddr {
        (self.address, port).into()
    }

    pub(crate) fn expect(&self, port: u16, name: Option<&str>) {
        eventually(&format!("{name:?} at port {port}"), || {
            name_at(self.at(port)).as_deref() == name
        });
    }

    pub(crate) async fn report(
        &mut self,
        what: &str,
        condition: impl Fn(&Report) -> bool,
    ) -> std::sync::Arc<Report> {
        report_where(&mut self.reports, what, condition).await
    }
}

/// Replaces a file by renaming a new one over it, as editors do.
pub(crate) fn replace(path: &Path, text: &str) {
    let new = path.with_extension("new");
    fs::write(&new, text).unwrap();
    fs::rename(new, path).unwrap();
}
