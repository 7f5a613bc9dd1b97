//! The start: files that cannot be written.

use std::fs::DirBuilder;
use std::os::unix::fs::DirBuilderExt as _;
use std::sync::Arc;

use tower::service_fn;

use crate::server::{TestServer, answer_ok};

/// As on a full disk: only `sluicegate kubeconfig` reads the file.
#[tokio::test]
async fn server_starts_although_its_address_cannot_be_recorded() {
    let folder = Arc::new(tempfile::tempdir().unwrap());
    let mut builder = DirBuilder::new();
    builder.mode(0o700).recursive(true);
    // A folder at the path of the file.
    builder.create(folder.path().join("api/endpoint.json")).unwrap();
    let server = TestServer::start_with(folder, |builder| builder, service_fn(answer_ok)).await;
    assert_eq!(server.get("/").await.code, 200);
}
