//! Checks that the options fit together.

use super::address_mode::AddressMode;
use super::options::{Cli, RunOptions};
use clap::CommandFactory as _;
use clap::error::ErrorKind;

impl RunOptions {
    /// Checks that the options fit together.
    ///
    /// # Errors
    /// Returns the first conflict or missing option. The error prints the usage and exits.
    pub(crate) fn validate(&self) -> Result<(), clap::Error> {
        let conflict = |message: String| Err(usage_error(ErrorKind::ArgumentConflict, message));
        let missing = |message: &str| Err(usage_error(ErrorKind::MissingRequiredArgument, message));
        match (self.kubernetes, !self.files.is_empty()) {
            (true, true) => {
                return conflict(
                    "--kubernetes (SLUICEGATE_KUBERNETES) and --files (SLUICEGATE_FILES) cannot be \
                     used together; give one of them"
                        .to_owned(),
                );
            }
            (false, false) => {
                return missing("no source of objects: give --kubernetes, or --files PATH...");
            }
            (true, false) | (false, true) => {}
        }
        if self.kubernetes && self.poll.is_some() {
            return conflict(
                "--poll (SLUICEGATE_POLL) requires --files; remove it to read objects from \
                 --kubernetes"
                    .to_owned(),
            );
        }
        if self.dial_timeout > self.dial_budget {
            return conflict(format!(
                "--dial-timeout (SLUICEGATE_DIAL_TIMEOUT) is {} s, and --dial-budget \
                 (SLUICEGATE_DIAL_BUDGET) is {} s; the time for one endpoint must not exceed the \
                 time for all",
                self.dial_timeout.as_secs_f64(),
                self.dial_budget.as_secs_f64()
            ));
        }
        if self.kubernetes_options.read_only && self.kubernetes_options.lease.is_some() {
            return conflict(
                "--lease (SLUICEGATE_LEASE) and --read-only (SLUICEGATE_READ_ONLY) cannot be used \
                 together: a gateway that writes nothing takes part in no election; remove one of \
                 them"
                    .to_owned(),
            );
        }
        let addresses = &self.address_options;
        let has_services = addresses.addresses == AddressMode::Service;
        let kubernetes = &self.kubernetes_options;
        let for_kubernetes = [
            (
                "--watch-namespaces (SLUICEGATE_WATCH_NAMESPACES)",
                !kubernetes.watch_namespaces.is_empty(),
            ),
            ("--read-only (SLUICEGATE_READ_ONLY)", kubernetes.read_only),
            ("--lease (SLUICEGATE_LEASE)", kubernetes.lease.is_some()),
            ("--identity (SLUICEGATE_IDENTITY)", kubernetes.identity.is_some()),
            ("--addresses service (SLUICEGATE_ADDRESSES)", has_services),
            (
                "--service-namespace (SLUICEGATE_SERVICE_NAMESPACE)",
                addresses.service_namespace.is_some(),
            ),
        ];
        if let Some(option) = first_given(&for_kubernetes).filter(|_| !self.kubernetes) {
            return conflict(format!(
                "{option} requires --kubernetes; remove it to read objects from --files"
            ));
        }
        let for_services = [
            ("--pod-addresses (SLUICEGATE_POD_ADDRESSES)", !addresses.pod_addresses.is_empty()),
            ("--service-type (SLUICEGATE_SERVICE_TYPE)", addresses.service_type.is_some()),
            (
                "--service-annotations (SLUICEGATE_SERVICE_ANNOTATIONS)",
                addresses.service_annotations.is_some(),
            ),
            (
                "--external-traffic-policy (SLUICEGATE_EXTERNAL_TRAFFIC_POLICY)",
                addresses.external_traffic_policy.is_some(),
            ),
        ];
        match first_given(&for_services) {
            Some(option) if !has_services => conflict(format!(
                "{option} requires --addresses service; --addresses is {}",
                addresses.addresses
            )),
            _ if has_services && addresses.service_namespace.is_none() => missing(
                "--addresses service requires --service-namespace NAMESPACE \
                 (SLUICEGATE_SERVICE_NAMESPACE), the namespace of the pods of this gateway",
            ),
            _ => match (&addresses.service_namespace, &addresses.service_selector) {
                (Some(_), None) => missing(
                    "--service-namespace requires --service-selector KEY=VALUE,... \
                     (SLUICEGATE_SERVICE_SELECTOR), the labels of the pods of this gateway",
                ),
                (None, Some(_)) => conflict(
                    "--service-selector (SLUICEGATE_SERVICE_SELECTOR) requires --service-namespace"
                        .to_owned(),
                ),
                _ => Ok(()),
            },
        }
    }
}

fn first_given<'a>(options: &[(&'a str, bool)]) -> Option<&'a str> {
    options.iter().find_map(|(option, is_given)| is_given.then_some(*option))
}

/// Returns an error of the subcommand `run`, which prints its usage.
fn usage_error(kind: ErrorKind, message: impl Into<String>) -> clap::Error {
    let mut command = Cli::command();
    command.build();
    let run = command.find_subcommand_mut("run").expect("the command has this subcommand");
    run.error(kind, message.into())
}
