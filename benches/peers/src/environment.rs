//! Machine, kernel and versions that the figures were measured with.

use std::collections::BTreeMap;
use std::fs;
use std::thread;

use jiff::Timestamp;
use serde::Serialize;

use crate::peers::Proxy;

#[derive(Debug, Serialize)]
pub(crate) struct Environment {
    date: String,
    kernel: String,
    cpu: String,
    processors: usize,
    versions: BTreeMap<&'static str, String>,
}

impl Environment {
    pub(crate) fn of(proxies: &[Box<dyn Proxy>]) -> Self {
        let cpus = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
        let model = cpus.lines().find_map(|line| line.strip_prefix("model name")?.split_once(": "));
        Self {
            date: Timestamp::now().strftime("%F %H:%M UTC").to_string(),
            kernel: rustix::system::uname().release().to_string_lossy().into_owned(),
            cpu: model.map_or("unknown", |(_, name)| name).to_owned(),
            processors: thread::available_parallelism().map_or(0, usize::from),
            versions: proxies.iter().map(|proxy| (proxy.name(), proxy.version())).collect(),
        }
    }

    /// As a sentence or two.
    pub(crate) fn told(&self) -> String {
        let Self { date, kernel, cpu, processors, versions } = self;
        let versions: Vec<_> =
            versions.iter().map(|(proxy, version)| format!("{proxy} {version}")).collect();
        format!("{date}; {cpu}, {processors} processors, Linux {kernel}. {}.", versions.join(", "))
    }
}
