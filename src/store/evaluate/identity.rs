//! UIDs, generated names and timestamps.

use std::fmt;

use crate::model::Timestamp;
use crate::store::settings::{Clock, Random};

/// Longest prefix of a generated name: with its suffix, the name is a DNS label.
const MAX_PREFIX: usize = 58;

/// Characters of generated names, as in Kubernetes: without vowels and similar digits, so that no
/// words are generated.
const ALPHABET: &[u8; 27] = b"bcdfghjklmnpqrstvwxz2456789";

/// Source of UIDs, generated names and timestamps.
pub(in crate::store) struct Identities {
    clock: Clock,
    random: Random,
}

impl Identities {
    pub(in crate::store) fn new(clock: Clock, random: Random) -> Self {
        Self { clock, random }
    }

    /// Returns the time of the clock.
    pub(in crate::store) fn now(&self) -> Timestamp {
        (self.clock)()
    }

    /// Returns the time as in metadata.
    pub(super) fn timestamp(&self) -> String {
        timestamp_text(self.now())
    }

    /// Returns a random UUID (version 4 of RFC 9562).
    pub(super) fn uid(&self) -> String {
        let (high, low) = ((self.random)(), (self.random)());
        format!(
            "{:08x}-{:04x}-4{:03x}-{:04x}-{:012x}",
            high >> 32,
            (high >> 16) & 0xffff,
            high & 0xfff,
            (low >> 48) & 0x3fff | 0x8000,
            low & 0xffff_ffff_ffff,
        )
    }

    /// Returns `prefix`, shortened if needed, with five random characters.
    pub(super) fn name(&self, prefix: &str) -> String {
        let end =
            (0..=prefix.len().min(MAX_PREFIX)).rev().find(|end| prefix.is_char_boundary(*end));
        let mut name = prefix[..end.unwrap_or(0)].to_owned();
        let mut number = (self.random)();
        for _ in 0..5 {
            name.push(ALPHABET[(number % ALPHABET.len() as u64) as usize].into());
            number /= ALPHABET.len() as u64;
        }
        name
    }
}

impl fmt::Debug for Identities {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Identities").finish_non_exhaustive()
    }
}

/// Returns a timestamp in the form of metadata: RFC 3339 in whole seconds.
pub(crate) fn timestamp_text(time: Timestamp) -> String {
    time.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    fn identities(random: u64) -> Identities {
        Identities::new(
            Arc::new(|| "2026-11-28T12:00:00.9Z".parse().unwrap()),
            Arc::new(move || random),
        )
    }

    #[test]
    fn uid_is_a_random_uuid() {
        assert_eq!(identities(0).uid(), "00000000-0000-4000-8000-000000000000");
        assert_eq!(identities(u64::MAX).uid(), "ffffffff-ffff-4fff-bfff-ffffffffffff");
    }

    #[test]
    fn name_is_generated_from_shortened_prefix() {
        assert_eq!(identities(0).name("web-"), "web-bbbbb");
        let name = identities(u64::MAX).name(&"é".repeat(40));
        assert!(name.starts_with(&"é".repeat(29)) && name.len() == 63, "{name}");
    }

    #[test]
    fn timestamp_has_whole_seconds() {
        assert_eq!(identities(0).timestamp(), "2026-11-28T12:00:00Z");
    }
}
