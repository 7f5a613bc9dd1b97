//! The verb `patch`.

use super::attempts::replace;
use super::object_body::{media_type, target};
use super::write_options::WriteOptions;
use crate::api::answer::Answer;
use crate::api::context::Context;
use crate::api::request::{ResourceRequest, Subresource};
use crate::api::status::{Reason, Status};
use crate::schema::PatchType;

/// Applies a patch to an object or its status.
pub(super) async fn patch(
    context: &Context,
    request: &ResourceRequest,
    body: &[u8],
) -> Result<Answer, Status> {
    let options = WriteOptions::parse(request, "PatchOptions")?;
    let patch = (patch_type(request)?, body);
    let target = target(request);
    replace(context, request, options, |old| match request.subresource {
        Some(Subresource::Status) => {
            context.admission.patch_status(&target, patch, options.validation, old)
        }
        None => context.admission.patch(&target, patch, options.validation, old),
    })
    .await
}

fn patch_type(request: &ResourceRequest) -> Result<PatchType, Status> {
    let media_type = media_type(request);
    if media_type.starts_with("application/apply-patch+") {
        let message = "server-side apply is not supported; use client-side apply (kubectl apply \
                       without --server-side), or send a merge patch";
        return Err(Status::failure(Reason::UnsupportedMediaType, message));
    }
    let is_supported = |patch_type: &PatchType| patch_type.is_supported_by(request.resource);
    match PatchType::from_content_type(&media_type) {
        Some(patch_type) if is_supported(&patch_type) => Ok(patch_type),
        Some(_) => {
            let message = format!(
                "{} is a custom resource, which has no strategic merge patch; send a merge patch \
                 ({}), with kubectl patch --type=merge",
                request.resource.kind(),
                PatchType::Merge.content_type()
            );
            Err(Status::failure(Reason::UnsupportedMediaType, message))
        }
        None => {
            let accepted = PatchType::ALL.into_iter().filter(is_supported);
            let accepted: Vec<_> = accepted.map(PatchType::content_type).collect();
            Err(Status::unsupported_media_type(&accepted))
        }
    }
}
