//! The objects, and the history of their changes.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

/// Objects by name, as in `tcproutes/default/r`.
#[derive(Debug, Default)]
pub(crate) struct Store {
    objects: BTreeMap<String, Value>,
    log: Vec<Happened>,
    /// One counter for all kinds.
    version: u64,
    /// What happened up to here is forgotten.
    compacted: u64,
}

#[derive(Debug, Clone)]
pub(super) struct Happened {
    pub(super) version: u64,
    pub(super) what: &'static str,
    pub(super) name: String,
    pub(super) object: Value,
}

/// Somebody else has changed the object meanwhile.
#[derive(Debug)]
pub(super) struct Conflict;

impl Store {
    pub(crate) fn get(&self, name: &str) -> Option<&Value> {
        self.objects.get(name)
    }

    pub(crate) fn version(&self) -> u64 {
        self.version
    }

    /// The objects whose names begin so.
    pub(crate) fn all<'a>(
        &'a self,
        prefix: &'a str,
    ) -> impl Iterator<Item = (&'a String, &'a Value)> {
        self.objects.iter().filter(move |(name, _)| name.starts_with(prefix))
    }

    pub(super) fn compact(&mut self) {
        // Kinds that nobody here watches have their changes too.
        self.version += 1;
        self.compacted = self.version;
    }

    /// Whether it is too late to ask for what happened after `version`.
    pub(super) fn has_forgotten(&self, version: u64) -> bool {
        version < self.compacted
    }

    pub(super) fn since(&self, version: u64) -> impl Iterator<Item = &Happened> {
        self.log.iter().filter(move |happened| happened.version > version)
    }

    pub(super) fn apply(&mut self, mut object: Value) {
        let name = name_of(&object);
        let before = self.objects.get(&name).cloned();
        let known = before.as_ref().unwrap_or(&Value::Null);
        let generation = known["metadata"]["generation"].as_i64().unwrap_or(0);
        let is_same = !known.is_null() && rest(known) == rest(&object);
        object["metadata"]["generation"] = json!(if is_same { generation } else { generation + 1 });
        for field in ["uid", "creationTimestamp", "finalizers", "deletionTimestamp"] {
            if let Some(value) = known["metadata"].get(field) {
                object["metadata"][field] = value.clone();
            }
        }
        if let Some(status) = known.get("status") {
            object["status"] = status.clone();
        }
        let metadata = object["metadata"].as_object_mut().unwrap();
        metadata.entry("uid").or_insert_with(|| json!(format!("uid-{}", self.version)));
        metadata.entry("creationTimestamp").or_insert_with(|| json!("2026-01-01T00:00:00Z"));
        let what = if before.is_some() { "MODIFIED" } else { "ADDED" };
        self.put(what, name, object);
    }

    pub(super) fn delete(&mut self, name: &str) {
        let mut object = self.objects[name].clone();
        let finalizers = object["metadata"]["finalizers"].as_array().map_or(0, Vec::len);
        if finalizers == 0 {
            self.put("DELETED", name.to_owned(), object);
            self.objects.remove(name);
        } else {
            object["metadata"]["deletionTimestamp"] = json!("2026-01-02T00:00:00Z");
            let generation = object["metadata"]["generation"].as_i64().unwrap();
            object["metadata"]["generation"] = json!(generation + 1);
            self.put("MODIFIED", name.to_owned(), object);
        }
    }

    pub(super) fn set_status(&mut self, name: &str, status: Value) {
        let mut object = self.objects[name].clone();
        if object["status"] != status {
            object["status"] = status;
            self.put("MODIFIED", name.to_owned(), object);
        }
    }

    /// Only the metadata is ever patched: a merge patch, in which lists are replaced.
    pub(super) fn patch_metadata(&mut self, name: &str, patch: &Value) {
        let before = &self.objects[name];
        let mut object = before.clone();
        for (field, value) in patch.as_object().into_iter().flatten() {
            match value.as_object().filter(|_| field != "resourceVersion") {
                Some(entries) => merge(&mut object["metadata"][field], entries),
                None if field == "resourceVersion" => {}
                None => object["metadata"][field] = value.clone(),
            }
        }
        if object == *before {
            return;
        }
        let is_released = object["metadata"]["finalizers"] == json!([])
            && object["metadata"].get("deletionTimestamp").is_some();
        self.put("MODIFIED", name.to_owned(), object);
        if is_released {
            self.delete(name);
        }
    }

    /// Whether a write is based on the present state.
    pub(super) fn check(&self, name: &str, based_on: &Value) -> Result<(), Conflict> {
        let known = &self.objects[name]["metadata"];
        let is_same = |field: &str| based_on[field].is_null() || based_on[field] == known[field];
        if is_same("resourceVersion") && is_same("uid") { Ok(()) } else { Err(Conflict) }
    }

    fn put(&mut self, what: &'static str, name: String, mut object: Value) {
        self.version += 1;
        object["metadata"]["resourceVersion"] = json!(self.version.to_string());
        self.objects.insert(name.clone(), object.clone());
        self.log.push(Happened { version: self.version, what, name, object });
    }
}

/// Applies a merge patch to a map, such as the annotations.
fn merge(known: &mut Value, patch: &Map<String, Value>) {
    if !known.is_object() {
        *known = json!({});
    }
    let known = known.as_object_mut().unwrap();
    for (key, value) in patch {
        if value.is_null() {
            known.remove(key);
        } else {
            known.insert(key.clone(), value.clone());
        }
    }
}

pub(super) fn name_of(object: &Value) -> String {
    let plural = match object["kind"].as_str().unwrap() {
        "GatewayClass" => "gatewayclasses".to_owned(),
        kind => format!("{}s", kind.to_ascii_lowercase()),
    };
    let name = object["metadata"]["name"].as_str().unwrap();
    match object["metadata"]["namespace"].as_str() {
        Some(namespace) => format!("{plural}/{namespace}/{name}"),
        None => format!("{plural}/{name}"),
    }
}

/// What counts for the generation.
fn rest(object: &Value) -> Value {
    let mut rest = object.clone();
    let fields = rest.as_object_mut().unwrap();
    fields.remove("metadata");
    fields.remove("status");
    rest
}
