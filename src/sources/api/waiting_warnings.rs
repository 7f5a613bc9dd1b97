//! Warnings that wait before they become Events.

use std::collections::VecDeque;
use std::time::Duration;

use tokio::time::Instant;

use crate::model::ObjectKey;
use crate::sources::events::Warning;

/// Time for which a problem must last. `kubectl apply` creates objects one after the other, so a
/// route may exist before its Service or its Gateway.
const DELAY: Duration = Duration::from_secs(2);

/// Maximum number of warnings that wait. A single mistake can concern thousands of routes.
const MAX_WAITING: usize = 1_000;

/// Warnings in the order of their time.
#[derive(Debug, Default)]
pub(super) struct WaitingWarnings {
    queue: VecDeque<(Instant, ObjectKey, Warning)>,
    /// The number of warnings that were dropped since the last due one.
    dropped: usize,
}

impl WaitingWarnings {
    /// Adds a warning about a problem that was found now.
    pub(super) fn add(&mut self, key: ObjectKey, warning: Warning, now: Instant) {
        if self.queue.len() < MAX_WAITING {
            self.queue.push_back((now + DELAY, key, warning));
        } else {
            self.dropped += 1;
        }
    }

    /// Returns the time of the next warning.
    pub(super) fn next_due(&self) -> Option<Instant> {
        self.queue.front().map(|(due, ..)| *due)
    }

    /// Removes and returns the next warning if its time has come.
    pub(super) fn pop_due(&mut self, now: Instant) -> Option<(ObjectKey, Warning)> {
        if self.next_due().is_none_or(|due| due > now) {
            return None;
        }
        if self.dropped > 0 {
            let dropped = std::mem::take(&mut self.dropped);
            tracing::info!(
                "{dropped} more objects have problems, which are not logged; see their conditions"
            );
        }
        self.queue.pop_front().map(|(_, key, warning)| (key, warning))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::ObjectKind;

    #[test]
    fn warnings_are_due_after_a_delay_and_limited() {
        let key = ObjectKey::namespaced(ObjectKind::Gateway, &"default/g".parse().unwrap());
        let warning = || Warning::new("Test", "Test", String::new());
        let (mut waiting, start) = (WaitingWarnings::default(), Instant::now());
        assert_eq!(waiting.next_due(), None);
        for _ in 0..MAX_WAITING + 1 {
            waiting.add(key.clone(), warning(), start);
        }
        assert_eq!((waiting.next_due(), waiting.dropped), (Some(start + DELAY), 1));
        assert_eq!(waiting.pop_due(start), None);
        let due = std::iter::from_fn(|| waiting.pop_due(start + DELAY)).count();
        assert_eq!((due, waiting.dropped), (MAX_WAITING, 0));
    }
}
