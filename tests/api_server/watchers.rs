//! 200 clients that watch, one of which never reads.

use std::collections::VecDeque;
use std::fs;
use std::time::Duration;

use serde_json::{Value, json};
use sluicegate::admission::catalog;
use sluicegate::api::{ListenSettings, Settings};
use sluicegate::store::{self, Store};
use tokio::io::AsyncReadExt as _;
use tokio::task::JoinSet;
use tokio::time::timeout;

use crate::server::{Client, TestServer, WAIT_TIMEOUT, wait_until, write_secret};

const CONFIG_MAPS: &str = "/api/v1/namespaces/default/configmaps";

const READERS: usize = 199;

/// Changes that the readers receive.
const CHANGES: usize = 60;

/// Bytes of each object that is sent only to the client that never reads.
const LARGE: usize = 1_000_000;

/// Limit of the history in bytes.
const HISTORY: usize = 16 << 20;

/// Memory for all connections, watches and the history. The changes that the client has not read
/// need more.
const MAX_MEMORY: usize = 40 << 20;

/// Stream of the events of a watch.
struct Events {
    client: Client,
    bytes: Vec<u8>,
    events: VecDeque<Value>,
}

impl Events {
    /// Reads events until the next one is complete.
    async fn next(&mut self) -> Value {
        loop {
            if let Some(event) = self.events.pop_front() {
                return event;
            }
            let chunk = self.client.read_chunk().await.expect("the watch is open");
            self.bytes.extend(chunk);
            while let Some(end) = self.bytes.iter().position(|byte| *byte == b'\n') {
                let line: Vec<_> = self.bytes.drain(..=end).collect();
                self.events.push_back(serde_json::from_slice(&line).unwrap());
            }
        }
    }
}

/// Opens a watch, and reads the head of its answer.
async fn watch(server: &TestServer, token: &str, query: &str) -> Client {
    let mut client = server.connect().await;
    let headers = server.headers(token);
    client.write(&format!("GET {CONFIG_MAPS}?watch=1&{query} HTTP/1.1\r\n{headers}\r\n")).await;
    let head = client.read_answer().await;
    assert_eq!(head.code, 200, "{head:?}");
    assert!(head.head.contains("transfer-encoding: chunked"), "{head:?}");
    client
}

fn object(name: &str, label: &str, number: usize, length: usize) -> String {
    let object = json!({
        "apiVersion": "v1", "kind": "ConfigMap",
        "metadata": {"name": name, "labels": {"size": label}},
        "data": {"number": number.to_string(), "text": "x".repeat(length)},
    });
    object.to_string()
}

/// Returns the resident memory of this process in bytes, or 0 if the operating system does not
/// report it in this way.
fn memory() -> usize {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kib = line.and_then(|line| line.trim().strip_suffix(" kB")?.parse::<usize>().ok());
    kib.unwrap_or_default() * 1024
}

/// Returns `true` if the server has not closed its end of the connection from a local port. It may
/// have closed it if the operating system does not report connections in this way.
fn is_established(client_port: u16) -> bool {
    let connections = fs::read_to_string("/proc/net/tcp").unwrap_or_default();
    connections.lines().skip(1).any(|line| {
        let fields: Vec<_> = line.split_whitespace().collect();
        // The remote address and the state.
        fields[2].ends_with(&format!(":{client_port:04X}")) && fields[3] == "01"
    })
}

#[tokio::test]
async fn watcher_that_never_reads_delays_no_other_and_is_closed() {
    let folder = tempfile::tempdir().unwrap();
    let tokens_file = folder.path().join("tokens");
    let tokens: Vec<_> =
        (0..4).map(|user| format!("{user}-0123456789abcdef0123456789abcdef")).collect();
    let lines = (0..).zip(&tokens).map(|(user, token)| format!("user-{user} view {token}\n"));
    write_secret(&tokens_file, &lines.collect::<String>());
    let stored = store::Settings::new().with_history(16_384, HISTORY);
    let store = Store::in_memory(catalog(), stored).unwrap();
    let listen =
        ListenSettings::new().with_max_connections(512).with_stall_timeout(Duration::from_secs(3));
    let settings = Settings::new().with_max_watches(1000);
    let server = TestServer::start_in(folder.path(), store.clone(), settings, |builder| {
        builder.settings(listen).tokens_file(&tokens_file)
    })
    .await;

    let start = format!("resourceVersion={}", store.revision());
    let mut silent = watch(&server, &tokens[0], &start).await;
    let mut readers = JoinSet::new();
    for reader in 0..READERS {
        let query = format!("{start}&labelSelector=size%3Dsmall");
        let client = watch(&server, &tokens[reader % tokens.len()], &query).await;
        readers.spawn(async move {
            let mut events = Events { client, bytes: Vec::new(), events: VecDeque::new() };
            let mut last = 0;
            for number in 0..CHANGES {
                let event = events.next().await;
                let expected = if number == 0 { "ADDED" } else { "MODIFIED" };
                assert_eq!(event["type"], expected, "{event}");
                assert_eq!(event["object"]["data"]["number"], number.to_string());
                let revision = event["object"]["metadata"]["resourceVersion"].as_str().unwrap();
                let revision: u64 = revision.parse().unwrap();
                assert!(revision > last, "{revision} follows {last}");
                last = revision;
            }
            events
        });
    }

    let before = memory();
    let mut writer = server.connect().await;
    let headers = server.headers(&server.token);
    let headers = format!("{headers}content-type: application/json\r\n");
    for number in 0..CHANGES {
        for (name, length) in [("small", 100), ("large", LARGE)] {
            let body = object(name, name, number, length);
            let (method, path) = match number {
                0 => ("POST", CONFIG_MAPS.to_owned()),
                _ => ("PUT", format!("{CONFIG_MAPS}/{name}")),
            };
            let answer = writer.send_body(method, &path, &headers, &body).await;
            assert!([200, 201].contains(&answer.code), "{answer:?}");
        }
    }
    let done = async {
        while let Some(reader) = readers.join_next().await {
            reader.unwrap();
        }
    };
    timeout(WAIT_TIMEOUT, done).await.unwrap();
    let grown = memory().saturating_sub(before);
    assert!(grown < MAX_MEMORY, "{} MiB more memory", grown >> 20);

    // After the server has closed the connection, only the bytes in the kernel's buffers arrive.
    let port = silent.0.get_ref().0.local_addr().unwrap().port();
    wait_until(async || !is_established(port)).await;
    let mut bytes = Vec::new();
    let end = timeout(WAIT_TIMEOUT, silent.0.read_to_end(&mut bytes)).await;
    assert!(end.is_ok(), "the watch is still open after {} bytes", bytes.len());
    assert!(bytes.len() < CHANGES * LARGE / 4, "{} bytes", bytes.len());
}
