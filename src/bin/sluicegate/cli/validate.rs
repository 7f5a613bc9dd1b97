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
        let sources = [
            ("--kubernetes", "SLUICEGATE_KUBERNETES", self.kubernetes),
            ("--files", "SLUICEGATE_FILES", !self.files.is_empty()),
            ("--api", "SLUICEGATE_API", self.api),
        ];
        let given: Vec<_> = sources.iter().filter(|(_, _, is_given)| *is_given).collect();
        let source = match given[..] {
            [] => {
                return missing(
                    "no source of objects: give --kubernetes, --files PATH..., or --api",
                );
            }
            [(source, ..)] => source,
            [(first, first_variable, _), (second, second_variable, _), ..] => {
                return conflict(format!(
                    "{first} ({first_variable}) and {second} ({second_variable}) cannot be used \
                     together; give one of them"
                ));
            }
        };
        if self.files.is_empty() && self.poll.is_some() {
            return conflict(format!(
                "--poll (SLUICEGATE_POLL) requires --files; remove it to read objects from {source}"
            ));
        }
        self.validate_api(source)?;
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
                "{option} requires --kubernetes; remove it to read objects from {source}"
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

impl RunOptions {
    /// Checks the options of the API. `source` is the option of the source of objects.
    fn validate_api(&self, source: &str) -> Result<(), clap::Error> {
        let options = &self.api_options;
        let for_api = [
            ("--data (SLUICEGATE_DATA)", options.data.is_some()),
            ("--api-listen (SLUICEGATE_API_LISTEN)", options.api_listen.is_some()),
            ("--api-host (SLUICEGATE_API_HOST)", !options.api_host.is_empty()),
            ("--api-certificate (SLUICEGATE_API_CERTIFICATE)", options.api_certificate.is_some()),
            ("--api-key (SLUICEGATE_API_KEY)", options.api_key.is_some()),
            ("--tokens (SLUICEGATE_TOKENS)", options.tokens.is_some()),
            (
                "--allow-local-endpoints (SLUICEGATE_ALLOW_LOCAL_ENDPOINTS)",
                options.allow_local_endpoints,
            ),
        ];
        if let Some(option) = first_given(&for_api).filter(|_| !self.api) {
            let message =
                format!("{option} requires --api; remove it to read objects from {source}");
            return Err(usage_error(ErrorKind::ArgumentConflict, message));
        }
        let missing = match (&options.api_certificate, &options.api_key) {
            (Some(_), None) => {
                "--api-certificate requires --api-key FILE (SLUICEGATE_API_KEY), the private key \
                 of the certificate"
            }
            (None, Some(_)) => {
                "--api-key requires --api-certificate FILE (SLUICEGATE_API_CERTIFICATE), the \
                 certificate of the key"
            }
            (Some(_), Some(_)) | (None, None) => return Ok(()),
        };
        Err(usage_error(ErrorKind::MissingRequiredArgument, missing))
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
