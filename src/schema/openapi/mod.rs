//! OpenAPI v3 documents, one for each group version, as at `/openapi/v3`.
//!
//! kubectl reads the schemas for `explain`, and the operations for `apply`: a PATCH operation shows
//! whether the server validates fields, and whether it takes strategic merge patches. kubectl asks
//! for OpenAPI v2 only if these documents are missing, and then in Protocol Buffers.

mod components;
mod documents;
mod operations;

pub use self::documents::{OpenApiDocument, openapi_document, openapi_index};
