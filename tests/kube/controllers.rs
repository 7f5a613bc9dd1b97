//! The controller name: which classes the source serves.

use serde_json::json;
use sluicegate::model::Resources;
use sluicegate::sources::{KubeSource, MemorySource};
use sluicegate::{Server, StartError};

use crate::api::Api;
use crate::harness::Harness;
use crate::objects::{
    OURS, THEIRS, class, condition, gateway, is_pending, parent, route, usual, with,
};

#[tokio::test(start_paused = true)]
async fn controller_ignores_foreign_classes_and_gateways() {
    let api = Api::with(usual());
    api.apply(class("theirs", THEIRS));
    api.apply(with("/spec/gatewayClassName", json!("theirs"), gateway("g2", 6000)));
    api.apply(with("/spec/gatewayClassName", json!("missing"), gateway("g3", 6001)));
    api.apply(with("/spec/parentRefs", json!([parent("g2")]), route("r2", "s")));
    api.apply(with("/spec/parentRefs", json!([parent("g3")]), route("r3", "s")));
    let _harness = Harness::settled(&api).await;
    let written: Vec<_> = api.writes().iter().map(|write| write.object()).collect();
    for name in [
        "gatewayclasses/theirs",
        "gateways/default/g2",
        "gateways/default/g3",
        "tcproutes/default/r2",
        "tcproutes/default/r3",
    ] {
        assert!(!written.contains(&name.to_owned()), "{written:?}");
    }
    assert!(written.contains(&"gatewayclasses/c".to_owned()), "{written:?}");
}

#[tokio::test(start_paused = true)]
async fn controller_name_selects_the_classes() {
    let api = Api::with(usual());
    api.apply(class("theirs", THEIRS));
    api.apply(with("/spec/gatewayClassName", json!("theirs"), gateway("g2", 6000)));
    api.apply(with("/spec/parentRefs", json!([parent("g2")]), route("r2", "s")));
    let harness = Harness::with(&api, THEIRS, |source| source);
    harness.settle().await;
    let parents = &api.get("tcproutes/default/r2")["status"]["parents"];
    assert_eq!(parents[0]["controllerName"], THEIRS);
    assert_eq!(condition(&parents[0], "Accepted")["status"], "True");
    assert!(is_pending(&api.get("gatewayclasses/c")));
    assert!(api.get("tcproutes/default/r").get("status").is_none());
}

#[tokio::test]
async fn controller_names_must_agree() {
    let api = Api::new();
    let source = |name: &str| KubeSource::new(api.client()).controller_name(name.parse().unwrap());
    let both = Server::builder().source(source(OURS)).source(source(THEIRS)).start().await;
    let Err(StartError::Controllers { first, second }) = both else { panic!("{both:?}") };
    assert_eq!([first.as_str(), second.as_str()], [OURS, THEIRS]);
    let said = Server::builder()
        .controller_name(THEIRS.parse().unwrap())
        .source(MemorySource::new(Resources::new()))
        .source(source(OURS))
        .start()
        .await;
    assert_eq!(
        said.unwrap_err().to_string(),
        format!(
            "conflicting controller names {THEIRS} and {OURS}: set the same name in Builder::controller_name and in the sources"
        )
    );
    assert_eq!(api.requests().len(), 0);
}
