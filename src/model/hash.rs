//! A number for a name: always the same, whoever asks and whenever.

/// A hash (FNV-1a) that no new compiler and no restart changes.
pub(crate) fn stable_hash(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    })
}
