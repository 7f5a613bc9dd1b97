//! sluicegate, run from a file of manifests: the program of this build, and as `baseline` another
//! program, such as that of an earlier commit.

use std::env;
use std::fmt::Write as _;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Context as _;

use super::{Proxy, Route};

pub(crate) const NAME: &str = "sluicegate";
pub(crate) const BASELINE: &str = "baseline";

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
    name: &'static str,
    program: PathBuf,
}

pub(super) fn find() -> Option<Box<dyn Proxy>> {
    // The program of the same build is in the same directory.
    let program = env::current_exe().ok()?.with_file_name("sluicegate");
    program.is_file().then(|| Box::new(Sluicegate { name: NAME, program }) as Box<dyn Proxy>)
}

/// Returns another program of sluicegate as a proxy.
pub(super) fn baseline(program: &Path) -> anyhow::Result<Box<dyn Proxy>> {
    let program = program
        .canonicalize()
        .with_context(|| format!("cannot find the baseline {}", program.display()))?;
    Ok(Box::new(Sluicegate { name: BASELINE, program }))
}

impl Proxy for Sluicegate {
    fn name(&self) -> &'static str {
        self.name
    }

    fn version(&self) -> String {
        // The commit from which a baseline was built is not known.
        if self.name == BASELINE {
            return super::version(&self.program, "--version");
        }
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
