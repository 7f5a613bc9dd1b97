//! Parameters of lists that are read in pages.

use std::num::NonZeroUsize;

use super::query::Query;
use crate::api::status::Status;
use crate::store::{ContinueToken, ListQuery};

/// The parameters `limit` and `continue`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::api) struct PageOptions {
    pub(in crate::api) limit: Option<NonZeroUsize>,
    /// Position after which the page starts.
    pub(in crate::api) start: Option<ContinueToken>,
}

impl PageOptions {
    /// Parses the parameters. As in Kubernetes, a limit of 0 or less is none.
    pub(in crate::api) fn parse(query: &Query) -> Result<Self, Status> {
        let limit = query.integer("limit")?;
        let limit = limit.and_then(|limit| usize::try_from(limit).ok()).and_then(NonZeroUsize::new);
        let start = query.get("continue").map(str::parse).transpose();
        let start = start
            .map_err(|error| Status::bad_request(format!("invalid continue token: {error}")))?;
        Ok(Self { limit, start })
    }

    /// Restricts a query to the page.
    pub(in crate::api) fn apply(&self, mut query: ListQuery) -> ListQuery {
        if let Some(limit) = self.limit {
            query = query.with_limit(limit);
        }
        if let Some(start) = &self.start {
            query = query.with_start(start.clone());
        }
        query
    }
}
