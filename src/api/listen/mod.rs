//! The listener of an API server: sockets, TLS, and bounds on connections.
//!
//! It serves HTTP/1.1 only. Each watch of an HTTP/1.1 client has a connection of its own, so that a
//! watch that is not read delays no other request, and a connection has one request at a time,
//! which bounds its work. kubectl and the client libraries use HTTP/1.1 if a server has no HTTP/2.
//!
//! It always uses TLS, on loopback too: client-go, and so kubectl, does not send the token of a
//! kubeconfig to a server without TLS, and another user of the host could listen on the port while
//! the server does not run.
//!
//! Without a valid token a client can only compete with other clients that have none: at the limit
//! of connections, the oldest connection without a valid token is closed for a new one. A user who
//! has most connections loses one if all users together have more than their share, so that one
//! token cannot lock out others.
//!
//! | file | contents |
//! |---|---|
//! | `api_server`, `api_server_builder` | the server and its configuration |
//! | `addresses` | socket, names and URL of a server |
//! | `connections` | the open connections, and the limit of their number |
//! | `connection` | one connection: handshake, requests, timeouts |
//! | `progress` | phases of a connection, which determine its timeouts |
//! | `monitored_stream`, `served_body` | observers of a connection's progress |
//! | `tls` | certificates |

mod addresses;
mod api_server;
mod api_server_builder;
mod connection;
mod connections;
mod error;
mod monitored_stream;
mod progress;
mod served_body;
mod settings;
mod tls;

pub use self::api_server::ApiServer;
pub use self::api_server_builder::ApiServerBuilder;
pub use self::error::ListenError;
pub use self::settings::ListenSettings;
pub use self::tls::CertificateError;
