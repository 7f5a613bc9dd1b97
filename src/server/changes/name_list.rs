//! List of names for a log line, limited in length.

use std::fmt;

/// Maximum number of names in a list.
const MAX_NAMES: usize = 5;
/// Length in bytes from which a list gets no more names.
const MAX_LEN: usize = 200;

/// The number of items, and the first of their names. Text form: `3 (a, b and 1 more)`.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct NameList {
    count: usize,
    names: String,
    named: usize,
}

impl NameList {
    /// Adds an item. Its name is created only if the list has space for it.
    pub(super) fn add<T: fmt::Display>(&mut self, name: impl FnOnce() -> T) {
        self.count += 1;
        if self.named + 1 < self.count || self.named == MAX_NAMES || self.names.len() >= MAX_LEN {
            return;
        }
        if self.named > 0 {
            self.names.push_str(", ");
        }
        self.names.push_str(&name().to_string());
        self.named += 1;
    }

    pub(super) fn count(&self) -> usize {
        self.count
    }

    pub(super) fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// Returns the names without the number of all items: `a, b and 1 more`.
    pub(super) fn names(&self) -> String {
        match self.count - self.named {
            0 => self.names.clone(),
            more => format!("{} and {more} more", self.names),
        }
    }
}

impl fmt::Display for NameList {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.count, self.names())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(names: &[&str]) -> String {
        let mut list = NameList::default();
        for name in names {
            list.add(|| *name);
        }
        list.to_string()
    }

    #[test]
    fn list_contains_the_first_names_and_the_number_of_the_others() {
        assert_eq!(list(&["a"]), "1 (a)");
        assert_eq!(list(&["a", "b", "c", "d", "e"]), "5 (a, b, c, d, e)");
        assert_eq!(list(&["a", "b", "c", "d", "e", "f", "g"]), "7 (a, b, c, d, e and 2 more)");
    }

    #[test]
    fn list_of_long_names_is_shorter() {
        let long = "n".repeat(150);
        assert_eq!(list(&[&long, &long, &long, "d"]), format!("4 ({long}, {long} and 2 more)"));
    }
}
