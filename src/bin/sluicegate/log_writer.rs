//! Buffered writer for the log on standard error.
//!
//! There is a log line for each connection. Worker threads append lines to a buffer, and a separate
//! thread writes them in batches, so that no worker waits for a slow reader of standard error.
//! Lines of connections that fill the buffer do not displace warnings and errors.

use std::io::{self, Write as _};
use std::mem;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use sluicegate::forward::LineOutput;
use tracing::{Level, Metadata};
use tracing_subscriber::fmt::MakeWriter;

/// Time between the first line of a batch and its write.
const BATCH_DELAY: Duration = Duration::from_millis(100);

/// Maximum size of the buffer for lines of level INFO, DEBUG and TRACE. Further ones are dropped
/// and counted until the buffer is written.
const MAX_BUFFERED_BYTES: usize = 4 * 1024 * 1024;

/// Maximum size of the buffer for warnings and errors. Without a limit, they could use all memory
/// if standard error is never read.
const MAX_BUFFERED_BYTES_WITH_WARNINGS: usize = 64 * 1024 * 1024;

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
    dropped: DroppedLines,
    /// The writer thread has taken bytes and has not written all of them.
    is_writing: bool,
}

/// Numbers of lines that were not written.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
struct DroppedLines {
    /// Lines of level INFO, DEBUG and TRACE.
    others: usize,
    /// Warnings and errors.
    warnings: usize,
}

impl Buffer {
    /// Appends a line, or counts it as dropped.
    fn append(&mut self, line: &[u8], level: Level) {
        let (limit, dropped) = if level <= Level::WARN {
            (MAX_BUFFERED_BYTES_WITH_WARNINGS, &mut self.dropped.warnings)
        } else {
            (MAX_BUFFERED_BYTES, &mut self.dropped.others)
        };
        if self.bytes.len() + line.len() <= limit {
            self.bytes.extend_from_slice(line);
        } else {
            *dropped += 1;
        }
    }
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
            let (bytes, dropped) = {
                let mut buffer = self.buffer();
                buffer.is_writing = true;
                (mem::take(&mut buffer.bytes), mem::take(&mut buffer.dropped))
            };
            // An error is ignored: the program must keep forwarding when standard error is closed.
            let _ = io::stderr().lock().write_all(&bytes);
            self.buffer().is_writing = false;
            self.changed.notify_all();
            if dropped != DroppedLines::default() {
                // This line is buffered like any other warning.
                tracing::warn!(
                    dropped_lines = dropped.others,
                    dropped_warnings = dropped.warnings,
                    "log lines dropped: standard error was read too slowly. Up to {} MiB are \
                     buffered, and up to {} MiB with warnings and errors. Read it faster, or log \
                     less (--log-level, --connection-log)",
                    MAX_BUFFERED_BYTES >> 20,
                    MAX_BUFFERED_BYTES_WITH_WARNINGS >> 20
                );
            }
        }
    }

    /// Waits until all lines are written, for at most [`FLUSH_TIMEOUT`].
    pub(crate) fn flush(&self) {
        let is_busy = |buffer: &mut Buffer| buffer.is_writing || !buffer.bytes.is_empty();
        let _ = self.changed.wait_timeout_while(self.buffer(), FLUSH_TIMEOUT, is_busy);
    }

    /// Appends lines.
    fn append<'a>(&self, lines: impl IntoIterator<Item = &'a [u8]>, level: Level) {
        let mut buffer = self.buffer();
        let was_empty = buffer.bytes.is_empty();
        lines.into_iter().for_each(|line| buffer.append(line, level));
        if was_empty {
            self.changed.notify_all();
        }
    }

    fn buffer(&self) -> MutexGuard<'_, Buffer> {
        self.buffer.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Lines of connections, which have level INFO.
impl LineOutput for LogWriter {
    fn write(&self, lines: &[u8]) {
        self.append(lines.split_inclusive(|byte| *byte == b'\n'), Level::INFO);
    }
}

/// Output that makes a writer for each line, with the level of the line.
pub(crate) struct BufferedOutput(pub(crate) Arc<LogWriter>);

impl<'a> MakeWriter<'a> for BufferedOutput {
    type Writer = BufferAppender<'a>;

    fn make_writer(&'a self) -> Self::Writer {
        BufferAppender { log_writer: &self.0, level: Level::INFO }
    }

    fn make_writer_for(&'a self, metadata: &Metadata<'_>) -> Self::Writer {
        BufferAppender { log_writer: &self.0, level: *metadata.level() }
    }
}

/// Writer that appends to the buffer. `tracing` passes one line in each call.
pub(crate) struct BufferAppender<'a> {
    log_writer: &'a LogWriter,
    level: Level,
}

impl io::Write for BufferAppender<'_> {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        self.log_writer.append([line], self.level);
        Ok(line.len())
    }

    /// Does nothing: [`LogWriter::flush`] waits for the writer thread.
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    static LINE: [u8; 1 << 20] = [b'x'; 1 << 20];

    #[test]
    fn full_buffer_accepts_warnings_only() {
        let mut buffer = Buffer::default();
        for _ in 0..6 {
            buffer.append(&LINE, Level::INFO);
        }
        assert_eq!(buffer.bytes.len(), MAX_BUFFERED_BYTES);
        assert_eq!(buffer.dropped, DroppedLines { others: 2, warnings: 0 });
        buffer.append(b"warning", Level::WARN);
        buffer.append(b"error", Level::ERROR);
        buffer.append(b"debug", Level::DEBUG);
        assert!(buffer.bytes.ends_with(b"warningerror"));
        assert_eq!(buffer.dropped, DroppedLines { others: 3, warnings: 0 });
    }

    #[test]
    fn warnings_are_limited() {
        let mut buffer = Buffer::default();
        for _ in 0..65 {
            buffer.append(&LINE, Level::WARN);
        }
        assert_eq!(buffer.bytes.len(), MAX_BUFFERED_BYTES_WITH_WARNINGS);
        assert_eq!(buffer.dropped, DroppedLines { others: 0, warnings: 1 });
    }
}
