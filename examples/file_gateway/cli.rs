//! The command line.

use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use lexopt::prelude::*;

pub(crate) const HELP: &str = "\
Runs a TCP gateway for the Gateway API manifests in files.

Usage: file_gateway [OPTIONS] [PATH...]

  PATH...  Files, or directories of *.yaml, *.yml and *.json files (without
           subdirectories). Supported kinds: GatewayClass, Gateway, TCPRoute,
           ReferenceGrant, Service, EndpointSlice and Namespace. The gateway
           follows changes of the files. SIGHUP makes it read all files again.

Without PATH, runs the walk-through in examples/tcp-routing with
--simulate-pods.

Options:
      --bind ADDRESS           IP address to listen on. Default: all addresses.
      --drain-timeout SECONDS  Time that open connections get to finish after
                               Ctrl-C or SIGTERM, or after the removal of their
                               listener. Default: 30.
      --simulate-pods          Start an echo server for each pod of a Deployment
                               whose image name contains echo-basic.
  -q, --quiet                  Do not log a line for each connection.
  -h, --help                   Print this help.

For production use, see `sluicegate run --files`.
";

pub(crate) struct Options {
    pub(crate) paths: Vec<PathBuf>,
    pub(crate) bind: Option<IpAddr>,
    pub(crate) drain_timeout: Duration,
    pub(crate) simulate_pods: bool,
    pub(crate) quiet: bool,
}

/// Parses the command line; returns `None` if it asks for the help text.
pub(crate) fn parse() -> Result<Option<Options>, lexopt::Error> {
    let (paths, bind, drain_timeout) = (Vec::new(), None, Duration::from_secs(30));
    let mut options = Options { paths, bind, drain_timeout, simulate_pods: false, quiet: false };
    let mut parser = lexopt::Parser::from_env();
    while let Some(argument) = parser.next()? {
        match argument {
            Long("bind") => options.bind = Some(parser.value()?.parse_with(address)?),
            Long("drain-timeout") => options.drain_timeout = parser.value()?.parse_with(seconds)?,
            Long("simulate-pods") => options.simulate_pods = true,
            Short('q') | Long("quiet") => options.quiet = true,
            Short('h') | Long("help") => return Ok(None),
            Value(path) => options.paths.push(path.into()),
            _ => return Err(argument.unexpected()),
        }
    }
    if options.paths.is_empty() {
        options.simulate_pods = true;
        let path = Path::new("examples/tcp-routing");
        let absolute = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
        options.paths.push(if path.is_dir() { path.to_owned() } else { absolute });
    }
    Ok(Some(options))
}

fn seconds(text: &str) -> Result<Duration, &'static str> {
    let expected = "--drain-timeout takes a number of seconds, 0 or more, such as 30 or 0.5";
    let seconds = text.parse().map_err(|_| expected)?;
    Duration::try_from_secs_f64(seconds).map_err(|_| expected)
}

fn address(text: &str) -> Result<IpAddr, &'static str> {
    text.parse().map_err(|_| "--bind takes an IP address, such as 192.0.2.10 or ::1")
}
