//! State that all workers of a forwarder share.

use std::io;
use std::sync::Arc;

use super::connection_log::ConnectionLogger;
use super::descriptors::DescriptorLimit;
use super::dial::Dialer;
use super::settings::Settings;

/// Settings and state that all workers of a forwarder share.
#[derive(Debug)]
pub(super) struct Engine {
    pub(super) settings: Settings,
    pub(super) dialer: Dialer,
    pub(super) descriptors: Arc<DescriptorLimit>,
    pub(super) connection_log: Arc<ConnectionLogger>,
}

impl Engine {
    /// Creates the shared state.
    ///
    /// # Errors
    /// The error of [`DescriptorLimit::read`].
    pub(super) fn new(settings: Settings) -> io::Result<Self> {
        Ok(Self {
            dialer: Dialer::new(&settings),
            descriptors: Arc::new(DescriptorLimit::read(
                settings.descriptor_reserve,
                settings.workers,
            )?),
            connection_log: Arc::new(ConnectionLogger::new(&settings)),
            settings,
        })
    }
}
