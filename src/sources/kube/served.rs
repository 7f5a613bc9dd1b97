//! Which kinds the API server has, and in which version.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::sync::Arc;
use std::time::Duration;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::APIResource;
use kube::Client;
use kube::core::{ApiResource, GroupVersionKind};
use tokio::sync::{Notify, mpsc};
use tokio::time::{sleep, timeout};

use super::version;
use crate::model::{Condition, ObjectKind};
use crate::sources::SourceError;

/// How often to ask: while a kind is missing or the server does not answer, and otherwise.
const LOOK_OFTEN: Duration = Duration::from_secs(5);
const LOOK_SELDOM: Duration = Duration::from_secs(60);

/// How long to wait for answers.
const TIMEOUT: Duration = Duration::from_secs(10);

/// How a kind is served.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Served {
    pub(super) resource: ApiResource,
    /// Whether the server sends a list as a stream, which is easier on both sides.
    pub(super) streams_lists: bool,
}

/// The first Kubernetes 1.x whose API server streams lists unless told otherwise.
const STREAMS_LISTS_SINCE: u32 = 34;

/// What was found.
#[derive(Debug)]
pub(super) struct Found {
    pub(super) served: BTreeMap<ObjectKind, Served>,
    /// What is to be said of the installed version; or why it cannot be read.
    pub(super) version: kube::Result<Condition>,
}

/// Asks over and over, and at once where `nudge` says so.
pub(super) async fn look(
    client: Client,
    kinds: Vec<ObjectKind>,
    nudge: Arc<Notify>,
    found: mpsc::Sender<Result<Found, SourceError>>,
) {
    loop {
        let looking = async {
            let served = discover(&client, &kinds).await?;
            Ok(Found { served, version: version::supported(&client).await })
        };
        let answer: Result<Found, SourceError> =
            timeout(TIMEOUT, looking).await.unwrap_or_else(|_| Err("no answer in time".into()));
        let is_complete = answer.as_ref().is_ok_and(|found| found.served.len() == kinds.len());
        if found.send(answer).await.is_err() {
            return;
        }
        let _ = timeout(if is_complete { LOOK_SELDOM } else { LOOK_OFTEN }, nudge.notified()).await;
        // However often it is nudged.
        sleep(Duration::from_secs(1)).await;
    }
}

/// Asks which of `kinds` there are. Of several versions it is the one that comes first for us: a
/// TCPRoute is read as `v1` where there is one, and as `v1alpha2` before Gateway API 1.6.
async fn discover(
    client: &Client,
    kinds: &[ObjectKind],
) -> kube::Result<BTreeMap<ObjectKind, Served>> {
    let version = client.apiserver_version().await?;
    let minor = version.minor.trim_end_matches(|c: char| !c.is_ascii_digit()).parse::<u32>();
    let streams_lists = minor.is_ok_and(|minor| minor >= STREAMS_LISTS_SINCE);

    let groups = client.list_api_groups().await?.groups;
    let mut resources = BTreeMap::new();
    let mut served = BTreeMap::new();
    for &kind in kinds {
        for &version in kind.versions() {
            let has = |group: &str| {
                let mut groups = groups.iter().filter(|found| found.name == group);
                groups.any(|group| group.versions.iter().any(|found| found.version == version))
            };
            if !kind.group().is_empty() && !has(kind.group()) {
                continue;
            }
            let listed = match resources.entry((kind.group(), version)) {
                Entry::Occupied(listed) => listed.into_mut(),
                Entry::Vacant(place) => place.insert(list(client, kind.group(), version).await?),
            };
            let Some(plural) = plural(listed, kind) else { continue };
            let gvk = GroupVersionKind::gvk(kind.group(), version, kind.as_str());
            let resource = ApiResource::from_gvk_with_plural(&gvk, plural);
            served.insert(kind, Served { resource, streams_lists });
            break;
        }
    }
    Ok(served)
}

async fn list(client: &Client, group: &str, version: &str) -> kube::Result<Vec<APIResource>> {
    let list = match group {
        "" => client.list_core_api_resources(version).await,
        group => client.list_api_group_resources(&format!("{group}/{version}")).await,
    };
    Ok(list?.resources)
}

/// The name under which the kind is asked for; subresources have the kind too, and a slash.
fn plural(resources: &[APIResource], kind: ObjectKind) -> Option<&str> {
    let mut names =
        resources.iter().filter(|found| found.kind == kind.as_str()).map(|found| &found.name);
    names.find(|name| !name.contains('/')).map(String::as_str)
}
