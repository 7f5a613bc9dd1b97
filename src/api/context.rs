//! State that all requests share.

use super::settings::Settings;
use super::user_limit::UserLimit;
use crate::admission::{self, Admission};
use crate::store::Store;

/// State that all requests share.
#[derive(Debug)]
pub(super) struct Context {
    pub(super) store: Store,
    pub(super) admission: Admission,
    pub(super) settings: Settings,
    pub(super) watches: UserLimit,
}

impl Context {
    pub(super) fn new(store: Store, settings: Settings) -> Self {
        let watches = UserLimit::new(settings.max_watches, "open watches");
        let admission = admission::Settings::new().with_local_endpoints(settings.local_endpoints);
        let admission = Admission::new(admission);
        Self { store, admission, settings, watches }
    }
}
