//! The proxies that are compared: how each is found, configured and started.

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

    /// What starts it in the foreground, once its configuration is written to the folder.
    fn command(&self, routes: &[Route], folder: &Path) -> io::Result<Command>;
}

/// How a proxy is looked for.
type Find = fn() -> Option<Box<dyn Proxy>>;

/// Every proxy by its name.
const ALL: [(&str, Find); 6] = [
    (sluicegate::NAME, sluicegate::find),
    (haproxy::AUTO, haproxy::find_auto),
    (haproxy::SPLICE, haproxy::find_splice),
    ("nginx", nginx::find),
    ("envoy", envoy::find),
    ("tokio", tokio::find),
];

/// The proxies of these names that are there, or all of them; says which are not.
pub(crate) fn find(names: &[String]) -> anyhow::Result<Vec<Box<dyn Proxy>>> {
    if let Some(unknown) = names.iter().find(|name| ALL.iter().all(|(known, _)| known != name)) {
        anyhow::bail!("there is no proxy {unknown}");
    }
    let mut found = Vec::new();
    for (name, find) in ALL {
        if !names.is_empty() && !names.iter().any(|wanted| wanted == name) {
            continue;
        }
        match find() {
            Some(proxy) => found.push(proxy),
            None => eprintln!("skipped: {name} is not installed (see benches/peers/install.sh)"),
        }
    }
    Ok(found)
}

/// A program in one of the places where systems put servers.
fn installed(name: &str) -> Option<PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    let places = env::split_paths(&path).chain(["/usr/sbin".into(), "/usr/local/sbin".into()]);
    places.map(|place| place.join(name)).find(|program| program.is_file())
}

/// The first word of what a program prints that looks like a version.
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
