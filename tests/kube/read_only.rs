//! A source that is only to read.

use serde_json::json;

use crate::api::Api;
use crate::objects::{OURS, gateway, route, usual};
use crate::stage::Stage;

#[tokio::test(start_paused = true)]
async fn nothing_at_all_is_written() {
    let api = Api::with(usual());
    api.apply(route("refused", "missing"));
    api.apply(gateway("late", 5000));
    let stale = json!({ "parents": [{
        "parentRef": crate::objects::parent("gone"), "controllerName": OURS, "conditions": [],
    }] });
    api.set_status("tcproutes/default/r", stale);
    let stage = Stage::with(&api, OURS, |source| source.read_only());
    stage.settle().await;
    api.apply(route("another", "s"));
    api.delete("gateways/default/g");
    stage.settle().await;
    assert_eq!(stage.latest().resources.tcp_routes.len(), 3, "it reads all the same");
    let asked = api.requests();
    assert!(asked.iter().all(|request| !request.is_write()), "{:#?}", api.writes());
}
