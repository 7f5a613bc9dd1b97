//! A server of the test, and a client that writes its requests as text.

use std::convert::Infallible;
use std::error::Error;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use http::{Request, Response};
use http_body_util::Full;
use hyper::body::{Body, Bytes, Incoming};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore, SupportedProtocolVersion};
use serde_json::Value;
use sluicegate::admission;
use sluicegate::api::{ApiFolder, ApiServer, ApiServerBuilder, ApiService, Settings};
use sluicegate::store::{self, Store};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tower::Service;

/// Longest time that a test waits for an event.
pub(crate) const WAIT_TIMEOUT: Duration = Duration::from_secs(60);

pub(crate) struct TestServer {
    /// Removed when it is dropped.
    _folder: Option<Arc<TempDir>>,
    pub(crate) port: u16,
    pub(crate) token: String,
    pub(crate) authority: Vec<u8>,
    stop: oneshot::Sender<()>,
    task: JoinHandle<()>,
}

/// Connection of a client.
pub(crate) struct Client(pub(crate) TlsStream<TcpStream>);

/// Answer to a request.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) code: u16,
    pub(crate) head: String,
    pub(crate) body: String,
}

impl TestServer {
    /// Starts a server with the API of an empty store.
    pub(crate) async fn start(
        configure: impl FnOnce(ApiServerBuilder) -> ApiServerBuilder,
    ) -> Self {
        let store = Store::in_memory(admission::catalog(), store::Settings::new()).unwrap();
        let folder = Arc::new(tempfile::tempdir().unwrap());
        let server = bind(folder.path(), configure);
        let service = ApiService::new(store, server.access().clone(), Settings::new());
        Self::serve(Some(folder), server, service)
    }

    /// Starts a server with the API of a store. Its folder has to be removed by the caller.
    pub(crate) async fn start_in(
        folder: &Path,
        store: Store,
        settings: Settings,
        configure: impl FnOnce(ApiServerBuilder) -> ApiServerBuilder,
    ) -> Self {
        let server = bind(folder, configure);
        let service = ApiService::new(store, server.access().clone(), settings);
        Self::serve(None, server, service)
    }

    /// Starts a server with another service.
    pub(crate) async fn start_with<S, B>(
        folder: Arc<TempDir>,
        configure: impl FnOnce(ApiServerBuilder) -> ApiServerBuilder,
        service: S,
    ) -> Self
    where
        S: Service<Request<Incoming>, Response = Response<B>, Error = Infallible>,
        S: Clone + Send + 'static,
        S::Future: Send,
        B: Body<Data = Bytes> + Send + Unpin + 'static,
        B::Error: Into<Box<dyn Error + Send + Sync>>,
    {
        let server = bind(folder.path(), configure);
        Self::serve(Some(folder), server, service)
    }

    fn serve<S, B>(folder: Option<Arc<TempDir>>, server: ApiServer, service: S) -> Self
    where
        S: Service<Request<Incoming>, Response = Response<B>, Error = Infallible>,
        S: Clone + Send + 'static,
        S::Future: Send,
        B: Body<Data = Bytes> + Send + Unpin + 'static,
        B::Error: Into<Box<dyn Error + Send + Sync>>,
    {
        let kubeconfig: Value = serde_yaml::from_str(&server.kubeconfig().to_yaml()).unwrap();
        let cluster = &kubeconfig["clusters"][0]["cluster"];
        let port = server.local_address().port();
        assert_eq!(cluster["server"], format!("https://127.0.0.1:{port}"));
        let authority = cluster["certificate-authority-data"].as_str().unwrap_or_default();
        let authority = BASE64_STANDARD.decode(authority).unwrap();
        let token = kubeconfig["users"][0]["user"]["token"].as_str().unwrap().to_owned();
        let (stop, stopped) = oneshot::channel();
        let task = tokio::spawn(server.serve(service, async move { drop(stopped.await) }));
        Self { _folder: folder, port, token, authority, stop, task }
    }

    pub(crate) async fn connect(&self) -> Client {
        self.connect_with(rustls::DEFAULT_VERSIONS, &[]).await
    }

    /// Connects with these versions of TLS and these protocols.
    pub(crate) async fn connect_with(
        &self,
        versions: &[&'static SupportedProtocolVersion],
        alpn: &[&[u8]],
    ) -> Client {
        let stream = self.connect_tcp().await;
        let mut config = client_config(&self.authority, versions);
        config.alpn_protocols = alpn.iter().map(|protocol| protocol.to_vec()).collect();
        let name = ServerName::try_from("127.0.0.1").unwrap();
        Client(TlsConnector::from(Arc::new(config)).connect(name, stream).await.unwrap())
    }

    pub(crate) async fn connect_tcp(&self) -> TcpStream {
        TcpStream::connect(("127.0.0.1", self.port)).await.unwrap()
    }

    /// Sends a request with the token of the administrator on a connection of its own.
    pub(crate) async fn get(&self, path: &str) -> Answer {
        let mut client = self.connect().await;
        client.send("GET", path, &self.headers(&self.token)).await
    }

    /// Returns the headers of a valid request.
    pub(crate) fn headers(&self, token: &str) -> String {
        format!("host: 127.0.0.1:{}\r\nauthorization: Bearer {token}\r\n", self.port)
    }

    /// Begins the shutdown.
    pub(crate) fn stop(self) -> JoinHandle<()> {
        self.stop.send(()).unwrap();
        self.task
    }
}

pub(crate) fn client_config(
    authority: &[u8],
    versions: &[&'static SupportedProtocolVersion],
) -> ClientConfig {
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(authority) {
        roots.add(certificate.unwrap()).unwrap();
    }
    ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_protocol_versions(versions)
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth()
}

fn bind(folder: &Path, configure: impl FnOnce(ApiServerBuilder) -> ApiServerBuilder) -> ApiServer {
    let folder = ApiFolder::open(folder.join("api")).unwrap();
    let builder = ApiServer::builder(folder).listen("127.0.0.1:0".parse().unwrap());
    configure(builder).bind().unwrap()
}

impl Client {
    /// Sends a request without a body and reads its answer. The connection stays open.
    pub(crate) async fn send(&mut self, method: &str, path: &str, headers: &str) -> Answer {
        self.send_body(method, path, headers, "").await
    }

    /// Sends a request with a body and reads its answer. The connection stays open.
    pub(crate) async fn send_body(
        &mut self,
        method: &str,
        path: &str,
        headers: &str,
        body: &str,
    ) -> Answer {
        let length = body.len();
        let request =
            format!("{method} {path} HTTP/1.1\r\n{headers}content-length: {length}\r\n\r\n{body}");
        self.write(&request).await;
        self.read_answer().await
    }

    pub(crate) async fn write(&mut self, text: &str) {
        self.0.write_all(text.as_bytes()).await.unwrap();
        self.0.flush().await.unwrap();
    }

    pub(crate) async fn read_answer(&mut self) -> Answer {
        timeout(WAIT_TIMEOUT, async {
            let mut head = Vec::new();
            while !head.ends_with(b"\r\n\r\n") {
                head.push(self.0.read_u8().await.unwrap());
            }
            let head = String::from_utf8(head).unwrap().to_ascii_lowercase();
            let field = |name: &str| {
                head.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "))
            };
            let length = field("content-length").map_or(0, |length| length.parse().unwrap());
            let body = self.read_bytes(length).await;
            let code = head.split(' ').nth(1).unwrap().parse().unwrap();
            Answer { code, body: String::from_utf8(body).unwrap(), head }
        })
        .await
        .unwrap()
    }

    async fn read_bytes(&mut self, length: usize) -> Vec<u8> {
        let mut bytes = vec![0; length];
        self.0.read_exact(&mut bytes).await.unwrap();
        bytes
    }

    /// Reads the body of an answer without a length.
    pub(crate) async fn read_chunks(&mut self) -> Vec<u8> {
        let mut body = Vec::new();
        while let Some(chunk) = self.read_chunk().await {
            body.extend(chunk);
        }
        body
    }

    /// Reads a chunk of such a body; `None` at its end.
    pub(crate) async fn read_chunk(&mut self) -> Option<Vec<u8>> {
        let mut length = Vec::new();
        while !length.ends_with(b"\r\n") {
            length.push(self.0.read_u8().await.unwrap());
        }
        let length = str::from_utf8(&length).unwrap().trim_end();
        let length = usize::from_str_radix(length, 16).unwrap();
        let chunk = self.read_bytes(length).await;
        assert_eq!(self.read_bytes(2).await, b"\r\n");
        (length > 0).then_some(chunk)
    }

    /// Reads until the server closes the connection. Returns the text that was read.
    pub(crate) async fn read_to_end(&mut self) -> String {
        let mut bytes = Vec::new();
        // A connection that is cut has no close_notify, or is reset.
        drop(timeout(WAIT_TIMEOUT, self.0.read_to_end(&mut bytes)).await.unwrap());
        String::from_utf8_lossy(&bytes).into_owned()
    }
}

/// Service that answers `ok` to each request.
pub(crate) async fn answer_ok(_: Request<Incoming>) -> Result<Response<Full<Bytes>>, Infallible> {
    Ok(Response::new(Full::from("ok")))
}

/// Waits until a condition is true.
pub(crate) async fn wait_until<F: Future<Output = bool>>(mut condition: impl FnMut() -> F) {
    timeout(WAIT_TIMEOUT, async {
        while !condition().await {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    })
    .await
    .unwrap();
}

/// Writes a file that only its owner can read.
pub(crate) fn write_secret(path: &Path, text: &str) {
    use std::os::unix::fs::OpenOptionsExt as _;
    let mut options = std::fs::OpenOptions::new();
    let file = options.write(true).create(true).truncate(true).mode(0o600).open(path);
    std::io::Write::write_all(&mut file.unwrap(), text.as_bytes()).unwrap();
}
