//! The verb `create`.

use http::StatusCode;

use super::object_body::{read_body, target};
use super::of_admission::status_of;
use super::store_answer::store_answer;
use super::write_options::WriteOptions;
use crate::api::answer::Answer;
use crate::api::context::Context;
use crate::api::request::ResourceRequest;
use crate::api::status::Status;
use crate::store::Write;

const DEPLOYMENT_WITHOUT_PODS: &str = "a Deployment has no effect here: this gateway runs no pods; create an EndpointSlice for each Service";

/// Creates an object, whose name may be generated.
pub(super) async fn create(
    context: &Context,
    request: &ResourceRequest,
    body: &[u8],
) -> Result<Answer, Status> {
    let options = WriteOptions::parse(request, "CreateOptions")?;
    let document = read_body(request, body)?;
    let name = document.value["metadata"]["name"].as_str().unwrap_or_default().to_owned();
    let admitted = context
        .admission
        .create(&target(request), document, options.validation)
        .map_err(|error| status_of(error, request, &name))?;
    let write = Write::create(&request.stored, request.namespace.as_deref(), admitted.object)
        .with_initial_status();
    let written = store_answer(context, context.store.write(options.apply(write))).await?;
    let written = written.map_err(|error| Status::of_write_error(&error, request))?;
    let answer = Answer::object(StatusCode::CREATED, &written.object);
    let is_deployment = (request.stored.group(), request.stored.kind()) == ("apps", "Deployment");
    let without_pods = is_deployment && !context.settings.runs_deployments;
    let warning = without_pods.then(|| DEPLOYMENT_WITHOUT_PODS.to_owned());
    Ok(answer.with_warnings(admitted.warnings.into_iter().chain(warning)))
}
