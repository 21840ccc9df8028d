//! Reading a body within bounds: bytes from the wire, bytes kept, time, and what a compressed body unpacks to.

use std::io::Read;

use bytes::Bytes;
use flate2::read::{DeflateDecoder, MultiGzDecoder, ZlibDecoder};
use model::{Body, Headers, Response};

/// How much of a body is read and kept.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limits {
    /// Bytes read from the wire at most.
    pub read: usize,
    /// Bytes kept at most, after content decoding.
    pub keep: usize,
}

/// A body while it arrives.
pub(super) struct Collector {
    limits: Limits,
    coding: Option<Coding>,
    stored: Vec<u8>,
    read: usize,
    cut: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Coding {
    Gzip,
    Deflate,
}

impl Collector {
    pub(super) fn new(headers: &Headers, limits: Limits) -> Self {
        let coding = match headers.first("content-encoding").map(|coding| coding.trim().to_ascii_lowercase()).as_deref()
        {
            Some("gzip" | "x-gzip") => Some(Coding::Gzip),
            Some("deflate") => Some(Coding::Deflate),
            _ => None,
        };
        Self { limits, coding, stored: Vec::new(), read: 0, cut: false }
    }

    /// Takes bytes that arrived; false if no more are wanted.
    pub(super) fn push(&mut self, data: &[u8]) -> bool {
        let wanted = data.len().min(self.limits.read - self.read);
        self.cut |= wanted < data.len();
        self.read += wanted;
        let room = match self.coding {
            Some(_) => self.limits.read,
            None => self.limits.keep,
        };
        let stored = wanted.min(room.saturating_sub(self.stored.len()));
        self.stored.extend_from_slice(&data[..stored]);
        !self.cut
    }

    /// The body goes on, but it is not read further.
    pub(super) fn cut(&mut self) {
        self.cut = true;
    }

    /// True if the body ended by itself.
    pub(super) fn is_complete(&self) -> bool {
        !self.cut
    }

    /// The response, its body decoded. A body that is not what its coding says stays as it came.
    pub(super) fn into_response(self, status: u16, headers: Headers) -> Response {
        let mut truncated = self.cut || (self.coding.is_none() && self.read > self.stored.len());
        let mut body = self.stored;
        if let Some((decoded, ended)) = self.coding.and_then(|coding| decode(coding, &body, self.limits.keep)) {
            truncated |= !ended;
            body = decoded;
        }
        truncated |= body.len() > self.limits.keep;
        body.truncate(self.limits.keep);
        Response { status, headers, body: Body::from(Bytes::from(body)), body_bytes: self.read as u64, truncated }
    }
}

/// The first bytes of a decoded body, at most `limit`, and whether it ended there; `None` if nothing can be decoded.
fn decode(coding: Coding, data: &[u8], limit: usize) -> Option<(Vec<u8>, bool)> {
    match coding {
        Coding::Gzip => unpack(MultiGzDecoder::new(data), limit),
        // RFC 9110, section 8.4.1.2: some senders leave out the zlib wrapper.
        Coding::Deflate => unpack(ZlibDecoder::new(data), limit).or_else(|| unpack(DeflateDecoder::new(data), limit)),
    }
}

fn unpack(decoder: impl Read, limit: usize) -> Option<(Vec<u8>, bool)> {
    let mut decoded = Vec::new();
    let result = decoder.take(limit as u64 + 1).read_to_end(&mut decoded);
    if result.is_err() && decoded.is_empty() {
        return None;
    }
    let ended = result.is_ok() && decoded.len() <= limit;
    decoded.truncate(limit);
    Some((decoded, ended))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Zeros without end; reading far beyond a limit fails the test.
    struct Endless {
        read: usize,
    }

    impl Read for Endless {
        fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
            self.read += buffer.len();
            assert!(self.read < 100_000, "read on without a limit");
            buffer.fill(0);
            Ok(buffer.len())
        }
    }

    #[test]
    fn unpacking_stops_at_its_limit() {
        assert_eq!(unpack(Endless { read: 0 }, 1000), Some((vec![0; 1000], false)));
    }

    #[test]
    fn what_came_of_a_broken_stream_is_kept() {
        let mut stream = Vec::new();
        let mut encoder = flate2::bufread::GzEncoder::new(&[b'x'; 100][..], flate2::Compression::none());
        encoder.read_to_end(&mut stream).unwrap();
        let (decoded, ended) = decode(Coding::Gzip, &stream[..60], 1000).unwrap();
        assert!(!ended && !decoded.is_empty() && decoded.iter().all(|byte| *byte == b'x'));
    }
}
