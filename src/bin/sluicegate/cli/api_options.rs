//! Options that require `--api`.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Args, ValueHint};
use sluicegate::api::ApiHost;

use super::values::{parse_bool, parse_socket_address, path_parser, with_example};

#[derive(Debug, Args)]
#[command(next_help_heading = "With --api")]
pub(crate) struct ApiOptions {
    /// Data folder for the objects, the token and the certificate [default: none]
    ///
    /// It is created if it does not exist, and used by one process at a time. Without
    /// it, objects are in memory and lost when the program stops.
    #[arg(long, env = "SLUICEGATE_DATA", value_name = "DIR", value_parser = path_parser())]
    #[arg(value_hint = ValueHint::AnyPath, verbatim_doc_comment)]
    pub(crate) data: Option<PathBuf>,

    /// Address of the API [default: 127.0.0.1:6080]
    ///
    /// :6443 is the port at all addresses, IPv6 and IPv4. With port 0, the kernel chooses
    /// the port, and the log contains it. The API always uses TLS.
    #[arg(long, env = "SLUICEGATE_API_LISTEN", value_name = "[ADDRESS]:PORT")]
    #[arg(value_parser = parse_socket_address, verbatim_doc_comment)]
    pub(crate) api_listen: Option<SocketAddr>,

    /// Host names and addresses by which clients reach the API, separated by commas
    ///
    /// Requests with another Host are refused. The bound address and the names of the
    /// certificate are always allowed, and localhost while the API is bound to loopback.
    #[arg(long, env = "SLUICEGATE_API_HOST", value_name = "HOST", num_args = 1..)]
    #[arg(value_delimiter = ',', value_parser = with_example::<ApiHost>("gateway.example.com"))]
    #[arg(verbatim_doc_comment)]
    pub(crate) api_host: Vec<ApiHost>,

    /// File of the API's certificate chain in PEM format [default: generated]
    ///
    /// Requires --api-key. Both files are read again when they change. Without them, a
    /// certificate authority in the data folder issues the certificate and renews it.
    /// Without --data, the folder is $XDG_RUNTIME_DIR/sluicegate or, without that
    /// variable, /run/sluicegate for root and sluicegate-UID in the temporary folder.
    #[arg(long, env = "SLUICEGATE_API_CERTIFICATE", value_name = "FILE", verbatim_doc_comment)]
    #[arg(value_parser = path_parser(), value_hint = ValueHint::FilePath)]
    pub(crate) api_certificate: Option<PathBuf>,

    /// File of the certificate's private key in PEM format
    #[arg(long, env = "SLUICEGATE_API_KEY", value_name = "FILE", value_parser = path_parser())]
    #[arg(value_hint = ValueHint::FilePath)]
    pub(crate) api_key: Option<PathBuf>,

    /// File of further tokens, which is read again when it changes
    ///
    /// Each line contains a name, a role (view, edit, gateway or admin) and a token, or
    /// sha256: followed by the SHA-256 hash of a token in hexadecimal. The file must not
    /// be readable by other users: its mode is 0600, or 0640 for a group.
    #[arg(long, env = "SLUICEGATE_TOKENS", value_name = "FILE", value_parser = path_parser())]
    #[arg(value_hint = ValueHint::FilePath, verbatim_doc_comment)]
    pub(crate) tokens: Option<PathBuf>,

    /// Accept EndpointSlices with loopback addresses of this host
    ///
    /// While the API is bound to loopback, they are always accepted. The environment
    /// variable is true or false.
    #[arg(long, env = "SLUICEGATE_ALLOW_LOCAL_ENDPOINTS", value_parser = parse_bool)]
    #[arg(verbatim_doc_comment)]
    pub(crate) allow_local_endpoints: bool,
}
