//! Discovery: which kinds the API server serves, and in which version.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::sync::Arc;
use std::time::Duration;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::APIResource;
use kube::Client;
use kube::core::{ApiResource, GroupVersionKind};
use tokio::sync::{Notify, mpsc};
use tokio::time::{sleep, timeout};

use super::gateway_api_version::read_version_condition;
use crate::model::{Condition, ObjectKind};

/// Maximum time to wait after a complete discovery for a request to repeat it; [`MIN_INTERVAL`] is
/// added.
const DISCOVERY_INTERVAL: Duration = Duration::from_secs(60);

/// Maximum time to wait after a discovery that failed or missed a kind; [`MIN_INTERVAL`] is added.
const RETRY_INTERVAL: Duration = Duration::from_secs(5);

/// Minimum time from one discovery to the next, even if one is requested.
const MIN_INTERVAL: Duration = Duration::from_secs(1);

/// Maximum time that the requests of one discovery may take.
const DISCOVERY_TIMEOUT: Duration = Duration::from_secs(10);

/// Minor version of the first Kubernetes 1.x whose API server streams lists by default.
const STREAMING_LISTS_SINCE: u32 = 34;

/// The way in which the API server serves a kind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ServedKind {
    pub(super) resource: ApiResource,
    /// The server can send the list as the beginning of the watch, which needs less memory on both
    /// sides than a list in pages.
    pub(super) streams_lists: bool,
}

/// Result of a discovery.
#[derive(Debug)]
pub(super) struct Discovery {
    /// The served kinds; the others of the requested kinds are missing.
    pub(super) served: BTreeMap<ObjectKind, ServedKind>,
    /// The condition about the installed version of Gateway API, for every GatewayClass.
    pub(super) version: kube::Result<Condition>,
}

/// Error of a discovery.
#[derive(Debug, thiserror::Error)]
pub(super) enum DiscoveryError {
    #[error("a request failed")]
    Failed(#[from] kube::Error),
    #[error("the API server did not respond within {} s", DISCOVERY_TIMEOUT.as_secs())]
    TimedOut,
}

/// Discovers `kinds` periodically, and at once when `rediscover` is notified, until the receiver of
/// the results is dropped.
pub(super) async fn discover_loop(
    client: Client,
    kinds: Vec<ObjectKind>,
    rediscover: Arc<Notify>,
    results: mpsc::Sender<Result<Discovery, DiscoveryError>>,
) {
    loop {
        let discovery = async {
            let served = discover(&client, &kinds).await?;
            Ok(Discovery { served, version: read_version_condition(&client).await })
        };
        let result =
            timeout(DISCOVERY_TIMEOUT, discovery).await.unwrap_or(Err(DiscoveryError::TimedOut));
        let is_complete = result.as_ref().is_ok_and(|found| found.served.len() == kinds.len());
        if results.send(result).await.is_err() {
            return;
        }
        let interval = if is_complete { DISCOVERY_INTERVAL } else { RETRY_INTERVAL };
        let _ = timeout(interval, rediscover.notified()).await;
        sleep(MIN_INTERVAL).await;
    }
}

/// Returns those of `kinds` that the API server serves. If it serves a kind in several versions,
/// the first one in [`ObjectKind::versions`] is used: TCPRoute `v1` before `v1alpha2`, which is the
/// only version before Gateway API 1.6.
async fn discover(
    client: &Client,
    kinds: &[ObjectKind],
) -> kube::Result<BTreeMap<ObjectKind, ServedKind>> {
    let version = client.apiserver_version().await?;
    let minor = version.minor.trim_end_matches(|c: char| !c.is_ascii_digit()).parse::<u32>();
    let streams_lists = minor.is_ok_and(|minor| minor >= STREAMING_LISTS_SINCE);

    let groups = client.list_api_groups().await?.groups;
    let mut resources = BTreeMap::new();
    let mut served = BTreeMap::new();
    for &kind in kinds {
        for &version in kind.versions() {
            let has = |group: &str| {
                let mut groups = groups.iter().filter(|known| known.name == group);
                groups.any(|group| group.versions.iter().any(|known| known.version == version))
            };
            if !kind.group().is_empty() && !has(kind.group()) {
                continue;
            }
            let listed = match resources.entry((kind.group(), version)) {
                Entry::Occupied(entry) => entry.into_mut(),
                Entry::Vacant(entry) => {
                    entry.insert(list_resources(client, kind.group(), version).await?)
                }
            };
            let Some(plural) = find_plural(listed, kind) else { continue };
            let gvk = GroupVersionKind::gvk(kind.group(), version, kind.as_str());
            let resource = ApiResource::from_gvk_with_plural(&gvk, plural);
            served.insert(kind, ServedKind { resource, streams_lists });
            break;
        }
    }
    Ok(served)
}

async fn list_resources(
    client: &Client,
    group: &str,
    version: &str,
) -> kube::Result<Vec<APIResource>> {
    let list = match group {
        "" => client.list_core_api_resources(version).await,
        group => client.list_api_group_resources(&format!("{group}/{version}")).await,
    };
    Ok(list?.resources)
}

/// Returns the plural of the kind, which is part of its path. Subresources have the same kind, and
/// a slash in their name.
fn find_plural(resources: &[APIResource], kind: ObjectKind) -> Option<&str> {
    let of_kind = resources.iter().filter(|resource| resource.kind == kind.as_str());
    of_kind.map(|resource| resource.name.as_str()).find(|name| !name.contains('/'))
}
