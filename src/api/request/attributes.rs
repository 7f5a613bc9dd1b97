//! Attributes of a request that access control checks.

use http::request::Parts;

use super::query::Query;
use super::target::Target;
use super::verb::Verb;

/// Verb and target of a request.
#[derive(Debug, Clone)]
pub(in crate::api) struct Attributes {
    /// The verb, or `None` if the method has none.
    pub(in crate::api) verb: Option<Verb>,
    pub(in crate::api) target: Target,
}

impl Attributes {
    /// Reads the attributes of a request.
    pub(in crate::api) fn new(parts: &Parts, query: &Query) -> Self {
        let target = Target::parse(parts.uri.path());
        let has_name = match &target {
            Target::Resource(path) => path.name.is_some(),
            Target::Health(_) | Target::Document(_) | Target::Unknown => true,
        };
        let is_watch = query.flag("watch") == Some(true);
        Self { verb: Verb::new(&parts.method, has_name, is_watch), target }
    }
}
