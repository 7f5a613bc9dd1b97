//! Requests that need much CPU time do not delay small ones.

use std::sync::mpsc::channel;

use serde_json::{Value, json};
use sluicegate::store::Write;
use tokio::runtime::Builder;
use tokio::select;
use tokio::task::spawn_blocking;

use crate::support::{Answer, Api};

const PATH: &str = "/api/v1/namespaces/default/configmaps";

/// Returns a ConfigMap of about 200 kB, which is invalid.
fn large_and_invalid(name: &str) -> String {
    json!({
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": name, "labels": {"a": "not valid"}},
        "data": {"text": "x".repeat(200_000)},
    })
    .to_string()
}

/// Runs a test in a runtime of one thread, whose blocking tasks run one after the other.
fn block_on(test: impl Future<Output = ()>) {
    let mut runtime = Builder::new_current_thread();
    runtime.enable_all().max_blocking_threads(1).build().unwrap().block_on(test);
}

/// Answers a small request while a heavy one waits for the thread of blocking tasks, and then the
/// heavy one.
async fn answer_after_small(api: &Api, heavy: impl Future<Output = Answer>) -> Answer {
    let (release, released) = channel::<()>();
    let blocking = spawn_blocking(move || released.recv());
    let small = api.get("/api/v1/namespaces/default");
    tokio::pin!(heavy, small);
    select! {
        biased;
        answer = &mut heavy => panic!("the small request waited: {answer:?}"),
        answer = &mut small => assert_eq!(answer.code, 200),
    }
    drop(release);
    assert!(blocking.await.unwrap().is_err());
    heavy.await
}

#[test]
fn large_body_does_not_delay_a_small_request() {
    block_on(async {
        let api = Api::new();
        let heavy = api.write("POST", PATH, "application/json", large_and_invalid("a"));
        answer_after_small(&api, heavy).await.failure(422, "Invalid");
    });
}

#[test]
fn large_object_does_not_delay_a_small_request() {
    block_on(async {
        let api = Api::new();
        let mut object: Value = serde_json::from_str(&large_and_invalid("a")).unwrap();
        object["metadata"]["labels"] = json!({});
        let config_maps = api.store.catalog().get("", "configmaps").unwrap();
        api.store.write(Write::create(config_maps, Some("default"), object)).await.unwrap();
        let path = format!("{PATH}/a");
        let heavy = api.get_as(&path, "application/yaml");
        assert_eq!(answer_after_small(&api, heavy).await.code, 200);
        let patch = r#"{"metadata": {"labels": {"a": "not valid"}}}"#;
        let heavy = api.write("PATCH", &path, "application/merge-patch+json", patch);
        answer_after_small(&api, heavy).await.failure(422, "Invalid");
        let heavy = api.get("/api/v1/secrets?fieldSelector=type%3Dnone");
        assert_eq!(answer_after_small(&api, heavy).await.names(), [""; 0]);
    });
}

/// The only thread for heavy requests is occupied.
#[test]
fn list_by_name_or_namespace_is_not_heavy() {
    block_on(async {
        let api = Api::new();
        for name in ["a", "b"] {
            api.create_config_map(name, json!({})).await;
        }
        let (release, released) = channel::<()>();
        let blocking = spawn_blocking(move || released.recv());
        for (selector, expected) in [
            ("metadata.namespace%3Ddefault", vec!["a", "b"]),
            ("metadata.namespace!%3Ddefault", vec![]),
            ("metadata.namespace%3Ddefault,metadata.name!%3Da", vec!["b"]),
        ] {
            let list = api.get(&format!("/api/v1/configmaps?fieldSelector={selector}")).await;
            assert_eq!(list.names(), expected, "{selector}");
        }
        drop(release);
        assert!(blocking.await.unwrap().is_err());
    });
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn large_objects_are_written_on_a_multi_thread_runtime() {
    let api = Api::new();
    let writes: Vec<_> = (0..8)
        .map(|number| {
            let api = api.clone();
            let body = large_and_invalid(&format!("a{number}")).replace("not valid", "valid");
            tokio::spawn(
                async move { api.write("POST", PATH, "application/json", body).await.code },
            )
        })
        .collect();
    for write in writes {
        assert_eq!(write.await.unwrap(), 201);
    }
    assert_eq!(api.get(PATH).await.names().len(), 8);
}
