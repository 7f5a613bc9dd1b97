//! Parameters of requests that write.

use serde_json::Value;

use crate::api::request::ResourceRequest;
use crate::api::status::Status;
use crate::schema::{Cause, FieldPath, FieldValidation};
use crate::store::Write;

/// Parameters of a request that writes an object.
#[derive(Debug, Clone, Copy)]
pub(super) struct WriteOptions {
    pub(super) is_dry_run: bool,
    pub(super) validation: FieldValidation,
}

impl WriteOptions {
    /// Parses the parameters. `kind` is the name of the options in messages.
    pub(super) fn parse(request: &ResourceRequest, kind: &str) -> Result<Self, Status> {
        let text = request.query.get("fieldValidation").unwrap_or_default();
        let validation = FieldValidation::parse(text).ok_or_else(|| {
            let path = FieldPath::ROOT.field("fieldValidation");
            let allowed = ["", "Ignore", "Strict", "Warn"];
            Status::invalid_options(kind, vec![Cause::not_supported(&path, &text.into(), allowed)])
        })?;
        let dry_run: Vec<_> = request.query.all("dryRun").map(Value::from).collect();
        Ok(Self { is_dry_run: is_dry_run(&dry_run, kind)?, validation })
    }

    /// Returns the write with the options of the request.
    pub(super) fn apply(self, write: Write) -> Write {
        if self.is_dry_run { write.with_dry_run() } else { write }
    }
}

/// Reads the values of `dryRun`. There is one stage, `All`.
pub(super) fn is_dry_run(values: &[Value], kind: &str) -> Result<bool, Status> {
    let mut stages = values.iter().filter(|value| **value != "");
    if let Some(other) = stages.clone().find(|value| **value != "All") {
        let path = FieldPath::ROOT.field("dryRun");
        let cause = Cause::not_supported(&path, other, ["All"]);
        return Err(Status::invalid_options(kind, vec![cause]));
    }
    Ok(stages.next().is_some())
}
