//! Requests to the thread that writes.

use tokio::sync::{OwnedSemaphorePermit, oneshot};

use super::error::WriteError;
use super::write::{Durability, PreparedWrite, WriteResult};

/// Writes of one caller.
#[derive(Debug)]
pub(super) struct Request {
    pub(super) writes: Vec<Result<PreparedWrite, WriteError>>,
    pub(super) durability: Durability,
    pub(super) reply: oneshot::Sender<Vec<Result<WriteResult, WriteError>>>,
    /// Share of the memory for requests in the queue.
    pub(super) _permit: OwnedSemaphorePermit,
}

impl Request {
    /// Returns `true` if the request changes nothing.
    pub(super) fn is_dry_run(&self) -> bool {
        self.writes.iter().flatten().all(|write| write.is_dry_run)
    }

    /// Answers all writes with an error.
    pub(super) fn refuse(self, error: &WriteError) {
        _ = self.reply.send(vec![Err(error.clone()); self.writes.len()]);
    }
}

/// Message to the writer.
#[derive(Debug)]
pub(super) enum Message {
    Write(Request),
    /// Ends the thread. Later requests are not answered.
    Close,
}
