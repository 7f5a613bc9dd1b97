//! A server of Kubernetes' API for the resources of [`schema`](crate::schema), over a
//! [`Store`](crate::store::Store).

mod access;
mod answer;
mod body;
mod context;
mod documents;
mod files;
mod folder;
mod heavy_work;
mod kubeconfig;
mod list;
mod listen;
mod log_interval;
mod negotiation;
mod read;
mod render;
mod request;
mod served_object;
mod service;
mod settings;
mod status;
mod user_limit;
mod warning;
mod write;
mod yaml_text;

pub use self::access::{
    Access, AccessBuilder, ApiHost, ClientConnection, Identity, InvalidApiHost, InvalidRole,
    InvalidToken, RandomSourceError, Role, Token, TokensFileError, TokensFileErrors,
};
pub use self::body::{IncompleteBody, ResponseBody};
pub use self::files::InputFileError;
pub use self::folder::{ApiFolder, FolderError};
pub use self::kubeconfig::{Kubeconfig, KubeconfigError};
pub use self::listen::{
    ApiServer, ApiServerBuilder, CertificateError, ListenError, ListenSettings,
};
pub use self::service::ApiService;
pub use self::settings::Settings;
