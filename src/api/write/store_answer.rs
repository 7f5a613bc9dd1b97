//! The answer of the store to a write.

use crate::api::context::Context;
use crate::api::status::Status;

/// Waits until the store answers a write.
///
/// # Errors
/// Returns a Status if the store does not answer in time, because the disk hangs. The store carries
/// out the write when the disk works again.
pub(super) async fn store_answer<T>(
    context: &Context,
    write: impl Future<Output = T>,
) -> Result<T, Status> {
    let timeout = context.settings.write_timeout;
    let answer = tokio::time::timeout(timeout, write).await;
    answer.map_err(|_| Status::outcome_unknown(timeout))
}
