//! The summary of a change.

use std::fmt;
use std::mem;

use super::name_list::NameList;
use super::plan_changes::PlanChanges;
use crate::model::{GATEWAY_GROUP, Object, ObjectDifference, merge_join, truncate};
use crate::server::report::{ListenerReport, Report};

/// Maximum length of a problem in the line. The warning about the problem contains its whole text.
const MAX_PROBLEM_LEN: usize = 120;

/// Differences between two reports.
#[derive(Debug, Default)]
pub(crate) struct Summary {
    /// There was no report before.
    is_first: bool,
    added: NameList,
    changed: NameList,
    removed: NameList,
    /// An object of Gateway API changed.
    has_gateway_api_objects: bool,
    plan: PlanChanges,
    opened: NameList,
    closed: NameList,
    /// Listeners with an address that cannot be opened, which had none before.
    failed: NameList,
    /// The status of an object changed.
    has_other_status: bool,
    /// Resolved problems, and objects without effect that no longer exist.
    resolved: NameList,
    /// The number of problems, and of objects without effect, that the current report contains.
    remaining: usize,
}

impl Summary {
    /// Compares two reports; `plan` contains the differences of their plans.
    pub(crate) fn new(previous: Option<&Report>, current: &Report, plan: PlanChanges) -> Self {
        let empty = Report::default();
        let is_first = previous.is_none();
        let previous = previous.unwrap_or(&empty);
        let mut summary = Self {
            is_first,
            plan,
            has_other_status: previous.status != current.status,
            remaining: current.problems.len() + current.unserved.len(),
            ..Self::default()
        };
        for difference in current.resources.differences(&previous.resources) {
            summary.add_object(&difference);
        }
        for (id, before, now) in merge_join(&previous.listeners, &current.listeners) {
            if has_other_address(before, now) {
                summary.opened.add(|| id);
            }
            if has_other_address(now, before) {
                summary.closed.add(|| id);
            }
            let has_errors =
                |it: Option<&ListenerReport>| it.is_some_and(|it| !it.bind_errors.is_empty());
            if has_errors(now) && !has_errors(before) {
                summary.failed.add(|| id);
            }
        }
        for problem in previous.problems_not_in(current) {
            summary.resolved.add(|| {
                let mut problem = problem.clone();
                truncate(&mut problem, MAX_PROBLEM_LEN);
                problem
            });
        }
        for (key, _, now) in merge_join(&previous.unserved, &current.unserved) {
            if now.is_none() {
                summary.resolved.add(|| key);
            }
        }
        summary
    }

    fn add_object(&mut self, ObjectDifference { before, now }: &ObjectDifference) {
        let (list, object) = match (before, now) {
            (Some(before), Some(now)) if before.is_equal_except_status(now) => return,
            (Some(_), Some(now)) => (&mut self.changed, now),
            (None, Some(now)) => (&mut self.added, now),
            (Some(before), None) => (&mut self.removed, before),
            (None, None) => return,
        };
        list.add(|| object.key());
        self.has_gateway_api_objects |= is_gateway_api_object(object);
    }

    /// Returns the importance of the change; `None` if nothing changed that is part of a summary.
    ///
    /// In a large cluster, most Services and EndpointSlices belong to other programs. Their changes
    /// have no effect on this gateway.
    pub(crate) fn importance(&self) -> Option<Importance> {
        let has_objects = self.object_count() > 0;
        let has_effect = self.is_first
            || self.has_effect_on_traffic()
            || !self.resolved.is_empty()
            || has_objects && (self.has_gateway_api_objects || self.has_other_status);
        match has_effect {
            true => Some(Importance::Effect),
            false => has_objects.then_some(Importance::NoEffect),
        }
    }

    /// Returns the number of objects that changed.
    pub(crate) fn object_count(&self) -> usize {
        self.added.count() + self.changed.count() + self.removed.count()
    }

    /// Returns the number of routes that changed.
    pub(crate) fn route_count(&self) -> usize {
        self.plan.used.count() + self.plan.changed.count() + self.plan.unused.count()
    }

    /// Returns the number of listeners with a new address.
    pub(crate) fn opened_count(&self) -> usize {
        self.opened.count()
    }

    /// Returns the number of listeners that lost an address.
    pub(crate) fn closed_count(&self) -> usize {
        self.closed.count()
    }

    /// Returns the number of listeners that no longer have a route, or are new without one.
    pub(crate) fn unrouted_count(&self) -> usize {
        self.plan.unrouted.count()
    }

    /// Returns the number of resolved problems.
    pub(crate) fn resolved_count(&self) -> usize {
        self.resolved.count()
    }

    fn has_effect_on_traffic(&self) -> bool {
        self.traffic_parts().iter().any(|(_, list)| !list.is_empty())
    }

    fn traffic_parts(&self) -> [(&'static str, &NameList); 8] {
        [
            ("routes in use", &self.plan.used),
            ("routes changed", &self.plan.changed),
            ("routes no longer in use", &self.plan.unused),
            ("listeners opened", &self.opened),
            ("listeners closed", &self.closed),
            ("listeners not open", &self.failed),
            ("listeners without a route", &self.plan.unrouted),
            ("listeners with a new route", &self.plan.rerouted),
        ]
    }
}

/// Importance of a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Importance {
    /// The change has an effect on traffic or on a status, or its author expects one.
    Effect,
    /// The change concerns only objects that this gateway does not use.
    NoEffect,
}

/// Writes the message of the log line. Parts without content are left out.
impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.is_first {
            true => write!(f, "started: objects: {}", self.object_count())?,
            false => f.write_str("changes applied")?,
        }
        let mut separator = if self.is_first { "; " } else { ": " };
        let mut write_part = |f: &mut fmt::Formatter<'_>, part: fmt::Arguments<'_>| {
            let separator = mem::replace(&mut separator, "; ");
            write!(f, "{separator}{part}")
        };
        let objects = [
            ("objects added", &self.added),
            ("objects changed", &self.changed),
            ("objects removed", &self.removed),
        ];
        // All objects are new at the start, so their names are omitted.
        let objects = objects.into_iter().filter(|_| !self.is_first);
        for (name, list) in objects.chain(self.traffic_parts()) {
            if !list.is_empty() {
                write_part(f, format_args!("{name}: {list}"))?;
            }
        }
        if !self.is_first && !self.has_effect_on_traffic() && self.object_count() > 0 {
            write_part(f, format_args!("routes and listeners are the same"))?;
        }
        if !self.resolved.is_empty() {
            write_part(f, format_args!("problems resolved: {}", self.resolved))?;
        }
        if self.remaining > 0 && (self.is_first || !self.resolved.is_empty()) {
            write_part(f, format_args!("problems remaining: {}", self.remaining))?;
        }
        Ok(())
    }
}

/// Returns `true` if `now` has an address that `before` does not have.
fn has_other_address(before: Option<&ListenerReport>, now: Option<&ListenerReport>) -> bool {
    let known = before.map_or(&[][..], |listener| &listener.bound);
    now.is_some_and(|now| now.bound.iter().any(|address| !known.contains(address)))
}

fn is_gateway_api_object(object: &Object) -> bool {
    object.kind().group() == GATEWAY_GROUP
}
