//! The thread of the writer, and its end.

use std::io;
use std::path::PathBuf;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use super::writer::Writer;

/// The thread of a writer.
#[derive(Debug)]
pub(super) struct WriterThread {
    thread: Option<JoinHandle<()>>,
    /// Disconnected when the thread ends.
    ended: Receiver<()>,
    /// Path of the file.
    path: PathBuf,
    timeout: Duration,
}

impl WriterThread {
    /// Starts the thread. [`join`](Self::join) waits for it until the timeout.
    pub(super) fn start(writer: Writer, path: PathBuf, timeout: Duration) -> io::Result<Self> {
        let (sender, ended) = mpsc::channel();
        let thread = thread::Builder::new().name("sluicegate-store".to_owned());
        let thread = thread.spawn(move || run(writer, sender))?;
        Ok(Self { thread: Some(thread), ended, path, timeout })
    }

    /// Waits until the thread has ended. Nothing can end a thread that waits for a disk that hangs,
    /// so it is detached after the timeout.
    pub(super) fn join(&mut self) {
        let Some(thread) = self.thread.take() else { return };
        if self.ended.recv_timeout(self.timeout) == Err(RecvTimeoutError::Timeout) {
            tracing::error!(
                path = %self.path.display(),
                "the disk does not answer; the file is not closed; it is checked when it is opened \
                 again. Writes without an answer may be lost. Check the disk, or the network file \
                 system"
            );
        } else if thread.join().is_err() {
            tracing::error!("internal error: the thread of the store panicked; see the log above");
        }
    }
}

fn run(writer: Writer, _ended: Sender<()>) {
    writer.run();
}
