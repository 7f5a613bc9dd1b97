//! The log of a gateway's changes: opened and closed listeners, bind errors, problems, and one line
//! that summarizes the change.

use std::collections::BTreeMap;

use super::changes::{Importance, PlanChanges, Summary};
use super::report::{ListenerReport, Report};
use crate::model::{ObjectKey, UnservedKey, merge_join};
use crate::plan::ListenerId;

/// Maximum number of lines of one kind for one report. More lines would take the place of others in
/// a log with limited space.
const MAX_LINES: usize = 1_000;

/// Logs the differences between two reports. `plan` contains the differences of their plans.
pub(super) fn log_changes(previous: Option<&Report>, current: &Report, plan: PlanChanges) {
    let summary = Summary::new(previous, current, plan);
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
        tracing::warn!(%listener, address = %error.socket.address, error = error.message, "cannot open the listener; retrying");
    });
    let new = current.problems_not_in(previous);
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
    log_summary(&summary);
}

/// Logs the line that summarizes a change. Numbers that are 0 have no field.
fn log_summary(summary: &Summary) {
    let positive = |count: usize| (count > 0).then_some(count);
    macro_rules! log {
        ($level:ident) => {
            tracing::$level!(
                objects = positive(summary.object_count()),
                routes = positive(summary.route_count()),
                opened = positive(summary.opened_count()),
                closed = positive(summary.closed_count()),
                unrouted = positive(summary.unrouted_count()),
                resolved = positive(summary.resolved_count()),
                "{summary}"
            )
        };
    }
    match summary.importance() {
        Some(Importance::Effect) => log!(info),
        Some(Importance::NoEffect) => log!(debug),
        None => {}
    }
}

/// Returns the items of listeners that the listener of the same name did not have before.
fn added_items<'a, T: PartialEq + 'a>(
    before: &'a BTreeMap<ListenerId, ListenerReport>,
    now: &'a BTreeMap<ListenerId, ListenerReport>,
    items: impl Fn(&'a ListenerReport) -> &'a Vec<T> + Copy,
) -> impl Iterator<Item = (&'a ListenerId, &'a T)> {
    merge_join(before, now).flat_map(move |(id, before, now)| {
        let known = before.map(items);
        let is_new = move |item: &&T| known.is_none_or(|known| !known.contains(item));
        now.into_iter().flat_map(items).filter(is_new).map(move |item| (id, item))
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
