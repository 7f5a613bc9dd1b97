//! Until the whole of the cluster has been seen once.

use crate::api::{Api, Effect};
use crate::objects::usual;
use crate::stage::Stage;

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
async fn nothing_is_published_or_written_before_every_watch_has_listed() {
    for plural in PLURALS {
        let api = Api::with(usual());
        api.spoil("watch,list", plural, Effect::Hold);
        let stage = Stage::settled(&api).await;
        assert!(!stage.is_published(), "without {plural}");
        assert!(api.writes().is_empty() && api.events().is_empty(), "without {plural}");
        api.heal();
        stage.until("everything", |snapshot| !snapshot.resources.tcp_routes.is_empty()).await;
        stage.asked("a status is written", |state| !state.writes().is_empty()).await;
        let first = stage.all()[0].clone();
        assert_eq!(first.resources.gateways.len(), 1);
        assert_eq!(first.resources.services.len(), 1);
        assert_eq!(first.resources.endpoint_slices.len(), 1);
        assert_eq!(first.problems, [] as [&str; 0]);
    }
}

#[tokio::test(start_paused = true)]
async fn refusal_to_say_what_there_is_keeps_it_waiting() {
    let api = Api::with(usual());
    api.down();
    let stage = Stage::settled(&api).await;
    assert!(!stage.is_published());
    assert_eq!(stage.warnings("cannot find out what the API server has"), 1, "{}", stage.log());
    api.up();
    stage.until("everything", |snapshot| !snapshot.resources.tcp_routes.is_empty()).await;
    assert_eq!(stage.latest().problems, [] as [&str; 0]);
}

#[tokio::test(start_paused = true)]
async fn an_empty_cluster_is_published_too() {
    let stage = Stage::settled(&Api::new()).await;
    assert_eq!(stage.published(), 1);
    assert!(stage.latest().resources.gateways.is_empty());
}

/// A list comes as a stream where the server can do that, and in pages where it cannot, or does not
/// want to though its version could.
#[tokio::test(start_paused = true)]
async fn lists_are_had_from_servers_old_and_new() {
    for (minor, refuses) in [("37", false), ("33", false), ("34+", true)] {
        let api = Api::with(usual());
        (0..1200).for_each(|number| api.apply(crate::objects::service(&format!("s-{number}"))));
        api.minor(minor);
        if refuses {
            api.spoil_times(1, "watch", "services", Effect::Refuse(422));
            api.spoil_times(1, "watch", "tcproutes", Effect::Refuse(422));
        }
        let stage = Stage::settled(&api).await;
        assert_eq!(stage.all()[0].resources.services.len(), 1201, "{minor}");
        let (lists, routes) =
            api.read(|state| (state.count("list", "services"), state.count("list", "tcproutes")));
        let (expected, of_routes) = match (minor, refuses) {
            ("37", _) => (0, 0),
            _ => (3, 1),
        };
        assert_eq!((lists, routes), (expected, of_routes), "{minor}");
        assert_eq!(stage.latest().problems, [] as [&str; 0]);
    }
}
