//! The command `sluicegate kubeconfig`.

use std::fs;
use std::io::{self, ErrorKind, IsTerminal as _, Write as _};
use std::path::{Path, PathBuf};

use sluicegate::api::{
    ApiFolder, FolderError, InvalidToken, Kubeconfig, KubeconfigError as WriteError,
};

use crate::cli::KubeconfigOptions;

/// Error of the command.
#[derive(Debug, thiserror::Error)]
pub(crate) enum KubeconfigError {
    /// The folder has no token or no address.
    #[error(transparent)]
    Folder(#[from] FolderError),
    /// The file cannot be written.
    #[error(transparent)]
    Write(#[from] WriteError),
    /// The file of an option cannot be read.
    #[error("cannot read {} (option {option})", .path.display())]
    Read {
        /// Option with the path.
        option: &'static str,
        /// Path of the file.
        path: PathBuf,
        /// Error of the operating system.
        source: io::Error,
    },
    /// The file contains no token.
    #[error("{} contains no token (option --token-file)", .path.display())]
    Token {
        /// Path of the file.
        path: PathBuf,
        /// Error of the token.
        source: InvalidToken,
    },
    /// Standard output is closed or full.
    #[error("cannot write the kubeconfig to standard output")]
    Output(#[source] io::Error),
}

/// Writes a kubeconfig for the API of a gateway, which may run or not.
///
/// # Errors
/// Returns an error if no gateway with an API has used the folder, or if the file cannot be
/// written.
pub(crate) fn write_kubeconfig(options: KubeconfigOptions) -> Result<(), KubeconfigError> {
    let folder = ApiFolder::find(options.data.as_deref())?;
    let mut kubeconfig = Kubeconfig::of_folder(&folder)?;
    if let Some(server) = options.server {
        kubeconfig = kubeconfig.with_server(server);
    }
    if let Some(path) = options.certificate_authority {
        let pem = read("--certificate-authority", &path)?;
        kubeconfig = kubeconfig.with_certificate_authority(pem);
    }
    if let Some(path) = options.token_file {
        let token = read("--token-file", &path)?.trim().parse();
        let user = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        let token = token.map_err(|source| KubeconfigError::Token { path, source })?;
        kubeconfig = kubeconfig.with_user(user, token);
    }
    if let Some(name) = options.name {
        kubeconfig = kubeconfig.with_name(name);
    }
    if let Some(path) = options.output {
        kubeconfig.write_file(&path)?;
        tracing::info!(
            "wrote {}; use it with `kubectl --kubeconfig` or KUBECONFIG",
            path.display()
        );
        return Ok(());
    }
    let is_hidden = io::stdout().is_terminal() && !options.show_token;
    let text = if is_hidden { kubeconfig.to_redacted_yaml() } else { kubeconfig.to_yaml() };
    if is_hidden {
        tracing::warn!("the token is hidden; use --output FILE, or show it with --show-token");
    }
    match io::stdout().write_all(text.as_bytes()).and_then(|()| io::stdout().flush()) {
        // The reader has closed the pipe, as `head` does.
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
        written => written.map_err(KubeconfigError::Output),
    }
}

fn read(option: &'static str, path: &Path) -> Result<String, KubeconfigError> {
    let path = path.to_owned();
    fs::read_to_string(&path).map_err(|source| KubeconfigError::Read { option, path, source })
}
