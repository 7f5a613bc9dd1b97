//! Buffered writer for the log on standard error.
//!
//! There is a log line for each connection. Worker threads append lines to a buffer, and a separate
//! thread writes them in batches, so that no worker waits for a slow reader of standard error.

use std::io::{self, Write as _};
use std::mem;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

/// Time between the first line of a batch and its write.
const BATCH_DELAY: Duration = Duration::from_millis(100);

/// Maximum size of the buffer. Further lines are dropped and counted until it is written.
const MAX_BUFFERED_BYTES: usize = 4 * 1024 * 1024;

/// Maximum time that [`LogWriter::flush`] waits.
const FLUSH_TIMEOUT: Duration = Duration::from_secs(1);

/// The buffer of the log, shared with the writer thread.
#[derive(Default)]
pub(crate) struct LogWriter {
    buffer: Mutex<Buffer>,
    /// Signalled when the buffer stops being empty, and when a batch is written.
    changed: Condvar,
}

#[derive(Default)]
struct Buffer {
    bytes: Vec<u8>,
    dropped_lines: usize,
    /// The writer thread has taken bytes and has not written all of them.
    is_writing: bool,
}

impl LogWriter {
    /// Starts the writer thread.
    ///
    /// # Errors
    /// Returns the error of the operating system if it cannot create a thread.
    pub(crate) fn start() -> io::Result<Arc<Self>> {
        let log_writer = Arc::new(Self::default());
        let thread = thread::Builder::new().name("log-writer".to_owned());
        let this = log_writer.clone();
        thread.spawn(move || this.write_batches())?;
        Ok(log_writer)
    }

    fn write_batches(&self) {
        loop {
            let buffer = self.changed.wait_while(self.buffer(), |buffer| buffer.bytes.is_empty());
            drop(buffer);
            thread::sleep(BATCH_DELAY);
            let (bytes, dropped_lines) = {
                let mut buffer = self.buffer();
                buffer.is_writing = true;
                (mem::take(&mut buffer.bytes), mem::take(&mut buffer.dropped_lines))
            };
            // An error is ignored: the program must keep forwarding when standard error is closed.
            let _ = io::stderr().lock().write_all(&bytes);
            self.buffer().is_writing = false;
            self.changed.notify_all();
            if dropped_lines > 0 {
                // This line is buffered like any other.
                tracing::warn!(
                    dropped_lines,
                    "log lines dropped: standard error was read too slowly"
                );
            }
        }
    }

    /// Waits until all lines are written, for at most [`FLUSH_TIMEOUT`].
    pub(crate) fn flush(&self) {
        let is_busy = |buffer: &mut Buffer| buffer.is_writing || !buffer.bytes.is_empty();
        let _ = self.changed.wait_timeout_while(self.buffer(), FLUSH_TIMEOUT, is_busy);
    }

    fn buffer(&self) -> MutexGuard<'_, Buffer> {
        self.buffer.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Writer that appends to the buffer. `tracing` passes one line in each call.
pub(crate) struct BufferAppender(pub(crate) Arc<LogWriter>);

impl io::Write for BufferAppender {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        let mut buffer = self.0.buffer();
        let was_empty = buffer.bytes.is_empty();
        if buffer.bytes.len() + line.len() <= MAX_BUFFERED_BYTES {
            buffer.bytes.extend_from_slice(line);
        } else {
            buffer.dropped_lines += 1;
        }
        if was_empty {
            self.0.changed.notify_all();
        }
        Ok(line.len())
    }

    /// Does nothing: [`LogWriter::flush`] waits for the writer thread.
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
