//! What the API server does not do for us, said once.

use std::collections::BTreeMap;
use std::error::Error;

/// What was complained of and is not over yet, by what was tried.
#[derive(Debug, Default)]
pub(super) struct Complaints(BTreeMap<String, String>);

impl Complaints {
    /// The complaint of an error, unless it has been made already. What was tried is said as in
    /// “watch Gateway objects”.
    pub(super) fn raise(&mut self, tried: String, error: &(dyn Error + 'static)) -> Option<String> {
        let complaint = format!("cannot {tried}: {}; trying again", describe(error));
        if self.0.get(&tried) == Some(&complaint) {
            return None;
        }
        self.0.insert(tried, complaint.clone());
        Some(complaint)
    }

    /// What was tried works. Whether it did not before.
    pub(super) fn settle(&mut self, tried: &str) -> bool {
        let is_settled = self.0.remove(tried).is_some();
        if is_settled {
            tracing::info!("can {tried} again");
        }
        is_settled
    }

    /// It is no longer tried.
    pub(super) fn withdraw(&mut self, tried: &str) {
        self.0.remove(tried);
    }

    /// Whether there is a complaint that this does not work.
    pub(super) fn includes(&self, tried: &str) -> bool {
        self.0.contains_key(tried)
    }

    /// All that is not over yet.
    pub(super) fn all(&self) -> impl Iterator<Item = String> + '_ {
        self.0.values().cloned()
    }
}

/// What the server said, or what kept it from saying anything.
pub(super) fn describe(error: &(dyn Error + 'static)) -> String {
    let mut text = String::new();
    let mut next = Some(error);
    while let Some(error) = next {
        if let Some(kube::Error::Api(status)) = error.downcast_ref() {
            return status.message.clone();
        }
        let said = error.to_string();
        // Many repeat what they come from.
        if text.is_empty() {
            text = said;
        } else if !text.contains(&said) {
            text = format!("{text}: {said}");
        }
        next = error.source();
    }
    text
}
