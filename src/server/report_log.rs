//! The log of a gateway's changes: opened and closed listeners, bind errors and problems.

use std::collections::BTreeMap;

use super::report::Report;

/// Logs the differences between two reports.
pub(super) fn log_changes(previous: Option<&Report>, current: &Report) {
    let empty = BTreeMap::new();
    let (listeners, problems) = previous
        .map_or((&empty, &[][..]), |previous| (&previous.listeners, &previous.problems[..]));
    for (id, listener) in &current.listeners {
        let previous = listeners.get(id);
        if previous.is_none_or(|previous| previous.bound != listener.bound) {
            for address in &listener.bound {
                tracing::info!(listener = %id, %address, "listening");
            }
        }
        for error in &listener.bind_errors {
            if previous.is_none_or(|previous| !previous.bind_errors.contains(error)) {
                tracing::warn!(listener = %id, address = %error.address, error = error.message, "cannot open the listener; retrying");
            }
        }
    }
    for id in listeners.keys().filter(|id| !current.listeners.contains_key(id)) {
        tracing::info!(listener = %id, "no longer listening");
    }
    for problem in current.problems.iter().filter(|problem| !problems.contains(problem)) {
        tracing::warn!("{problem}");
    }
}
