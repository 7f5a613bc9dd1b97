//! The command line.

use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use lexopt::prelude::*;

/// The address of the API by default.
pub(crate) const API_ADDRESS: &str = "127.0.0.1:6080";

pub(crate) const HELP: &str = "\
Runs an empty TCP gateway that is configured with kubectl, through an API of
its own. Echo servers in this program run in place of the pods of Deployments
whose image name contains echo-basic.

Usage: api_gateway [OPTIONS]

Options:
      --api-listen ADDRESS:PORT
                               Loopback address of the API. With port 0, the
                               kernel chooses the port.
                               Default: 127.0.0.1:6080.
      --data DIR               Directory of the objects and the token. Default:
                               a temporary one, which is deleted at the end.
      --bind ADDRESS           IP address of the Gateways. Default: all addresses.
      --drain-timeout SECONDS  Time that open connections get to finish after
                               Ctrl-C or SIGTERM, or after the removal of their
                               listener. Default: 30.
  -q, --quiet                  Do not log a line for each connection.
  -h, --help                   Print this help.

For production use, see `sluicegate run --api`.
";

pub(crate) struct Options {
    pub(crate) api: SocketAddr,
    pub(crate) data: Option<PathBuf>,
    pub(crate) bind: Option<IpAddr>,
    pub(crate) drain_timeout: Duration,
    pub(crate) quiet: bool,
}

/// Parses the command line; returns `None` if it asks for the help text.
pub(crate) fn parse() -> Result<Option<Options>, lexopt::Error> {
    let mut options = Options {
        api: API_ADDRESS.parse().expect("an address and a port"),
        data: None,
        bind: None,
        drain_timeout: Duration::from_secs(30),
        quiet: false,
    };
    let mut parser = lexopt::Parser::from_env();
    while let Some(argument) = parser.next()? {
        match argument {
            Long("api-listen") => options.api = parser.value()?.parse_with(loopback)?,
            Long("data") => options.data = Some(parser.value()?.into()),
            Long("bind") => options.bind = Some(parser.value()?.parse_with(address)?),
            Long("drain-timeout") => options.drain_timeout = parser.value()?.parse_with(seconds)?,
            Short('q') | Long("quiet") => options.quiet = true,
            Short('h') | Long("help") => return Ok(None),
            _ => return Err(argument.unexpected()),
        }
    }
    Ok(Some(options))
}

fn loopback(text: &str) -> Result<SocketAddr, &'static str> {
    let address: Result<SocketAddr, _> = text.parse();
    address.ok().filter(|address| address.ip().is_loopback()).ok_or(
        "--api-listen takes a loopback address and a port, such as 127.0.0.1:6081 or [::1]:6080; for \
         other addresses, use `sluicegate run --api`",
    )
}

fn seconds(text: &str) -> Result<Duration, &'static str> {
    let expected = "--drain-timeout takes a number of seconds, 0 or more, such as 30 or 0.5";
    let seconds = text.parse().map_err(|_| expected)?;
    Duration::try_from_secs_f64(seconds).map_err(|_| expected)
}

fn address(text: &str) -> Result<IpAddr, &'static str> {
    text.parse().map_err(|_| "--bind takes an IP address, such as 192.0.2.10 or ::1")
}
