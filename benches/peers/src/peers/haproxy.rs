//! [HAProxy](https://docs.haproxy.org/2.6/configuration.html) in TCP mode.

use std::fmt::Write as _;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::{MOST_CONNECTIONS, Proxy, Route};

/// `maxpipes` is more than any scenario splices at once; its default would ask for more files than
/// many systems give. TCP_NODELAY is always set.
fn configuration(routes: &[Route]) -> String {
    let mut text = format!(
        "\
global
    nbthread 1
    maxconn {MOST_CONNECTIONS}
    maxpipes 256

defaults
    mode tcp
    option splice-auto
    timeout connect 10s
    timeout client 1h
    timeout server 1h
"
    );
    for Route { backend, listen, connect } in routes {
        let _ = write!(
            text,
            "
listen {}
    bind 127.0.0.1:{listen}
    server backend 127.0.0.1:{connect}
",
            backend.name()
        );
    }
    text
}

struct HaProxy {
    program: PathBuf,
}

pub(super) fn find() -> Option<Box<dyn Proxy>> {
    Some(Box::new(HaProxy { program: super::installed("haproxy")? }))
}

impl Proxy for HaProxy {
    fn name(&self) -> &'static str {
        "haproxy"
    }

    fn version(&self) -> String {
        super::version(&self.program, "-v")
    }

    fn command(&self, routes: &[Route], folder: &Path) -> io::Result<Command> {
        let file = folder.join("haproxy.cfg");
        fs::write(&file, configuration(routes))?;
        let mut command = Command::new(&self.program);
        // In the foreground, as one process.
        command.arg("-db").arg("-f").arg(file);
        Ok(command)
    }
}
