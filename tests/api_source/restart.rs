//! Restarts with the same data folder.

use std::time::Duration;

use sluicegate::admission::catalog;
use sluicegate::store::{Settings, Store};

use crate::harness::{Harness, write_usual};
use crate::support::{free_port, name_at, own_address};

#[tokio::test]
async fn restart_serves_the_same_routes_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let open = || Store::open(folder.path(), catalog(), Settings::new()).unwrap();
    let store = open();
    let address = (own_address(), free_port()).into();
    write_usual(&store, std::net::SocketAddr::port(&address)).await;
    let harness = Harness::run(store, address).await;
    harness.until_programmed().await;
    let status = harness.get("Gateway", "g").unwrap()["status"].clone();
    let Harness { store, gateway, .. } = harness;
    gateway.drain(Duration::ZERO).await;
    store.close().await;
    drop(store);

    let harness = Harness::run(open(), address).await;
    assert_eq!(name_at(address).as_deref(), Some("one"), "the start waits for the listeners");
    assert_eq!(harness.get("Gateway", "g").unwrap()["status"], status, "times included");
    harness.gateway.shutdown().await;
}
