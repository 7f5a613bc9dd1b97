//! The trait of sources.

use std::error::Error;

use async_trait::async_trait;

use super::feed::Feed;
use crate::model::GatewayController;

/// A source of objects.
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
    /// Returns the name of the source for logs and errors.
    fn name(&self) -> String;

    /// Returns the controller for which the source reads objects, if it shares them with other
    /// controllers. The gateway then serves only the GatewayClasses that name this controller.
    fn controller(&self) -> Option<GatewayController> {
        None
    }

    /// Returns `true` if Gateways of this source may request special addresses
    /// ([`SpecialAddresses`](crate::translate::SpecialAddresses)), because their authors are the
    /// operators of this host. [`Builder::special_addresses`](crate::Builder::special_addresses)
    /// takes precedence. Default: `true`, as for files.
    fn allows_special_addresses(&self) -> bool {
        true
    }

    /// Publishes snapshots to `feed` until no further change is possible.
    ///
    /// The gateway opens no listener before every source has published a snapshot, so the first one
    /// should come as soon as it is complete. After a return the last snapshot stays in use. The
    /// future runs on the control thread of the gateway, beside other sources, so it must not
    /// block. It is dropped when the gateway stops.
    ///
    /// # Errors
    /// An error before the first snapshot prevents the start of the gateway. A later error is
    /// reported as a problem, and the last snapshot stays in use.
    async fn run(self: Box<Self>, feed: Feed) -> Result<(), SourceError>;
}

/// Error with which a source ends. It is boxed because any crate can implement [`Source`].
pub type SourceError = Box<dyn Error + Send + Sync>;
