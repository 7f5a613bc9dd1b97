//! A source in place of a cluster: it reads manifests as [`FileSource`] does, starts an echo server
//! for each pod of their Deployments, and adds the EndpointSlices of their Services.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde_json::Value;
use sluicegate::model::manifest;
use sluicegate::sources::{Feed, FileSource, Source, SourceError, async_trait};

use crate::pods::Pods;

pub(crate) struct SimulatedCluster {
    files: FileSource,
    paths: Vec<PathBuf>,
}

impl SimulatedCluster {
    pub(crate) fn new(files: FileSource, paths: Vec<PathBuf>) -> Self {
        Self { files, paths }
    }
}

#[async_trait]
impl Source for SimulatedCluster {
    fn name(&self) -> String {
        self.files.name()
    }

    async fn run(self: Box<Self>, outer: Feed) -> Result<(), SourceError> {
        let (inner, receiver) = Feed::channel();
        let (mut snapshots, _status) = receiver.into_parts();
        let files = tokio::spawn(Box::new(self.files).run(inner));
        let mut deployments = BTreeMap::new();
        let mut pods = Pods::default();
        while let Some(snapshot) = snapshots.next().await {
            update_deployments(&mut deployments, &self.paths);
            pods.update(deployments.values().flatten()).await?;
            let mut snapshot = (*snapshot).clone();
            let services = snapshot.resources.services.values();
            let slices: Vec<_> =
                services.flat_map(|service| pods.endpoint_slices(service)).collect();
            snapshot.resources.extend(slices);
            outer.publish(snapshot);
        }
        files.await?
    }
}

/// Reads the Deployments of each file again. An invalid file keeps its previous Deployments.
fn update_deployments(deployments: &mut BTreeMap<PathBuf, Vec<Value>>, paths: &[PathBuf]) {
    let files: Vec<_> = paths.iter().flat_map(|path| list_files(path)).collect();
    deployments.retain(|file, _| files.contains(file));
    for file in files {
        if let Ok(found) = read_deployments(&file) {
            deployments.insert(file, found);
        }
    }
}

/// Returns the file itself, or the YAML files of a directory.
fn list_files(path: &Path) -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir(path) else { return vec![path.to_owned()] };
    let files = entries.filter_map(|entry| Some(entry.ok()?.path()));
    files.filter(|file| file.extension().is_some_and(|it| it == "yaml" || it == "yml")).collect()
}

fn read_deployments(file: &Path) -> Result<Vec<Value>, SourceError> {
    let text = std::fs::read_to_string(file)?;
    let documents = manifest::split(&text);
    let values = documents.map(|document| serde_yaml::from_str::<Value>(document.text));
    let mut values = values.collect::<Result<Vec<_>, _>>()?;
    values.retain(|value| value["kind"] == "Deployment");
    Ok(values)
}
