//! Writes of an object that depend on its stored state.

use std::sync::Arc;

use http::StatusCode;
use serde_json::Value;

use super::of_admission::status_of;
use super::store_answer::store_answer;
use super::write_options::WriteOptions;
use crate::admission::{AdmissionError, AdmittedObject};
use crate::api::answer::Answer;
use crate::api::context::Context;
use crate::api::request::{ResourceRequest, Subresource};
use crate::api::status::Status;
use crate::store::{Conflict, Key, Preconditions, Revision, StoredObject, Write, WriteError};

/// Maximum number of attempts of a write that conflicts with other writers. Kubernetes has five
/// for a patch.
const MAX_ATTEMPTS: usize = 5;

/// Replaces an object or its status by the result of `admit` for the stored one.
///
/// The stored object stays the same until it is replaced: the checks of admission compare with it.
/// If another writer changes it before that, the attempt is repeated, unless the client expects a
/// revision.
pub(super) async fn replace(
    context: &Context,
    request: &ResourceRequest,
    options: WriteOptions,
    admit: impl Fn(&Value) -> Result<AdmittedObject, AdmissionError>,
) -> Result<Answer, Status> {
    let key = request.key().ok_or_else(Status::method_not_allowed)?;
    let refuse = |error: &WriteError| Status::of_write_error(error, request);
    let mut attempt = 1;
    loop {
        let old = context.store.get(&key).ok_or_else(|| Status::not_found(request))?;
        let admitted = admit(&old.to_value());
        let admitted = admitted.map_err(|error| status_of(error, request, key.name()))?;
        check_preconditions(&admitted.object, &key, &old).map_err(|error| refuse(&error))?;
        let write = match request.subresource {
            Some(Subresource::Status) => Write::replace_status(key.clone(), admitted.object),
            None => Write::replace(key.clone(), admitted.object),
        };
        let write = write.with_preconditions(Preconditions::new().with_revision(old.revision()));
        match store_answer(context, context.store.write(options.apply(write))).await? {
            Ok(written) => {
                let answer = Answer::object(StatusCode::OK, &written.object);
                return Ok(answer.with_warnings(admitted.warnings));
            }
            Err(WriteError::Conflict { conflict: Conflict::Revision { .. }, .. })
                if attempt < MAX_ATTEMPTS =>
            {
                attempt += 1;
            }
            Err(error) => return Err(refuse(&error)),
        }
    }
}

/// Checks the revision and the UID that an object of a request expects.
pub(super) fn check_preconditions(
    object: &Value,
    key: &Key,
    old: &Arc<StoredObject>,
) -> Result<(), WriteError> {
    let text = |field: &str| object["metadata"][field].as_str().unwrap_or_default();
    let uid = text("uid");
    let revision = text("resourceVersion");
    let conflict = if !uid.is_empty() && uid != old.uid() {
        Conflict::Uid { expected: uid.to_owned(), found: old.uid().to_owned() }
    } else if !["", "0"].contains(&revision) && revision.parse::<Revision>()? != old.revision() {
        Conflict::Revision { expected: revision.parse()?, found: old.revision() }
    } else {
        return Ok(());
    };
    Err(WriteError::Conflict { key: key.clone(), conflict })
}
