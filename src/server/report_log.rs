//! The log of a gateway's changes: opened and closed listeners, bind errors and problems.

use std::collections::{BTreeMap, HashSet};

use super::report::{ListenerReport, Report};
use crate::model::{ObjectKey, UnservedKey};
use crate::plan::ListenerId;

/// Maximum number of lines of one kind for one report. More lines would take the place of others in
/// a log with limited space.
const MAX_LINES: usize = 1_000;

/// Logs the differences between two reports.
pub(super) fn log_changes(previous: Option<&Report>, current: &Report) {
    let empty = Report::default();
    let previous = previous.unwrap_or(&empty);
    let (before, now) = (&previous.listeners, &current.listeners);

    let opened = added_items(before, now, |listener| &listener.bound);
    for_each_limited("listeners opened", opened, |(listener, address)| {
        tracing::info!(%listener, %address, "listening");
    });
    let closed = added_items(now, before, |listener| &listener.bound);
    for_each_limited("listeners closed", closed, |(listener, address)| {
        tracing::info!(%listener, %address, "no longer listening");
    });
    let errors = added_items(before, now, |listener| &listener.bind_errors);
    for_each_limited("listeners that cannot be opened", errors, |(listener, error)| {
        tracing::warn!(%listener, address = %error.address, error = error.message, "cannot open the listener; retrying");
    });
    let known: HashSet<_> = previous.problems.iter().collect();
    let new = current.problems.iter().filter(|problem| !known.contains(problem));
    for_each_limited("problems", new, |problem| tracing::warn!("{problem}"));
    let is_new = |(key, reference): &(&UnservedKey, &ObjectKey)| {
        previous.unserved.get(*key) != Some(*reference)
    };
    let unserved = current.unserved.iter().filter(is_new);
    for_each_limited("objects without effect", unserved, |(key, reference)| {
        tracing::warn!(
            object = %key,
            "refers to {reference}, but has no effect: kind {} of group {} is not served; remove the object, or use another gateway for it",
            key.kind,
            key.group
        );
    });
}

/// Returns the items of listeners that the listener of the same name did not have before.
fn added_items<'a, T: PartialEq + 'a>(
    before: &'a BTreeMap<ListenerId, ListenerReport>,
    now: &'a BTreeMap<ListenerId, ListenerReport>,
    items: impl Fn(&'a ListenerReport) -> &'a Vec<T> + Copy,
) -> impl Iterator<Item = (&'a ListenerId, &'a T)> {
    now.iter().flat_map(move |(id, listener)| {
        let known = before.get(id).map(items);
        let is_new = move |item: &&T| known.is_none_or(|known| !known.contains(item));
        items(listener).iter().filter(is_new).map(move |item| (id, item))
    })
}

/// Calls `log` for at most [`MAX_LINES`] items, and logs the number of the others.
fn for_each_limited<T>(what: &str, items: impl Iterator<Item = T>, log: impl Fn(T)) {
    let mut others = 0;
    for (index, item) in items.enumerate() {
        if index < MAX_LINES {
            log(item);
        } else {
            others += 1;
        }
    }
    if others > 0 {
        tracing::info!("and {others} more {what}");
    }
}
