//! Enumerations in messages, limited in length.
//!
//! A status may contain 64 listeners with names of 253 characters, and a message that contains all
//! of them is too long for its readers and for an Event.

use std::fmt::{Display, Write};

/// Maximum length of an enumeration in bytes. Its first item may be longer.
const MAX_LEN: usize = 400;

/// Returns the items, separated by commas: `a, b and 61 more`.
pub(super) fn list(items: impl IntoIterator<Item = impl Display>) -> String {
    let mut text = String::new();
    append_list(
        &mut text,
        items.into_iter().map(|item| move |text: &mut String| append(text, &item)),
    );
    text
}

/// Appends names to a text, as [`list`] does, without formatting.
pub(super) fn append_names<'a>(text: &mut String, names: impl IntoIterator<Item = &'a str>) {
    append_list(text, names.into_iter().map(|name| |text: &mut String| text.push_str(name)));
}

/// Returns sentences, separated by spaces: `First. Second. (61 more.)`.
pub(super) fn sentences(items: impl IntoIterator<Item = impl Display>) -> String {
    let mut text = String::new();
    let mut sentences = Enumeration::new(&mut text, " ");
    for item in items {
        sentences.add(|text| append(text, &item));
    }
    sentences.finish_sentences();
    text
}

fn append_list(text: &mut String, items: impl Iterator<Item = impl FnOnce(&mut String)>) {
    let mut list = Enumeration::new(text, ", ");
    for item in items {
        list.add(item);
    }
    list.finish_list();
}

fn append(text: &mut String, item: &impl Display) {
    write!(text, "{item}").expect("a String accepts every text");
}

/// An enumeration at the end of a text. It contains the first item and those that follow, until the
/// next one would make it longer than [`MAX_LEN`]. The others are counted.
pub(super) struct Enumeration<'a> {
    text: &'a mut String,
    start: usize,
    separator: &'static str,
    omitted: usize,
}

impl<'a> Enumeration<'a> {
    /// Begins an enumeration at the end of `text`.
    pub(super) fn new(text: &'a mut String, separator: &'static str) -> Self {
        let start = text.len();
        Self { text, start, separator, omitted: 0 }
    }

    /// Adds an item. `append` appends it to the text.
    pub(super) fn add(&mut self, append: impl FnOnce(&mut String)) {
        if self.omitted > 0 {
            self.omitted += 1;
            return;
        }
        let end = self.text.len();
        let is_first = end == self.start;
        self.text.push_str(if is_first { "" } else { self.separator });
        append(self.text);
        if !is_first && self.text.len() - self.start > MAX_LEN {
            self.text.truncate(end);
            self.omitted = 1;
        }
    }

    /// Ends a list of names with the number of omitted ones.
    pub(super) fn finish_list(self) {
        if self.omitted > 0 {
            append(self.text, &format_args!(" and {} more", self.omitted));
        }
    }

    /// Ends a list of sentences with the number of omitted ones.
    pub(super) fn finish_sentences(self) {
        if self.omitted > 0 {
            append(self.text, &format_args!(" ({} more.)", self.omitted));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_enumerations_are_complete() {
        assert_eq!(list(["a"; 0]), "");
        assert_eq!(list(["a", "b", "c"]), "a, b, c");
        assert_eq!(list([80, 81]), "80, 81");
        assert_eq!(sentences(["One.", "Two."]), "One. Two.");
    }

    #[test]
    fn long_enumerations_count_the_rest() {
        let names: Vec<_> = (0..64).map(|index| format!("{index:0>150}")).collect();
        assert_eq!(list(&names), format!("{}, {} and 62 more", names[0], names[1]));
        assert_eq!(sentences(&names), format!("{} {} (62 more.)", names[0], names[1]));
        let mut text = "Listeners ".to_owned();
        append_names(&mut text, names.iter().map(String::as_str));
        assert_eq!(text, format!("Listeners {}", list(&names)));
    }

    #[test]
    fn first_item_is_never_omitted() {
        let long = "x".repeat(2 * MAX_LEN);
        assert_eq!(list([&*long, "y", "z"]), format!("{long} and 2 more"));
        assert_eq!(list([&*long]), long);
    }
}
