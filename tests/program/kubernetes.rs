//! Start with and without a cluster.

use std::fs;
use std::net::SocketAddr;

use rustix::process::Signal;
use tempfile::TempDir;

use crate::process::{Program, program};
use crate::support::{eventually, free_port, own_address};

#[test]
fn files_need_no_cluster() {
    let environment = [("SLUICEGATE_KUBERNETES", "false"), ("KUBECONFIG", "/nonexistent")];
    let program = Program::start(&[], &environment);
    eventually("it is ready", || program.is_ready());
}

#[test]
fn api_server_is_awaited_while_unreachable() {
    let directory = TempDir::new().unwrap();
    let config = directory.path().join("kubeconfig");
    let server = SocketAddr::new(own_address(), free_port());
    let text = format!(
        "\
apiVersion: v1
kind: Config
current-context: c
contexts: [{{name: c, context: {{cluster: c, user: u}}}}]
clusters: [{{name: c, cluster: {{server: 'http://{server}'}}}}]
users: [{{name: u, user: {{}}}}]
"
    );
    fs::write(&config, text).unwrap();
    let mut program =
        Program::run(program().args(["run", "--kubernetes"]).env("KUBECONFIG", &config));
    let line = loop {
        let line = program.until("");
        if line["level"] == "WARN" {
            break line.to_string();
        }
    };
    assert!(line.to_lowercase().contains("connection refused"), "{line}");
    assert_eq!(program.probe("/livez").unwrap().0, 200);
    let (code, why) = program.probe("/readyz").unwrap();
    assert_eq!(code, 503);
    assert!(why.contains("starting"), "{why}");
    program.signal(Signal::HUP);
    program.until("SIGHUP ignored: changes of objects are followed without it");
    program.signal(Signal::TERM);
    assert_eq!(program.wait_for_exit(), Some(0));
}

#[test]
fn missing_cluster_fails_with_remedy() {
    let output = program()
        .args(["run", "--kubernetes", "--health", "127.0.0.1:0"])
        .env("KUBECONFIG", "/nonexistent")
        .env_remove("KUBERNETES_SERVICE_HOST")
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(1));
    let error = String::from_utf8(output.stderr).unwrap();
    assert!(error.contains("KUBECONFIG"), "{error}");
}
