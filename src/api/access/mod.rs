//! Access control: hosts, tokens, roles, and the limit of failed attempts.
//!
//! | file | contents |
//! |---|---|
//! | `access` | the checks of a request, in their order |
//! | `access_builder` | the configuration |
//! | `allowed_hosts`, `api_host` | the Host header |
//! | `client_connection` | the connection of a request |
//! | `token`, `token_set` | tokens, their hashes, and the lookup in constant time |
//! | `tokens_file`, `tokens_follower` | the file of tokens, and its changes |
//! | `role`, `identity`, `session` | permissions, and their end |
//! | `failed_attempts`, `token_bucket` | the limit of failed attempts |

#[allow(clippy::module_inception, reason = "the type of the module")]
mod access;
mod access_builder;
mod allowed_hosts;
mod api_host;
mod client_connection;
mod failed_attempts;
mod identity;
mod role;
mod session;
mod token;
mod token_bucket;
mod token_set;
mod tokens_file;
mod tokens_follower;

pub use self::access::Access;
pub use self::access_builder::AccessBuilder;
pub use self::api_host::{ApiHost, InvalidApiHost};
pub use self::client_connection::ClientConnection;
pub(in crate::api) use self::identity::{ADMIN, Identity};
pub use self::role::{InvalidRole, Role};
pub(in crate::api) use self::session::Session;
pub use self::token::{InvalidToken, RandomSourceError, Token};
pub use self::tokens_file::{TokensFileError, TokensFileErrors};
