//! [HAProxy](https://docs.haproxy.org/2.6/configuration.html) in TCP mode, in two configurations:
//! it decides itself what to splice, or it splices everything through pipes as large as ours. The
//! first splices nothing in streams without pauses; the second is slower for small messages.

use std::fmt::Write as _;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::{MOST_CONNECTIONS, Proxy, Route};

/// `maxpipes` is more than any scenario splices at once; its default would ask for more files than
/// many systems give. TCP_NODELAY is always set.
fn configuration(routes: &[Route], pipes: &str, splice: &str) -> String {
    let mut text = format!(
        "\
global
    nbthread 1
    maxconn {MOST_CONNECTIONS}
    maxpipes 256
    {pipes}

defaults
    mode tcp
    {splice}
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

pub(super) const AUTO: &str = "haproxy";
pub(crate) const SPLICE: &str = "haproxy-splice";

struct HaProxy {
    program: PathBuf,
    name: &'static str,
    /// How large they are, where not by default.
    pipes: &'static str,
    splice: &'static str,
}

pub(super) fn find_auto() -> Option<Box<dyn Proxy>> {
    find(AUTO, "", "option splice-auto")
}

pub(super) fn find_splice() -> Option<Box<dyn Proxy>> {
    let splice = "option splice-request\n    option splice-response";
    find(SPLICE, "tune.pipesize 1048576", splice)
}

fn find(name: &'static str, pipes: &'static str, splice: &'static str) -> Option<Box<dyn Proxy>> {
    Some(Box::new(HaProxy { program: super::installed("haproxy")?, name, pipes, splice }))
}

impl Proxy for HaProxy {
    fn name(&self) -> &'static str {
        self.name
    }

    fn version(&self) -> String {
        super::version(&self.program, "-v")
    }

    fn command(&self, routes: &[Route], folder: &Path) -> io::Result<Option<Command>> {
        let file = folder.join("haproxy.cfg");
        fs::write(&file, configuration(routes, self.pipes, self.splice))?;
        let mut command = Command::new(&self.program);
        // In the foreground, as one process.
        command.arg("-db").arg("-f").arg(file);
        Ok(Some(command))
    }
}
