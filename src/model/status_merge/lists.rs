//! Merging of the lists of a status: conditions, and the parents of a route.
//!
//! Entries of other controllers keep their position and are never read, so a caller can write them
//! back in any representation.

use jiff::Timestamp;

use super::transition::{LiveState, last_transition_time};
use crate::model::{Condition, ConditionType, ParentRef, RouteParentStatus};

/// The maximum number of conditions in a list, and of entries in `status.parents`. An API server
/// refuses a status that exceeds one.
const MAX_CONDITIONS: usize = 8;
const MAX_PARENTS: usize = 32;

/// A list after a merge.
#[derive(Debug)]
pub(super) struct MergedList<T> {
    pub(super) entries: Vec<MergedEntry<T>>,
    /// The number of reported entries that are left out, because entries of other controllers leave
    /// no room.
    pub(super) omitted: usize,
}

/// An entry of a merged list. Existing entries are referred to by their index.
#[derive(Debug)]
pub(super) enum MergedEntry<T> {
    /// An entry of another controller, which stays as it is.
    Foreign(usize),
    /// A reported entry, and the existing one that it updates.
    Reported(T, Option<usize>),
}

/// An existing condition, as far as a merge reads it.
#[derive(Debug)]
pub(super) struct LiveCondition<'a> {
    /// The type; absent if it is malformed.
    pub(super) condition_type: Option<&'a str>,
    pub(super) state: LiveState,
}

impl LiveCondition<'_> {
    /// Returns `true` if the condition has the type of `other`.
    fn is_of_type_of(&self, other: &Condition) -> bool {
        self.condition_type == Some(other.condition_type.as_str())
    }
}

/// An existing entry of `status.parents`, as far as a merge reads it.
#[derive(Debug)]
pub(super) enum LiveParent {
    /// An entry of another controller.
    Foreign,
    /// An entry of this controller; without a reference if that is malformed.
    Own(Option<ParentRef>),
}

/// Merges conditions by type. Existing conditions of the `owned` types that are not reported are
/// removed. If there is no room for all reported conditions, the first ones are kept.
pub(super) fn merge_conditions(
    live: &[LiveCondition<'_>],
    report: &[Condition],
    owned: &[ConditionType],
    now: Timestamp,
) -> MergedList<Condition> {
    let is_foreign = |known: &LiveCondition<'_>| {
        let is_owned = owned.iter().any(|owned| known.condition_type == Some(owned.as_str()));
        !is_owned && !report.iter().any(|condition| known.is_of_type_of(condition))
    };
    let foreign = live.iter().filter(|known| is_foreign(known)).count();
    let room = MAX_CONDITIONS.saturating_sub(foreign).min(report.len());
    let mut missing: Vec<_> = report[..room].iter().collect();
    let set_time = |condition: &Condition, known: Option<LiveState>| Condition {
        last_transition_time: Some(last_transition_time(condition, known, now)),
        ..condition.clone()
    };
    let mut entries = Vec::with_capacity(foreign + room);
    for (index, known) in live.iter().enumerate() {
        if is_foreign(known) {
            entries.push(MergedEntry::Foreign(index));
        } else if let Some(reported) =
            missing.iter().position(|condition| known.is_of_type_of(condition))
        {
            let condition = set_time(missing.remove(reported), Some(known.state));
            entries.push(MergedEntry::Reported(condition, Some(index)));
        }
    }
    let new = missing.into_iter().map(|condition| set_time(condition, None));
    entries.extend(new.map(|condition| MergedEntry::Reported(condition, None)));
    MergedList { entries, omitted: report.len() - room }
}

/// Merges `status.parents` by reference. Existing entries of this controller that are not reported
/// are removed. If there is no room for all reported entries, those that exist already are kept
/// first.
pub(super) fn merge_parents<'a>(
    live: &[LiveParent],
    report: impl Iterator<Item = &'a RouteParentStatus>,
) -> MergedList<&'a RouteParentStatus> {
    let mut missing: Vec<_> = report.collect();
    let mut entries = Vec::with_capacity(live.len().max(missing.len()));
    for (index, known) in live.iter().enumerate() {
        match known {
            LiveParent::Foreign => entries.push(MergedEntry::Foreign(index)),
            LiveParent::Own(parent_ref) => {
                let is_known =
                    |parent: &&RouteParentStatus| Some(&parent.parent_ref) == parent_ref.as_ref();
                if let Some(reported) = missing.iter().position(is_known) {
                    entries.push(MergedEntry::Reported(missing.remove(reported), Some(index)));
                }
            }
        }
    }
    let room = MAX_PARENTS.saturating_sub(entries.len());
    let omitted = missing.len().saturating_sub(room);
    entries
        .extend(missing.into_iter().take(room).map(|parent| MergedEntry::Reported(parent, None)));
    MergedList { entries, omitted }
}
