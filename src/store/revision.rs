//! The resourceVersion of objects and lists.

use std::fmt;
use std::str::FromStr;

use crate::model::Timestamp;

/// Low bits of a revision: the changes of an epoch.
const EPOCH_SHIFT: u32 = 20;

/// Start of the count of seconds in a revision: 2020-01-01T00:00:00Z.
const EPOCH_ZERO: i64 = 1_577_836_800;

/// A resourceVersion: the number of a change, over all resources of a store.
///
/// Each change of an object gets a greater number than the one before it. The high bits are an
/// epoch, which begins when a store is opened: the seconds since 2020, or the stored epoch plus one
/// if the clock is behind it. So the number never goes back: not over a restart, since the epoch
/// grows at each opening, and not if the folder is replaced by an older copy, since the epoch of a
/// later time is greater, as long as a store has less than a million changes a second on average.
///
/// Clients compare resource versions as decimal numbers. Until the year 2156 this one has at most
/// 52 bits, so that it is exact in JSON readers that use floating point.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Revision(u64);

impl Revision {
    /// Creates a revision from its number.
    pub fn new(number: u64) -> Self {
        Self(number)
    }

    /// Returns the number.
    pub fn get(self) -> u64 {
        self.0
    }

    /// Returns the first revision of a new epoch at `now`, after an epoch that ended at `self`.
    pub(super) fn next_epoch(self, now: Timestamp) -> Self {
        let seconds = u64::try_from(now.as_second() - EPOCH_ZERO).unwrap_or(0);
        Self(seconds.max((self.0 >> EPOCH_SHIFT) + 1) << EPOCH_SHIFT)
    }

    pub(super) fn next(self) -> Self {
        Self(self.0 + 1)
    }
}

impl fmt::Display for Revision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A text that is not a resourceVersion of a store.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a resourceVersion; expected a decimal number without leading zeros")]
pub struct InvalidRevision(pub(super) String);

impl FromStr for Revision {
    type Err = InvalidRevision;

    fn from_str(text: &str) -> Result<Self, InvalidRevision> {
        let is_canonical = text == "0" || !text.starts_with(['0', '+']);
        let number = text.parse().ok().filter(|_| is_canonical);
        number.map(Self).ok_or_else(|| InvalidRevision(text.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn revision_grows_at_each_opening_although_clock_goes_back() {
        let first = Revision::default().next_epoch(at("2026-11-28T12:00:00Z"));
        let same_second = first.next_epoch(at("2026-11-28T12:00:00Z"));
        let clock_is_wrong = same_second.next_epoch(at("1970-01-01T00:00:00Z"));
        assert!(first < same_second && same_second < clock_is_wrong, "{first} {same_second}");
        assert!(Revision::default().next_epoch(at("1970-01-01T00:00:00Z")) > Revision::default());
    }

    #[test]
    fn revision_of_restored_copy_is_greater_than_that_of_original() {
        let copied = Revision::default().next_epoch(at("2026-11-28T12:00:00Z"));
        // A thousand changes a second for a day, after the copy was made.
        let original = Revision::new(copied.get() + 86_400_000);
        assert!(copied.next_epoch(at("2026-11-29T12:00:00Z")) > original);
    }

    #[test]
    fn revision_is_exact_in_floating_point() {
        let last = Revision::default().next_epoch(at("2155-12-31T00:00:00Z"));
        assert!(last.get() < 1 << 53, "{last}");
    }

    #[test]
    fn revision_is_parsed_and_displayed() {
        for text in ["0", "1", "228170137600000", "18446744073709551615"] {
            assert_eq!(text.parse::<Revision>().unwrap().to_string(), text);
        }
        for bad in ["", "01", "+1", "-1", "1.0", "abc", "18446744073709551616"] {
            assert!(bad.parse::<Revision>().is_err(), "{bad}");
        }
    }
}
