//! Settings of admission.

/// Settings of [`Admission`](super::Admission).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Settings {
    pub(super) allows_local_endpoints: bool,
}

impl Settings {
    /// Creates the default settings: endpoints in 127.0.0.0/8 and ::1 are refused.
    pub fn new() -> Self {
        Self::default()
    }

    /// Allows endpoints in 127.0.0.0/8 and ::1, if `is_allowed`.
    ///
    /// A client could otherwise reach services of this machine that listen on loopback only.
    #[must_use]
    pub fn with_local_endpoints(self, is_allowed: bool) -> Self {
        Self { allows_local_endpoints: is_allowed }
    }
}
