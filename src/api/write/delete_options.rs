//! Options of a deletion.

use serde::Deserialize;
use serde_json::Value;

use super::object_body::read_body;
use super::write_options::is_dry_run;
use crate::api::request::ResourceRequest;
use crate::api::status::Status;
use crate::schema::{Cause, FieldPath};
use crate::store::{Preconditions, Propagation};

const KIND: &str = "DeleteOptions";

/// Options of a deletion.
#[derive(Debug, Clone)]
pub(super) struct DeleteOptions {
    pub(super) is_dry_run: bool,
    pub(super) preconditions: Preconditions,
    pub(super) propagation: Option<Propagation>,
}

/// Body of a deletion. There is no grace period, since no process has to terminate.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Body {
    kind: Option<String>,
    preconditions: Option<BodyPreconditions>,
    orphan_dependents: Option<bool>,
    propagation_policy: Option<String>,
    dry_run: Option<Vec<Value>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct BodyPreconditions {
    uid: Option<String>,
    resource_version: Option<String>,
}

impl DeleteOptions {
    /// Reads the body of a deletion, and the parameters. An option of the body has precedence; a
    /// dry run can be requested in both.
    pub(super) fn parse(request: &ResourceRequest, body: &[u8]) -> Result<Self, Status> {
        let body = if body.is_empty() { Body::default() } else { read(request, body)? };
        let mut dry_run = body.dry_run.unwrap_or_default();
        dry_run.extend(request.query.all("dryRun").map(Value::from));
        let policy = body
            .propagation_policy
            .or_else(|| request.query.get("propagationPolicy").map(str::to_owned));
        let orphan = body.orphan_dependents.or_else(|| request.query.flag("orphanDependents"));
        Ok(Self {
            is_dry_run: is_dry_run(&dry_run, KIND)?,
            preconditions: preconditions(body.preconditions.unwrap_or_default())?,
            propagation: propagation(policy.as_deref(), orphan)?,
        })
    }
}

fn read(request: &ResourceRequest, body: &[u8]) -> Result<Body, Status> {
    let value = read_body(request, body)?.value;
    // serde would also accept a list, as the values of the fields in their order.
    let preconditions = &value["preconditions"];
    if !value.is_object() || !(preconditions.is_object() || preconditions.is_null()) {
        return Err(Status::bad_request(format!("the body is not {KIND}: an object is expected")));
    }
    let body = serde_json::from_value::<Body>(value)
        .map_err(|error| Status::bad_request(format!("the body is not {KIND}: {error}")))?;
    match body.kind.as_deref() {
        None | Some("" | KIND) => Ok(body),
        Some(other) => {
            Err(Status::bad_request(format!("the body is {other}; {KIND} are expected")))
        }
    }
}

fn preconditions(body: BodyPreconditions) -> Result<Preconditions, Status> {
    let mut preconditions = Preconditions::new();
    if let Some(uid) = body.uid {
        preconditions = preconditions.with_uid(uid);
    }
    if let Some(text) = body.resource_version.filter(|text| !["", "0"].contains(&text.as_str())) {
        let revision = text.parse().map_err(|error| {
            Status::bad_request(format!("preconditions.resourceVersion: {error}"))
        })?;
        preconditions = preconditions.with_revision(revision);
    }
    Ok(preconditions)
}

fn propagation(policy: Option<&str>, orphan: Option<bool>) -> Result<Option<Propagation>, Status> {
    let path = FieldPath::ROOT.field("propagationPolicy");
    let cause = match (policy, orphan) {
        (Some(text), Some(_)) => {
            let detail = "orphanDependents and deletionPropagation cannot be both set";
            Cause::invalid(&path, &text.into(), detail)
        }
        (Some("Background"), None) | (None, Some(false)) => {
            return Ok(Some(Propagation::Background));
        }
        (Some("Foreground"), None) => return Ok(Some(Propagation::Foreground)),
        (Some("Orphan"), None) | (None, Some(true)) => return Ok(Some(Propagation::Orphan)),
        (Some(text), None) => {
            let allowed = ["Background", "Foreground", "Orphan", "nil"];
            Cause::not_supported(&path, &text.into(), allowed)
        }
        (None, None) => return Ok(None),
    };
    Err(Status::invalid_options(KIND, vec![cause]))
}
