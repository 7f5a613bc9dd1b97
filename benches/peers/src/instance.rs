//! A running proxy with its backends, or backends without a proxy.

use std::env;
use std::fs;
use std::io;
use std::net::SocketAddrV4;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::Context as _;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::time::{Instant, sleep, sleep_until, timeout};

use crate::backends::{BACKENDS, Backend, TWO_WRITES_REQUEST};
use crate::peers::{Proxy, Route};
use crate::ports::{Ports, loopback};
use crate::process::Process;
use crate::socket::connect;
use crate::usage::{CpuTimes, Holdings, Tree, cpu_between};

/// Maximum time for a proxy to become ready, and to become idle.
const READY_TIMEOUT: Duration = Duration::from_secs(15);

/// Time after which `connect` can use a port in TIME_WAIT again over loopback: one second
/// (`net.ipv4.tcp_tw_reuse`, ip-sysctl), and the resolution of that timestamp.
const PORT_REUSE_DELAY: Duration = Duration::from_millis(2100);

/// Interval of polls for a state that causes no event.
const PAUSE: Duration = Duration::from_millis(20);

#[derive(Debug)]
pub(crate) struct Instance {
    // The proxy ends before the backends. `None` if clients connect to the backends directly.
    proxy: Option<Process>,
    backends: Process,
    routes: Vec<Route>,
    folder: PathBuf,
    /// The time of the last call of [`Instance::record_port_use`].
    ports_used: Option<Instant>,
}

impl Instance {
    /// Starts the proxy and its backends in a folder of their own, and waits until each backend
    /// answers through the proxy.
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
            proxy: command
                .map(|command| Process::start(&command, &folder.join("proxy.log")))
                .transpose()?,
            routes,
            folder,
            ports_used: None,
        };
        instance.ready().await.with_context(|| instance.last_words(proxy.name()))?;
        Ok(instance)
    }

    /// Returns the address to which clients of a backend connect.
    pub(crate) fn address(&self, backend: Backend) -> SocketAddrV4 {
        let route = self.routes.iter().find(|route| route.backend == backend);
        let route = route.expect("there is a route to every backend");
        loopback(if self.has_proxy() { route.listen } else { route.connect })
    }

    pub(crate) fn has_proxy(&self) -> bool {
        self.proxy.is_some()
    }

    /// Returns the CPU time of each thread of the proxy; without a proxy, an empty map.
    pub(crate) fn cpu_times(&self) -> anyhow::Result<CpuTimes> {
        self.proxy_tree().map_or_else(|| Ok(CpuTimes::new()), Tree::cpu_times)
    }

    /// Returns memory and descriptors of the proxy.
    pub(crate) fn holdings(&self) -> anyhow::Result<Holdings> {
        self.proxy_tree().map_or_else(|| Ok(Holdings::default()), Tree::holdings)
    }

    fn proxy_tree(&self) -> Option<Tree> {
        self.proxy.as_ref().map(|proxy| Tree { root: proxy.pid() })
    }

    /// Records that many ephemeral ports are now in TIME_WAIT.
    pub(crate) fn record_port_use(&mut self) {
        self.ports_used = Some(Instant::now());
    }

    /// Waits until `connect` can take those ports again.
    pub(crate) async fn wait_for_ports(&self) {
        if let Some(used) = self.ports_used {
            sleep_until(used + PORT_REUSE_DELAY).await;
        }
    }

    /// Waits until proxy and backends use no more CPU time for connections that have ended.
    pub(crate) async fn at_rest(&self) -> anyhow::Result<()> {
        let backends = Tree { root: self.backends.pid() };
        let deadline = Instant::now() + READY_TIMEOUT;
        for tree in self.proxy_tree().into_iter().chain([backends]) {
            let mut before = tree.cpu_times()?;
            loop {
                sleep(PAUSE).await;
                let now = tree.cpu_times()?;
                // On a busy machine, a thread with work to do may not have run.
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
                if let Some(proxy) = &mut self.proxy
                    && let Some(status) = proxy.ended()?
                {
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

/// Connects, sends what the backend expects, and reads a byte if the backend sends any.
async fn answers(address: SocketAddrV4, backend: Backend) -> io::Result<()> {
    let exchange = async {
        let mut stream = connect(address).await?;
        match backend {
            Backend::Echo | Backend::Sink => stream.write_all(&[0]).await?,
            Backend::TwoWrites => stream.write_all(&[0; TWO_WRITES_REQUEST]).await?,
            Backend::Source => {}
        }
        if backend != Backend::Sink {
            stream.read_exact(&mut [0]).await?;
        }
        Ok(())
    };
    timeout(READY_TIMEOUT, exchange).await?
}
