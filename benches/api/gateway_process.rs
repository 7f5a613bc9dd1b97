//! A gateway with an API, in a process of its own.

use std::env;
use std::fs;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::IpAddr;
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::Duration;

use sluicegate::Server;
use sluicegate::admission::catalog;
use sluicegate::api::{self, ApiFolder, ApiServer, ApiService};
use sluicegate::sources::ApiSource;
use sluicegate::store::{Settings, Store};
use tokio::runtime::Builder;
use tokio::sync::oneshot;

use crate::client::Endpoint;

/// First argument of the process; the data folder and the address of the Gateways follow.
const SERVE: &str = "--serve";

const LISTENING: &str = "listening";
const READY: &str = "ready";

/// A running process. Dropping it kills the process.
pub(crate) struct GatewayProcess {
    child: Child,
    output: BufReader<ChildStdout>,
    pub(crate) endpoint: Endpoint,
}

impl GatewayProcess {
    /// Starts a process. Returns when it accepts connections to the API.
    pub(crate) fn start(data: &Path, address: IpAddr) -> Self {
        let mut child = Command::new(env::current_exe().unwrap())
            .args([SERVE.as_ref(), data.as_os_str()])
            .arg(address.to_string())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut output = BufReader::new(child.stdout.take().unwrap());
        expect(&mut output, LISTENING);
        let endpoint = Endpoint::of_folder(&ApiFolder::open(data).unwrap());
        Self { child, output, endpoint }
    }

    /// Waits until the gateway uses the objects that were stored at the start.
    pub(crate) fn wait_until_ready(&mut self) {
        expect(&mut self.output, READY);
    }

    /// Stops the process as a signal does: it closes its store.
    pub(crate) fn stop(mut self) {
        drop(self.child.stdin.take());
        assert!(self.child.wait().unwrap().success());
    }

    /// Ends the process with SIGKILL.
    pub(crate) fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Returns the resident memory, and its largest value since the start, in MiB. Both are `None`
    /// if the operating system does not report them in this way.
    pub(crate) fn memory(&self) -> [Option<usize>; 2] {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id()));
        let status = status.unwrap_or_default();
        ["VmRSS:", "VmHWM:"].map(|name| {
            let field = status.lines().find_map(|line| line.strip_prefix(name))?;
            let kib: usize = field.trim().strip_suffix(" kB")?.parse().ok()?;
            Some(kib / 1024)
        })
    }
}

impl Drop for GatewayProcess {
    fn drop(&mut self) {
        // The process has ended already unless the benchmark failed.
        _ = self.child.kill();
        _ = self.child.wait();
    }
}

fn expect(output: &mut impl BufRead, expected: &str) {
    let mut line = String::new();
    output.read_line(&mut line).unwrap();
    assert_eq!(line.trim(), expected);
}

/// Runs the gateway if this process was started for it. Returns `true` when the gateway has ended.
pub(crate) fn serve_if_asked() -> bool {
    let mut arguments = env::args_os().skip(1);
    if arguments.next().is_none_or(|argument| argument != SERVE) {
        return false;
    }
    let (data, address) = (arguments.next().unwrap(), arguments.next().unwrap());
    let address = address.to_str().unwrap().parse().unwrap();
    Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap()
        .block_on(serve(Path::new(&data), address));
    true
}

async fn serve(data: &Path, address: IpAddr) {
    let folder = ApiFolder::open(data).unwrap();
    let store = Store::open(folder.store_path(), catalog(), Settings::new()).unwrap();
    let server = ApiServer::builder(folder).listen(([127, 0, 0, 1], 0).into()).bind().unwrap();
    let settings =
        api::Settings::new().with_max_watches(server.max_watches()).with_local_endpoints(true);
    let service = ApiService::new(store.clone(), server.access().clone(), settings);
    let (stop, stopped) = oneshot::channel::<()>();
    let server = tokio::spawn(server.serve(service, async move { drop(stopped.await) }));
    print(LISTENING);
    let source = ApiSource::new(store.clone());
    let gateway = Server::builder().source(source).bind(address).start().await.unwrap();
    print(READY);
    let mut input = io::stdin();
    tokio::task::spawn_blocking(move || input.read_to_end(&mut Vec::new())).await.unwrap().unwrap();
    drop(stop);
    gateway.drain(Duration::ZERO).await;
    store.close().await;
    server.await.unwrap();
}

fn print(line: &str) {
    println!("{line}");
    io::stdout().flush().unwrap();
}
