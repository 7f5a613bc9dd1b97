//! `run --api`: objects in a data folder and in memory.

use std::fs::{self, Permissions};
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::thread::sleep;
use std::time::Duration;

use rustix::process::Signal;
use serde_json::Value;
use sluicegate::admission::catalog;
use sluicegate::api::ApiFolder;
use sluicegate::model::manifest::{self, Content};
use sluicegate::store::{Key, Settings, Store, Write};

use crate::process::{Program, manifests, program};
use crate::support::{backend, free_port, name_at, own_address};

/// Opens the store of a data folder.
fn open(data: &Path) -> Store {
    let folder = ApiFolder::open(data).unwrap();
    Store::open(folder.store_path(), catalog(), Settings::new()).unwrap()
}

/// Writes the objects of the tests to the store of a data folder.
async fn write_objects(data: &Path, port: u16) {
    let store = open(data);
    let text = manifests(port, backend("one"));
    for document in manifest::read(&text) {
        let Content::Object(object) = document.content else { panic!("no object") };
        let value = serde_json::to_value(&object).unwrap();
        let kind = object.kind();
        let names = (kind.group(), kind.as_str());
        let mut resources = store.catalog().iter();
        let resource = resources.find(|it| (it.group(), it.kind()) == names).unwrap();
        let namespace = kind.is_namespaced().then_some("default");
        store.write(Write::create(resource, namespace, value)).await.unwrap();
    }
    store.close().await;
}

fn run(data: &Path, listener: SocketAddr) -> Program {
    run_with(data, listener, &["--api-listen", "127.0.0.1:0"])
}

fn run_with(data: &Path, listener: SocketAddr, arguments: &[&str]) -> Program {
    let mut command = program();
    command.args(["run", "--api", "--data"]).arg(data).args(arguments);
    Program::run(command.args(["--bind", &listener.ip().to_string()]))
}

#[tokio::test]
async fn api_serves_a_data_folder_in_one_process() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let listener = SocketAddr::new(own_address(), free_port());
    write_objects(&data, listener.port()).await;
    let mut first = run(&data, listener);
    let serving = first.until("serving the API at https://127.0.0.1:");
    let message = serving["message"].as_str().unwrap();
    assert!(message.contains("sluicegate kubeconfig --data"), "{message}");
    first.until("ready");
    assert_eq!(name_at(listener).as_deref(), Some("one"));

    // The error names the folder, although the addresses are taken too.
    let health = first.health.to_string();
    let mut second = program();
    second.args(["run", "--api", "--health", &health, "--data"]).arg(&data);
    let second = second.output().unwrap();
    let error = String::from_utf8(second.stderr).unwrap();
    assert!(error.contains("is in use by"), "{error}");
    assert_eq!(second.status.code(), Some(1));

    first.signal(Signal::TERM);
    first.until("stopped");
    assert_eq!(first.wait_for_exit(), Some(0));
    // The status is stored at the end.
    let store = open(&data);
    let gateways = store.catalog().get("gateway.networking.k8s.io", "gateways").unwrap();
    let gateway = store.get(&Key::namespaced(gateways, "default", "public")).unwrap().to_value();
    assert_eq!(gateway["status"]["addresses"][0]["value"], listener.ip().to_string());
}

#[test]
fn objects_in_memory_are_reported() {
    let runtime = tempfile::tempdir().unwrap();
    let mut command = program();
    command.env("XDG_RUNTIME_DIR", runtime.path());
    let mut program = Program::run(command.args(["run", "--api", "--api-listen", "127.0.0.1:0"]));
    let line = program.until("lost when the program stops; give --data DIR to keep them");
    assert_eq!(line["level"], "WARN");
    program.until("ready");
    program.signal(Signal::INT);
    assert_eq!(program.wait_for_exit(), Some(0));
}

#[test]
fn names_in_a_given_certificate_are_logged() {
    let folder = tempfile::tempdir().unwrap();
    let (chain, key) = (folder.path().join("tls.crt"), folder.path().join("tls.key"));
    let names = ["gateway.example.com".to_owned(), "192.0.2.7".to_owned()];
    let made = rcgen::generate_simple_self_signed(names).unwrap();
    fs::write(&chain, made.cert.pem()).unwrap();
    fs::write(&key, made.signing_key.serialize_pem()).unwrap();
    fs::set_permissions(&key, Permissions::from_mode(0o600)).unwrap();
    let mut command = program();
    command.env("XDG_RUNTIME_DIR", folder.path()).args(["run", "--api"]);
    command.args(["--api-listen", "127.0.0.1:0"]);
    command.arg("--api-certificate").arg(&chain).arg("--api-key").arg(&key);
    let mut program = Program::run(&mut command);
    program.until("the certificate of the API is for gateway.example.com; its IP addresses");
    program.until("ready");
}

#[test]
fn second_signal_ends_the_wait_for_open_requests() {
    let runtime = tempfile::tempdir().unwrap();
    let mut command = program();
    command.env("XDG_RUNTIME_DIR", runtime.path());
    let mut program = Program::run(command.args(["run", "--api", "--api-listen", "127.0.0.1:0"]));
    let address = program.until("serving the API at")["address"].clone();
    program.until("ready");
    // The server waits for an open connection for 5 s.
    let _open = TcpStream::connect(address.as_str().unwrap()).unwrap();
    // Connections are accepted in their order, so the first one is open when the second one is
    // closed because it does not use TLS.
    let mut other = TcpStream::connect(address.as_str().unwrap()).unwrap();
    other.write_all(b"GET / HTTP/1.1\r\n\r\n").unwrap();
    drop(other.read_to_end(&mut Vec::new()));
    program.signal(Signal::TERM);
    program.until("no new connections");
    // A signal within a second counts as the first one.
    sleep(Duration::from_millis(1_100));
    program.signal(Signal::INT);
    assert_eq!(program.wait_for_exit(), Some(0));
    assert_eq!(program.until("stopped")["message"], "stopped immediately");
}

#[test]
fn api_has_threads_of_its_own() {
    let runtime = tempfile::tempdir().unwrap();
    let mut command = program();
    command.env("XDG_RUNTIME_DIR", runtime.path());
    let mut program = Program::run(command.args(["run", "--api", "--api-listen", "127.0.0.1:0"]));
    program.until("ready");
    let tasks = fs::read_dir(format!("/proc/{}/task", program.process.id())).unwrap();
    let names = tasks.map(|task| fs::read_to_string(task.unwrap().path().join("comm")).unwrap());
    assert_eq!(names.filter(|name| name == "api\n").count(), 2);
}

/// Returns the condition ResolvedRefs of the route.
async fn resolved_refs(data: &Path) -> Value {
    let store = open(data);
    let routes = store.catalog().get("gateway.networking.k8s.io", "tcproutes").unwrap();
    let route = store.get(&Key::namespaced(routes, "default", "db")).unwrap().to_value();
    let conditions = route["status"]["parents"][0]["conditions"].as_array().unwrap();
    let resolved = conditions.iter().find(|condition| condition["type"] == "ResolvedRefs");
    let resolved = resolved.unwrap().clone();
    store.close().await;
    resolved
}

#[tokio::test]
async fn stored_local_endpoints_are_refused_unless_the_api_is_local() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let listener = SocketAddr::new(own_address(), free_port());
    // The backend has a loopback address.
    write_objects(&data, listener.port()).await;
    let route = "TCPRoute default/db";
    let everywhere = ["--api-listen", "0.0.0.0:0"];
    let allowed = ["--api-listen", "0.0.0.0:0", "--allow-local-endpoints"];
    for (arguments, is_used) in [(&everywhere[..], false), (&allowed, true)] {
        let mut program = run_with(&data, listener, arguments);
        program.until("ready");
        assert_eq!(name_at(listener).is_some(), is_used, "{arguments:?}");
        if !is_used {
            let warning = program.until("loopback addresses are not allowed");
            assert_eq!((&warning["level"], &warning["object"]), (&"WARN".into(), &route.into()));
        }
        program.signal(Signal::TERM);
        assert_eq!(program.wait_for_exit(), Some(0));
        let resolved = resolved_refs(&data).await;
        let message = resolved["message"].as_str().unwrap();
        assert_eq!(resolved["status"] == "True", is_used, "{message}");
        assert_eq!(message.contains("--allow-local-endpoints"), !is_used, "{message}");
    }
}
