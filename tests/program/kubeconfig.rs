//! `sluicegate kubeconfig`, while a server runs.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Output;

use sluicegate::api::{ApiFolder, ApiServer};
use tempfile::TempDir;

use crate::process::program;

/// Runs the command for a folder.
fn kubeconfig(folder: &Path, arguments: &[&str]) -> Output {
    program().args(["kubeconfig", "--data"]).arg(folder).args(arguments).output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

/// Starts a server, and returns its folder and its kubeconfig.
async fn start(parent: &TempDir) -> (ApiServer, String) {
    let folder = ApiFolder::open(parent.path().join("data")).unwrap();
    let builder = ApiServer::builder(folder).listen("127.0.0.1:0".parse().unwrap());
    let server = builder.bind().unwrap();
    let yaml = server.kubeconfig().to_yaml();
    (server, yaml)
}

#[tokio::test]
async fn pipe_gets_the_token_and_file_is_private() {
    let parent = TempDir::new().unwrap();
    let (_server, expected) = start(&parent).await;
    let data = parent.path().join("data");
    let printed = kubeconfig(&data, &[]);
    assert!(printed.status.success(), "{printed:?}");
    assert_eq!(text(&printed.stdout), expected);

    let file = parent.path().join("kubeconfig");
    for _ in 0..2 {
        let written = kubeconfig(&data, &["--output", file.to_str().unwrap()]);
        assert!(written.status.success(), "{written:?}");
        assert_eq!(text(&written.stdout), "");
        assert!(!text(&written.stderr).contains("sluicegate_"), "{written:?}");
        assert_eq!(fs::read_to_string(&file).unwrap(), expected);
        assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o7777, 0o600);
    }
}

#[tokio::test]
async fn server_and_token_can_be_others() {
    let parent = TempDir::new().unwrap();
    start(&parent).await;
    let data = parent.path().join("data");
    let token = parent.path().join("token");
    fs::write(&token, "0123456789abcdef0123456789abcdef\n").unwrap();
    let arguments = ["--server", "https://a.example:1", "--token-file", token.to_str().unwrap()];
    let printed = text(&kubeconfig(&data, &arguments).stdout);
    for expected in [
        "\"https://a.example:1\"",
        "\"0123456789abcdef0123456789abcdef\"",
        "current-context: \"token@a.example:1\"",
    ] {
        assert!(printed.contains(expected), "{printed}");
    }
    let printed = text(&kubeconfig(&data, &["--name", "edge1"]).stdout);
    assert!(printed.contains("current-context: edge1\n"), "{printed}");
    fs::write(&token, "secret").unwrap();
    let failed = kubeconfig(&data, &arguments);
    assert_eq!(failed.status.code(), Some(1));
    let error = text(&failed.stderr);
    assert!(error.contains("contains no token") && !error.contains("secret"), "{error}");
}

#[tokio::test]
async fn unused_folder_and_foreign_file_are_errors() {
    let parent = TempDir::new().unwrap();
    let missing = parent.path().join("missing");
    let failed = kubeconfig(&missing, &[]);
    assert_eq!(failed.status.code(), Some(1));
    assert!(text(&failed.stderr).contains("no API server has used the folder"), "{failed:?}");
    assert!(!missing.exists());

    start(&parent).await;
    let file = parent.path().join("config");
    fs::write(&file, "apiVersion: v1\n").unwrap();
    let failed = kubeconfig(&parent.path().join("data"), &["--output", file.to_str().unwrap()]);
    assert_eq!(failed.status.code(), Some(1));
    assert_eq!(fs::read_to_string(&file).unwrap(), "apiVersion: v1\n");
}
