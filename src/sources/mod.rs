//! Where objects come from.
//!
//! A [`Source`] feeds snapshots of objects to a gateway, each whole: what is not in the newest one
//! is gone. The gateway takes the newest it finds, so a source may publish as often as it likes.
//! Sources do not know plans, nor each other; where two of them hold an object of one kind and
//! name, the one that was given to the gateway first is heard.
//!
//! | source | objects come from | feature |
//! |---|---|---|
//! | [`MemorySource`] | the embedder's own code | always there |
//! | [`FileSource`] | files and directories, followed as they change | `files` |
//! | [`KubeSource`] | a Kubernetes cluster, which gets the status back | `kube` |
//!
//! Any type that implements [`Source`] is as good as these.

mod feed;
#[cfg(feature = "files")]
mod files;
#[cfg(feature = "kube")]
mod kube;
mod memory;
mod server_metadata;

use std::error::Error;

use crate::model::GatewayController;

pub use async_trait::async_trait;

pub use self::feed::{Feed, FeedReceiver, Snapshot, Snapshots, StatusUpdate};
#[cfg(feature = "files")]
#[cfg_attr(docsrs, doc(cfg(feature = "files")))]
pub use self::files::{FileError, FileSource};
#[cfg(feature = "kube")]
#[cfg_attr(docsrs, doc(cfg(feature = "kube")))]
pub use self::kube::{Election, KubeError, KubeSource, LeaseHandle, ServiceTemplate};
pub use self::memory::MemorySource;

/// Something that objects come from.
///
/// ```
/// use sluicegate::model::Resources;
/// use sluicegate::sources::{Feed, Source, SourceError, async_trait};
///
/// struct Fixed(Resources);
///
/// #[async_trait]
/// impl Source for Fixed {
///     fn name(&self) -> String {
///         "fixed".to_owned()
///     }
///
///     async fn run(self: Box<Self>, feed: Feed) -> Result<(), SourceError> {
///         feed.publish(self.0);
///         Ok(())
///     }
/// }
/// ```
#[async_trait]
pub trait Source: Send + 'static {
    /// What to call the source in logs and errors.
    fn name(&self) -> String;

    /// The controller in whose name the source speaks, where it shares its objects with others: the
    /// gateway then serves the GatewayClasses that name this controller, and no others.
    fn controller(&self) -> Option<GatewayController> {
        None
    }

    /// Publishes snapshots to `feed` until there can be no more.
    ///
    /// The first snapshot should come as soon as it is whole: the gateway waits for one of every
    /// source before it opens anything. To return is fine, the last snapshot stays. The future is
    /// dropped when the gateway stops; it runs on a thread of the gateway's, beside other sources,
    /// and must not block it.
    ///
    /// # Errors
    /// Before the first snapshot, an error keeps the gateway from starting. Later it is logged,
    /// and the last snapshot stays.
    async fn run(self: Box<Self>, feed: Feed) -> Result<(), SourceError>;
}

/// Why a source cannot go on.
pub type SourceError = Box<dyn Error + Send + Sync>;
