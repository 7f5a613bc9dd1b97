//! OpenAPI v3 documents, one for each group version, as at `/openapi/v3`.
//!
//! kubectl reads the schemas for `explain`, and the operations for `apply`: a PATCH operation shows
//! if the server validates fields, and if it supports strategic merge patches. kubectl requests
//! OpenAPI v2 only if these documents are missing, and then in Protocol Buffers.

mod components;
mod documents;
mod operations;

pub use self::documents::{OpenApiDocument, openapi_document, openapi_index};
