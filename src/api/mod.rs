//! A server of Kubernetes' API for the resources of [`schema`](crate::schema), over a
//! [`Store`](crate::store::Store).

mod access;
mod answer;
mod body;
mod context;
mod documents;
mod negotiation;
mod read;
mod render;
mod request;
mod service;
mod settings;
mod status;
mod warning;
mod write;
mod yaml_text;

pub use self::access::Access;
pub use self::body::ResponseBody;
pub use self::service::ApiService;
pub use self::settings::Settings;
