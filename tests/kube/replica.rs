//! A replica of a gateway that takes part in a leader election.

use std::time::Duration;

use serde_json::Value;
use sluicegate::sources::{Election, KubeSource, LeaseHandle};
use tokio::time::{Instant, sleep};

use crate::api::Api;
use crate::harness::Harness;
use crate::objects::{OURS, namespace};

pub(crate) const LEASE: &str = "leases/system/gate";

pub(crate) struct Replica {
    pub(crate) harness: Harness,
    pub(crate) lease: LeaseHandle,
}

impl Replica {
    /// Starts a replica. Its client and its identity have the same name.
    pub(crate) fn start(api: &Api, name: &'static str) -> Self {
        Self::with(&api.of(name), name, election())
    }

    pub(crate) fn with(api: &Api, identity: &str, election: Election) -> Self {
        api.apply(namespace("system"));
        let lease = election.handle();
        let set_up = |source: KubeSource| source.identity(identity).election(election);
        Self { harness: Harness::with(api, OURS, set_up), lease }
    }

    /// Returns the time until the replica is the leader.
    pub(crate) async fn until_leader(&self) -> Duration {
        let started = Instant::now();
        while !self.lease.is_leader() {
            assert!(started.elapsed() < Duration::from_secs(60), "it does not become the leader");
            sleep(Duration::from_millis(10)).await;
        }
        started.elapsed()
    }
}

pub(crate) fn election() -> Election {
    Election::new("system/gate".parse().unwrap())
}

/// The spec of the Lease.
pub(crate) fn lease_spec(api: &Api) -> Value {
    api.get(LEASE)["spec"].clone()
}

/// The replica that holds the Lease.
pub(crate) fn holder(api: &Api) -> String {
    lease_spec(api)["holderIdentity"].as_str().unwrap_or_default().to_owned()
}
