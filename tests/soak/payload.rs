//! Payload: a stream of bytes that follows from a key. Any part of it can be computed at any time,
//! so the receiver verifies each byte by its position and detects lost, repeated, moved and changed
//! bytes.

use std::iter::zip;

/// How far off misplaced bytes are looked for.
const NEAR: u64 = 256 * 1024;

#[derive(Clone, Copy, Debug)]
pub struct Payload(pub u64);

impl Payload {
    /// What belongs at `position` and after it.
    pub fn fill(self, position: u64, buffer: &mut [u8]) {
        let (mut index, skip) = (position / 8, (position % 8) as usize);
        let head = ((8 - skip) % 8).min(buffer.len());
        let (head, rest) = buffer.split_at_mut(head);
        if !head.is_empty() {
            head.copy_from_slice(&self.word(index)[skip..skip + head.len()]);
            index += 1;
        }
        let (words, tail) = rest.as_chunks_mut();
        for word in words {
            *word = self.word(index);
            index += 1;
        }
        tail.copy_from_slice(&self.word(index)[..tail.len()]);
    }

    /// Whether `heard` is what belongs at `position`.
    ///
    /// # Errors
    /// Where the first wrong byte is and, if it can be told, where it belongs.
    pub fn verify(self, position: u64, heard: &[u8]) -> Result<(), String> {
        const BLOCK: usize = 4096;
        let mut expected = [0; BLOCK];
        for (position, part) in zip((position..).step_by(BLOCK), heard.chunks(BLOCK)) {
            let expected = &mut expected[..part.len()];
            self.fill(position, expected);
            if part != expected {
                let right = zip(part, expected).take_while(|(heard, due)| heard == due).count();
                return Err(self.problem(position + right as u64, &part[right..]));
            }
        }
        Ok(())
    }

    fn problem(self, position: u64, heard: &[u8]) -> String {
        let mut due = [0; 16];
        let belongs = heard.get(..due.len()).and_then(|heard| {
            (position.saturating_sub(NEAR)..position + NEAR).find(|place| {
                self.fill(*place, &mut due);
                due == *heard
            })
        });
        match belongs {
            Some(place) => format!("at byte {position} came what belongs at byte {place}"),
            None => format!("at byte {position} came something else"),
        }
    }

    /// A number that follows from this one and `number`.
    pub fn key(self, number: u64) -> u64 {
        u64::from_le_bytes(self.word(number))
    }

    /// SplitMix64, entered anywhere.
    fn word(self, index: u64) -> [u8; 8] {
        let mut word = self.0.wrapping_add(index.wrapping_mul(0x9e37_79b9_7f4a_7c15));
        word = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (word ^ (word >> 31)).to_le_bytes()
    }
}
