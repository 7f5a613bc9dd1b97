//! The start: until every watch has listed its objects.

use serde_json::{Value, json};

use crate::api::{Api, Effect};
use crate::harness::Harness;
use crate::objects::{route, service, usual, with};

/// The kinds that are watched.
const PLURALS: [&str; 7] = [
    "gatewayclasses",
    "gateways",
    "tcproutes",
    "referencegrants",
    "namespaces",
    "services",
    "endpointslices",
];

#[tokio::test(start_paused = true)]
async fn start_waits_for_the_list_of_every_watch() {
    for plural in PLURALS {
        let api = Api::with(usual());
        api.spoil("watch,list", plural, Effect::Hold);
        let harness = Harness::settled(&api).await;
        assert!(!harness.is_published(), "without {plural}");
        assert!(api.writes().is_empty() && api.events().is_empty(), "without {plural}");
        api.heal();
        harness.until("everything", |snapshot| !snapshot.resources.tcp_routes.is_empty()).await;
        harness.asked("a status is written", |state| !state.writes().is_empty()).await;
        let first = harness.all()[0].clone();
        assert_eq!(first.resources.gateways.len(), 1);
        assert_eq!(first.resources.services.len(), 1);
        assert_eq!(first.resources.endpoint_slices.len(), 1);
        assert_eq!(first.problems, [] as [&str; 0]);
    }
}

#[tokio::test(start_paused = true)]
async fn start_waits_for_discovery() {
    let api = Api::with(usual());
    api.down();
    let harness = Harness::settled(&api).await;
    assert!(!harness.is_published());
    assert_eq!(
        harness.warnings("cannot discover the kinds that the API server serves"),
        1,
        "{}",
        harness.log()
    );
    api.up();
    harness.until("everything", |snapshot| !snapshot.resources.tcp_routes.is_empty()).await;
    assert_eq!(harness.latest().problems, [] as [&str; 0]);
}

#[tokio::test(start_paused = true)]
async fn start_publishes_an_empty_cluster() {
    let harness = Harness::settled(&Api::new()).await;
    assert_eq!(harness.published(), 1);
    assert!(harness.latest().resources.gateways.is_empty());
}

/// A list comes as a stream where the server can do that, and in pages where it cannot, or does not
/// want to though its version could.
#[tokio::test(start_paused = true)]
async fn start_lists_from_old_and_new_servers() {
    for (minor, refuses) in [("37", false), ("33", false), ("34+", true)] {
        let api = Api::with(usual());
        // With the usual Service, one more than two pages have.
        let others: Vec<_> = (0..1000).map(|number| format!("s-{number}")).collect();
        api.create_all(others.iter().map(|other| service(other)));
        // A route has at most 16 backends.
        api.create_all(others.chunks(16).enumerate().map(|(number, services)| {
            let backends: Value =
                services.iter().map(|other| json!({ "name": other, "port": 1 })).collect();
            let route = route(&format!("r-{number}"), "s");
            with("/spec/rules/0/backendRefs", backends, route)
        }));
        api.minor(minor);
        if refuses {
            api.spoil_times(1, "watch", "services", Effect::Refuse(422));
            api.spoil_times(1, "watch", "tcproutes", Effect::Refuse(422));
        }
        let harness = Harness::settled(&api).await;
        assert_eq!(harness.all()[0].resources.services.len(), 1001, "{minor}");
        let (lists, routes) =
            api.read(|state| (state.count("list", "services"), state.count("list", "tcproutes")));
        let (expected, of_routes) = match (minor, refuses) {
            ("37", _) => (0, 0),
            _ => (3, 1),
        };
        assert_eq!((lists, routes), (expected, of_routes), "{minor}");
        assert_eq!(harness.latest().problems, [] as [&str; 0]);
    }
}
