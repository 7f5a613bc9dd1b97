//! Counts of the lines beyond the limit.

use std::cmp::Reverse;
use std::collections::HashMap;
use std::fmt;

use super::event::Event;
use crate::plan::ListenerId;

/// Maximum number of counts in a line.
const MAX_COUNTS: usize = 20;

/// Numbers of lines that were not logged, by listener and event.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Suppressed(HashMap<ListenerId, [u64; Event::COUNT]>);

impl Suppressed {
    /// Counts a line.
    pub(super) fn add(&mut self, listener: &ListenerId, event: Event) {
        if !self.0.contains_key(listener) {
            self.0.insert(listener.clone(), [0; Event::COUNT]);
        }
        if let Some(counts) = self.0.get_mut(listener) {
            counts[event.index()] += 1;
        }
    }

    /// Adds the counts of `other`.
    pub(super) fn merge(&mut self, other: Self) {
        for (listener, counts) in other.0 {
            let sums = self.0.entry(listener).or_default();
            for (sum, count) in sums.iter_mut().zip(counts) {
                *sum += count;
            }
        }
    }

    /// Returns the number of all lines.
    pub(super) fn total(&self) -> u64 {
        self.0.values().flatten().sum()
    }
}

/// Displays the largest counts, and the sum of the others.
impl fmt::Display for Suppressed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut counts: Vec<_> = self
            .0
            .iter()
            .flat_map(|(listener, counts)| {
                counts.iter().enumerate().map(move |(index, count)| (*count, listener, index))
            })
            .filter(|(count, ..)| *count > 0)
            .collect();
        counts
            .sort_unstable_by_key(|(count, listener, index)| (Reverse(*count), *listener, *index));
        let (named, others) = counts.split_at(counts.len().min(MAX_COUNTS));
        for (position, (count, listener, index)) in named.iter().enumerate() {
            let separator = if position == 0 { "" } else { ", " };
            write!(f, "{separator}{listener} {}: {count}", Event::at(*index))?;
        }
        if !others.is_empty() {
            let sum: u64 = others.iter().map(|(count, ..)| count).sum();
            write!(f, ", and {} others: {sum}", others.len())?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::forward::outcome::Outcome;
    use crate::plan::RejectReason;

    fn id(listener: &str) -> ListenerId {
        format!("default/edge/{listener}").parse().unwrap()
    }

    fn count(events: &[(&str, Event, usize)]) -> Suppressed {
        let mut suppressed = Suppressed::default();
        for (listener, event, count) in events {
            (0..*count).for_each(|_| suppressed.add(&id(listener), *event));
        }
        suppressed
    }

    #[test]
    fn largest_counts_come_first() {
        let completed = Event::Ended(Outcome::Completed);
        let rejected = Event::Ended(Outcome::Rejected(RejectReason::NoRoute));
        let mut suppressed = count(&[("b", completed, 2), ("a", rejected, 3), ("a", completed, 2)]);
        suppressed.merge(count(&[("c", Event::Opened, 4), ("a", rejected, 1)]));
        assert_eq!(suppressed.total(), 12);
        assert_eq!(
            suppressed.to_string(),
            "default/edge/a rejected (no_route): 4, default/edge/c opened: 4, \
             default/edge/a completed: 2, default/edge/b completed: 2"
        );
    }

    #[test]
    fn number_of_counts_is_limited() {
        let names: Vec<_> = (0..MAX_COUNTS + 3).map(|number| format!("l{number:02}")).collect();
        let drained = Event::Ended(Outcome::Drained);
        let events: Vec<_> = names.iter().map(|name| (name.as_str(), drained, 2)).collect();
        let text = count(&events).to_string();
        assert!(text.ends_with("default/edge/l19 drained: 2, and 3 others: 6"), "{text}");
    }
}
