//! A read-only source.

use serde_json::json;

use crate::api::Api;
use crate::harness::Harness;
use crate::objects::{OURS, gateway, parent_status, route, usual};

#[tokio::test(start_paused = true)]
async fn read_only_source_writes_nothing() {
    let api = Api::with(usual());
    api.apply(route("refused", "missing"));
    api.apply(gateway("late", 5000));
    let stale = json!({ "parents": [parent_status("gone", OURS)] });
    api.set_status("tcproutes/default/r", stale);
    let harness = Harness::with(&api, OURS, |source| source.read_only());
    harness.settle().await;
    api.apply(route("another", "s"));
    api.delete("gateways/default/g");
    harness.settle().await;
    assert_eq!(harness.latest().resources.tcp_routes.len(), 3, "it reads all the same");
    let asked = api.requests();
    assert!(asked.iter().all(|request| !request.is_write()), "{:#?}", api.writes());
}
