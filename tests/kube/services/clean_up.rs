//! Removal of the objects of a gateway that is uninstalled.

use std::error::Error as _;

use serde_json::json;
use sluicegate::sources::KubeSource;

use super::{SERVICE, api, settled, template};
use crate::api::{Api, Effect};
use crate::objects::{OURS, THEIRS, class, service, within};

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

#[tokio::test(start_paused = true)]
async fn clean_up_reports_the_object_of_an_error() {
    let api = api();
    drop(settled(&api).await);
    api.spoil("delete", "services", Effect::Refuse(403));
    let error = source(&api).clean_up().await.unwrap_err();
    let name = SERVICE.trim_start_matches("services/");
    assert_eq!(error.to_string(), format!("cannot delete Service {name}"));
    assert!(error.source().is_some());
}
