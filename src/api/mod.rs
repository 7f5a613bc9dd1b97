//! A server of Kubernetes' API for the resources of [`schema`](crate::schema), over a
//! [`Store`](crate::store::Store).
//!
//! The path of a request:
//!
//! | module | contents |
//! |---|---|
//! | `listen` | accepts the connection, TLS, timeouts |
//! | `service` | the steps below, in this order |
//! | `request` | path, verb and parameters; the resource that they lead to |
//! | `access` | checks host, token and role |
//! | `documents` | answers probes, discovery and OpenAPI, which ends the path |
//! | `negotiation` | the form of the answer |
//! | `body` | reads the body of the request |
//! | `heavy_work` | runs requests with large values in threads of their own |
//! | `read`, `write` | carry out the verb in the store |
//! | `answer`, `status` | the result: an object, a list, or a failure |
//! | `render`, `list` | the body of the answer, in the negotiated form |
//!
//! Modules that these use:
//!
//! | module | contents |
//! |---|---|
//! | `settings`, `context` | settings of the service, and the state that all requests share |
//! | `user_limit` | limits of which each user gets a share |
//! | `served_object` | an object in the version of the request |
//! | `yaml_text`, `warning` | YAML; the header Warning |
//! | `folder`, `files` | the folder of a server; reading, writing and following of files |
//! | `kubeconfig` | the configuration of clients |

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
    Access, AccessBuilder, ApiHost, ClientConnection, InvalidApiHost, InvalidRole, InvalidToken,
    RandomSourceError, Role, Token, TokensFileError, TokensFileErrors,
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
