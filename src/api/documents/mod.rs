//! Documents of the server: probes, version, discovery and OpenAPI.

mod health;

pub(super) use self::health::health;
