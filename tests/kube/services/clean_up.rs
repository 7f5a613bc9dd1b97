//! Removal of the objects of a gateway that is uninstalled.

use std::error::Error as _;
use std::time::Duration;

use serde_json::json;
use sluicegate::sources::{CleanUpError, KubeSource};
use tokio::time::{Instant, sleep};

use super::{SERVICE, api, settled, template};
use crate::api::{Api, Effect};
use crate::harness::Harness;
use crate::objects::{OURS, THEIRS, class, gateway, service, within};
use crate::replica::election;

const FINALIZER: &str = "gateway-exists-finalizer.gateway.networking.k8s.io";

fn source(api: &Api) -> KubeSource {
    KubeSource::new(api.client())
        .controller_name(OURS.parse().unwrap())
        .delete_services("system".parse().unwrap(), template().selector)
}

#[tokio::test(start_paused = true)]
async fn clean_up_removes_services_and_finalizers_of_this_gateway() {
    let api = api();
    drop(settled(&api).await);
    assert_eq!(api.get("gatewayclasses/c")["metadata"]["finalizers"], json!([FINALIZER]));
    for (name, controller) in [("d", OURS), ("theirs", THEIRS)] {
        let mut class = class(name, controller);
        class["metadata"]["finalizers"] = json!(["example.com/x", FINALIZER]);
        api.apply(class);
    }
    api.apply(within("system", service("theirs")));
    api.forget();

    source(&api).clean_up().await.unwrap();
    assert!(api.get(SERVICE).is_null());
    assert_eq!(api.get("gatewayclasses/c")["metadata"]["finalizers"], json!([]));
    assert_eq!(api.get("gatewayclasses/d")["metadata"]["finalizers"], json!(["example.com/x"]));
    assert_eq!(api.writes().len(), 3, "{:#?}", api.writes());

    source(&api).clean_up().await.unwrap();
    assert_eq!(api.writes().len(), 3, "{:#?}", api.writes());
}

/// One Service that stays must not keep a class from being deleted.
#[tokio::test(start_paused = true)]
async fn clean_up_continues_after_an_error_and_reports_all() {
    let api = api();
    api.apply(gateway("h", 5001));
    drop(settled(&api).await);
    api.apply({
        let mut class = class("d", OURS);
        class["metadata"]["finalizers"] = json!([FINALIZER]);
        class
    });
    api.spoil("delete", "services", Effect::Refuse(403));
    api.spoil_times(1, "patch", "gatewayclasses", Effect::Refuse(500));
    let error = source(&api).clean_up().await.unwrap_err();
    let CleanUpError::Failed(failures) = &error else { panic!("{error}") };
    assert_eq!(failures.len(), 3);
    assert!(failures.iter().all(|failure| failure.source().is_some()));
    let text = error.to_string();
    let name = SERVICE.trim_start_matches("services/");
    for part in [
        &*format!("cannot delete Service {name}: services is forbidden"),
        "cannot delete Service system/default-h-",
        "cannot remove the finalizer and the claims of GatewayClass c: etcdserver",
    ] {
        assert!(text.contains(part), "{text}");
    }
    assert_eq!(api.get("gatewayclasses/d")["metadata"]["finalizers"], json!([]));

    api.heal();
    source(&api).clean_up().await.unwrap();
    assert!(api.get(SERVICE).is_null());
    assert_eq!(api.get("gatewayclasses/c")["metadata"]["finalizers"], json!([]));
}

/// A source with the election of a release.
fn elected(api: &Api) -> KubeSource {
    source(api).election(election())
}

#[tokio::test(start_paused = true)]
async fn clean_up_refuses_while_a_replica_runs() {
    let api = api();
    let election = election();
    let handle = election.handle();
    let harness = Harness::reached_through_services(&api.of("a"), |source| {
        source.services(template()).identity("a").election(election)
    });
    harness.settle().await;
    let before = api.get(SERVICE);
    api.forget();
    let started = Instant::now();
    let error = elected(&api).clean_up().await.unwrap_err();
    assert!((60..65).contains(&started.elapsed().as_secs()), "{:?}", started.elapsed());
    let CleanUpError::ReplicaRuns { lease, holder } = &error else { panic!("{error}") };
    assert_eq!((lease.to_string(), &**holder), ("system/gate".to_owned(), "a"));
    assert!(error.to_string().contains("Delete the Deployment"), "{error}");
    assert_eq!(api.get(SERVICE), before);
    assert!(api.writes().iter().all(|write| write.client == "a"), "{:#?}", api.writes());

    // The replica stops during the next clean-up.
    let clean_up = elected(&api);
    let stop = async {
        sleep(Duration::from_secs(20)).await;
        handle.release().await;
        drop(harness);
    };
    let (result, ()) = tokio::join!(clean_up.clean_up(), stop);
    result.unwrap();
    assert!(api.get(SERVICE).is_null());
}

/// The Lease of another gateway would not be held while a replica runs.
#[tokio::test(start_paused = true)]
async fn clean_up_refuses_if_services_exist_without_the_lease() {
    let api = api();
    drop(settled(&api).await);
    api.forget();
    let error = elected(&api).clean_up().await.unwrap_err();
    let CleanUpError::NoLease { lease, services } = &error else { panic!("{error}") };
    assert_eq!((lease.to_string(), *services), ("system/gate".to_owned(), 1));
    assert!(api.writes().is_empty(), "{:#?}", api.writes());

    api.delete(SERVICE);
    elected(&api).clean_up().await.unwrap();
    assert_eq!(api.get("gatewayclasses/c")["metadata"]["finalizers"], json!([]));
}

/// A Lease that another replica acquires meanwhile is not free.
#[tokio::test(start_paused = true)]
async fn clean_up_refuses_if_another_replica_acquires_the_lease() {
    let api = api();
    let lease = |holder: &str| {
        json!({
            "kind": "Lease",
            "metadata": { "name": "gate", "namespace": "system" },
            "spec": { "holderIdentity": holder, "leaseDurationSeconds": 15 },
        })
    };
    let run = async {
        for number in 0..40 {
            let holder = if number % 2 == 0 { String::new() } else { format!("pod-{number}") };
            api.apply(lease(&holder));
            sleep(Duration::from_secs(2)).await;
        }
    };
    let clean_up = elected(&api);
    let (result, ()) = tokio::join!(clean_up.clean_up(), run);
    assert!(matches!(result, Err(CleanUpError::ReplicaRuns { .. })), "{result:?}");
}

/// The times of a Lease come from another clock.
#[tokio::test(start_paused = true)]
async fn clean_up_waits_until_the_lease_of_a_dead_replica_expires() {
    for time in ["2000-01-01T00:00:00.000000Z", "2100-01-01T00:00:00.000000Z"] {
        let api = api();
        drop(settled(&api).await);
        api.apply(json!({
            "kind": "Lease",
            "metadata": { "name": "gate", "namespace": "system" },
            "spec": {
                "holderIdentity": "a", "leaseDurationSeconds": 15, "renewTime": time,
                "acquireTime": time,
            },
        }));
        let started = Instant::now();
        elected(&api).clean_up().await.unwrap();
        assert!((15..18).contains(&started.elapsed().as_secs()), "{:?}", started.elapsed());
        assert!(api.get(SERVICE).is_null());
    }
}

#[tokio::test(start_paused = true)]
async fn clean_up_reports_a_lease_that_cannot_be_read() {
    let api = api();
    drop(settled(&api).await);
    api.spoil("get", "leases", Effect::Refuse(403));
    let error = elected(&api).clean_up().await.unwrap_err();
    assert!(error.to_string().starts_with("cannot read Lease system/gate: "), "{error}");
    assert!(!api.get(SERVICE).is_null());
}
