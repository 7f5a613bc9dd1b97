//! Certificates: the authority of the folder, files, versions of TLS.

use std::sync::Arc;

use rcgen::{CertifiedKey, KeyPair, generate_simple_self_signed};
use rustls::pki_types::ServerName;
use rustls::version::{TLS12, TLS13};
use sluicegate::api::ApiFolder;
use sluicegate::api::Kubeconfig;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tower::service_fn;

use crate::server::{TestServer, WAIT_TIMEOUT, answer_ok, client_config, wait_until, write_secret};

#[tokio::test]
async fn both_versions_of_tls_are_accepted_with_http_1_1() {
    let folder = Arc::new(tempfile::tempdir().unwrap());
    let server = TestServer::start_with(folder, |builder| builder, service_fn(answer_ok)).await;
    for version in [&TLS12, &TLS13] {
        let mut client = server.connect_with(&[version], &[b"h2", b"http/1.1"]).await;
        let (_, session) = client.0.get_ref();
        assert_eq!(session.protocol_version(), Some(version.version));
        assert_eq!(session.alpn_protocol(), Some(&b"http/1.1"[..]));
        let answer = client.send("GET", "/", "host: a\r\n").await;
        assert_eq!((answer.code, answer.body.as_str()), (200, "ok"));
    }
}

#[tokio::test]
async fn token_and_authority_are_kept_over_a_restart() {
    let folder = Arc::new(tempfile::tempdir().unwrap());
    let start = || TestServer::start_with(folder.clone(), |builder| builder, service_fn(answer_ok));
    let first = start().await;
    let (authority, token) = (first.authority.clone(), first.token.clone());
    first.stop().await.unwrap();
    let mut second = start().await;
    assert_eq!((&second.authority, &second.token), (&authority, &token));
    second.authority = authority;
    assert_eq!(second.get("/").await.code, 200);

    // The command reads the same from the folder, while the server runs.
    let api = ApiFolder::find(Some(&folder.path().join("api"))).unwrap();
    let text = Kubeconfig::of_folder(&api).unwrap().to_yaml();
    assert!(text.contains(&token) && text.contains(&format!("https://127.0.0.1:{}", second.port)));
}

#[tokio::test]
async fn other_names_are_not_in_the_certificate() {
    let folder = Arc::new(tempfile::tempdir().unwrap());
    let configure = |builder: sluicegate::api::ApiServerBuilder| {
        builder.host("gateway.example.com".parse().unwrap())
    };
    let server = TestServer::start_with(folder, configure, service_fn(answer_ok)).await;
    for (name, is_valid) in
        [("localhost", true), ("gateway.example.com", true), ("::1", true), ("example.com", false)]
    {
        let config = client_config(&server.authority, rustls::DEFAULT_VERSIONS);
        let name = ServerName::try_from(name).unwrap();
        let stream = server.connect_tcp().await;
        let connected = TlsConnector::from(Arc::new(config)).connect(name.clone(), stream).await;
        assert_eq!(connected.is_ok(), is_valid, "{name:?}");
    }
}

#[tokio::test]
async fn given_certificate_is_read_again_when_it_changes() {
    let folder = Arc::new(tempfile::tempdir().unwrap());
    let (chain, key) = (folder.path().join("tls.crt"), folder.path().join("tls.key"));
    let make = || generate_simple_self_signed(["127.0.0.1".to_owned()]).unwrap();
    let write = |made: &CertifiedKey<KeyPair>| {
        write_secret(&key, &made.signing_key.serialize_pem());
        write_secret(&chain, &made.cert.pem());
    };
    let first = make();
    write(&first);
    let configure = |builder: sluicegate::api::ApiServerBuilder| builder.certificate(&chain, &key);
    let mut server = TestServer::start_with(folder.clone(), configure, service_fn(answer_ok)).await;
    assert!(server.authority.is_empty());
    server.authority = first.cert.pem().into_bytes();
    assert_eq!(server.get("/").await.code, 200);

    // A key that does not fit leaves the certificate in use.
    let second = make();
    write_secret(&key, &second.signing_key.serialize_pem());
    tokio::time::sleep(std::time::Duration::from_millis(1500)).await;
    assert_eq!(server.get("/").await.code, 200);
    write(&second);
    let config = Arc::new(client_config(second.cert.pem().as_bytes(), rustls::DEFAULT_VERSIONS));
    wait_until(async || {
        let name = ServerName::try_from("127.0.0.1").unwrap();
        let stream = server.connect_tcp().await;
        TlsConnector::from(config.clone()).connect(name, stream).await.is_ok()
    })
    .await;
}

#[tokio::test]
async fn request_without_tls_gets_no_answer() {
    let folder = Arc::new(tempfile::tempdir().unwrap());
    let server = TestServer::start_with(folder, |builder| builder, service_fn(answer_ok)).await;
    let mut stream = server.connect_tcp().await;
    stream.write_all(b"GET / HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n").await.unwrap();
    let mut answer = Vec::new();
    drop(timeout(WAIT_TIMEOUT, stream.read_to_end(&mut answer)).await.unwrap());
    assert!(!String::from_utf8_lossy(&answer).contains("HTTP/1.1 200"));
}
