//! Errors of the folder of an API server.

use std::io;
use std::path::PathBuf;

use crate::api::access::{InvalidToken, RandomSourceError};
use crate::api::files::InputFileError;

/// Error of the folder of an API server.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FolderError {
    /// The folder cannot be created or read.
    #[error("cannot {operation} the folder {}", .path.display())]
    Folder {
        /// Operation that failed.
        operation: &'static str,
        /// Path of the folder.
        path: PathBuf,
        /// Error of the operating system.
        source: io::Error,
    },
    /// Others could replace the token and the objects.
    #[error(
        "other users can write to the folder {} (mode {mode:04o}); set its mode to 0700, or give a \
         new folder in it, which is created with that mode", .path.display()
    )]
    Writable {
        /// Path of the folder.
        path: PathBuf,
        /// Permissions of the folder.
        mode: u32,
    },
    /// The folder belongs to another user.
    #[error(
        "the folder {} belongs to the user with ID {uid}, not to the one of this process, {user}; \
         run the command as its owner, or change the owner of the folder and its files with \
         `chown -R`", .path.display()
    )]
    Owner {
        /// Path of the folder.
        path: PathBuf,
        /// Owner of the folder.
        uid: u32,
        /// User that must own the folder.
        user: u32,
    },
    /// The folder is in a folder of another user.
    #[error(
        "this user may not read the folder {}; run the command as root or as the user of the \
         gateway", .path.display()
    )]
    Denied {
        /// Path of the folder.
        path: PathBuf,
    },
    /// The path leads to a file.
    #[error("{} is a file, not a folder; give the path of a folder with --data", .path.display())]
    NotAFolder {
        /// Path of the file.
        path: PathBuf,
    },
    /// A file cannot be read, or is not secret.
    #[error(transparent)]
    Input(#[from] InputFileError),
    /// A file cannot be written.
    #[error("cannot write {}", .path.display())]
    Write {
        /// Path of the file.
        path: PathBuf,
        /// Error of the operating system.
        source: io::Error,
    },
    /// The operating system provides no random bytes for a token.
    #[error("cannot generate a token")]
    Random(#[from] RandomSourceError),
    /// The file with the token contains something else.
    #[error(
        "{} contains no token; delete it, and the next start generates a new token", .path.display()
    )]
    Token {
        /// Path of the file.
        path: PathBuf,
        /// Error of the token.
        source: InvalidToken,
    },
    /// No server has used the folder.
    #[error(
        "no API server has used the folder {}: {} is missing; start one with `sluicegate run \
         --api`, or give its folder with --data", .folder.display(), .file
    )]
    MissingFile {
        /// Path of the folder.
        folder: PathBuf,
        /// Name of the file that a server writes.
        file: &'static str,
    },
    /// A server has used the folder, and its token was deleted since then.
    #[error(
        "the folder {} has no file `token`, although an API server has used it; restart the \
         gateway, which generates a new token, or restore the file", .folder.display()
    )]
    MissingToken {
        /// Path of the folder.
        folder: PathBuf,
    },
    /// The file with the address contains something else.
    #[error(
        "{} contains no address of an API server; the next start writes it again", .path.display()
    )]
    Endpoint {
        /// Path of the file.
        path: PathBuf,
        /// Error of the JSON text.
        source: serde_json::Error,
    },
}
