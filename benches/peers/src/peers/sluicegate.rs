//! This crate, run by its `file_gateway` example: from manifests, with a log line for each
//! connection.

use std::env;
use std::fmt::Write as _;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::{Proxy, Route};

pub(crate) const NAME: &str = "sluicegate";

fn manifests(routes: &[Route]) -> String {
    let mut text = "\
apiVersion: gateway.networking.k8s.io/v1
kind: GatewayClass
metadata:
  name: peers
spec:
  controllerName: sluicegate.dev/gateway-controller
---
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata:
  name: peers
spec:
  gatewayClassName: peers
  listeners:
"
    .to_owned();
    for Route { backend, listen, .. } in routes {
        let name = backend.name();
        let _ = writeln!(text, "  - {{name: {name}, protocol: TCP, port: {listen}}}");
    }
    for Route { backend, connect, .. } in routes {
        let name = backend.name();
        let _ = write!(
            text,
            "\
---
apiVersion: gateway.networking.k8s.io/v1
kind: TCPRoute
metadata:
  name: {name}
spec:
  parentRefs:
  - {{name: peers, sectionName: {name}}}
  rules:
  - backendRefs:
    - {{name: {name}, port: {connect}}}
---
apiVersion: v1
kind: Service
metadata:
  name: {name}
spec:
  ports:
  - port: {connect}
---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata:
  name: {name}
  labels:
    kubernetes.io/service-name: {name}
addressType: IPv4
ports:
- port: {connect}
endpoints:
- addresses: [127.0.0.1]
"
        );
    }
    text
}

struct Sluicegate {
    program: PathBuf,
}

pub(super) fn find() -> Option<Box<dyn Proxy>> {
    // The program of the same build is in the same directory.
    let program = env::current_exe().ok()?.with_file_name("sluicegate");
    program.is_file().then(|| Box::new(Sluicegate { program }) as Box<dyn Proxy>)
}

impl Proxy for Sluicegate {
    fn name(&self) -> &'static str {
        NAME
    }

    fn version(&self) -> String {
        let described = Command::new("git").args(["describe", "--always", "--dirty"]).output();
        let described = described.map(|output| output.stdout).unwrap_or_default();
        String::from_utf8_lossy(&described).trim().to_owned()
    }

    fn command(&self, routes: &[Route], folder: &Path) -> io::Result<Option<Command>> {
        let file = folder.join("manifests.yaml");
        fs::write(&file, manifests(routes))?;
        let mut command = Command::new(&self.program);
        command.args(["run", "--workers", "1", "--bind", "127.0.0.1"]);
        command.args(["--health", "127.0.0.1:0", "--files"]).arg(file);
        Ok(Some(command))
    }
}
