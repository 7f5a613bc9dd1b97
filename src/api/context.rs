//! State that all requests share.

use super::read::WatchLimit;
use super::settings::Settings;
use crate::admission::{self, Admission};
use crate::store::Store;

/// State that all requests share.
#[derive(Debug)]
pub(super) struct Context {
    pub(super) store: Store,
    pub(super) admission: Admission,
    pub(super) settings: Settings,
    pub(super) watches: WatchLimit,
}

impl Context {
    pub(super) fn new(store: Store, settings: Settings) -> Self {
        let watches = WatchLimit::new(settings.max_watches);
        let admission = admission::Settings::new().with_local_endpoints(settings.local_endpoints);
        let admission = Admission::new(admission);
        Self { store, admission, settings, watches }
    }
}
