//! The elements of the encoding: numbers, strings and lists.
//!
//! The bytes never leave the process, so they have no version and no error: a decoder reads what
//! the encoder of the same type has written.

/// Writes elements into a buffer.
#[derive(Debug, Default)]
pub(super) struct Encoder(Vec<u8>);

/// Reads the elements in the order in which they were written.
#[derive(Debug)]
pub(super) struct Decoder<'a>(&'a [u8]);

impl Encoder {
    pub(super) fn into_bytes(self) -> Box<[u8]> {
        self.0.into()
    }

    pub(super) fn byte(&mut self, byte: u8) {
        self.0.push(byte);
    }

    pub(super) fn bytes(&mut self, bytes: &[u8]) {
        self.0.extend_from_slice(bytes);
    }

    /// Writes a length: seven bits for each byte, the lowest ones first (LEB128).
    pub(super) fn length(&mut self, mut length: usize) {
        while length >= 0x80 {
            self.byte(length as u8 | 0x80);
            length >>= 7;
        }
        self.byte(length as u8);
    }

    pub(super) fn text(&mut self, text: &str) {
        self.length(text.len());
        self.bytes(text.as_bytes());
    }

    /// Writes a string that may be absent. An empty string differs from an absent one.
    pub(super) fn optional_text(&mut self, text: Option<&str>) {
        match text {
            Some(text) => {
                self.length(text.len() + 1);
                self.bytes(text.as_bytes());
            }
            None => self.length(0),
        }
    }

    pub(super) fn list<T>(&mut self, items: &[T], encode: impl Fn(&mut Self, &T)) {
        self.length(items.len());
        items.iter().for_each(|item| encode(self, item));
    }
}

impl<'a> Decoder<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    pub(super) fn byte(&mut self) -> u8 {
        self.array::<1>()[0]
    }

    pub(super) fn array<const LEN: usize>(&mut self) -> [u8; LEN] {
        let (array, rest) = self.0.split_first_chunk().expect("the encoder has written them");
        self.0 = rest;
        *array
    }

    pub(super) fn length(&mut self) -> usize {
        let (mut length, mut shift) = (0, 0);
        loop {
            let byte = self.byte();
            length |= usize::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return length;
            }
            shift += 7;
        }
    }

    pub(super) fn text(&mut self) -> &'a str {
        let length = self.length();
        self.text_of_length(length)
    }

    pub(super) fn optional_text(&mut self) -> Option<&'a str> {
        match self.length() {
            0 => None,
            length => Some(self.text_of_length(length - 1)),
        }
    }

    fn text_of_length(&mut self, length: usize) -> &'a str {
        let (text, rest) = self.0.split_at(length);
        self.0 = rest;
        std::str::from_utf8(text).expect("the encoder has written a text")
    }

    pub(super) fn list<T>(&mut self, decode: impl Fn(&mut Self) -> T) -> Vec<T> {
        let length = self.length();
        (0..length).map(|_| decode(self)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_of_any_size_are_read_back() {
        for length in [0, 1, 127, 128, 300, 16_383, 16_384, usize::MAX] {
            let mut encoder = Encoder::default();
            encoder.length(length);
            let bytes = encoder.into_bytes();
            assert_eq!(Decoder::new(&bytes).length(), length);
        }
    }

    #[test]
    fn absent_text_differs_from_an_empty_one() {
        let texts = [None, Some(""), Some("a"), Some("ü")];
        let mut encoder = Encoder::default();
        encoder.list(&texts, |encoder, text| encoder.optional_text(*text));
        let bytes = encoder.into_bytes();
        assert_eq!(Decoder::new(&bytes).list(Decoder::optional_text), texts);
    }
}
