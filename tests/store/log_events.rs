//! Records what the store logs. Its writer is a thread of its own, so the recorder is the
//! subscriber of the whole process; events are found by the folder in the field `path`.

use std::fmt::{Debug, Write};
use std::path::Path;
use std::sync::{Mutex, Once};

use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Level, Metadata, Subscriber};

static RECORDED: Mutex<Vec<LogEvent>> = Mutex::new(Vec::new());

/// An event, and its fields that the tests read.
#[derive(Debug, Clone)]
pub(crate) struct LogEvent {
    pub(crate) level: Level,
    pub(crate) message: String,
    pub(crate) error: String,
    path: String,
}

/// Starts to record events.
pub(crate) fn record() {
    static RECORDER: Once = Once::new();
    RECORDER.call_once(|| tracing::subscriber::set_global_default(Recorder).unwrap());
}

/// Returns the events so far about files in a folder.
pub(crate) fn recorded(folder: &Path) -> Vec<LogEvent> {
    let events = RECORDED.lock().unwrap();
    events.iter().filter(|event| Path::new(&event.path).starts_with(folder)).cloned().collect()
}

struct Recorder;

impl Subscriber for Recorder {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target().starts_with("sluicegate::store") && *metadata.level() <= Level::INFO
    }

    fn event(&self, event: &Event<'_>) {
        let level = *event.metadata().level();
        let (message, error, path) = (String::new(), String::new(), String::new());
        let mut recorded = LogEvent { level, message, error, path };
        event.record(&mut recorded);
        RECORDED.lock().unwrap().push(recorded);
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}
    fn record_follows_from(&self, _: &Id, _: &Id) {}
    fn enter(&self, _: &Id) {}
    fn exit(&self, _: &Id) {}
}

impl Visit for LogEvent {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        let text = match field.name() {
            "message" => &mut self.message,
            "error" => &mut self.error,
            "path" => &mut self.path,
            _ => return,
        };
        write!(text, "{value:?}").unwrap();
    }

    fn record_error(&mut self, field: &Field, value: &(dyn std::error::Error + 'static)) {
        let mut next = Some(value);
        while let Some(error) = next {
            self.record_debug(field, &format_args!("{error}: "));
            next = error.source();
        }
    }
}
