//! A source that stands in for a cluster: it reads manifests as [`FileSource`] does, runs the pods
//! of their Deployments, and adds the EndpointSlices that a cluster would have.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use async_trait::async_trait;
use sluicegate::model::manifest;
use sluicegate::sources::{Feed, FileSource, Source, SourceError};

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
        let (inner, fed) = Feed::channel();
        let (mut snapshots, _status) = fed.into_parts();
        let files = tokio::spawn(Box::new(self.files).run(inner));
        let mut deployments = BTreeMap::new();
        let mut pods = Pods::default();
        while let Some(snapshot) = snapshots.next().await {
            // Apart from the thread that must not be held up.
            let paths = self.paths.clone();
            deployments =
                tokio::task::spawn_blocking(move || read_deployments(&paths, deployments)).await?;
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

/// The Deployments of each file; those of a file or directory that cannot be read stay as they
/// were.
fn read_deployments(
    paths: &[PathBuf],
    mut before: BTreeMap<PathBuf, Vec<Deployment>>,
) -> BTreeMap<PathBuf, Vec<Deployment>> {
    let files = |path: &PathBuf| files_at(path).unwrap_or_else(|| known_below(path, &before));
    let files: Vec<_> = paths.iter().flat_map(files).collect();
    let mut now = BTreeMap::new();
    for file in files {
        if let Some(found) = parse(&file).ok().or_else(|| before.remove(&file)) {
            now.insert(file, found);
        }
    }
    now
}

fn known_below(path: &Path, known: &BTreeMap<PathBuf, Vec<Deployment>>) -> Vec<PathBuf> {
    known.keys().filter(|file| file.starts_with(path)).cloned().collect()
}

fn files_at(path: &Path) -> Option<Vec<PathBuf>> {
    if path.is_file() {
        return Some(vec![path.to_owned()]);
    }
    let entries = std::fs::read_dir(path).ok()?.filter_map(|entry| Some(entry.ok()?.path()));
    let is_yaml = |file: &PathBuf| file.extension().is_some_and(|it| it == "yaml" || it == "yml");
    Some(entries.filter(is_yaml).collect())
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
