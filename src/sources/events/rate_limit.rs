//! Limit on the Events about one problem, by a token bucket for each.

use std::collections::BTreeMap;
use std::time::Duration;

use tokio::time::Instant;

use super::warning::{Subject, Warning};
use crate::model::ObjectKey;

/// Token bucket of each problem: its size, and the time in which a token is added. A condition that
/// flaps several times a minute then causes an Event every five minutes.
const BURST: u32 = 5;
const REFILL_INTERVAL: Duration = Duration::from_secs(300);

/// The token buckets of all problems that caused an Event recently.
#[derive(Debug, Default)]
pub(in crate::sources) struct RateLimit {
    buckets: BTreeMap<(ObjectKey, Subject), Bucket>,
    last_sweep: Option<Instant>,
}

#[derive(Debug)]
struct Bucket {
    tokens: u32,
    /// The time of the last refill.
    refilled_at: Instant,
    /// The number of Events that were not sent since the last one.
    suppressed: u32,
}

impl RateLimit {
    /// Returns the number of Events that one Event stands for: itself, and those that were
    /// suppressed before. Returns `None` if it is suppressed too.
    pub(in crate::sources) fn admit(
        &mut self,
        key: &ObjectKey,
        warning: &Warning,
        now: Instant,
    ) -> Option<u32> {
        self.sweep(now);
        let new = Bucket { tokens: BURST, refilled_at: now, suppressed: 0 };
        let bucket = self.buckets.entry((key.clone(), warning.subject())).or_insert(new);
        bucket.refill(now);
        if bucket.tokens == 0 {
            bucket.suppressed = bucket.suppressed.saturating_add(1);
            return None;
        }
        bucket.tokens -= 1;
        Some(std::mem::take(&mut bucket.suppressed).saturating_add(1))
    }

    /// Removes the buckets that are full. Their suppressed Events are outdated: the status contains
    /// the present condition.
    fn sweep(&mut self, now: Instant) {
        if self.last_sweep.is_some_and(|last| now < last + REFILL_INTERVAL) {
            return;
        }
        self.last_sweep = Some(now);
        self.buckets.retain(|_, bucket| {
            bucket.refill(now);
            bucket.tokens < BURST
        });
    }
}

impl Bucket {
    fn refill(&mut self, now: Instant) {
        while self.tokens < BURST && now >= self.refilled_at + REFILL_INTERVAL {
            self.tokens += 1;
            self.refilled_at += REFILL_INTERVAL;
        }
        if self.tokens == BURST {
            self.refilled_at = now;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::ObjectKind;

    fn key(name: &str) -> ObjectKey {
        ObjectKey { kind: ObjectKind::GatewayClass, namespace: None, name: name.parse().unwrap() }
    }

    #[test]
    fn events_of_one_problem_are_limited_and_counted() {
        let (mut limit, start) = (RateLimit::default(), Instant::now());
        let (one, other) = (Warning::example("One"), Warning::example("Other"));
        let mut sent = Vec::new();
        for second in 0..1000 {
            sent.extend(limit.admit(&key("a"), &one, start + Duration::from_secs(second)));
        }
        assert_eq!(sent, [1, 1, 1, 1, 1, 296, 300, 300]);
        let end = start + Duration::from_secs(1000);
        assert_eq!(limit.admit(&key("a"), &one, end), None);
        assert_eq!(limit.admit(&key("a"), &other, end), Some(1), "another reason");
        assert_eq!(limit.admit(&key("b"), &one, end), Some(1), "another object");
        let end = end + REFILL_INTERVAL * (BURST + 1);
        assert_eq!(limit.admit(&key("a"), &one, end), Some(1));
        assert_eq!(limit.buckets.len(), 1, "full buckets are removed");
    }
}
