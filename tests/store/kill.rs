//! SIGKILL under eight writers: every acknowledged write survives.
//!
//! `SLUICEGATE_KILLS` sets the number of kills.

use std::collections::BTreeMap;
use std::env;
use std::io::{self, BufRead, BufReader, Write as _};
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use serde_json::json;
use sluicegate::store::{Durability, Key, Settings, Store, Write};

use crate::support::{Resources, config_map};

/// Set in the process that is killed: the data folder.
const FOLDER: &str = "SLUICEGATE_TEST_STORE";

const WRITERS: usize = 8;

fn name(writer: usize, half: &str) -> String {
    format!("writer{writer}-{half}")
}

/// Returns the count of an object, or 0 if it does not exist.
fn count(store: &Store, resources: &Resources, name: &str) -> u64 {
    let key = Key::namespaced(&resources.config_maps, "default", name);
    store.get(&key).map_or(0, |object| object.to_value()["data"]["a"].as_u64().unwrap())
}

/// Increments the counts of two objects in one transaction, and writes each acknowledged count to
/// standard output.
async fn write(store: Store, resources: Resources, writer: usize) {
    let halves = ["a", "b"].map(|half| name(writer, half));
    let start = count(&store, &resources, &halves[0]);
    for number in start + 1.. {
        let writes = halves.each_ref().map(|name| {
            let mut object = config_map(name);
            object["data"] = json!({"a": number, "b": "x".repeat(number as usize % 5000)});
            if number == 1 {
                Write::create(&resources.config_maps, Some("default"), object)
            } else {
                Write::replace(Key::namespaced(&resources.config_maps, "default", name), object)
            }
        });
        for result in store.write_all(writes.to_vec(), Durability::Synced).await {
            result.unwrap();
        }
        // One system call, so that no line is written in part.
        let mut output = io::stdout().lock();
        output.write_all(format!("{writer} {number}\n").as_bytes()).unwrap();
        output.flush().unwrap();
    }
}

/// Runs in a process of its own, until it is killed.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn process_that_is_killed() {
    let Some(folder) = env::var_os(FOLDER) else { return };
    let resources = Resources::new();
    let store = Store::open(folder, resources.catalog.clone(), Settings::new()).unwrap();
    let mut writers = tokio::task::JoinSet::new();
    for writer in 0..WRITERS {
        writers.spawn(write(store.clone(), resources.clone(), writer));
    }
    writers.join_all().await;
}

#[test]
fn acknowledged_writes_survive_sigkill() {
    let kills = env::var("SLUICEGATE_KILLS").map_or(20, |text| text.parse::<u64>().unwrap());
    let folder = tempfile::tempdir().unwrap();
    let resources = Resources::new();
    let mut acknowledged = BTreeMap::new();
    let mut total = 0;
    for kill in 0..kills {
        let mut child = Command::new(env::current_exe().unwrap())
            .args(["--exact", "kill::process_that_is_killed", "--nocapture"])
            .env(FOLDER, folder.path())
            .stdout(Stdio::piped())
            .stderr(Stdio::inherit())
            .spawn()
            .unwrap();
        let output = BufReader::new(child.stdout.take().unwrap());
        let (sender, lines) = mpsc::channel();
        let reader = thread::spawn(move || {
            for line in output.lines().map_while(Result::ok) {
                // The test harness writes lines of its own.
                let Some((writer, number)) = line.split_once(' ') else { continue };
                if let (Ok(writer), Ok(number)) = (writer.parse::<usize>(), number.parse::<u64>()) {
                    sender.send((writer, number)).unwrap();
                }
            }
        });
        // Some processes are killed while they open the store, the others under load.
        if kill % 4 == 0 {
            thread::sleep(Duration::from_millis(fastrand::u64(..60)));
        } else {
            for _ in 0..fastrand::usize(1..100) {
                let (writer, number) = lines.recv().expect("the process writes until it is killed");
                acknowledged.insert(writer, number);
            }
        }
        child.kill().unwrap();
        child.wait().unwrap();
        reader.join().unwrap();
        acknowledged.extend(lines);

        let store = Store::open(folder.path(), resources.catalog.clone(), Settings::new()).unwrap();
        total = 0;
        for writer in 0..WRITERS {
            let [a, b] = ["a", "b"].map(|half| count(&store, &resources, &name(writer, half)));
            let expected = acknowledged.get(&writer).copied().unwrap_or(0);
            assert_eq!(a, b, "kill {kill}: half of a transaction");
            assert!(
                a == expected || a == expected + 1,
                "kill {kill}: {a}, acknowledged {expected}"
            );
            // A write that was not acknowledged counts for the next process.
            acknowledged.insert(writer, a);
            total += a;
        }
    }
    eprintln!("{total} transactions under {kills} kills");
    assert!(total > kills, "{total} transactions under {kills} kills");
}
