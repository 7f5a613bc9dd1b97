//! The rest that an address of a pool takes before another Gateway gets it: clients of the one that
//! had it may still dial it.

use std::collections::{BTreeMap, BTreeSet};
use std::mem;
use std::net::IpAddr;
use std::time::Duration;

use tokio::time::Instant;

use crate::model::NamespacedName;
use crate::translate::History;

/// How long an address rests.
const REST: Duration = if cfg!(test) { Duration::from_secs(1) } else { Duration::from_secs(60) };

/// Until when addresses rest: those of a [`History`].
#[derive(Debug, Default)]
pub(super) struct Rest(BTreeMap<IpAddr, Instant>);

impl Rest {
    /// Takes in who has which address now. What is nobody's any more begins to rest.
    pub(super) fn follow(
        &mut self,
        history: &mut History,
        held: BTreeMap<NamespacedName, Vec<IpAddr>>,
        now: Instant,
    ) {
        let taken: BTreeSet<_> = held.values().flatten().copied().collect();
        for (name, addresses) in mem::replace(&mut history.held, held) {
            for address in addresses.into_iter().filter(|address| !taken.contains(address)) {
                history.resting.insert(address, name.clone());
                self.0.insert(address, now + REST);
            }
        }
        self.0.retain(|address, _| !taken.contains(address));
        history.resting.retain(|address, _| self.0.contains_key(address));
    }

    /// When the next address has rested.
    pub(super) fn next_end(&self) -> Option<Instant> {
        self.0.values().min().copied()
    }

    /// Lets go of the addresses that have rested.
    pub(super) fn end(&mut self, history: &mut History, now: Instant) {
        self.0.retain(|_, until| *until > now);
        history.resting.retain(|address, _| self.0.contains_key(address));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{
        ConditionType, Gateway, GatewayClass, Listener, ObjectMeta, PortNumber, Resources,
        find_condition,
    };
    use crate::server::{Handle, Report, Server};
    use crate::sources::MemorySource;

    fn held(held: &[(&str, &str)]) -> BTreeMap<NamespacedName, Vec<IpAddr>> {
        let mut all = BTreeMap::<_, Vec<_>>::new();
        for (name, address) in held {
            all.entry(name.parse().unwrap()).or_default().push(address.parse().unwrap());
        }
        all
    }

    fn resting(history: &History) -> Vec<String> {
        history.resting.iter().map(|(address, owner)| format!("{address} {owner}")).collect()
    }

    #[test]
    fn an_address_rests_when_its_gateway_is_gone_or_has_another() {
        let (mut rest, mut history, start) = (Rest::default(), History::default(), Instant::now());
        let later = |part| start + REST * part / 4;
        rest.follow(&mut history, held(&[("a/g", "10.0.0.1"), ("a/h", "10.0.0.2")]), later(0));
        assert_eq!((resting(&history), rest.next_end()), (vec![], None));
        rest.follow(&mut history, held(&[("a/g", "10.0.0.3"), ("a/h", "10.0.0.2")]), later(1));
        rest.follow(&mut history, held(&[("a/g", "10.0.0.3")]), later(2));
        assert_eq!(resting(&history), ["10.0.0.1 a/g", "10.0.0.2 a/h"]);
        assert_eq!(rest.next_end(), Some(later(5)));
        rest.end(&mut history, later(5));
        assert_eq!(resting(&history), ["10.0.0.2 a/h"]);
        assert_eq!(rest.next_end(), Some(later(6)));
    }

    #[test]
    fn an_address_that_is_taken_rests_no_more() {
        let (mut rest, mut history, now) = (Rest::default(), History::default(), Instant::now());
        rest.follow(&mut history, held(&[("a/g", "10.0.0.1")]), now);
        rest.follow(&mut history, held(&[]), now);
        rest.follow(&mut history, held(&[("a/h", "10.0.0.1")]), now);
        assert_eq!((resting(&history), rest.next_end()), (vec![], None));
        // It passes on without a rest where the other one asked for it.
        rest.follow(&mut history, held(&[("a/i", "10.0.0.1")]), now);
        assert_eq!((resting(&history), rest.next_end()), (vec![], None));
    }

    fn gateway(name: &str) -> Gateway {
        let listener = Listener::tcp("l".parse().unwrap(), PortNumber::new(19_871).unwrap());
        let metadata = ObjectMeta::named(name.parse().unwrap());
        Gateway::new(metadata, "c".parse().unwrap(), vec![listener])
    }

    async fn wait_for(handle: &Handle, what: impl Fn(&Report) -> bool) {
        let mut reports = handle.reports();
        let found = async {
            while let Some(report) = reports.next().await {
                if what(&report) {
                    return;
                }
            }
        };
        tokio::time::timeout(Duration::from_secs(20), found).await.unwrap();
    }

    fn reason(report: &Report, gateway: &str) -> Option<String> {
        let status = report.status.gateways.get(&format!("default/{gateway}").parse().unwrap())?;
        Some(find_condition(&status.conditions, &ConditionType::PROGRAMMED)?.reason.to_string())
    }

    #[tokio::test]
    async fn a_gateway_that_waits_gets_an_address_once_it_has_rested() {
        let class = GatewayClass::new("c".parse().unwrap(), "example.com/c".parse().unwrap());
        let mut objects = Resources::new();
        objects.insert(class);
        objects.insert(gateway("g"));
        let memory = MemorySource::new(objects);
        // Nobody else's, where tests run side by side.
        let [_, _, high, low] = std::process::id().to_be_bytes();
        let handle = Server::builder()
            .source(memory.clone())
            .addresses(format!("127.19.{high}.{low}").parse().unwrap())
            .start()
            .await
            .unwrap();
        wait_for(&handle, |report| reason(report, "g").as_deref() == Some("Programmed")).await;
        memory.update(|objects| {
            objects.gateways.clear();
            objects.insert(gateway("h"));
        });
        let given_up = Instant::now();
        wait_for(&handle, |report| reason(report, "h").as_deref() == Some("AddressNotAssigned"))
            .await;
        wait_for(&handle, |report| reason(report, "h").as_deref() == Some("Programmed")).await;
        assert!(given_up.elapsed() >= REST);
        handle.shutdown().await;
    }
}
