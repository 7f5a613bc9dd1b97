//! The example `api_gateway`: a client applies the walk-through's objects through the API, the
//! Deployments become available, and connections arrive at their pods.

#![allow(clippy::unwrap_used, reason = "a panic is how a test fails")]

mod support;

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{IpAddr, SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use rustix::process::{Pid, Signal, kill_process};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};
use serde_json::Value;
use support::{WAIT_TIMEOUT, eventually, example, own_address, wait_for_exit};

/// The example as a process.
struct Gateway {
    process: Child,
    /// The address of the Gateways.
    address: IpAddr,
    api: SocketAddr,
    kubeconfig: String,
    /// The lines that the example prints after its kubeconfig, with commands to try.
    introduction: Vec<String>,
    credentials: Credentials,
}

/// Contents of a kubeconfig.
struct Credentials {
    tls: Arc<ClientConfig>,
    token: String,
}

impl Gateway {
    fn start(arguments: &[&str]) -> Self {
        let address = own_address();
        let mut process = Command::new(example("api_gateway"))
            .args(["--api-listen", "127.0.0.1:0", "--bind", &address.to_string()])
            .args(arguments)
            .stdout(Stdio::piped())
            .stderr(Stdio::inherit())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(process.stdout.take().unwrap()).lines();
        let mut value_of = |label: &str| {
            let line = lines.next().unwrap().unwrap();
            line.strip_prefix(label).unwrap_or_else(|| panic!("{line}")).to_owned()
        };
        let api = value_of("API at https://").parse().unwrap();
        let kubeconfig = value_of("Kubeconfig: ");
        let credentials = Credentials::read(Path::new(&kubeconfig));
        let lines_of_text = lines.by_ref().map(Result::unwrap);
        let introduction = lines_of_text.take_while(|line| line != "Ctrl-C stops.").collect();
        std::thread::spawn(move || lines.for_each(drop));
        Self { process, address, api, kubeconfig, introduction, credentials }
    }

    /// Sends a request to the API, and returns the status code and the body.
    fn request(&self, method: &str, path: &str, body: Option<&Value>) -> (u16, Value) {
        let stream = TcpStream::connect(self.api).unwrap();
        stream.set_read_timeout(Some(WAIT_TIMEOUT)).unwrap();
        let tls = self.credentials.tls.clone();
        let tls = ClientConnection::new(tls, self.api.ip().into()).unwrap();
        let mut stream = StreamOwned::new(tls, stream);
        let body = body.map(ToString::to_string).unwrap_or_default();
        write!(
            stream,
            "{method} {path} HTTP/1.1\r\nHost: {}\r\nAuthorization: Bearer {}\r\n\
             Content-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
            self.api,
            self.credentials.token,
            body.len(),
        )
        .unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        let code = head.split(' ').nth(1).unwrap().parse().unwrap();
        (code, serde_json::from_str(body).unwrap_or_else(|_| panic!("{answer}")))
    }

    /// Creates an object, as `kubectl create` does.
    fn create(&self, object: &Value) {
        let (code, answer) = self.request("POST", &collection(object), Some(object));
        assert_eq!(code, 201, "{answer}");
    }

    fn get(&self, collection: &str, name: &str) -> Value {
        let (code, object) = self.request("GET", &format!("{collection}/{name}"), None);
        assert_eq!(code, 200, "{object}");
        object
    }

    fn has_condition(&self, collection: &str, name: &str, of_type: &str) -> bool {
        let object = self.get(collection, name);
        let conditions = object["status"]["conditions"].as_array();
        let mut conditions = conditions.into_iter().flatten();
        conditions.any(|known| known["type"] == of_type && known["status"] == "True")
    }

    /// Returns the Service that answers at a port of the Gateways.
    fn service_at(&self, port: u16) -> Option<String> {
        let mut stream = TcpStream::connect((self.address, port)).ok()?;
        stream.set_read_timeout(Some(WAIT_TIMEOUT)).unwrap();
        write!(stream, "GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n").ok()?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).ok()?;
        let (_, body) = answer.split_once("\r\n\r\n")?;
        let body: Value = serde_json::from_str(body).ok()?;
        Some(body["service"].as_str()?.to_owned())
    }

    /// Stops the process, and returns `true` if its exit status is 0.
    fn stop(mut self) -> bool {
        kill_process(Pid::from_child(&self.process), Signal::TERM).unwrap();
        wait_for_exit(&mut self.process).success()
    }
}

impl Drop for Gateway {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

impl Credentials {
    fn read(kubeconfig: &Path) -> Self {
        let text = fs::read_to_string(kubeconfig).unwrap();
        let config: Value = serde_yaml::from_str(&text).unwrap();
        let authority = &config["clusters"][0]["cluster"]["certificate-authority-data"];
        let authority = BASE64_STANDARD.decode(authority.as_str().unwrap()).unwrap();
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from_pem_slice(&authority).unwrap()).unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let tls = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth();
        let token = config["users"][0]["user"]["token"].as_str().unwrap().to_owned();
        Self { tls: Arc::new(tls), token }
    }
}

const DEPLOYMENTS: &str = "/apis/apps/v1/namespaces/default/deployments";
const GATEWAYS: &str = "/apis/gateway.networking.k8s.io/v1/namespaces/default/gateways";
const ROUTES: &str = "/apis/gateway.networking.k8s.io/v1/namespaces/default/tcproutes";

/// Returns the path of the objects with the type of `object`.
fn collection(object: &Value) -> String {
    let version = object["apiVersion"].as_str().unwrap();
    let prefix = if version.contains('/') { "/apis" } else { "/api" };
    let plural = format!("{}s", object["kind"].as_str().unwrap().to_lowercase());
    match object["kind"].as_str().unwrap() {
        "GatewayClass" => format!("{prefix}/{version}/gatewayclasses"),
        _ => format!("{prefix}/{version}/namespaces/default/{plural}"),
    }
}

/// Returns the objects of the walk-through.
fn walkthrough() -> Vec<Value> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/tcp-routing");
    let files = ["backends.yaml", "gateway.yaml", "routes.yaml"];
    let texts = files.map(|file| fs::read_to_string(folder.join(file)).unwrap());
    let documents = texts.iter().flat_map(|text| text.split("\n---\n"));
    documents.map(|document| serde_yaml::from_str(document).unwrap()).collect()
}

#[test]
fn commands_are_those_of_the_readme() {
    let gateway = Gateway::start(&[]);
    let readme = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md"));
    let readme = readme.unwrap();
    let (_, section) = readme.split_once("## With kubectl, without a cluster").unwrap();
    let (section, _) = section.split_once("\n## ").unwrap();
    let commands = section.lines().filter_map(|line| line.strip_prefix("$ "));
    let mut printed = gateway.introduction.iter().filter_map(|line| line.strip_prefix("  "));
    for command in commands.skip_while(|command| !command.starts_with("export KUBECONFIG=")) {
        let expected = match command.strip_prefix("export KUBECONFIG=") {
            Some(_) => format!("export KUBECONFIG={}", gateway.kubeconfig),
            None => command.to_owned(),
        };
        assert_eq!(printed.next(), Some(expected.as_str()));
    }
}

#[test]
fn walkthrough_works_through_the_api() {
    let gateway = Gateway::start(&[]);
    for object in walkthrough() {
        gateway.create(&object);
    }
    eventually("the Gateway is programmed", || {
        gateway.has_condition(GATEWAYS, "tcp-gateway", "Programmed")
    });
    for deployment in ["backend-1", "backend-2"] {
        eventually("the Deployment is available", || {
            gateway.has_condition(DEPLOYMENTS, deployment, "Available")
        });
    }
    let object = gateway.get(GATEWAYS, "tcp-gateway");
    assert_eq!(object["status"]["addresses"][0]["value"], gateway.address.to_string());
    eventually("foo answers", || gateway.service_at(8088).as_deref() == Some("foo"));
    eventually("bar answers", || gateway.service_at(8089).as_deref() == Some("bar"));

    // A Deployment without replicas has no pod.
    let mut deployment = gateway.get(DEPLOYMENTS, "backend-1");
    deployment["spec"]["replicas"] = 0.into();
    let path = format!("{DEPLOYMENTS}/backend-1");
    let (code, answer) = gateway.request("PUT", &path, Some(&deployment));
    assert_eq!(code, 200, "{answer}");
    eventually("foo has no pod", || gateway.service_at(8088).is_none());

    let route = object_name(&walkthrough(), "TCPRoute");
    let (code, answer) = gateway.request("DELETE", &format!("{ROUTES}/{route}"), None);
    assert_eq!(code, 200, "{answer}");
    assert!(gateway.stop());
}

fn object_name(objects: &[Value], kind: &str) -> String {
    let object = objects.iter().find(|object| object["kind"] == kind).unwrap();
    object["metadata"]["name"].as_str().unwrap().to_owned()
}

#[test]
fn objects_are_kept_in_a_data_folder() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let arguments = ["--data", data.to_str().unwrap()];
    let gateway = Gateway::start(&arguments);
    for object in walkthrough() {
        gateway.create(&object);
    }
    eventually("foo answers", || gateway.service_at(8088).as_deref() == Some("foo"));
    assert!(gateway.stop());
    let gateway = Gateway::start(&arguments);
    eventually("foo answers again", || gateway.service_at(8088).as_deref() == Some("foo"));
    assert!(gateway.stop());
}

#[test]
fn taken_port_is_reported_with_the_option_for_another() {
    let taken = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let address = taken.local_addr().unwrap();
    let output = Command::new(example("api_gateway"))
        .args(["--api-listen", &address.to_string()])
        .output()
        .unwrap();
    let text = String::from_utf8(output.stderr).unwrap();
    assert!(!output.status.success());
    assert!(
        text.contains(&address.to_string()) && text.contains("another address with --api-listen"),
        "{text}"
    );
}
