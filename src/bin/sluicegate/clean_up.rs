//! The command `sluicegate clean-up`.

use sluicegate::sources::{Election, KubeSource};
use tokio::runtime;

use crate::cli::CleanUpOptions;
use crate::error::RunError;

/// Removes the objects that the gateway left in the cluster.
///
/// # Errors
/// Returns an error if there is no configuration for a cluster, if a replica of the gateway runs,
/// or if the API server refuses an operation.
pub(crate) fn clean_up(options: CleanUpOptions) -> Result<(), RunError> {
    let runtime = runtime::Builder::new_current_thread().enable_all().build();
    runtime.map_err(RunError::Runtime)?.block_on(async {
        let mut source = KubeSource::infer()
            .await?
            .controller_name(options.controller_name)
            .delete_services(options.service_namespace, options.service_selector);
        if let Some(lease) = options.lease {
            source = source.election(Election::new(lease));
        }
        Ok(source.clean_up().await?)
    })
}
