//! The proxies that are compared: how each is found, configured and started.

mod direct;
mod envoy;
mod floor;
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
pub(crate) use self::floor::{NAME as FLOOR, RELAY as FLOOR_RELAY, run as floor};
pub(crate) use self::haproxy::SPLICE as TUNED;
pub(crate) use self::sluicegate::{BASELINE, NAME as OURS};
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

/// Every proxy that needs no option, by its name.
const ALL: [(&str, Find); 8] = [
    (sluicegate::NAME, sluicegate::find),
    (haproxy::AUTO, haproxy::find_auto),
    (haproxy::SPLICE, haproxy::find_splice),
    ("nginx", nginx::find),
    ("envoy", envoy::find),
    (tokio::NAME, tokio::find),
    (floor::NAME, floor::find),
    (DIRECT, direct::find),
];

/// Returns `true` for the proxies to which sluicegate is compared.
pub(crate) fn is_other_proxy(name: &str) -> bool {
    ![OURS, BASELINE, tokio::NAME, floor::NAME, DIRECT].contains(&name)
}

/// Returns the installed proxies of these names, or all if no name is given, and `baseline`.
/// Reports proxies that are not installed.
pub(crate) fn find(
    names: &[String],
    baseline: Option<&Path>,
) -> anyhow::Result<Vec<Box<dyn Proxy>>> {
    let is_known = |name: &String| name == BASELINE || ALL.iter().any(|(known, _)| known == name);
    if let Some(unknown) = names.iter().find(|name| !is_known(name)) {
        let known: Vec<_> = ALL.iter().map(|(known, _)| *known).collect();
        anyhow::bail!("no proxy is named {unknown}; expected one of {}", known.join(", "));
    }
    anyhow::ensure!(
        baseline.is_some() || names.iter().all(|name| name != BASELINE),
        "the proxy {BASELINE} needs a program: --baseline PATH"
    );
    let mut found = Vec::new();
    for (name, find) in ALL {
        if names.is_empty() || names.iter().any(|wanted| wanted == name) {
            match find() {
                Some(proxy) => found.push(proxy),
                None => eprintln!("skipped: {name} is not installed; see benches/peers/install.sh"),
            }
        }
        // Beside sluicegate in the tables.
        if let (OURS, Some(program)) = (name, baseline) {
            found.push(sluicegate::baseline(program)?);
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

#[cfg(test)]
mod tests {
    use super::*;

    fn names(found: &[Box<dyn Proxy>]) -> Vec<&'static str> {
        found.iter().map(|proxy| proxy.name()).collect()
    }

    #[test]
    fn baseline_is_found_beside_selected_proxies() {
        let program = env::current_exe().unwrap();
        let selected = [DIRECT.to_owned(), "tokio".to_owned()];
        assert_eq!(names(&find(&selected, None).unwrap()), ["tokio", DIRECT]);
        assert_eq!(names(&find(&selected, Some(&program)).unwrap()), [BASELINE, "tokio", DIRECT]);
    }

    #[test]
    fn baseline_without_program_is_refused() {
        let error = |selected: &str, baseline: Option<&Path>| {
            find(&[selected.to_owned()], baseline).map(|found| names(&found)).unwrap_err()
        };
        assert!(error(BASELINE, None).to_string().contains("--baseline PATH"));
        assert!(error(DIRECT, Some(Path::new("/missing"))).to_string().contains("/missing"));
        assert!(error("nginxx", None).to_string().contains("nginx,"));
    }
}
