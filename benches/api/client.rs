//! A client with one keep-alive connection, whose requests are text.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};
use serde_json::Value;
use sluicegate::api::{ApiFolder, Kubeconfig};

use crate::support::WAIT_TIMEOUT;

pub(crate) const JSON: &str = "application/json";
pub(crate) const MERGE_PATCH: &str = "application/merge-patch+json";
/// The Accept header of `kubectl get`.
pub(crate) const TABLE: &str = "application/json;as=Table;v=v1;g=meta.k8s.io,application/json;as=Table;v=v1beta1;g=meta.k8s.io,\
     application/json";

/// Address and credentials of an API.
#[derive(Clone)]
pub(crate) struct Endpoint {
    address: SocketAddr,
    token: String,
    config: Arc<ClientConfig>,
}

/// Connection of a client.
pub(crate) struct Client {
    stream: BufReader<StreamOwned<ClientConnection, TcpStream>>,
    /// Headers of all requests.
    headers: String,
}

impl Endpoint {
    /// Reads the files of a server's folder.
    pub(crate) fn of_folder(folder: &ApiFolder) -> Self {
        let text = Kubeconfig::of_folder(folder).unwrap().to_yaml();
        let kubeconfig: Value = serde_yaml::from_str(&text).unwrap();
        let cluster = &kubeconfig["clusters"][0]["cluster"];
        let authority = cluster["certificate-authority-data"].as_str().unwrap();
        let mut roots = RootCertStore::empty();
        for certificate in
            CertificateDer::pem_slice_iter(&BASE64_STANDARD.decode(authority).unwrap())
        {
            roots.add(certificate.unwrap()).unwrap();
        }
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth();
        let url = cluster["server"].as_str().unwrap();
        Self {
            address: url.strip_prefix("https://").unwrap().parse().unwrap(),
            token: kubeconfig["users"][0]["user"]["token"].as_str().unwrap().to_owned(),
            config: Arc::new(config),
        }
    }

    pub(crate) fn connect(&self) -> Client {
        let stream = TcpStream::connect(self.address).unwrap();
        stream.set_nodelay(true).unwrap();
        stream.set_read_timeout(Some(WAIT_TIMEOUT)).unwrap();
        let name = ServerName::from(self.address.ip());
        let connection = ClientConnection::new(self.config.clone(), name).unwrap();
        let (address, token) = (self.address, &self.token);
        Client {
            stream: BufReader::new(StreamOwned::new(connection, stream)),
            headers: format!("host: {address}\r\nauthorization: Bearer {token}\r\n"),
        }
    }
}

impl Client {
    /// Returns the body of a GET request.
    pub(crate) fn get(&mut self, path: &str, accept: &str) -> Vec<u8> {
        self.request("GET", path, &format!("accept: {accept}\r\n"), b"")
    }

    /// Sends an object or a patch.
    pub(crate) fn send(&mut self, method: &str, path: &str, content_type: &str, body: &[u8]) {
        let headers = format!("accept: {JSON}\r\ncontent-type: {content_type}\r\n");
        self.request(method, path, &headers, body);
    }

    /// Sends a request, which must succeed, and returns the body of its answer.
    fn request(&mut self, method: &str, path: &str, headers: &str, body: &[u8]) -> Vec<u8> {
        let (always, length) = (&self.headers, body.len());
        let mut request = format!(
            "{method} {path} HTTP/1.1\r\n{always}{headers}content-length: {length}\r\n\r\n"
        )
        .into_bytes();
        request.extend_from_slice(body);
        self.stream.get_mut().write_all(&request).unwrap();
        let status = self.line();
        let (mut length, mut is_chunked) = (0, false);
        loop {
            let line = self.line().to_ascii_lowercase();
            match line.split_once(": ") {
                Some(("content-length", value)) => length = value.parse().unwrap(),
                Some(("transfer-encoding", value)) => is_chunked = value == "chunked",
                Some(_) => {}
                None => break,
            }
        }
        let mut answer = Vec::new();
        if is_chunked {
            loop {
                let length = usize::from_str_radix(&self.line(), 16).unwrap();
                self.read(length, &mut answer);
                assert_eq!(self.line(), "");
                if length == 0 {
                    break;
                }
            }
        } else {
            self.read(length, &mut answer);
        }
        let is_success = status.starts_with("HTTP/1.1 20");
        assert!(is_success, "{method} {path}: {status}: {}", String::from_utf8_lossy(&answer));
        answer
    }

    /// Reads a line without its end.
    fn line(&mut self) -> String {
        let mut line = String::new();
        self.stream.read_line(&mut line).unwrap();
        line.strip_suffix("\r\n").expect("the connection is open").to_owned()
    }

    fn read(&mut self, length: usize, out: &mut Vec<u8>) {
        let start = out.len();
        out.resize(start + length, 0);
        self.stream.read_exact(&mut out[start..]).unwrap();
    }
}
