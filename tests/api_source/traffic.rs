//! From objects in the store to connections.

use std::net::{SocketAddr, TcpListener};

use serde_json::json;
use sluicegate::Server;
use sluicegate::admission::catalog;
use sluicegate::sources::ApiSource;
use sluicegate::store::{Durability, Settings, Store, Write};

use crate::harness::{Harness, write_usual};
use crate::objects::{config_map, route, service, slice};
use crate::support::{backend, eventually, free_port, name_at, own_address, report_where};

#[tokio::test]
async fn objects_lead_connections_to_the_backend() {
    let harness = Harness::start().await;
    assert_eq!(name_at(harness.address).as_deref(), Some("one"));

    harness.create(service("two")).await;
    harness.create(slice("two", backend("two"))).await;
    harness
        .change("TCPRoute", "r", |route| {
            route["spec"]["rules"][0]["backendRefs"][0]["name"] = json!("two");
        })
        .await;
    eventually("two answers", || name_at(harness.address).as_deref() == Some("two"));

    harness.delete("TCPRoute", "r").await;
    eventually("no backend answers", || name_at(harness.address).is_none());
    harness.create(route("r", "g", "one")).await;
    eventually("one answers", || name_at(harness.address).as_deref() == Some("one"));
    harness.gateway.shutdown().await;
}

#[tokio::test]
async fn malformed_object_is_a_problem_and_does_not_affect_others() {
    let harness = Harness::start().await;
    let mut reports = harness.gateway.reports();
    let mut malformed = route("malformed", "g", "one");
    malformed["spec"]["parentRefs"][0]["port"] = json!("http");
    harness.create(malformed).await;
    let report = report_where(&mut reports, "a problem", |it| !it.problems.is_empty()).await;
    let expected = "TCPRoute default/malformed: field `spec.parentRefs[0].port` is invalid: ";
    assert!(report.problems[0].starts_with(expected), "{:?}", report.problems);
    assert!(report.problems[0].contains("it is ignored until"), "{:?}", report.problems);

    // A valid object that becomes malformed keeps its last valid version.
    harness.change("TCPRoute", "r", |route| route["spec"]["rules"] = json!(1)).await;
    let kept = "the last valid version stays in use";
    let of_route =
        |problem: &String| problem.starts_with("TCPRoute default/r:") && problem.contains(kept);
    report_where(&mut reports, "the other problem", |it| it.problems.iter().any(of_route)).await;
    assert_eq!(name_at(harness.address).as_deref(), Some("one"));

    harness.delete("TCPRoute", "malformed").await;
    harness
        .change("TCPRoute", "r", |object| object["spec"] = route("r", "g", "one")["spec"].clone())
        .await;
    report_where(&mut reports, "no problem", |it| it.problems.is_empty()).await;
    assert_eq!(name_at(harness.address).as_deref(), Some("one"));
}

#[tokio::test]
async fn changes_beyond_the_history_are_followed() {
    let settings = Settings::new().with_history(8, 1 << 20);
    let store = Store::in_memory(catalog(), settings).unwrap();
    let address = SocketAddr::new(own_address(), free_port());
    write_usual(&store, address.port()).await;
    let harness = Harness::run(store, address).await;
    harness.until_programmed().await;
    // One transaction with more changes than the history keeps.
    let resource = |kind| harness.key(kind, "").resource().clone();
    let fill = |index| {
        let object = config_map(&format!("filler-{index}"), 1);
        Write::create(&resource("ConfigMap"), Some("default"), object)
    };
    let changes = [
        Write::delete(harness.key("TCPRoute", "r")),
        Write::create(&resource("Service"), Some("default"), service("two")),
        Write::create(&resource("EndpointSlice"), Some("default"), slice("two", backend("two"))),
        Write::create(&resource("TCPRoute"), Some("default"), route("other", "g", "two")),
    ];
    let writes = changes.into_iter().chain((0..20).map(fill)).collect();
    for result in harness.store.write_all(writes, Durability::Synced).await {
        result.unwrap();
    }
    eventually("two answers", || name_at(address).as_deref() == Some("two"));
    harness.until_condition("TCPRoute", "other", "Accepted", "True").await;
    assert!(
        !harness.gateway.report().resources.tcp_routes.contains_key(&"default/r".parse().unwrap())
    );
}

#[tokio::test]
async fn store_without_space_does_not_stop_traffic_and_status_follows() {
    let settings = Settings::new().with_max_bytes(1 << 20);
    let store = Store::in_memory(catalog(), settings).unwrap();
    let port = free_port();
    write_usual(&store, port).await;
    // The rest of the space is less than a status.
    let mut filler = 0;
    for len in [1 << 16, 1 << 10, 1] {
        loop {
            let resource = store.catalog().get("", "configmaps").unwrap().clone();
            let object = config_map(&format!("filler-{filler}"), len);
            let create = Write::create(&resource, Some("default"), object);
            if store.write(create).await.is_err() {
                break;
            }
            filler += 1;
        }
    }
    let harness = Harness::run(store, SocketAddr::new(own_address(), port)).await;
    assert_eq!(name_at(harness.address).as_deref(), Some("one"));
    assert_eq!(harness.condition("Gateway", "g", "Programmed"), None);
    harness.delete("ConfigMap", "filler-0").await;
    harness.until_programmed().await;
}

#[tokio::test]
async fn route_to_a_socket_of_the_program_is_refused() {
    let store = Store::in_memory(catalog(), Settings::new()).unwrap();
    let port = free_port();
    write_usual(&store, port).await;
    let api = backend("api");
    let gateway = Server::builder()
        .source(ApiSource::new(store.clone()))
        .bind(own_address())
        .own_sockets([api])
        .start()
        .await
        .unwrap();
    let address = gateway.listeners().values().next().unwrap().bound[0];
    let harness = Harness { store, gateway, address };
    harness.until_programmed().await;
    harness.create(service("api")).await;
    harness.create(slice("api", api)).await;
    harness
        .change("TCPRoute", "r", |route| {
            route["spec"]["rules"][0]["backendRefs"][0]["name"] = json!("api");
        })
        .await;
    let condition = harness.until_condition("TCPRoute", "r", "ResolvedRefs", "False").await;
    let message = condition["message"].as_str().unwrap();
    assert!(message.contains(&format!("endpoint {api} is a socket of the program")), "{message}");
    assert_eq!(name_at(harness.address), None);
}

#[tokio::test]
async fn listener_on_a_port_of_the_program_reports_the_program() {
    let store = Store::in_memory(catalog(), Settings::new()).unwrap();
    let own = TcpListener::bind((own_address(), 0)).unwrap();
    let api = own.local_addr().unwrap();
    write_usual(&store, api.port()).await;
    let gateway = Server::builder()
        .source(ApiSource::new(store.clone()))
        .bind(api.ip())
        .own_sockets([api])
        .start()
        .await
        .unwrap();
    let harness = Harness { store, gateway, address: api };
    harness.until_condition("Gateway", "g", "Programmed", "False").await;
    let conditions =
        harness.get("Gateway", "g").unwrap()["status"]["listeners"][0]["conditions"].to_string();
    let expected = format!("Cannot open {api} (address already in use by this gateway's program");
    assert!(conditions.contains(&expected), "{conditions}");
    let report = harness.gateway.report();
    let error = &report.listeners.values().next().unwrap().bind_errors[0];
    assert!(error.message.contains("such as its API"), "{error:?}");

    drop(own);
    harness.until_programmed().await;
}
