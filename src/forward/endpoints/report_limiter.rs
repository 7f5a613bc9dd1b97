//! A limit of the reports that endpoints fail, over all backends.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Maximum number of reports of failures in a second. When a node with many endpoints fails, the
/// further endpoints are reported in the following seconds.
pub(super) const MAX_REPORTS: usize = 100;

/// Start of the current second, and number of reports since then.
#[derive(Debug, Default)]
pub(in crate::forward) struct ReportLimiter(Mutex<Option<(Instant, usize)>>);

impl ReportLimiter {
    /// Counts a report. Returns `false` if there were too many in this second.
    pub(super) fn admits(&self, now: Instant) -> bool {
        let mut current = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match &mut *current {
            Some((begin, count)) if now < *begin + Duration::from_secs(1) => {
                *count += 1;
                *count <= MAX_REPORTS
            }
            _ => {
                *current = Some((now, 1));
                true
            }
        }
    }
}
