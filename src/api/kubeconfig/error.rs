//! Errors of kubeconfigs.

use std::io;
use std::path::PathBuf;

/// Error of writing a kubeconfig.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum KubeconfigError {
    /// The file cannot be read or written.
    #[error("cannot {operation} {}", .path.display())]
    File {
        /// Operation that failed.
        operation: &'static str,
        /// Path of the file.
        path: PathBuf,
        /// Error of the operating system.
        source: io::Error,
    },
    /// The folder of the file does not exist.
    #[error("cannot write {}: its folder does not exist; create it, or give another path", .path.display())]
    MissingFolder {
        /// Path of the file.
        path: PathBuf,
    },
    /// The path is a link, perhaps to another file of the user.
    #[error("{} is a symbolic link; give the path of a file, or remove the link", .path.display())]
    Link {
        /// Path of the link.
        path: PathBuf,
    },
    /// Another program wrote the file, which may contain other clusters.
    #[error(
        "{} exists and was not written by sluicegate; give another path, or remove the file",
        .path.display()
    )]
    Exists {
        /// Path of the file.
        path: PathBuf,
    },
}
