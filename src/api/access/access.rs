//! Access control.

use http::request::Parts;

use crate::api::request::Attributes;
use crate::api::status::Status;

/// Decision about the access of requests.
#[derive(Debug, Clone, Default)]
pub struct Access(());

impl Access {
    /// Checks a request.
    pub(in crate::api) fn check(
        &self,
        _parts: &Parts,
        _attributes: &Attributes,
    ) -> Result<(), Status> {
        Ok(())
    }
}
