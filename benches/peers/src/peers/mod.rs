//! The proxies that are compared: how each is found, configured and started.

mod direct;
mod envoy;
mod haproxy;
mod nginx;
mod sluicegate;
mod tokio;

use std::env;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::backends::Backend;

pub(crate) use self::direct::NAME as DIRECT;
pub(crate) use self::haproxy::SPLICE as TUNED;
pub(crate) use self::sluicegate::NAME as OURS;
pub(crate) use self::tokio::{RELAY, run as relay};

/// The connections that each proxy must be able to carry at once.
const MOST_CONNECTIONS: usize = 9_000;

/// The way to a backend: a port of the proxy, and the port of the backend behind it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Route {
    pub(crate) backend: Backend,
    pub(crate) listen: u16,
    pub(crate) connect: u16,
}

/// A program that forwards connections with one thread.
pub(crate) trait Proxy {
    fn name(&self) -> &'static str;

    fn version(&self) -> String;

    /// Writes the configuration to the folder, and returns the command that starts the proxy in the
    /// foreground. `None` is no proxy: clients connect to the backends themselves.
    fn command(&self, routes: &[Route], folder: &Path) -> io::Result<Option<Command>>;
}

/// Returns a proxy if it is installed.
type Find = fn() -> Option<Box<dyn Proxy>>;

/// Every proxy by its name.
const ALL: [(&str, Find); 7] = [
    (sluicegate::NAME, sluicegate::find),
    (haproxy::AUTO, haproxy::find_auto),
    (haproxy::SPLICE, haproxy::find_splice),
    ("nginx", nginx::find),
    ("envoy", envoy::find),
    ("tokio", tokio::find),
    (DIRECT, direct::find),
];

/// Returns `true` for a proxy of others: those to which sluicegate is compared.
pub(crate) fn is_other_proxy(name: &str) -> bool {
    ![OURS, DIRECT].contains(&name)
}

/// Returns the installed proxies of these names, or all of them if there are no names.
/// Reports proxies that are not installed.
pub(crate) fn find(names: &[String]) -> anyhow::Result<Vec<Box<dyn Proxy>>> {
    if let Some(unknown) = names.iter().find(|name| ALL.iter().all(|(known, _)| known != name)) {
        let known: Vec<_> = ALL.iter().map(|(known, _)| *known).collect();
        anyhow::bail!("no proxy is named {unknown}; expected one of {}", known.join(", "));
    }
    let mut found = Vec::new();
    for (name, find) in ALL {
        if names.is_empty() || names.iter().any(|wanted| wanted == name) {
            match find() {
                Some(proxy) => found.push(proxy),
                None => eprintln!("skipped: {name} is not installed; see benches/peers/install.sh"),
            }
        }
    }
    Ok(found)
}

/// Returns the path of a program in `PATH` or in the usual directories of servers.
fn installed(name: &str) -> Option<PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    let places = env::split_paths(&path).chain(["/usr/sbin".into(), "/usr/local/sbin".into()]);
    places.map(|place| place.join(name)).find(|program| program.is_file())
}

/// Returns the first word of a program's output that looks like a version.
fn version(program: &Path, argument: &str) -> String {
    let printed = Command::new(program).arg(argument).output();
    let text = printed.map(|output| [output.stdout, output.stderr].concat()).unwrap_or_default();
    let text = String::from_utf8_lossy(&text);
    let mut words = text.split([' ', '/', '\n']);
    let is_version = |word: &&str| {
        word.starts_with(|first: char| first.is_ascii_digit()) && word.matches('.').count() >= 2
    };
    words.find(is_version).unwrap_or("unknown").to_owned()
}
