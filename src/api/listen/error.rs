//! Errors of the start of an API server.

use std::io;
use std::net::SocketAddr;

use super::tls::CertificateError;
use crate::api::access::TokensFileError;
use crate::api::folder::FolderError;

/// Error of the start of an [`ApiServer`](super::ApiServer).
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ListenError {
    /// The address cannot be bound.
    #[error("cannot listen on {address} for the API (choose another address with --api-listen)")]
    Bind {
        /// Requested address.
        address: SocketAddr,
        /// Error of the operating system.
        source: io::Error,
    },
    /// The folder of the server cannot be used.
    #[error(transparent)]
    Folder(#[from] FolderError),
    /// The file of tokens cannot be used.
    #[error(transparent)]
    Tokens(#[from] TokensFileError),
    /// The certificate cannot be used or generated.
    #[error(transparent)]
    Certificate(#[from] CertificateError),
}
