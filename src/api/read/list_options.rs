//! Parameters of lists.

use crate::api::request::{PageOptions, Query};
use crate::api::status::Status;
use crate::schema::{Cause, FieldPath};
use crate::store::Revision;

/// Kind of the options of lists and watches, in messages.
pub(super) const KIND: &str = "ListOptions";

/// Requirement on the revision of a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum RevisionMatch {
    Any,
    NotOlderThan(Revision),
    Exact(Revision),
}

/// Parameters of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ListOptions {
    pub(super) page: PageOptions,
    pub(super) revision: RevisionMatch,
}

impl ListOptions {
    /// Parses the parameters `limit`, `continue`, `resourceVersion` and `resourceVersionMatch`.
    pub(super) fn parse(query: &Query) -> Result<Self, Status> {
        let page = PageOptions::parse(query)?;
        let revision = revision(query)?;
        check_match(query, revision)?;
        let given = revision.filter(|revision| *revision != Revision::default());
        if page.start.is_some() && given.is_some() {
            let message = "specifying resource version is not allowed when using continue";
            return Err(Status::bad_request(message));
        }
        let revision = match (given, query.get("resourceVersionMatch")) {
            (None, _) => RevisionMatch::Any,
            (Some(revision), Some("Exact")) => RevisionMatch::Exact(revision),
            // Without a match, Kubernetes reads a limited list at the revision itself.
            (Some(revision), None) if page.limit.is_some() => RevisionMatch::Exact(revision),
            (Some(revision), _) => RevisionMatch::NotOlderThan(revision),
        };
        Ok(Self { page, revision })
    }
}

/// Parses the parameter `resourceVersion`.
pub(super) fn revision(query: &Query) -> Result<Option<Revision>, Status> {
    let parsed = query.get("resourceVersion").map(str::parse).transpose();
    parsed.map_err(|error| Status::bad_request(format!("invalid resource version: {error}")))
}

fn check_match(query: &Query, revision: Option<Revision>) -> Result<(), Status> {
    let path = FieldPath::ROOT.field("resourceVersionMatch");
    let mut causes = Vec::new();
    let mut forbid = |detail| causes.push(Cause::forbidden(&path, detail));
    if let Some(requested) = query.get("resourceVersionMatch") {
        if revision.is_none() {
            forbid("resourceVersionMatch is forbidden unless resourceVersion is provided");
        }
        if query.get("continue").is_some() {
            forbid("resourceVersionMatch is forbidden when continue is provided");
        }
        if requested == "Exact" && revision == Some(Revision::default()) {
            forbid("resourceVersionMatch \"exact\" is forbidden for resourceVersion \"0\"");
        }
        let allowed = ["Exact", "NotOlderThan"];
        if !allowed.contains(&requested) {
            causes.push(Cause::not_supported(&path, &requested.into(), allowed));
        }
    }
    if query.flag("sendInitialEvents").is_some() {
        let path = FieldPath::ROOT.field("sendInitialEvents");
        causes.push(Cause::forbidden(&path, "sendInitialEvents is forbidden for list"));
    }
    if causes.is_empty() { Ok(()) } else { Err(Status::invalid_options(KIND, causes)) }
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroUsize;

    use super::*;

    fn parse(query: &str) -> Result<ListOptions, u16> {
        ListOptions::parse(&Query::parse(query)).map_err(|status| status.code().as_u16())
    }

    #[test]
    fn revision_has_the_meaning_of_kubernetes() {
        use RevisionMatch::{Any, Exact, NotOlderThan};
        let seven = Revision::new(7);
        for (query, expected) in [
            ("", Any),
            ("resourceVersion=", Any),
            ("resourceVersion=0", Any),
            ("resourceVersion=0&limit=5", Any),
            ("resourceVersion=0&resourceVersionMatch=NotOlderThan", Any),
            ("resourceVersion=7", NotOlderThan(seven)),
            ("resourceVersion=7&limit=5", Exact(seven)),
            ("resourceVersion=7&limit=5&resourceVersionMatch=NotOlderThan", NotOlderThan(seven)),
            ("resourceVersion=7&resourceVersionMatch=Exact", Exact(seven)),
        ] {
            assert_eq!(parse(query).unwrap().revision, expected, "{query}");
        }
    }

    #[test]
    fn limit_is_positive_or_absent() {
        let limit = |query| parse(query).unwrap().page.limit.map(NonZeroUsize::get);
        assert_eq!(limit("limit=500"), Some(500));
        for query in ["", "limit=", "limit=0", "limit=-1"] {
            assert_eq!(limit(query), None, "{query}");
        }
    }

    #[test]
    fn malformed_parameters_are_refused() {
        for (query, code) in [
            ("limit=x", 400),
            ("resourceVersion=x", 400),
            ("resourceVersion=-1", 400),
            ("continue=x", 400),
            ("continue=1/a/b&resourceVersion=7", 400),
            ("resourceVersionMatch=Exact", 422),
            ("resourceVersion=0&resourceVersionMatch=Exact", 422),
            ("resourceVersion=7&resourceVersionMatch=Newest", 422),
            ("continue=1/a/b&resourceVersion=0&resourceVersionMatch=NotOlderThan", 422),
            ("sendInitialEvents=false", 422),
        ] {
            assert_eq!(parse(query).unwrap_err(), code, "{query}");
        }
        assert!(parse("continue=1/a/b&resourceVersion=0").unwrap().page.start.is_some());
    }
}
