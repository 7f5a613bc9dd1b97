//! Statistics of all connections: printed at the end, and compared with the counters of the
//! forwarders.

use std::collections::BTreeMap;
use std::fmt::{self, Display};
use std::time::Duration;

use sluicegate::forward::{DialFailure, ListenerCounters, Outcome};
use sluicegate::plan::{ListenerId, RejectReason};

use super::log::label;
use super::script::{Scene, Script};
use super::verify::Observations;

const OUTCOMES: [Outcome; 7] = [
    Outcome::Completed,
    Outcome::Rejected(RejectReason::BackendNotFound),
    Outcome::DialFailed(DialFailure::Refused),
    Outcome::DialFailed(DialFailure::TimedOut),
    Outcome::DownstreamReset,
    Outcome::UpstreamReset,
    Outcome::Drained,
];

#[derive(Clone, Default)]
pub struct Stats {
    scenes: BTreeMap<Scene, [u64; OUTCOMES.len()]>,
    listeners: BTreeMap<(usize, String), Listener>,
    /// Clients that came when their listener was away.
    pub away: u64,
}

#[derive(Clone, Default)]
struct Listener {
    ended: [u64; OUTCOMES.len()],
    bytes_up: u64,
    bytes_down: u64,
}

impl Stats {
    pub fn note(&mut self, script: &Script, observed: &Observations) {
        let Observations { client, backend, proxy } = observed;
        let outcome = OUTCOMES.iter().position(|outcome| label(*outcome) == proxy.outcome).unwrap();
        self.scenes.entry(script.scene).or_default()[outcome] += 1;
        let listener = self.listeners.entry((script.proxy, proxy.listener.clone())).or_default();
        listener.ended[outcome] += 1;
        listener.bytes_up += proxy.bytes_up;
        listener.bytes_down += proxy.bytes_down;
        debug_assert!(backend.is_none() || client.sent <= script.client.total());
    }

    pub fn connections(&self) -> u64 {
        self.scenes.values().flatten().sum()
    }

    pub fn bytes(&self) -> (u64, u64) {
        let listeners = self.listeners.values();
        listeners.fold((0, 0), |(up, down), it| (up + it.bytes_up, down + it.bytes_down))
    }

    /// Checks that a proxy has counted the same for the listeners that existed all the time.
    ///
    /// # Errors
    /// What it has counted otherwise.
    pub fn agree(
        &self,
        proxy: usize,
        counters: &BTreeMap<ListenerId, ListenerCounters>,
    ) -> Result<(), String> {
        let lasting = |id: &&ListenerId| {
            !["passing", "contested"].iter().any(|name| id.listener.to_string().starts_with(name))
        };
        for id in counters.keys().filter(lasting) {
            let counted = &counters[id];
            let seen = self.listeners.get(&(proxy, id.to_string())).cloned().unwrap_or_default();
            let ended = OUTCOMES.map(|outcome| counted.ended(outcome));
            let total = seen.ended.iter().sum();
            if counted.accepted != total
                || counted.active() != 0
                || ended != seen.ended
                || counted.bytes_up != seen.bytes_up
                || counted.bytes_down != seen.bytes_down
            {
                let Listener { ended, bytes_up, bytes_down } = seen;
                return Err(format!(
                    "proxy {proxy} has counted {counted:?} on {id}, but its clients were {total}, \
                     {ended:?}, with {bytes_up} and {bytes_down} bytes"
                ));
            }
            let rejected = seen.ended[1];
            if id.listener == *Scene::Mixed.name() && (4 * rejected).abs_diff(total) > 4 {
                return Err(format!(
                    "proxy {proxy} has rejected {rejected} of {total}, not a fourth"
                ));
            }
        }
        Ok(())
    }
}

impl Display for Stats {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:10}", "")?;
        for outcome in OUTCOMES {
            write!(f, "{:>24}", label(outcome))?;
        }
        for (scene, ended) in &self.scenes {
            write!(f, "\n{:10}", scene.name())?;
            for count in ended {
                write!(f, "{count:>24}")?;
            }
        }
        Ok(())
    }
}

/// A line of the stats that are not in the table.
pub fn line(name: &str, value: impl Display) {
    println!("{name:<16}{value}");
}

pub fn mib(bytes: u64) -> String {
    format!("{:.1} MiB", bytes as f64 / f64::from(1 << 20))
}

pub fn gib(bytes: u64) -> String {
    format!("{:.3} GiB", bytes as f64 / f64::from(1 << 30))
}

pub fn seconds(duration: Duration) -> String {
    format!("{:.1} s", duration.as_secs_f64())
}
