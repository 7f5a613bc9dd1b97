//! Power cuts: every acknowledged write survives, and every transaction is atomic.
//!
//! `SLUICEGATE_POWER_CUTS` sets the number of power cuts, `SLUICEGATE_SEED` the first seed.

use std::collections::BTreeMap;
use std::env;
use std::sync::Arc;
use std::time::Duration;

use serde_json::json;
use tokio::task::JoinSet;

use super::disk::simulation::PowerCutDisk;
use super::disk::{Medium, Watchdog};
use super::{
    Catalog, Durability, Key, ListQuery, Resource, ResourceRules, Revision, Settings, Store, Write,
};

/// Texts of the objects by name.
type Model = BTreeMap<String, String>;

/// Objects that the transactions of a run change.
const NAMES: [&str; 10] = ["a", "b", "c", "d", "e", "f", "g", "h", "i", "j"];

#[derive(Debug, Clone)]
struct Resources {
    catalog: Catalog,
    maps: Resource,
    gateways: Resource,
}

impl Resources {
    fn new() -> Self {
        let mut catalog = Catalog::new();
        let gateways = ResourceRules::namespaced("example.com", "gateways", "Gateway");
        Self {
            maps: catalog.add(ResourceRules::namespaced("", "configmaps", "ConfigMap")),
            gateways: catalog.add(gateways.with_status().with_generation()),
            catalog,
        }
    }

    fn open(&self, disk: &PowerCutDisk) -> Option<Store> {
        // The power may be cut while the store is opened. Then the error is of the disk.
        let watchdog = Watchdog::start(Duration::from_secs(60), |_| {}).unwrap();
        let opened =
            Medium::simulated(disk.clone(), watchdog).map_err(|error| format!("{error:?}"));
        let opened = opened.and_then(|medium| {
            let settings = Settings::new()
                .with_reopen_backoff(Duration::from_secs(60), Duration::from_secs(60));
            Store::start(medium, self.catalog.clone(), settings)
                .map_err(|error| format!("{error:?}"))
        });
        match opened {
            Ok(store) => Some(store),
            Err(_) if disk.is_off() => None,
            Err(error) => panic!("the store cannot be opened: {error}"),
        }
    }

    fn gateway(&self) -> Key {
        Key::namespaced(&self.gateways, "default", "edge")
    }

    fn read(&self, store: &Store) -> Model {
        let page = store.list(&ListQuery::new(&self.maps), |_| true).unwrap();
        let text = |value: &serde_json::Value| value["data"]["a"].as_str().unwrap().to_owned();
        let object = |object: &Arc<super::StoredObject>| {
            (object.key().name().to_owned(), text(&object.to_value()))
        };
        page.objects.iter().map(object).collect()
    }

    fn status(&self, store: &Store) -> u64 {
        store.get(&self.gateway()).unwrap().to_value()["status"]["count"].as_u64().unwrap_or(0)
    }
}

/// Transaction of several writes, and the model after it.
fn transaction(
    resources: &Resources,
    model: &Model,
    count: u64,
    rng: &mut fastrand::Rng,
) -> (Vec<Write>, Model) {
    let mut after = model.clone();
    let mut names = NAMES.to_vec();
    rng.shuffle(&mut names);
    names.truncate(rng.usize(1..=4));
    let writes = names.into_iter().map(|name| {
        let key = Key::namespaced(&resources.maps, "default", name);
        if after.contains_key(name) && rng.u8(..4) == 0 {
            after.remove(name);
            return Write::delete(key);
        }
        // Some objects need pages of their own.
        let length = if rng.u8(..8) == 0 { rng.usize(..40_000) } else { rng.usize(..300) };
        let text = format!("{count} {}", "x".repeat(length));
        let object = json!({
            "apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name},
            "data": {"a": text},
        });
        match after.insert(name.to_owned(), text) {
            Some(_) => Write::replace(key, object),
            None => Write::create(&resources.maps, Some("default"), object),
        }
    });
    (writes.collect(), after)
}

/// State of a chain of power cuts: the disk, and what must be on it.
#[derive(Debug)]
struct Chain {
    contents: Vec<u8>,
    model: Model,
    status: u64,
    /// Newest revision that a client has seen.
    revision: Revision,
    count: u64,
}

async fn begin(resources: &Resources) -> Chain {
    let disk = PowerCutDisk::new(Vec::new());
    let store = resources.open(&disk).unwrap();
    let object = json!({
        "apiVersion": "v1", "kind": "Gateway", "metadata": {"name": "edge"}, "spec": {},
    });
    store.write(Write::create(&resources.gateways, Some("default"), object)).await.unwrap();
    let revision = store.revision();
    store.close().await;
    let contents = disk.into_contents(&mut fastrand::Rng::with_seed(0));
    Chain { contents, model: Model::new(), status: 0, revision, count: 0 }
}

/// Writes until the power is cut, and checks what the next process finds.
async fn cut(resources: &Resources, chain: &mut Chain, seed: u64) {
    let mut rng = fastrand::Rng::with_seed(seed);
    let disk = PowerCutDisk::new(chain.contents.clone());
    disk.cut_after(rng.u64(..150));
    // States of which one must be found: that of the last acknowledged write, and those after it.
    let mut possible = vec![chain.model.clone()];
    let mut possible_status = chain.status..=chain.status;
    if let Some(store) = resources.open(&disk) {
        check(resources, &store, chain, &possible, &possible_status);
        possible = vec![resources.read(&store)];
        let mut status = resources.status(&store);
        while !disk.is_off() {
            let before = status;
            if rng.bool() {
                status += 1;
                let mut object = store.get(&resources.gateway()).unwrap().to_value();
                object["status"] = json!({"count": status});
                let write = Write::replace_status(resources.gateway(), object);
                let written = store.write_all(vec![write], Durability::Ephemeral).await;
                written.into_iter().for_each(|result| drop(result.unwrap()));
            }
            possible_status = *possible_status.start()..=status;
            // Requests that wait at the same time share a transaction, in their order.
            let mut pending = JoinSet::new();
            for index in 0..rng.usize(1..=4) {
                chain.count += 1;
                let model = possible.last().unwrap();
                let (writes, after) = transaction(resources, model, chain.count, &mut rng);
                possible.push(after);
                let store = store.clone();
                pending.spawn(async move {
                    let results = store.write_all(writes, Durability::Synced).await;
                    (index, results.into_iter().all(|result| result.is_ok()))
                });
            }
            let answers = pending.join_all().await;
            let acknowledged =
                answers.iter().filter(|(_, is_ok)| *is_ok).map(|(index, _)| index + 1).max();
            if let Some(acknowledged) = acknowledged {
                possible.drain(..acknowledged);
                possible_status = status..=status;
            } else {
                assert!(disk.is_off(), "refused although the disk works");
                possible_status = before.min(*possible_status.start())..=status;
            }
            chain.revision = chain.revision.max(store.revision());
        }
    }
    chain.contents = disk.into_contents(&mut rng);
    let disk = PowerCutDisk::new(chain.contents.clone());
    let store = resources.open(&disk).unwrap();
    check(resources, &store, chain, &possible, &possible_status);
    chain.model = resources.read(&store);
    chain.status = resources.status(&store);
    chain.revision = store.revision();
    store.close().await;
    chain.contents = disk.into_contents(&mut rng);
}

fn check(
    resources: &Resources,
    store: &Store,
    chain: &Chain,
    possible: &[Model],
    possible_status: &std::ops::RangeInclusive<u64>,
) {
    let found = resources.read(store);
    assert!(possible.contains(&found), "found {found:?}, expected one of {possible:?}");
    let status = resources.status(store);
    assert!(possible_status.contains(&status), "status {status}, expected {possible_status:?}");
    let oldest = store.snapshot().1.iter().map(|object| object.revision()).min().unwrap();
    assert!(oldest > chain.revision, "revision {oldest} after {}", chain.revision);
}

fn number(variable: &str, default: u64) -> u64 {
    env::var(variable).map_or(default, |text| text.parse().unwrap())
}

#[test]
fn acknowledged_writes_survive_power_cuts() {
    let (cuts, first) = (number("SLUICEGATE_POWER_CUTS", 500), number("SLUICEGATE_SEED", 1));
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let resources = Resources::new();
    runtime.block_on(async {
        let mut chain = begin(&resources).await;
        for index in 0..cuts {
            if index % 25 == 0 {
                chain = begin(&resources).await;
            }
            // The output of a failed test contains the chain's first seed and the failed one.
            eprintln!("seed {} of the chain since {}", first + index, first + index - index % 25);
            cut(&resources, &mut chain, first + index).await;
        }
    });
}
