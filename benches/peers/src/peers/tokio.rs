//! The simplest proxy: [`copy_bidirectional`] in a task for each connection, on one thread.

use std::env;
use std::ffi::OsString;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;

use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

use super::{Proxy, Route};
use crate::ports::loopback;
use crate::socket;

/// The role in which this program is that proxy.
pub(crate) const RELAY: &str = "relay";

pub(super) const NAME: &str = "tokio";

struct Tokio {
    program: PathBuf,
}

pub(super) fn find() -> Option<Box<dyn Proxy>> {
    Some(Box::new(Tokio { program: env::current_exe().ok()? }))
}

impl Proxy for Tokio {
    fn name(&self) -> &'static str {
        NAME
    }

    fn version(&self) -> String {
        "copy_bidirectional".to_owned()
    }

    fn command(&self, routes: &[Route], _folder: &Path) -> io::Result<Option<Command>> {
        let ports = routes.iter().flat_map(|route| [route.listen, route.connect]);
        let mut command = Command::new(&self.program);
        command.arg(RELAY).args(ports.map(|port| OsString::from(port.to_string())));
        Ok(Some(command))
    }
}

/// Forwards from the first port of each pair to the second.
pub(crate) async fn run(ports: &[u16]) -> anyhow::Result<()> {
    let mut listeners = JoinSet::new();
    for pair in ports.chunks_exact(2) {
        let listener = TcpListener::from_std(socket::listen(loopback(pair[0]))?)?;
        let backend = loopback(pair[1]);
        listeners.spawn(async move {
            loop {
                let (mut downstream, _) = listener.accept().await?;
                tokio::spawn(async move {
                    let mut upstream = TcpStream::connect(backend).await?;
                    downstream.set_nodelay(true)?;
                    upstream.set_nodelay(true)?;
                    copy_bidirectional(&mut downstream, &mut upstream).await
                });
            }
        });
    }
    match listeners.join_next().await {
        Some(ended) => ended?,
        None => Ok(()),
    }
}
