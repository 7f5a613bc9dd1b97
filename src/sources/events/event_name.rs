//! The name of an Event.

use std::fmt::LowerHex;

use crate::model::ObjectName;

/// Maximum number of characters of an object's name in the name of an Event. The number after it
/// must have space too.
const MAX_SUBJECT_CHARS: usize = 200;

/// Returns the name of an Event about the object `subject`. The number distinguishes its Events.
pub(in crate::sources) fn event_name(subject: &ObjectName, number: impl LowerHex) -> String {
    let subject: String = subject.as_str().chars().take(MAX_SUBJECT_CHARS).collect();
    format!("{subject}.{number:016x}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn event_name_is_an_object_name() {
        assert_eq!(event_name(&"web".parse().unwrap(), 255), "web.00000000000000ff");
        let long = event_name(&"a".repeat(253).parse().unwrap(), u64::MAX);
        assert!(long.parse::<ObjectName>().is_ok(), "{long}");
    }
}
