//! Records the events that the engine logs. Workers are threads of their own, so the recorder is
//! the subscriber of the whole process.

use std::collections::BTreeMap;
use std::fmt::{Debug, Write};
use std::sync::{Mutex, Once};

use sluicegate::plan::ListenerId;
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Level, Metadata, Subscriber};

static RECORDED: Mutex<Vec<Fields>> = Mutex::new(Vec::new());

/// Name of the field with the level.
const LEVEL: &str = "level";

/// The fields of an event. Its text is in field `message`.
#[derive(Clone, Debug, Default)]
pub struct Fields(BTreeMap<&'static str, String>);

impl Fields {
    /// Returns the names of the fields, without the level.
    pub fn names(&self) -> Vec<&'static str> {
        self.0.keys().copied().filter(|name| *name != LEVEL).collect()
    }

    #[track_caller]
    pub fn get(&self, name: &str) -> &str {
        self.0.get(name).unwrap_or_else(|| panic!("no {name} in {self:?}"))
    }
}

/// Starts the recorder, unless it is already started.
pub fn record() {
    static RECORDER: Once = Once::new();
    RECORDER.call_once(|| tracing::subscriber::set_global_default(Recorder).unwrap());
}

/// Returns the events so far about a listener whose message begins with this text.
pub fn recorded(listener: &ListenerId, message: &str) -> Vec<Fields> {
    recorded_of("listener", &listener.to_string(), message)
}

/// Returns the events so far whose field has this value, and whose message begins with this text.
pub fn recorded_of(field: &str, value: &str, message: &str) -> Vec<Fields> {
    let matches = |event: &&Fields| {
        event.0.get(field).is_some_and(|text| text == value)
            && event.get("message").starts_with(message)
    };
    RECORDED.lock().unwrap().iter().filter(matches).cloned().collect()
}

/// Returns the messages so far that contain a text.
pub fn messages_with(text: &str) -> Vec<String> {
    let messages = RECORDED.lock().unwrap();
    let messages = messages.iter().map(|event| event.get("message").to_owned());
    messages.filter(|message| message.contains(text)).collect()
}

/// Returns the lines with the numbers of suppressed lines of a listener.
pub fn summaries(listener: &ListenerId) -> Vec<Fields> {
    let listener = format!("{listener} ");
    let of_it =
        |event: &&Fields| event.0.get("counts").is_some_and(|counts| counts.contains(&listener));
    RECORDED.lock().unwrap().iter().filter(of_it).cloned().collect()
}

struct Recorder;

impl Subscriber for Recorder {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target().starts_with("sluicegate") && *metadata.level() <= Level::DEBUG
    }

    fn event(&self, event: &Event<'_>) {
        let mut fields = Fields::default();
        event.record(&mut fields);
        fields.0.insert(LEVEL, event.metadata().level().to_string());
        RECORDED.lock().unwrap().push(fields);
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}
    fn record_follows_from(&self, _: &Id, _: &Id) {}
    fn enter(&self, _: &Id) {}
    fn exit(&self, _: &Id) {}
}

impl Visit for Fields {
    fn record_str(&mut self, field: &Field, value: &str) {
        self.0.insert(field.name(), value.to_owned());
    }

    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        let mut text = String::new();
        write!(text, "{value:?}").unwrap();
        self.0.insert(field.name(), text);
    }
}
