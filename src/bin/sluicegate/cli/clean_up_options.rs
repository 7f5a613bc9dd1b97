//! Options of `sluicegate clean-up`.

use clap::Args;
use sluicegate::model::{
    GatewayController, Labels, NamespaceName, NamespacedName, SLUICEGATE_CONTROLLER,
};

use super::values::{parse_selector, with_example};

/// Options of `sluicegate clean-up`. They are those of the gateway that is uninstalled.
#[derive(Debug, Args)]
pub(crate) struct CleanUpOptions {
    /// Controller name of the gateway
    #[arg(long, env = "SLUICEGATE_CONTROLLER_NAME", value_name = "NAME")]
    #[arg(default_value = SLUICEGATE_CONTROLLER)]
    pub(crate) controller_name: GatewayController,

    /// Namespace of the Services of Gateways
    #[arg(long, env = "SLUICEGATE_SERVICE_NAMESPACE", value_name = "NAMESPACE")]
    #[arg(value_parser = with_example::<NamespaceName>("sluicegate-system"))]
    pub(crate) service_namespace: NamespaceName,

    /// Labels of the pods of the gateway, which the Services of Gateways select
    ///
    /// Separate them by commas or line breaks.
    #[arg(long, env = "SLUICEGATE_SERVICE_SELECTOR", value_name = "KEY=VALUE,...")]
    #[arg(value_parser = parse_selector)]
    pub(crate) service_selector: Labels,

    /// Lease of the gateway: nothing is removed while a replica holds it
    ///
    /// Waits for up to 60 seconds until it is released or has expired. Without this option, the
    /// Services, and with them the addresses of Gateways, are removed in any case.
    #[arg(long, env = "SLUICEGATE_LEASE", value_name = "NAMESPACE/NAME")]
    #[arg(value_parser = with_example::<NamespacedName>("sluicegate/sluicegate"))]
    pub(crate) lease: Option<NamespacedName>,
}
