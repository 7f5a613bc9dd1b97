//! A source that stands in for a cluster: it reads manifests as [`FileSource`] does, runs the pods
//! of their Deployments, and adds the EndpointSlices that a cluster would have.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use async_trait::async_trait;
use sluicegate::model::manifest;
use sluicegate::sources::{Feed, FileSource, Source, SourceError, feed};

use crate::pods::{Deployment, Pods};

pub(crate) struct StandIn {
    files: FileSource,
    paths: Vec<PathBuf>,
}

impl StandIn {
    pub(crate) fn new(files: FileSource, paths: Vec<PathBuf>) -> Self {
        Self { files, paths }
    }
}

#[async_trait]
impl Source for StandIn {
    fn name(&self) -> String {
        self.files.name()
    }

    async fn run(self: Box<Self>, outer: Feed) -> Result<(), SourceError> {
        let (inner, fed) = feed();
        let (mut snapshots, _status) = fed.into_parts();
        let files = tokio::spawn(Box::new(self.files).run(inner));
        let mut deployments = BTreeMap::new();
        let mut pods = Pods::default();
        while let Some(snapshot) = snapshots.next().await {
            deployments = read_deployments(&self.paths, deployments);
            pods.run(deployments.values().flatten()).await?;
            let mut snapshot = (*snapshot).clone();
            let slices: Vec<_> = snapshot
                .resources
                .services
                .values()
                .flat_map(|service| pods.endpoint_slices(service))
                .collect();
            snapshot.resources.extend(slices);
            outer.publish(snapshot);
        }
        files.await?
    }
}

/// The Deployments of each file; those of a file that cannot be read stay as they were.
fn read_deployments(
    paths: &[PathBuf],
    mut before: BTreeMap<PathBuf, Vec<Deployment>>,
) -> BTreeMap<PathBuf, Vec<Deployment>> {
    let mut now = BTreeMap::new();
    for file in paths.iter().flat_map(|path| files_at(path)) {
        if let Some(found) = parse(&file).ok().or_else(|| before.remove(&file)) {
            now.insert(file, found);
        }
    }
    now
}

fn files_at(path: &Path) -> Vec<PathBuf> {
    match std::fs::read_dir(path) {
        Ok(entries) => entries
            .filter_map(|entry| Some(entry.ok()?.path()))
            .filter(|file| {
                file.extension().is_some_and(|extension| extension == "yaml" || extension == "yml")
            })
            .collect(),
        Err(_) => vec![path.to_owned()],
    }
}

fn parse(file: &Path) -> Result<Vec<Deployment>, SourceError> {
    let text = std::fs::read_to_string(file)?;
    let mut deployments = Vec::new();
    for document in manifest::split(&text) {
        let value: serde_yaml::Value = serde_yaml::from_str(document.text)?;
        if value.get("kind").and_then(|kind| kind.as_str()) == Some("Deployment") {
            deployments.push(serde_yaml::from_value(value)?);
        }
    }
    Ok(deployments)
}
