//! Sources of objects.
//!
//! A [`Source`] publishes snapshots to a gateway. Each snapshot is complete: an object that the
//! newest one does not contain no longer exists. The gateway uses the newest snapshot and may skip
//! others, so a source can publish at any rate. A source depends neither on plans nor on other
//! sources. If several sources contain an object of the same kind and name, the gateway uses the
//! object of the source that was added first.
//!
//! | source | objects | feature |
//! |---|---|---|
//! | [`MemorySource`] | objects of the embedder's code | always available |
//! | `FileSource` | manifests in files and directories, which it watches | `files` |
//! | `ApiSource` | objects of a store, which an API serves; writes status to it | `api` |
//! | `KubeSource` | objects of a Kubernetes cluster, to which it writes status | `kube` |
//!
//! An embedder can implement [`Source`] for types of its own.

#[cfg(feature = "api")]
mod api;
#[cfg(any(feature = "api", feature = "kube"))]
mod events;
mod feed;
#[cfg(feature = "files")]
mod files;
#[cfg(any(feature = "api", feature = "kube"))]
mod invalid_object;
#[cfg(feature = "kube")]
mod kube;
mod memory;
#[cfg(any(feature = "api", feature = "kube"))]
mod omissions;
mod server_metadata;
mod source;
#[cfg(any(feature = "api", feature = "kube"))]
mod status_diff;
#[cfg(any(feature = "api", feature = "kube"))]
mod unused_fields;

pub use async_trait::async_trait;

#[cfg(feature = "api")]
#[cfg_attr(docsrs, doc(cfg(feature = "api")))]
pub use self::api::ApiSource;
pub use self::feed::{Feed, FeedReceiver, Snapshot, Snapshots, StatusUpdate};
#[cfg(feature = "files")]
#[cfg_attr(docsrs, doc(cfg(feature = "files")))]
pub use self::files::{FileError, FileSource, ReloadHandle};
#[cfg(feature = "kube")]
#[cfg_attr(docsrs, doc(cfg(feature = "kube")))]
pub use self::kube::{
    CleanUpError, CleanUpFailure, Election, EndpointHandle, KubeError, KubeSource, LeaseHandle,
    ServiceTemplate, WatchHandle,
};
pub use self::memory::MemorySource;
pub use self::source::{Source, SourceError};
