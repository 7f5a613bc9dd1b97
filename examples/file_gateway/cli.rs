//! The command line.

use std::net::IpAddr;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::time::Duration;

use lexopt::prelude::*;
use sluicegate::model::GatewayController;

pub(crate) const HELP: &str = "\
A TCP gateway from Gateway API manifests in files.

Usage: file_gateway [OPTIONS] [PATH...]

  PATH...  Files, or directories of *.yaml, *.yml and *.json (not of their
           subdirectories),
           with GatewayClass, Gateway, TCPRoute, ReferenceGrant, Service,
           EndpointSlice and Namespace. They are followed as they change.

Without PATH it runs the walk-through in examples/tcp-routing, and plays the
part of the cluster: it starts an echo server for every pod of its Deployments.

Options:
      --bind ADDRESS           Listen on this address. Default: all interfaces.
      --controller-name NAME   Serve only GatewayClasses of this controller, such
                               as sluicegate.dev/gateway-controller. Default: all.
      --drain-timeout SECONDS  How long live connections may go on after ctrl-c
                               or SIGTERM, or after their listener was removed.
                               Default: 30.
      --play-pods              With PATH too, play the pods of Deployments whose
                               image is the echo server's.
      --workers N              Threads that forward. Default: one for each
                               processor.
  -q, --quiet                  Do not print a line for each connection.
  -h, --help                   Print this.
";

pub(crate) enum Task {
    Run(Options),
    Help,
}

pub(crate) struct Options {
    pub(crate) paths: Vec<PathBuf>,
    pub(crate) bind: Option<IpAddr>,
    pub(crate) controller_name: Option<GatewayController>,
    pub(crate) drain_timeout: Duration,
    pub(crate) play_pods: bool,
    pub(crate) workers: Option<NonZeroUsize>,
    pub(crate) quiet: bool,
}

pub(crate) fn parse() -> Result<Task, lexopt::Error> {
    let mut options = Options {
        paths: Vec::new(),
        bind: None,
        controller_name: None,
        drain_timeout: Duration::from_secs(30),
        play_pods: false,
        workers: None,
        quiet: false,
    };
    let mut parser = lexopt::Parser::from_env();
    while let Some(argument) = parser.next()? {
        match argument {
            Long("bind") => options.bind = Some(parser.value()?.parse()?),
            Long("controller-name") => options.controller_name = Some(parser.value()?.parse()?),
            Long("drain-timeout") => options.drain_timeout = parser.value()?.parse_with(seconds)?,
            Long("play-pods") => options.play_pods = true,
            Long("workers") => options.workers = Some(parser.value()?.parse()?),
            Short('q') | Long("quiet") => options.quiet = true,
            Short('h') | Long("help") => return Ok(Task::Help),
            Value(path) => options.paths.push(path.into()),
            _ => return Err(argument.unexpected()),
        }
    }
    if options.paths.is_empty() {
        options.play_pods = true;
        options.paths.push(walk_through());
    }
    Ok(Task::Run(options))
}

fn seconds(text: &str) -> Result<Duration, String> {
    let seconds = text.parse().map_err(|_| "not a number of seconds".to_owned())?;
    Duration::try_from_secs_f64(seconds).map_err(|error| error.to_string())
}

/// By the shorter path where that leads to the same place.
fn walk_through() -> PathBuf {
    let here = Path::new("examples/tcp-routing");
    let there = Path::new(env!("CARGO_MANIFEST_DIR")).join(here);
    match (here.canonicalize(), there.canonicalize()) {
        (Ok(one), Ok(other)) if one == other => here.to_owned(),
        _ => there,
    }
}
