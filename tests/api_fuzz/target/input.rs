//! The text of requests.

use std::hash::{DefaultHasher, Hash as _, Hasher as _};

use super::words::SEGMENTS;

/// Line that begins a request. The rest of the line is a comment.
const SEPARATOR: &[u8] = b"###";

/// Maximum number of requests in an input.
pub(super) const MAX_REQUESTS: usize = 4;

/// Longest input.
const MAX_BYTES: usize = 64 << 10;

/// Requests, one after the other.
#[derive(Debug, Clone, Default)]
pub(crate) struct Input(pub(super) Vec<RawRequest>);

/// A request as in HTTP/1.1: nothing of it needs to be valid.
#[derive(Debug, Clone, Default)]
pub(super) struct RawRequest {
    pub(super) method: Vec<u8>,
    pub(super) url: Vec<u8>,
    pub(super) headers: Vec<(Vec<u8>, Vec<u8>)>,
    pub(super) body: Vec<u8>,
}

impl Input {
    /// Reads requests. Every text is an input.
    pub(crate) fn parse(bytes: &[u8]) -> Self {
        let bytes = &bytes[..bytes.len().min(MAX_BYTES)];
        let mut parts = vec![Vec::new()];
        for line in bytes.split_inclusive(|byte| *byte == b'\n') {
            if line.starts_with(SEPARATOR) {
                parts.push(Vec::new());
            } else if let Some(part) = parts.last_mut() {
                part.extend_from_slice(line);
            }
        }
        let parts = parts.iter().filter(|part| !part.is_empty());
        Self(parts.take(MAX_REQUESTS).map(|part| RawRequest::parse(part)).collect())
    }

    /// Returns the text.
    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        for request in &self.0 {
            bytes.extend_from_slice(SEPARATOR);
            bytes.push(b'\n');
            request.write(&mut bytes);
        }
        bytes
    }

    /// Returns a hash of the methods, known segments of paths and media types, which distinguish
    /// inputs roughly.
    pub(crate) fn shape(&self) -> u64 {
        let mut hasher = DefaultHasher::new();
        for request in &self.0 {
            let path = request.url.split(|byte| *byte == b'?').next().unwrap_or_default();
            let is_known =
                |segment: &&[u8]| SEGMENTS.iter().any(|known| known.as_bytes() == *segment);
            let segments = path.split(|byte| *byte == b'/').filter(is_known);
            request.method.hash(&mut hasher);
            segments.for_each(|segment| segment.hash(&mut hasher));
            request.header("content-type").hash(&mut hasher);
        }
        hasher.finish()
    }
}

impl RawRequest {
    fn parse(text: &[u8]) -> Self {
        let mut rest = text;
        let mut next_line = || {
            let end = rest.iter().position(|byte| *byte == b'\n');
            let line = &rest[..end.unwrap_or(rest.len())];
            rest = &rest[end.map_or(rest.len(), |end| end + 1)..];
            line.strip_suffix(b"\r").unwrap_or(line)
        };
        let first = next_line();
        let (method, url) = split(first, b' ').unwrap_or((first, b""));
        let mut headers = Vec::new();
        loop {
            let line = next_line();
            if line.is_empty() {
                break;
            }
            let (name, value) = split(line, b':').unwrap_or((line, b""));
            headers.push((name.to_vec(), value.trim_ascii().to_vec()));
        }
        let body = rest.strip_suffix(b"\n").unwrap_or(rest);
        Self { method: method.to_vec(), url: url.to_vec(), headers, body: body.to_vec() }
    }

    fn write(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.method);
        out.push(b' ');
        out.extend_from_slice(&self.url);
        out.push(b'\n');
        for (name, value) in &self.headers {
            out.extend_from_slice(name);
            out.extend_from_slice(b": ");
            out.extend_from_slice(value);
            out.push(b'\n');
        }
        out.push(b'\n');
        if !self.body.is_empty() {
            out.extend_from_slice(&self.body);
            out.push(b'\n');
        }
    }

    /// Returns the value of the first header with a name.
    pub(super) fn header(&self, name: &str) -> Option<&[u8]> {
        let mut headers = self.headers.iter();
        let found = headers.find(|(found, _)| found.eq_ignore_ascii_case(name.as_bytes()));
        found.map(|(_, value)| value.as_slice())
    }

    /// Sets the only header with a name.
    pub(super) fn set_header(&mut self, name: &str, value: &[u8]) {
        self.headers.retain(|(found, _)| !found.eq_ignore_ascii_case(name.as_bytes()));
        self.headers.push((name.as_bytes().to_vec(), value.to_vec()));
    }

    /// Returns the request that a server hands to the service, or `None` if a server refuses it.
    pub(super) fn to_http(
        &self,
    ) -> Option<http::Request<http_body_util::Full<hyper::body::Bytes>>> {
        let mut request =
            http::Request::builder().method(self.method.as_slice()).uri(self.url.as_slice());
        for (name, value) in &self.headers {
            request = request.header(name.as_slice(), value.as_slice());
        }
        request.body(http_body_util::Full::new(self.body.clone().into())).ok()
    }
}

fn split(text: &[u8], at: u8) -> Option<(&[u8], &[u8])> {
    let index = text.iter().position(|byte| *byte == at)?;
    Some((&text[..index], &text[index + 1..]))
}
