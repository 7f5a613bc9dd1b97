//! Writes whose outcome the server does not know.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use serde_json::json;
use sluicegate::api::Settings;
use sluicegate::store;

use crate::support::{Answer, Api};

const PATH: &str = "/api/v1/namespaces/default/configmaps";

async fn create(api: &Api, name: &str) -> Answer {
    let object = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}});
    api.write("POST", PATH, "application/json", object.to_string()).await
}

async fn code(api: &Api, name: &str) -> u16 {
    api.get(&format!("{PATH}/{name}")).await.code
}

/// Ends the hang of a store when it is dropped, also by a failed assertion: the drop of the store
/// waits for its thread.
struct EndHang(Arc<AtomicBool>);

impl Drop for EndHang {
    fn drop(&mut self) {
        self.0.store(false, Ordering::SeqCst);
    }
}

/// The thread of the store waits for a random number instead of a disk.
#[tokio::test]
async fn write_is_answered_although_the_store_hangs() {
    let hangs = Arc::new(AtomicBool::new(false));
    let is_hanging = hangs.clone();
    let store = store::Settings::new().with_random(move || {
        while is_hanging.load(Ordering::SeqCst) {
            thread::sleep(Duration::from_millis(1));
        }
        fastrand::u64(..)
    });
    let api =
        Api::with_settings(Settings::new().with_write_timeout(Duration::from_millis(1)), store);
    // Declared after the store, so that it is dropped first.
    let end_hang = EndHang(hangs.clone());
    hangs.store(true, Ordering::SeqCst);
    let answer = create(&api, "a").await;
    let status = answer.failure(504, "Timeout");
    let message = status["message"].as_str().unwrap();
    assert!(message.contains("the outcome of the write is unknown"), "{message}");
    assert!(!answer.headers.contains_key("retry-after"), "{status}");
    let delete = api.send("DELETE", &format!("{PATH}/other"), &[]).await;
    delete.failure(504, "Timeout");
    assert_eq!(code(&api, "a").await, 404);

    // The store carries out the write when the disk answers.
    drop(end_hang);
    let written = async {
        while code(&api, "a").await == 404 {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), written).await.expect("the write is carried out");
}

#[tokio::test]
async fn write_that_a_panic_interrupts_is_answered() {
    let panics = Arc::new(AtomicBool::new(false));
    let next_panics = panics.clone();
    let store = store::Settings::new().with_random(move || {
        assert!(!next_panics.swap(false, Ordering::SeqCst), "a panic of the test");
        fastrand::u64(..)
    });
    let api = Api::with_settings(Settings::new(), store);
    panics.store(true, Ordering::SeqCst);
    let status = create(&api, "a").await.failure(504, "Timeout");
    let message = status["message"].as_str().unwrap();
    assert!(message.contains("its outcome is unknown"), "{message}");
}
