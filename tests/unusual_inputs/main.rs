//! Unusual inputs are read as kubectl and the API server read them.
//!
//! `inputs/` contains one file for each case. `outcomes.yaml` contains the objects that the API
//! server of a Kubernetes cluster would store for each file, or the error that kubectl prints;
//! `conformance/run --only inputs --keep` writes it. `differences.yaml` contains the cases that
//! this crate treats differently on purpose, with the reason.
#![cfg(feature = "yaml")]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::Deserialize;
use serde_json::Value;
use sluicegate::model::Object;
use sluicegate::model::manifest::{self, Content};

/// Outcome of `kubectl apply` for one file.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Outcome {
    /// Objects as the API server would store them.
    #[serde(default)]
    objects: Vec<Value>,
    /// Output of kubectl if it or the API server refuses anything.
    error: Option<String>,
}

/// Result of reading one file with this crate.
#[derive(Debug, PartialEq, Eq)]
struct Reading {
    objects: Vec<Object>,
    errors: Vec<String>,
}

#[test]
fn inputs_are_read_as_kubectl_reads_them() {
    let outcomes: BTreeMap<String, Outcome> = parse("outcomes.yaml");
    let differences: BTreeMap<String, String> = parse("differences.yaml");
    let inputs = inputs();
    assert!(inputs.keys().eq(outcomes.keys()), "outcomes.yaml is out of date");
    assert!(
        differences.keys().all(|name| inputs.contains_key(name)),
        "differences.yaml contains a case without an input"
    );

    let mut wrong = Vec::new();
    for (name, path) in &inputs {
        let differs = compare(&read(path), &outcomes[name]).err();
        match (differs, differences.get(name)) {
            (Some(difference), None) => wrong.push(format!("{name}: {difference}")),
            (None, Some(reason)) => {
                wrong.push(format!("{name}: is read as kubectl reads it; listed because {reason}"));
            }
            (Some(_), Some(_)) | (None, None) => {}
        }
    }
    assert!(wrong.is_empty(), "{} of {} cases:\n{}", wrong.len(), inputs.len(), wrong.join("\n"));
}

/// Describes the difference between our reading of a file and the outcome with kubectl.
fn compare(ours: &Reading, theirs: &Outcome) -> Result<(), String> {
    match (&theirs.error, ours.errors.as_slice()) {
        (Some(error), []) => Err(format!("accepted; kubectl: {error}")),
        (None, [_, ..]) => Err(format!("refused: {}", ours.errors.join("; "))),
        (Some(_), [_, ..]) => Ok(()),
        (None, []) => {
            let read_stored = |object: &Value| read_text(&object.to_string()).objects;
            let stored: Vec<_> = theirs.objects.iter().flat_map(read_stored).collect();
            if stored.len() != ours.objects.len() {
                return Err(format!("{} objects instead of {}", ours.objects.len(), stored.len()));
            }
            let mut pairs = ours.objects.iter().zip(stored);
            pairs.try_for_each(|(ours, stored)| compare_objects(ours, stored))
        }
    }
}

fn compare_objects(ours: &Object, stored: Object) -> Result<(), String> {
    let (ours, stored) = (without_assigned(ours.clone(), ours), without_assigned(stored, ours));
    if ours == stored { Ok(()) } else { Err(format!("read as {ours:?}\n  instead of {stored:?}")) }
}

/// Removes what may differ: values that the API server assigns to the fields that our object does
/// not set, the default namespace, and the status.
fn without_assigned(mut object: Object, ours: &Object) -> Object {
    match (&mut object, ours) {
        (Object::Namespace(object), _) => {
            Arc::make_mut(object).metadata.labels.remove("kubernetes.io/metadata.name");
        }
        (Object::Service(object), Object::Service(ours)) => {
            let spec = &mut Arc::make_mut(object).spec;
            if ours.spec.cluster_ip.is_none() {
                spec.cluster_ip = None;
            }
            if ours.spec.cluster_ips.is_empty() {
                spec.cluster_ips.clear();
            }
            if ours.spec.ip_families.is_empty() {
                spec.ip_families.clear();
            }
            for (port, ours) in spec.ports.iter_mut().zip(&ours.spec.ports) {
                if ours.node_port.is_none() {
                    port.node_port = None;
                }
                if ours.target_port.is_none() {
                    port.target_port = None;
                }
            }
        }
        (Object::EndpointSlice(object), _) => {
            for port in &mut Arc::make_mut(object).ports {
                port.name = port.name.take().filter(|name| !name.is_empty());
            }
        }
        // A source without an API server computes the status itself.
        (Object::Gateway(object), _) => Arc::make_mut(object).status = None,
        _ => {}
    }
    // The namespace of a cluster-scoped object has no meaning.
    let is_namespaced = object.key().namespace.is_some();
    let namespace = &mut object.metadata_mut().namespace;
    *namespace = namespace.take().filter(|name| is_namespaced && name.as_str() != "default");
    object
}

fn read(path: &Path) -> Reading {
    match manifest::decode(fs::read(path).expect("the file can be read")) {
        Ok(text) => read_text(&text),
        Err(error) => Reading { objects: Vec::new(), errors: vec![error.to_string()] },
    }
}

fn read_text(text: &str) -> Reading {
    let mut reading = Reading { objects: Vec::new(), errors: Vec::new() };
    for entry in manifest::read(text) {
        match entry.content {
            Content::Object(object) => reading.objects.push(object),
            Content::Invalid(errors) => {
                reading.errors.extend(errors.iter().map(ToString::to_string));
            }
            // A document that is not an object of Kubernetes is a mistake for kubectl. Here it is
            // reported as not read.
            Content::Unsupported { .. } => reading.errors.push("unsupported".to_owned()),
            _ => unreachable!("an entry contains an object or a reason"),
        }
    }
    reading
}

/// Returns the input files by the name of the case.
fn inputs() -> BTreeMap<String, PathBuf> {
    let files = fs::read_dir(directory().join("inputs")).expect("the folder of the inputs exists");
    files
        .map(|file| file.expect("the folder can be read").path())
        .map(|path| (path.file_stem().unwrap_or_default().to_string_lossy().into_owned(), path))
        .collect()
}

fn parse<T: for<'de> Deserialize<'de>>(file: &str) -> T {
    let text = fs::read_to_string(directory().join(file)).expect(file);
    serde_yaml::from_str(&text).expect(file)
}

fn directory() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/unusual_inputs"))
}
