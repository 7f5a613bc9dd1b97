//! State that all requests share.

use std::sync::Arc;

use tokio::sync::Semaphore;

use super::settings::Settings;
use crate::admission::{self, Admission};
use crate::store::Store;

/// State that all requests share.
#[derive(Debug)]
pub(super) struct Context {
    pub(super) store: Store,
    pub(super) admission: Admission,
    pub(super) settings: Settings,
    /// Watches that can still be opened.
    pub(super) watches: Arc<Semaphore>,
}

impl Context {
    pub(super) fn new(store: Store, settings: Settings) -> Self {
        let watches = settings.max_watches.min(Semaphore::MAX_PERMITS);
        let admission = admission::Settings::new().with_local_endpoints(settings.local_endpoints);
        let admission = Admission::new(admission);
        Self { store, admission, settings, watches: Arc::new(Semaphore::new(watches)) }
    }
}
