//! Checks over several options.

use clap::CommandFactory as _;
use clap::error::ErrorKind;
use sluicegate::translate::Addresses;

use super::options::{Cli, Options};

impl Options {
    /// Whether the options go together.
    ///
    /// # Errors
    /// What does not, as Clap says it.
    pub(crate) fn check(&self) -> Result<(), clap::Error> {
        let conflict = |message: String| Err(usage(ErrorKind::ArgumentConflict, message));
        let missing = |message: &str| Err(usage(ErrorKind::MissingRequiredArgument, message));
        let Self { cluster, place, .. } = self;
        match (self.kubernetes, !self.files.is_empty()) {
            (true, true) => {
                return conflict("objects come from --kubernetes (SLUICEGATE_KUBERNETES) or from --files (SLUICEGATE_FILES), not from both".to_owned());
            }
            (false, false) => {
                return missing(
                    "where do objects come from? Give --kubernetes, or --files with paths",
                );
            }
            (true, false) | (false, true) => {}
        }
        let has_services = place.addresses == Addresses::Service;
        let of_a_cluster = [
            ("--watch-namespaces", !cluster.watch_namespaces.is_empty()),
            ("--read-only", cluster.read_only),
            ("--lease", cluster.lease.is_some()),
            ("--identity", cluster.identity.is_some()),
            ("--addresses service", has_services),
        ];
        if let Some(option) = given(&of_a_cluster).filter(|_| !self.kubernetes) {
            return conflict(format!(
                "{option} is for --kubernetes; with --files it means nothing"
            ));
        }
        let of_services = [
            ("--replicas", place.replicas.is_some()),
            ("--service-type", place.service_type.is_some()),
            ("--service-annotations", place.service_annotations.is_some()),
            ("--external-traffic-policy", place.external_traffic_policy.is_some()),
        ];
        match given(&of_services) {
            Some(option) if !has_services => conflict(format!(
                "{option} is for --addresses service; where Gateways live at {} it means nothing",
                place.addresses
            )),
            _ if has_services && place.replicas.is_none() => missing(
                "--addresses service needs --replicas NAMESPACE/SERVICE: the headless Service whose endpoints are the replicas of this gateway",
            ),
            _ => Ok(()),
        }
    }
}

/// The first option that is given.
fn given<'a>(options: &[(&'a str, bool)]) -> Option<&'a str> {
    options.iter().find_map(|(option, is_given)| is_given.then_some(*option))
}

fn usage(kind: ErrorKind, message: impl Into<String>) -> clap::Error {
    let mut command = Cli::command();
    command.build();
    let run = command.find_subcommand_mut("run").expect("there is one");
    run.error(kind, message.into())
}
