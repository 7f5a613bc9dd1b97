//! The state of the layer.

use serde_json::Value;

use super::definitions::Installed;
use super::objects::Objects;
use super::request::Request;
use super::rule::{Mutation, Rule};

/// The state of the layer, and the objects of the server.
#[derive(Debug)]
pub(crate) struct State {
    pub(crate) store: Objects,
    pub(crate) requests: Vec<Request>,
    /// The watches that are open.
    pub(crate) streams: Vec<String>,
    /// The requests that were given up before there was a response.
    pub(crate) given_up: Vec<Request>,
    pub(super) installed: Installed,
    /// The version that the definitions of Gateway API have.
    pub(super) bundle: Option<String>,
    /// The minor version of the server.
    pub(super) minor: &'static str,
    pub(super) is_down: bool,
    pub(super) rules: Vec<Rule>,
    pub(super) mutations: Vec<Mutation>,
    /// The kinds whose definitions validate nothing.
    pub(super) loose: Vec<&'static str>,
    /// The kinds whose watches were ended, one entry for each call of `close`. A watch ends if its
    /// kind was added after the watch was opened.
    pub(super) closings: Vec<String>,
    /// The kinds whose open watches were silenced, one entry for each call of `silence`. A watch
    /// sends nothing more if its kind was added after the watch was opened.
    pub(super) silences: Vec<String>,
    /// Objects, with the plural of their kind, that are deleted during each list that is streamed.
    pub(super) gone: Vec<(String, Value)>,
    /// Changes before this revision count as forgotten.
    pub(super) expired: u64,
    /// Cluster IPs that were allocated.
    pub(super) cluster_ips: u16,
}

impl State {
    pub(super) fn new(store: Objects) -> Self {
        Self {
            store,
            requests: Vec::new(),
            streams: Vec::new(),
            given_up: Vec::new(),
            installed: Installed::Both,
            bundle: Some("v1.6.3".to_owned()),
            minor: "37",
            is_down: false,
            rules: Vec::new(),
            mutations: Vec::new(),
            loose: Vec::new(),
            closings: Vec::new(),
            silences: Vec::new(),
            gone: Vec::new(),
            expired: 0,
            cluster_ips: 0,
        }
    }

    /// Returns the requests that would change something, except those of Events.
    pub(crate) fn writes(&self) -> Vec<Request> {
        let is_write = |request: &&Request| request.is_write() && request.plural != "events";
        self.requests.iter().filter(is_write).cloned().collect()
    }

    /// Returns the number of requests of a verb for a kind.
    pub(crate) fn count(&self, verb: &str, plural: &str) -> usize {
        let is_one = |request: &&Request| request.verb == verb && request.plural == plural;
        self.requests.iter().filter(is_one).count()
    }

    pub(super) fn is_loose(&self, plural: &str) -> bool {
        self.loose.contains(&plural)
    }

    pub(super) fn closings_of(&self, plural: &str) -> usize {
        self.closings.iter().filter(|closed| *closed == plural).count()
    }

    pub(super) fn silences_of(&self, plural: &str) -> usize {
        self.silences.iter().filter(|silenced| *silenced == plural).count()
    }
}
