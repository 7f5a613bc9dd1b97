//! Parameters of watches.

use std::time::Duration;

use super::list_options::{KIND, revision};
use crate::api::request::Query;
use crate::api::status::Status;
use crate::schema::{Cause, FieldPath};
use crate::store::Revision;

/// Longest time of a watch: clients watch again, and are checked again.
const MAX_SECONDS: u64 = 60 * 60;

/// Start of a watch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Start {
    /// At the newest revision.
    Newest,
    /// After a revision.
    After(Revision),
    /// With an event for each object that exists. `is_announced`: a bookmark follows them.
    Objects { not_older_than: Option<Revision>, is_announced: bool },
}

/// Parameters of a watch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct WatchOptions {
    pub(super) start: Start,
    pub(super) has_bookmarks: bool,
    /// Time after which the watch ends, unless the server chooses it.
    pub(super) timeout: Option<Duration>,
}

impl WatchOptions {
    /// Parses the parameters of a watch.
    pub(super) fn parse(query: &Query) -> Result<Self, Status> {
        let timeout = query.integer("timeoutSeconds")?;
        let timeout = timeout.and_then(|seconds| u64::try_from(seconds).ok());
        let timeout = timeout.filter(|seconds| *seconds > 0);
        let timeout = timeout.map(|seconds| Duration::from_secs(seconds.min(MAX_SECONDS)));
        let revision = revision(query)?.filter(|revision| *revision != Revision::default());
        check_match(query)?;
        let has_bookmarks = query.flag("allowWatchBookmarks") == Some(true);
        let start = match (query.flag("sendInitialEvents"), revision) {
            (Some(true), not_older_than) => {
                Start::Objects { not_older_than, is_announced: has_bookmarks }
            }
            (Some(false) | None, Some(revision)) => Start::After(revision),
            (Some(false), None) => Start::Newest,
            (None, None) => Start::Objects { not_older_than: None, is_announced: false },
        };
        Ok(Self { start, has_bookmarks, timeout })
    }
}

fn check_match(query: &Query) -> Result<(), Status> {
    let path = FieldPath::ROOT.field("resourceVersionMatch");
    let requested = query.get("resourceVersionMatch");
    let has_initial_events = query.flag("sendInitialEvents").is_some();
    let mut causes = Vec::new();
    let mut forbid = |detail| causes.push(Cause::forbidden(&path, detail));
    if has_initial_events && requested != Some("NotOlderThan") {
        forbid("sendInitialEvents requires setting resourceVersionMatch to NotOlderThan");
    }
    if let Some(requested) = requested {
        if !has_initial_events {
            let detail =
                "resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided";
            forbid(detail);
        }
        if query.get("continue").is_some() {
            forbid("resourceVersionMatch is forbidden when continue is provided");
        }
        if requested != "NotOlderThan" {
            causes.push(Cause::not_supported(&path, &requested.into(), ["NotOlderThan"]));
        }
    }
    if causes.is_empty() { Ok(()) } else { Err(Status::invalid_options(KIND, causes)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    const INITIAL: &str = "resourceVersionMatch=NotOlderThan&sendInitialEvents";

    fn parse(query: &str) -> Result<WatchOptions, u16> {
        WatchOptions::parse(&Query::parse(query)).map_err(|status| status.code().as_u16())
    }

    #[test]
    fn start_depends_on_revision_and_initial_events() {
        let seven = Some(Revision::new(7));
        let objects =
            |not_older_than, is_announced| Start::Objects { not_older_than, is_announced };
        for (query, expected) in [
            (String::new(), objects(None, false)),
            ("resourceVersion=0".into(), objects(None, false)),
            ("resourceVersion=7".into(), Start::After(Revision::new(7))),
            (format!("{INITIAL}=false"), Start::Newest),
            (format!("{INITIAL}=false&resourceVersion=7"), Start::After(Revision::new(7))),
            (format!("{INITIAL}=true"), objects(None, false)),
            (format!("{INITIAL}=true&resourceVersion=7"), objects(seven, false)),
            (format!("{INITIAL}&allowWatchBookmarks=1"), objects(None, true)),
        ] {
            assert_eq!(parse(&query).unwrap().start, expected, "{query}");
        }
    }

    #[test]
    fn timeout_is_bounded() {
        let timeout = |query| parse(query).unwrap().timeout.map(|timeout| timeout.as_secs());
        assert_eq!(timeout("timeoutSeconds=5"), Some(5));
        assert_eq!(timeout("timeoutSeconds=9223372036854775807"), Some(MAX_SECONDS));
        for query in ["", "timeoutSeconds=0", "timeoutSeconds=-5"] {
            assert_eq!(timeout(query), None, "{query}");
        }
    }

    #[test]
    fn malformed_parameters_are_refused() {
        for (query, code) in [
            ("timeoutSeconds=x", 400),
            ("resourceVersion=x", 400),
            ("sendInitialEvents=true", 422),
            ("resourceVersionMatch=NotOlderThan", 422),
            ("resourceVersionMatch=Exact&sendInitialEvents=true", 422),
            ("resourceVersionMatch=NotOlderThan&sendInitialEvents=true&continue=1/a/b", 422),
        ] {
            assert_eq!(parse(query).unwrap_err(), code, "{query}");
        }
    }
}
