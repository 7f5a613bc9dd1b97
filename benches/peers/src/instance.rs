//! A running proxy: its process and its backends.

use std::env;
use std::fs;
use std::io;
use std::net::SocketAddrV4;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::Context as _;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::time::{Instant, sleep, timeout};

use crate::backends::{BACKENDS, Backend};
use crate::peers::{Proxy, Route};
use crate::ports::{Ports, loopback};
use crate::process::Process;
use crate::socket::connect;
use crate::usage::{Tree, cpu_between};

/// Maximum time for a proxy to become ready, and to become idle.
const READY_TIMEOUT: Duration = Duration::from_secs(15);

/// How often a state is looked at that nobody tells of.
const PAUSE: Duration = Duration::from_millis(20);

#[derive(Debug)]
pub(crate) struct Instance {
    // Ended in this order.
    proxy: Process,
    backends: Process,
    routes: Vec<Route>,
    folder: PathBuf,
}

impl Instance {
    /// Starts the proxy and its backends in a folder of their own, and waits until they answer.
    pub(crate) async fn start(
        proxy: &dyn Proxy,
        ports: &Ports,
        folder: &Path,
    ) -> anyhow::Result<Self> {
        let route =
            |backend| anyhow::Ok(Route { backend, listen: ports.free()?, connect: ports.free()? });
        let routes = Backend::ALL.into_iter().map(route).collect::<Result<Vec<_>, _>>()?;
        let folder = folder.join(format!("{}-{}", proxy.name(), routes[0].listen));
        fs::create_dir(&folder)?;

        let mut backends = Command::new(env::current_exe()?);
        backends.arg(BACKENDS).args(routes.iter().map(|route| route.connect.to_string()));
        let command = proxy.command(&routes, &folder)?;
        let mut instance = Self {
            backends: Process::start(&backends, &folder.join("backends.log"))?,
            proxy: Process::start(&command, &folder.join("proxy.log"))?,
            routes,
            folder,
        };
        instance.ready().await.with_context(|| instance.last_words(proxy.name()))?;
        Ok(instance)
    }

    /// Where the proxy listens for a backend.
    pub(crate) fn address(&self, backend: Backend) -> SocketAddrV4 {
        let route = self.routes.iter().find(|route| route.backend == backend);
        loopback(route.expect("there is a route to every backend").listen)
    }

    pub(crate) fn tree(&self) -> Tree {
        Tree { root: self.proxy.pid() }
    }

    /// Waits until the proxy has nothing left to do for those who are gone.
    pub(crate) async fn at_rest(&self) -> anyhow::Result<()> {
        let trees = [self.tree(), Tree { root: self.backends.pid() }];
        let deadline = Instant::now() + READY_TIMEOUT;
        for tree in trees {
            let mut before = tree.cpu_times()?;
            loop {
                sleep(PAUSE).await;
                let now = tree.cpu_times()?;
                // On a busy machine, to have done nothing is not to have nothing to do.
                if cpu_between(&before, &now) < PAUSE / 20 && !tree.is_runnable()? {
                    break;
                }
                anyhow::ensure!(Instant::now() < deadline, "does not come to rest");
                before = now;
            }
        }
        Ok(())
    }

    async fn ready(&mut self) -> anyhow::Result<()> {
        let deadline = Instant::now() + READY_TIMEOUT;
        for backend in Backend::ALL {
            while let Err(error) = answers(self.address(backend), backend).await {
                if let Some(status) = self.proxy.ended()? {
                    anyhow::bail!("it ended: {status}");
                }
                anyhow::ensure!(Instant::now() < deadline, "it is not ready: {error}");
                sleep(PAUSE).await;
            }
        }
        self.at_rest().await
    }

    fn last_words(&self, name: &str) -> String {
        let log = fs::read_to_string(self.folder.join("proxy.log")).unwrap_or_default();
        let lines: Vec<_> = log.lines().collect();
        let tail = lines[lines.len().saturating_sub(10)..].join("\n");
        format!("{name} cannot be measured; its log ends:\n{tail}")
    }
}

/// A byte comes back, or comes at all, or is taken.
async fn answers(address: SocketAddrV4, backend: Backend) -> io::Result<()> {
    let exchange = async {
        let mut stream = connect(address).await?;
        if backend != Backend::Source {
            stream.write_all(&[0]).await?;
        }
        if backend != Backend::Sink {
            stream.read_exact(&mut [0]).await?;
        }
        Ok(())
    };
    timeout(READY_TIMEOUT, exchange).await?
}
