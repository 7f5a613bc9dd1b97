//! Property test: the objects and fields that the source leaves out make no difference to the plan
//! and the status.

use std::net::SocketAddr;

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{Value, json};
use sluicegate::model::{ObjectKind, Resources};
use sluicegate::plan::Plan;
use sluicegate::sources::ServiceTemplate;
use sluicegate::translate::{Addresses, Assignments, Host, Settings, translate};

use crate::api::Api;
use crate::harness::Harness;
use crate::objects::{OURS, class, gateway, namespace, parent, service, slice, with, within};

/// A change that a user makes.
#[derive(Debug, Clone)]
enum Step {
    Apply(Value),
    Delete(&'static str),
}

/// The name of the Service of Gateway `g`, in namespace `system`.
const MANAGED: &str = "default-g-164a398c";

/// In the label of a Service, this stands for the uid of Gateway `g`.
const OWN_UID: &str = "own";

const NAMES: [&str; 14] = [
    "referencegrants/default/v",
    "referencegrants/a/v",
    "gateways/default/g",
    "tcproutes/default/r",
    "tcproutes/a/r",
    "services/default/p",
    "services/a/p",
    "services/default/default-g-164a398c",
    "services/system/default-g-164a398c",
    "services/system/p",
    "endpointslices/default/e",
    "endpointslices/default/f",
    "endpointslices/a/e",
    "endpointslices/system/e",
];

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        1 => (5000..5003_u16).prop_map(|port| Step::Apply(gateway("g", port))),
        4 => route().prop_map(Step::Apply),
        3 => any_service().prop_map(Step::Apply),
        4 => any_slice().prop_map(Step::Apply),
        1 => place().prop_map(|place| Step::Apply(grant(place))),
        4 => of(&NAMES).prop_map(Step::Delete),
    ]
}

fn of<const N: usize>(texts: &'static [&'static str; N]) -> impl Strategy<Value = &'static str> {
    select(&texts[..])
}

fn place() -> impl Strategy<Value = &'static str> {
    of(&["default", "a"])
}

/// A namespace of Services.
fn service_place() -> impl Strategy<Value = &'static str> {
    of(&["default", "a", "system"])
}

fn route() -> impl Strategy<Value = Value> {
    let names = of(&["p", "p", "q", MANAGED]);
    let backend =
        (option::weighted(0.5, service_place()), names).prop_map(
            |(namespace, name)| match namespace {
                Some(namespace) => json!({ "namespace": namespace, "name": name, "port": 1 }),
                None => json!({ "name": name, "port": 1 }),
            },
        );
    let mut parent = parent("g");
    parent["namespace"] = json!("default");
    (place(), vec(backend, 1..3)).prop_map(move |(place, backends)| {
        let spec = json!({ "parentRefs": [parent], "rules": [{ "backendRefs": backends }] });
        let route = json!({ "kind": "TCPRoute", "metadata": { "name": "r" }, "spec": spec });
        within(place, route)
    })
}

fn any_service() -> impl Strategy<Value = Value> {
    let labels = prop_oneof![
        Just(json!({})),
        Just(json!({ "app.kubernetes.io/managed-by": "Helm" })),
        of(&[OWN_UID, OWN_UID, "another"]).prop_map(|uid| json!({
            "app.kubernetes.io/managed-by": "sluicegate",
            "sluicegate.dev/gateway-uid": uid,
        })),
    ];
    let ports = (of_ports(&[1, 2, 5000, 5001]), of_ports(&[9000, 20_000, 20_001]));
    (service_place(), of(&["p", "q", MANAGED, MANAGED]), ports, labels).prop_map(
        |(place, name, (port, target_port), labels)| {
            let mut service = with("/spec/ports/0/port", json!(port), service(name));
            service["spec"]["ports"][0]["targetPort"] = json!(target_port);
            service["metadata"]["labels"] = labels;
            within(place, service)
        },
    )
}

fn of_ports(ports: &'static [u16]) -> impl Strategy<Value = u16> {
    select(ports)
}

fn any_slice() -> impl Strategy<Value = Value> {
    let labels = of(&["p", "p", "q", MANAGED, ""]);
    (service_place(), of(&["e", "f"]), labels, 1..4_u8).prop_map(|(place, name, service, host)| {
        let slice = slice(service, SocketAddr::from(([192, 0, 2, host], 9000)));
        within(place, with("/metadata/name", json!(name), slice))
    })
}

fn grant(place: &str) -> Value {
    let from = json!({
        "group": "gateway.networking.k8s.io",
        "kind": "TCPRoute",
        "namespace": if place == "a" { "default" } else { "a" },
    });
    let spec = json!({ "from": [from], "to": [{ "group": "", "kind": "Service" }] });
    let grant = json!({ "kind": "ReferenceGrant", "metadata": { "name": "v" }, "spec": spec });
    within(place, grant)
}

/// All objects of the server.
fn everything(api: &Api) -> Resources {
    let objects =
        api.read(|state| state.store.all("").map(|(_, object)| object).collect::<Vec<_>>());
    let read = objects.into_iter().filter_map(|object| {
        let mut kinds = ObjectKind::ALL.iter();
        let kind = kinds.find(|kind| kind.as_str() == object["kind"])?;
        Some(kind.deserialize(object).unwrap())
    });
    read.collect()
}

/// The plan, and the status as text.
fn result(resources: &Resources) -> (Plan, String) {
    let address = "192.0.2.100".parse().unwrap();
    let settings = Settings::default()
        .with_controller(OURS.parse().unwrap())
        .with_addresses(Addresses::Service("system".parse().unwrap()))
        .with_host(Host::new(address, address));
    let translation = translate(resources, &settings, &Assignments::default());
    // The generations and times of the conditions are part of it.
    (translation.plan, format!("{:?}", translation.status))
}

async fn follow(steps: Vec<Step>) {
    let namespaces = ["default", "a", "system"].map(namespace);
    let api = Api::with(namespaces.into_iter().chain([class("c", OURS)]));
    [gateway("g", 5000), grant("default"), grant("a"), grant("system")]
        .into_iter()
        .for_each(|object| api.apply(object));
    // A source that writes would change the objects meanwhile.
    let harness = Harness::reached_through_services(&api, |source| {
        let selector = [("app".to_owned(), "gate".to_owned())].into();
        source.services(ServiceTemplate::new("system".parse().unwrap(), selector)).read_only()
    });
    for step in steps {
        match step {
            Step::Apply(mut object) => {
                let uid = object.pointer_mut("/metadata/labels/sluicegate.dev~1gateway-uid");
                let gateway = api.get("gateways/default/g")["metadata"]["uid"].take();
                if let Some(uid) = uid.filter(|uid| *uid == OWN_UID && gateway.is_string()) {
                    *uid = gateway;
                }
                api.apply(object);
            }
            Step::Delete(name) if !api.get(name).is_null() => api.delete(name),
            Step::Delete(_) => continue,
        }
        let expected = result(&everything(&api));
        harness.until("the same plan", |snapshot| result(&snapshot.resources) == expected).await;
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn objects_that_are_left_out_make_no_difference(steps in vec(step(), 1..25)) {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .start_paused(true)
            .build()
            .unwrap();
        runtime.block_on(follow(steps));
    }
}
