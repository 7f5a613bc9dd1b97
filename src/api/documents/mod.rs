//! Documents of the server: probes, version, discovery and OpenAPI.
//!
//! | file | paths |
//! |---|---|
//! | `health` | `/healthz`, `/livez`, `/readyz` |
//! | `version` | `/version` |
//! | `document` | `/`, `/api`, `/apis` and below |
//! | `openapi` | `/openapi/v3`, and an empty `/openapi/v2` |
//! | `conditional` | ETag |

mod conditional;
mod document;
mod health;
mod openapi;
mod version;

pub(super) use self::document::document;
pub(super) use self::health::health;
