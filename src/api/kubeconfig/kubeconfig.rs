//! The text of a kubeconfig, and its file.

use std::fmt;
use std::fs;
use std::io::{self, ErrorKind};
use std::path::Path;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde_json::json;

use super::error::KubeconfigError;
use crate::api::access::{ADMIN, Token};
use crate::api::files::replace_file;
use crate::api::folder::{ApiFolder, Endpoint, FolderError};
use crate::api::yaml_text::yaml_text;

/// First line of the files that this module writes and may replace.
const HEADER: &str = "# Written by sluicegate; contains a secret token.\n";

/// Text instead of the token.
const HIDDEN: &str = "REDACTED";

/// Configuration of kubectl and of client libraries for an API server.
#[derive(Clone)]
pub struct Kubeconfig {
    server: String,
    certificate_authority: Option<Vec<u8>>,
    user: String,
    token: Token,
    name: Option<String>,
}

impl Kubeconfig {
    /// Creates the configuration for a server with this URL and a user with this token.
    ///
    /// The cluster is named after the host and the port of the server, and the context after the
    /// user too, so that the kubeconfigs of several servers and users can be merged.
    pub fn new(server: impl Into<String>, user: impl Into<String>, token: Token) -> Self {
        let (server, user) = (server.into(), user.into());
        Self { server, certificate_authority: None, user, token, name: None }
    }

    /// Creates the configuration for the server that has used a folder last, with the token of its
    /// administrator. The server need not run.
    ///
    /// # Errors
    /// Returns an error if no server has used the folder, or if its files cannot be read.
    pub fn of_folder(folder: &ApiFolder) -> Result<Self, FolderError> {
        Ok(Self::of_endpoint(&folder.endpoint()?, folder.find_token()?))
    }

    pub(in crate::api) fn of_endpoint(endpoint: &Endpoint, token: Token) -> Self {
        let authority = endpoint.certificate_authority.as_ref();
        let certificate_authority = authority.map(|pem| pem.clone().into_bytes());
        Self { certificate_authority, ..Self::new(endpoint.server.clone(), ADMIN, token) }
    }

    /// Sets the URL of the server, for clients that reach it at another address.
    #[must_use]
    pub fn with_server(self, server: impl Into<String>) -> Self {
        Self { server: server.into(), ..self }
    }

    /// Sets the token and the name of its user. The name is for the reader of the file: the server
    /// finds the user by the token.
    #[must_use]
    pub fn with_user(self, user: impl Into<String>, token: Token) -> Self {
        Self { user: user.into(), token, ..self }
    }

    /// Sets the name of the cluster, the user and the context.
    #[must_use]
    pub fn with_name(self, name: impl Into<String>) -> Self {
        Self { name: Some(name.into()), ..self }
    }

    /// Sets the certificates in PEM of the authorities that may sign the server's certificate.
    /// Without them, clients trust the authorities of their operating system.
    #[must_use]
    pub fn with_certificate_authority(self, pem: impl Into<Vec<u8>>) -> Self {
        Self { certificate_authority: Some(pem.into()), ..self }
    }

    /// Returns the YAML text, which contains the token.
    pub fn to_yaml(&self) -> String {
        self.format(self.token.reveal())
    }

    /// Returns the YAML text without the token.
    pub fn to_redacted_yaml(&self) -> String {
        self.format(HIDDEN)
    }

    /// Writes a file that only its owner can read. Replaces a file that this function wrote.
    ///
    /// # Errors
    /// Returns an error if the file cannot be written, if the path is a symbolic link, or if there
    /// is another file.
    pub fn write_file(&self, path: &Path) -> Result<(), KubeconfigError> {
        let error = |operation| {
            move |source: io::Error| KubeconfigError::File {
                operation,
                path: path.to_owned(),
                source,
            }
        };
        match fs::symlink_metadata(path) {
            Ok(metadata) if metadata.is_symlink() => {
                return Err(KubeconfigError::Link { path: path.to_owned() });
            }
            Ok(metadata) => {
                let is_ours = metadata.is_file()
                    && fs::read(path).map_err(error("read"))?.starts_with(HEADER.as_bytes());
                if !is_ours {
                    return Err(KubeconfigError::Exists { path: path.to_owned() });
                }
            }
            Err(missing) if missing.kind() == ErrorKind::NotFound => {}
            Err(source) => return Err(error("read")(source)),
        }
        replace_file(path, self.to_yaml().as_bytes()).map_err(|source| match source.kind() {
            ErrorKind::NotFound => KubeconfigError::MissingFolder { path: path.to_owned() },
            _ => error("write")(source),
        })
    }

    fn format(&self, token: &str) -> String {
        let host = self.server.split_once("://").map_or(self.server.as_str(), |(_, host)| host);
        let host = host.trim_end_matches('/');
        let (cluster_name, user_name) = match &self.name {
            Some(name) => (name.clone(), name.clone()),
            None => (host.to_owned(), format!("{}@{host}", self.user)),
        };
        let mut cluster = json!({"server": self.server});
        if let Some(pem) = &self.certificate_authority {
            cluster["certificate-authority-data"] = BASE64_STANDARD.encode(pem).into();
        }
        let context = json!({"cluster": cluster_name, "user": user_name, "namespace": "default"});
        let config = json!({
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{"name": cluster_name, "cluster": cluster}],
            "users": [{"name": user_name, "user": {"token": token}}],
            "contexts": [{"name": user_name, "context": context}],
            "current-context": user_name,
        });
        format!("{HEADER}{}", yaml_text(&config))
    }
}

impl fmt::Debug for Kubeconfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Kubeconfig")
            .field("server", &self.server)
            .field("user", &self.user)
            .field("token", &self.token)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{PermissionsExt as _, symlink};

    use serde_json::Value;
    use tempfile::tempdir;

    use super::*;

    const TOKEN: &str = "0123456789abcdef0123456789abcdef";

    fn kubeconfig() -> Kubeconfig {
        Kubeconfig::new("https://[::1]:6080", "admin", TOKEN.parse().unwrap())
    }

    #[test]
    fn text_has_server_authority_and_token() {
        let kubeconfig = kubeconfig().with_certificate_authority("PEM\n");
        let yaml: Value = serde_yaml::from_str(&kubeconfig.to_yaml()).unwrap();
        let expected = json!({
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{"name": "[::1]:6080", "cluster": {
                "server": "https://[::1]:6080",
                "certificate-authority-data": "UEVNCg==",
            }}],
            "users": [{"name": "admin@[::1]:6080", "user": {"token": TOKEN}}],
            "contexts": [{"name": "admin@[::1]:6080", "context": {
                "cluster": "[::1]:6080", "user": "admin@[::1]:6080", "namespace": "default",
            }}],
            "current-context": "admin@[::1]:6080",
        });
        assert_eq!(yaml, expected);
    }

    #[test]
    fn names_contain_user_and_host_unless_set() {
        let names = |kubeconfig: Kubeconfig| {
            let yaml: Value = serde_yaml::from_str(&kubeconfig.to_yaml()).unwrap();
            let context = &yaml["contexts"][0];
            assert_eq!(yaml["current-context"], context["name"]);
            assert_eq!(yaml["clusters"][0]["name"], context["context"]["cluster"]);
            assert_eq!(yaml["users"][0]["name"], context["context"]["user"]);
            [&context["name"], &context["context"]["cluster"], &context["context"]["user"]]
                .map(|name| name.as_str().unwrap().to_owned())
        };
        let alice = kubeconfig()
            .with_server("https://gw.example:443/")
            .with_user("alice", TOKEN.parse().unwrap());
        let (user, host) = ("alice@gw.example:443", "gw.example:443");
        assert_eq!(names(alice.clone()), [user, host, user]);
        assert_eq!(names(alice.with_name("edge: 1")), ["edge: 1"; 3]);
    }

    #[test]
    fn values_are_quoted() {
        let kubeconfig = kubeconfig().with_server("x: \"y\"\n- z");
        let yaml: Value = serde_yaml::from_str(&kubeconfig.to_yaml()).unwrap();
        assert_eq!(yaml["clusters"][0]["cluster"], json!({"server": "x: \"y\"\n- z"}));
    }

    #[test]
    fn token_is_shown_only_on_request() {
        let kubeconfig = kubeconfig();
        assert!(!kubeconfig.to_redacted_yaml().contains(TOKEN));
        assert!(!format!("{kubeconfig:?}").contains(TOKEN));
        let other = "fedcba9876543210fedcba9876543210";
        let yaml = kubeconfig.with_user("alice", other.parse().unwrap()).to_yaml();
        assert!(yaml.contains(other) && !yaml.contains(TOKEN));
    }

    #[test]
    fn file_is_private_and_is_replaced_by_a_newer_one() {
        let folder = tempdir().unwrap();
        let path = folder.path().join("kubeconfig");
        for server in ["http://a", "http://b"] {
            kubeconfig().with_server(server).write_file(&path).unwrap();
            assert!(fs::read_to_string(&path).unwrap().contains(server));
            assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o7777, 0o600);
        }
    }

    #[test]
    fn other_files_and_links_are_not_replaced() {
        let folder = tempdir().unwrap();
        let (config, link) = (folder.path().join("config"), folder.path().join("link"));
        fs::write(&config, "apiVersion: v1\n").unwrap();
        symlink(&config, &link).unwrap();
        let error = kubeconfig().write_file(&config).unwrap_err();
        assert!(matches!(error, KubeconfigError::Exists { .. }), "{error}");
        let error = kubeconfig().write_file(folder.path()).unwrap_err();
        assert!(matches!(error, KubeconfigError::Exists { .. }), "{error}");
        let error = kubeconfig().write_file(&link).unwrap_err();
        assert!(matches!(error, KubeconfigError::Link { .. }), "{error}");
        fs::remove_file(&config).unwrap();
        let error = kubeconfig().write_file(&link).unwrap_err();
        assert!(matches!(error, KubeconfigError::Link { .. }), "{error}");
        let missing = folder.path().join("missing/config");
        let error = kubeconfig().write_file(&missing).unwrap_err();
        assert!(matches!(error, KubeconfigError::MissingFolder { .. }), "{error}");
    }
}
