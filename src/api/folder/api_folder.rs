//! The folder of an API server, and its files.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use rustix::process::geteuid;

use super::endpoint::Endpoint;
use super::error::FolderError;
use super::private_folder::{check_own, check_readable, create_private};
use super::runtime_folder::RuntimePlaces;
use crate::api::access::Token;
use crate::api::files::{InputFile, InputFileError, create_file, replace_file};

const TOKEN: &str = "token";
const ENDPOINT: &str = "endpoint.json";
const AUTHORITY: &str = "authority.pem";
const STORE: &str = "store";

/// Largest file of the folder.
const MAX_BYTES: u64 = 64 << 10;

/// Folder of an API server.
///
/// | file | contents |
/// |---|---|
/// | `token` | token of the administrator, generated at the first start |
/// | `authority.pem` | key and certificate of the authority that signs the server's certificates |
/// | `endpoint.json` | address of the server that was started last |
/// | `store` | folder for the objects |
///
/// Only the user of the process and root may write to the folder; the files have mode 0600.
#[derive(Debug, Clone)]
pub struct ApiFolder {
    path: PathBuf,
    /// User of the files, if not root.
    owner: u32,
}

impl ApiFolder {
    /// Opens a folder. If it does not exist, creates it with mode 0700.
    ///
    /// # Errors
    /// Returns an error if the folder cannot be created, or if other users can write to it.
    pub fn open(path: impl Into<PathBuf>) -> Result<Self, FolderError> {
        let path = path.into();
        create_private(&path)?;
        Ok(Self { path, owner: geteuid().as_raw() })
    }

    /// Opens the folder of servers that keep their objects in memory:
    /// `$XDG_RUNTIME_DIR/sluicegate`. Without that variable, it is `/run/sluicegate` for root, and
    /// otherwise, or if root cannot write to `/run`, `sluicegate-UID` in the folder for temporary
    /// files. If another user has created that folder, one with a random suffix is used instead.
    ///
    /// # Errors
    /// Returns an error if the folder cannot be created, or if other users can write to it.
    pub fn open_runtime() -> Result<Self, FolderError> {
        Self::open(RuntimePlaces::new().create()?)
    }

    /// Finds the folder of a server, or the one of [`open_runtime`](Self::open_runtime) if `path`
    /// is `None`. If this process runs as root and `path` is given, the server may run as another
    /// user.
    ///
    /// # Errors
    /// Returns an error if the folder does not exist, or if other users can write to it.
    pub fn find(path: Option<&Path>) -> Result<Self, FolderError> {
        match path {
            Some(path) => Self::find_at(path.to_owned(), check_readable),
            // Any user can create a folder of that name, with a token and an address of their own.
            None => Self::find_at(RuntimePlaces::new().find(), check_own),
        }
    }

    fn find_at(
        path: PathBuf,
        check: impl FnOnce(&Path) -> Result<u32, FolderError>,
    ) -> Result<Self, FolderError> {
        match check(&path) {
            Ok(owner) => Ok(Self { path, owner }),
            Err(FolderError::Folder { source, .. }) if source.kind() == ErrorKind::NotFound => {
                Err(FolderError::MissingFile { folder: path, file: ENDPOINT })
            }
            Err(error) => Err(error),
        }
    }

    /// Returns the path of the folder.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Returns the path for the objects.
    pub fn store_path(&self) -> PathBuf {
        self.path.join(STORE)
    }

    /// Returns `true` if a server was started in the folder before. It writes these files when it
    /// has opened its store, so the store must exist.
    pub fn is_used(&self) -> bool {
        [TOKEN, ENDPOINT, AUTHORITY].iter().any(|name| self.path.join(name).exists())
    }

    /// Returns the token of the administrator. Generates it if there is none.
    ///
    /// # Errors
    /// Returns an error if the file cannot be read or written, or if others can read it.
    pub fn token(&self) -> Result<Token, FolderError> {
        match self.find_token() {
            Err(FolderError::MissingToken { .. }) => {
                let token = Token::generate()?;
                self.create(TOKEN, format!("{}\n", token.reveal()).as_bytes())?;
                if self.endpoint().is_ok() {
                    tracing::warn!(
                        file = %self.path.join(TOKEN).display(),
                        "the token of the administrator was missing, and a new one was generated; \
                         kubeconfigs with the earlier token are no longer valid, so write them \
                         again with `sluicegate kubeconfig`"
                    );
                }
                // Another process may have created the file first.
                self.find_token()
            }
            found => found,
        }
    }

    /// Returns the token of the administrator.
    ///
    /// # Errors
    /// Returns an error if there is none, or if others can read it.
    pub(in crate::api) fn find_token(&self) -> Result<Token, FolderError> {
        let text = self.read(TOKEN).map_err(|error| match error {
            FolderError::MissingFile { folder, .. } => FolderError::MissingToken { folder },
            error => error,
        })?;
        let text = str::from_utf8(&text).unwrap_or_default().trim();
        text.parse().map_err(|source| FolderError::Token { path: self.path.join(TOKEN), source })
    }

    /// Returns the path of the certificate authority.
    pub(in crate::api) fn authority_path(&self) -> PathBuf {
        self.path.join(AUTHORITY)
    }

    /// Returns key and certificate of the authority in PEM, if there is one.
    pub(in crate::api) fn authority(&self) -> Result<Option<String>, FolderError> {
        match self.read(AUTHORITY) {
            Ok(text) => Ok(Some(String::from_utf8_lossy(&text).into_owned())),
            Err(FolderError::MissingFile { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Stores key and certificate of the authority, unless there is one.
    pub(in crate::api) fn create_authority(&self, text: &str) -> Result<(), FolderError> {
        self.create(AUTHORITY, text.as_bytes())?;
        if self.endpoint().is_ok_and(|endpoint| endpoint.certificate_authority.is_some()) {
            tracing::warn!(
                file = %self.authority_path().display(),
                "the certificate authority was missing, and a new one was generated; clients do \
                 not trust it until they have new kubeconfigs (sluicegate kubeconfig)"
            );
        }
        Ok(())
    }

    /// Records the address of a server that starts, unless it is the recorded one: a full disk must
    /// not prevent a start.
    pub(in crate::api) fn write_endpoint(&self, endpoint: &Endpoint) -> Result<(), FolderError> {
        if self.endpoint().is_ok_and(|recorded| recorded == *endpoint) {
            return Ok(());
        }
        let path = self.path.join(ENDPOINT);
        let text = serde_json::to_vec_pretty(endpoint).expect("an endpoint consists of strings");
        replace_file(&path, &text).map_err(|source| FolderError::Write { path, source })
    }

    /// Returns the address of the server that was started last.
    pub(in crate::api) fn endpoint(&self) -> Result<Endpoint, FolderError> {
        let text = self.read(ENDPOINT)?;
        let error = |source| FolderError::Endpoint { path: self.path.join(ENDPOINT), source };
        serde_json::from_slice(&text).map_err(error)
    }

    /// Creates a file, unless it exists.
    fn create(&self, name: &'static str, contents: &[u8]) -> Result<(), FolderError> {
        let path = self.path.join(name);
        match create_file(&path, contents) {
            Ok(_) => Ok(()),
            Err(source) => Err(FolderError::Write { path, source }),
        }
    }

    fn read(&self, name: &'static str) -> Result<Vec<u8>, FolderError> {
        let file = InputFile::secret(self.path.join(name), MAX_BYTES).with_owner(self.owner);
        match file.read() {
            Err(InputFileError::Read { source, .. }) if source.kind() == ErrorKind::NotFound => {
                Err(FolderError::MissingFile { folder: self.path.clone(), file: name })
            }
            read => Ok(read?),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs::{self, Permissions};
    use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, chown};

    use tempfile::tempdir;

    use super::*;

    #[test]
    fn token_is_generated_once() {
        let parent = tempdir().unwrap();
        let path = parent.path().join("new");
        let folder = ApiFolder::open(&path).unwrap();
        let token = folder.token().unwrap();
        assert_eq!(folder.token().unwrap(), token);
        assert_eq!(ApiFolder::open(&path).unwrap().token().unwrap(), token);
        let mode = fs::metadata(path.join("token")).unwrap().permissions().mode();
        assert_eq!(mode & 0o7777, 0o600);
        assert!(!format!("{folder:?}").contains(token.reveal()));
    }

    #[test]
    fn exposed_or_invalid_token_is_refused() {
        let parent = tempdir().unwrap();
        let folder = ApiFolder::open(parent.path().join("new")).unwrap();
        folder.token().unwrap();
        let path = folder.path().join("token");
        fs::set_permissions(&path, Permissions::from_mode(0o644)).unwrap();
        let error = folder.token().unwrap_err();
        assert!(matches!(error, FolderError::Input(InputFileError::Exposed { .. })), "{error}");
        fs::set_permissions(&path, Permissions::from_mode(0o600)).unwrap();
        for text in ["", "short\n", "\u{e9}"] {
            fs::write(&path, text).unwrap();
            let error = folder.token().unwrap_err();
            assert!(matches!(error, FolderError::Token { .. }), "{error}");
        }
    }

    #[test]
    fn missing_token_is_an_error_after_the_first_start_only() {
        let parent = tempdir().unwrap();
        let folder = ApiFolder::open(parent.path().join("new")).unwrap();
        let endpoint = Endpoint { server: "http://a:1".to_owned(), certificate_authority: None };
        folder.write_endpoint(&endpoint).unwrap();
        let error = folder.find_token().unwrap_err().to_string();
        assert!(error.contains("restart the gateway"), "{error}");
        folder.token().unwrap();
        assert!(folder.find_token().is_ok());
    }

    /// On a full disk, no temporary file can be written.
    #[test]
    fn recorded_endpoint_is_not_written_again() {
        let parent = tempdir().unwrap();
        let folder = ApiFolder::open(parent.path().join("new")).unwrap();
        let path = folder.path().join("endpoint.json");
        let mut endpoint =
            Endpoint { server: "http://a:1".to_owned(), certificate_authority: None };
        let inode = |endpoint: &Endpoint| {
            folder.write_endpoint(endpoint).unwrap();
            fs::metadata(&path).unwrap().ino()
        };
        let first = inode(&endpoint);
        assert_eq!(inode(&endpoint), first);
        endpoint.server = "http://a:2".to_owned();
        assert_ne!(inode(&endpoint), first);
    }

    #[test]
    fn endpoint_is_that_of_the_last_server() {
        let parent = tempdir().unwrap();
        let folder = ApiFolder::open(parent.path().join("new")).unwrap();
        assert!(matches!(folder.endpoint(), Err(FolderError::MissingFile { .. })));
        for certificate_authority in [None, Some("PEM".to_owned())] {
            let endpoint = Endpoint { server: "http://a:1".to_owned(), certificate_authority };
            folder.write_endpoint(&endpoint).unwrap();
            assert_eq!(ApiFolder::find(Some(folder.path())).unwrap().endpoint().unwrap(), endpoint);
        }
        fs::write(folder.path().join("endpoint.json"), "{}").unwrap();
        assert!(matches!(folder.endpoint(), Err(FolderError::Endpoint { .. })));
    }

    #[test]
    fn missing_folder_is_not_created_by_a_reader() {
        let parent = tempdir().unwrap();
        let path = parent.path().join("missing");
        let error = ApiFolder::find(Some(&path)).unwrap_err();
        assert!(matches!(error, FolderError::MissingFile { .. }), "{error}");
        assert!(!path.exists());
    }

    /// As with systemd, if an administrator reads the folder of a service.
    #[test]
    fn folder_of_another_user_is_found_by_root_only() {
        let parent = tempdir().unwrap();
        let folder = ApiFolder::open(parent.path().join("new")).unwrap();
        let token = folder.token().unwrap();
        if !geteuid().is_root() {
            return;
        }
        let files = [folder.path().to_owned(), folder.path().join("token")];
        for path in &files {
            chown(path, Some(54_321), None).unwrap();
        }
        let found = ApiFolder::find(Some(folder.path())).unwrap();
        assert_eq!(found.find_token().unwrap(), token);
        // Without a path of the user, the other one may have created the folder.
        let error = ApiFolder::find_at(folder.path().to_owned(), check_own).unwrap_err();
        assert!(matches!(error, FolderError::Owner { uid: 54_321, user: 0, .. }), "{error}");
        let opened = ApiFolder::open(folder.path());
        assert!(matches!(opened, Err(FolderError::Owner { uid: 54_321, .. })));
        // A third user may have replaced the file.
        chown(&files[1], Some(54_322), None).unwrap();
        let error = found.find_token().unwrap_err();
        assert!(matches!(error, FolderError::Input(InputFileError::Owner { uid: 54_322, .. })));
    }
}
