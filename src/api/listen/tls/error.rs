//! Errors of certificates.

use std::error::Error;
use std::path::PathBuf;

use crate::api::files::InputFileError;
use crate::api::folder::FolderError;

type Source = Box<dyn Error + Send + Sync>;

/// Error of the server's certificate.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CertificateError {
    /// A file cannot be read, or others can read the key.
    #[error(transparent)]
    Input(#[from] InputFileError),
    /// The folder of the server cannot be used.
    #[error(transparent)]
    Folder(#[from] FolderError),
    /// A file contains no certificate.
    #[error("{} contains no certificate in PEM (-----BEGIN CERTIFICATE-----)", .path.display())]
    NoCertificate {
        /// Path of the file.
        path: PathBuf,
    },
    /// A file contains no key.
    #[error(
        "{} contains no unencrypted private key in PEM (-----BEGIN PRIVATE KEY-----)",
        .path.display()
    )]
    NoKey {
        /// Path of the file.
        path: PathBuf,
        /// Error of the PEM text.
        source: Source,
    },
    /// A file is malformed.
    #[error("{} is not valid PEM", .path.display())]
    Pem {
        /// Path of the file.
        path: PathBuf,
        /// Error of the PEM text.
        source: Source,
    },
    /// The certificate cannot be used with the key.
    #[error(
        "the certificate in {} cannot be used with the key in {}; expected the certificate of the \
         server first, and its RSA, ECDSA or Ed25519 key",
        .certificate.display(), .key.display()
    )]
    Unusable {
        /// Path of the certificate.
        certificate: PathBuf,
        /// Path of the key.
        key: PathBuf,
        /// Error of the TLS library.
        source: Source,
    },
    /// The authority of the folder is damaged.
    #[error(
        "{} contains no certificate authority; restore it, or delete it, after which clients need \
         a new kubeconfig", .path.display()
    )]
    Authority {
        /// Path of the file.
        path: PathBuf,
        /// Error of the file's contents.
        source: Source,
    },
    /// A certificate cannot be generated.
    #[error("cannot generate a certificate")]
    Issue(#[source] Source),
}
