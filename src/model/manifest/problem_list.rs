//! The problems of a document. Their number is limited.

use super::position::Position;
use super::problem::Problem;

/// Maximum number of problems of a document, apart from one for each further item of a list.
const MAX_PROBLEMS: usize = 1_000;

/// The problems of a document in their order.
#[derive(Debug, Default)]
pub(super) struct ProblemList {
    problems: Vec<Problem>,
    /// Index of the item that contains the last problem; absent outside of items.
    item: Option<usize>,
    /// Number of problems of that item that are left out, and the position of the first one.
    omitted: Option<(usize, Position)>,
}

impl ProblemList {
    /// Returns `true` if the next problem, in this item, is to be added. Otherwise counts it.
    ///
    /// The first problem of every item is added: without a problem, an item is valid.
    pub(super) fn has_space(&mut self, item: Option<usize>, position: Position) -> bool {
        let is_first = self.problems.is_empty() || self.item != item;
        if is_first {
            self.add_omitted();
            self.item = item;
        }
        if is_first || self.problems.len() < MAX_PROBLEMS {
            return true;
        }
        self.omitted.get_or_insert((0, position)).0 += 1;
        false
    }

    pub(super) fn add(&mut self, problem: Problem) {
        self.problems.push(problem);
    }

    pub(super) fn finish(mut self) -> Vec<Problem> {
        self.add_omitted();
        self.problems
    }

    /// Adds the number of problems that are left out. It counts as a problem of the object itself,
    /// because one of them may be.
    fn add_omitted(&mut self) {
        if let Some((count, position)) = self.omitted.take() {
            let parent = self.item.map(|item| format!("items[{item}]")).unwrap_or_default();
            let message = format!("{count} more errors follow; correct those above first");
            self.problems.push(Problem { position, parent, field: String::new(), message });
        }
    }
}
