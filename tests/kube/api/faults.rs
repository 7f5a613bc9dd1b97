//! Faults of the API server, and changes of what it serves.

use std::sync::Arc;

use serde_json::{Value, json};
use sluicegate::store::{Key, Write};

use super::api::Api;
use super::block_on::block_on;
use super::definitions::{GATEWAY_API, Installed};
use super::rule::{Effect, Mutation, Rule};

impl Api {
    pub(crate) fn install(&self, installed: Installed) {
        self.change(|state| {
            state.installed = installed;
            // Another version is another path.
            for plural in GATEWAY_API {
                state.closings.push(plural.to_owned());
            }
        });
    }

    /// Sets the version that the definitions have.
    pub(crate) fn bundle(&self, version: Option<&str>) {
        self.change(|state| state.bundle = version.map(str::to_owned));
    }

    /// Sets the minor version of the server; the major version is 1.
    pub(crate) fn minor(&self, minor: &'static str) {
        self.change(|state| state.minor = minor);
    }

    /// Refuses connections, and resets those that are open.
    pub(crate) fn down(&self) {
        self.change(|state| state.is_down = true);
    }

    pub(crate) fn up(&self) {
        self.change(|state| state.is_down = false);
    }

    /// Applies an effect to requests of these verbs, separated by commas, for a kind.
    pub(crate) fn spoil(&self, verbs: &'static str, plural: &'static str, effect: Effect) {
        self.add(Rule { verbs, plural, effect, ..Rule::all() });
    }

    /// Applies an effect to the requests of one client.
    pub(crate) fn spoil_of(
        &self,
        client: &'static str,
        verbs: &'static str,
        plural: &'static str,
        effect: Effect,
    ) {
        self.add(Rule { client: Some(client), verbs, plural, effect, ..Rule::all() });
    }

    /// Applies an effect to the first requests.
    pub(crate) fn spoil_times(
        &self,
        times: usize,
        verbs: &'static str,
        plural: &'static str,
        effect: Effect,
    ) {
        self.add(Rule { verbs, plural, effect, times, ..Rule::all() });
    }

    /// Applies an effect to one request, after so many.
    pub(crate) fn spoil_after(
        &self,
        after: usize,
        verbs: &'static str,
        plural: &'static str,
        effect: Effect,
    ) {
        self.add(Rule { verbs, plural, effect, after, times: 1, ..Rule::all() });
    }

    /// Applies an effect to all requests of these verbs in a namespace.
    pub(crate) fn spoil_in(&self, namespace: &'static str, verbs: &'static str, effect: Effect) {
        self.add(Rule { namespace: Some(namespace), verbs, effect, ..Rule::all() });
    }

    /// Applies an effect to all requests.
    pub(crate) fn spoil_all(&self, effect: Effect) {
        self.add(Rule { effect, ..Rule::all() });
    }

    fn add(&self, rule: Rule) {
        self.change(|state| state.rules.push(rule));
    }

    /// Ends all [effects](Self::spoil).
    pub(crate) fn heal(&self) {
        self.change(|state| state.rules.clear());
    }

    /// Changes each object of a kind that a client writes from now on.
    pub(crate) fn mutate(
        &self,
        plural: &'static str,
        change: impl Fn(&mut Value) + Send + Sync + 'static,
    ) {
        let change = move |object: &mut Value| {
            change(object);
            true
        };
        let mutation = Mutation { plural, change: Arc::new(change) };
        self.change(|state| state.mutations.push(mutation));
    }

    /// Refuses each written object of a kind that is invalid, with code 422.
    pub(crate) fn refuse_invalid(
        &self,
        plural: &'static str,
        is_invalid: impl Fn(&Value) -> bool + Send + Sync + 'static,
    ) {
        let change = move |object: &mut Value| !is_invalid(object);
        let mutation = Mutation { plural, change: Arc::new(change) };
        self.change(|state| state.mutations.push(mutation));
    }

    /// Ends all [mutations](Self::mutate).
    pub(crate) fn keep_as_written(&self) {
        self.change(|state| state.mutations.clear());
    }

    /// Takes the permission to read a kind.
    pub(crate) fn forbid(&self, plural: &'static str) {
        self.spoil("list,watch", plural, Effect::Refuse(403));
        self.close(plural);
    }

    /// The open watches of a kind send nothing more, and do not end.
    pub(crate) fn silence(&self, plural: &'static str) {
        self.change(|state| state.silences.push(plural.to_owned()));
    }

    /// Deletes an object. The lists that are streamed later contain it and its deletion, as if it
    /// had been deleted meanwhile.
    pub(crate) fn delete_during_lists(&self, name: &str) {
        let object = self.get(name);
        self.delete(name);
        let plural = name.split('/').next().unwrap().to_owned();
        self.change(|state| state.gone.push((plural, object)));
    }

    /// Ends the watches of a kind.
    pub(crate) fn close(&self, plural: &'static str) {
        self.change(|state| state.closings.push(plural.to_owned()));
    }

    /// Forgets the changes so far, and ends the watches of a kind, so that they cannot be resumed.
    pub(crate) fn expire(&self, plural: &'static str) {
        let store = &self.objects.store;
        // The revision grows, since changes of kinds that the source does not watch count too.
        let config_maps = self.objects.resource("configmaps");
        let key = Key::namespaced(&config_maps, "default", "counter");
        let object = json!({
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": { "name": "counter" },
            "data": { "revision": store.revision().to_string() },
        });
        let write = match store.get(&key) {
            None => Write::create(&config_maps, Some("default"), object),
            Some(_) => Write::replace(key, object),
        };
        block_on(store.write(write)).unwrap();
        self.change(|state| {
            state.expired = store.revision().get();
            state.closings.push(plural.to_owned());
        });
    }
}
