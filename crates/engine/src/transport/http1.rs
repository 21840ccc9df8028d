//! HTTP/1.1 byte for byte: a request goes out exactly as it is written down, header names in their
//! case and order, and a response comes back the same way.
//!
//! HTTP libraries neither send a chosen case or a line break in a value, nor tell the case and order
//! that were received; a scanner needs all of them.
//!
//! **Source**: RFC 9112.

use bytes::{Buf, Bytes, BytesMut};
use httparse::{EMPTY_HEADER, ParserConfig, Status};
use model::{Headers, Origin, Request, Response, TransportError, TransportErrorKind};
use tokio::io::{AsyncReadExt, AsyncWriteExt, ReadBuf};
use tokio::time::{Instant, timeout_at};

use super::body::{Collector, Limits};
use super::connector::Io;
use super::failure::{broken, closed, failure, within};

/// Longest response head, interim responses aside. **Source**: chosen; servers limit theirs to 8 to 64 KiB.
const HEAD_LIMIT: usize = 128 * 1024;
/// Most headers of a response. **Source**: chosen; twice what common servers and clients take.
const HEADER_LIMIT: usize = 256;
/// Longest line of a chunk: its size and extensions, or a trailer. **Source**: chosen.
const LINE_LIMIT: usize = 16 * 1024;
/// Most interim (1xx) responses before the final one. **Source**: chosen.
const INTERIM_LIMIT: usize = 16;

/// A connection that speaks HTTP/1.1.
pub(super) struct Wire {
    io: Io,
    /// Received, not yet consumed.
    buffer: BytesMut,
}

/// What came back on a connection.
pub(super) struct Answered {
    pub(super) response: Response,
    /// True if the connection can carry another request.
    pub(super) reusable: bool,
}

struct Head {
    status: u16,
    headers: Headers,
    /// HTTP/1.1, which keeps connections open by default.
    is_current: bool,
}

/// How the end of a body is found. **Source**: RFC 9112, section 6.3.
enum Framing {
    Length(u64),
    Chunked { left: u64, started: bool },
    UntilClose,
    Ended,
}

impl Wire {
    pub(super) fn new(io: Io) -> Self {
        Self { io, buffer: BytesMut::with_capacity(8 * 1024) }
    }

    /// True if the peer has neither closed the idle connection nor sent anything on it.
    pub(super) async fn is_idle(&mut self) -> bool {
        let mut byte = [0];
        std::future::poll_fn(|cx| {
            let read = std::pin::Pin::new(&mut self.io);
            let poll = tokio::io::AsyncRead::poll_read(read, cx, &mut ReadBuf::new(&mut byte));
            std::task::Poll::Ready(poll.is_pending())
        })
        .await
    }

    /// Sends the bytes of one request and reads its response. At the deadline a body that has begun
    /// is cut; before that it is an error.
    pub(super) async fn exchange(
        &mut self,
        request: &[u8],
        method: &str,
        limits: Limits,
        deadline: Instant,
    ) -> Result<Answered, TransportError> {
        let head = within(deadline, "waiting for the response", self.send(request)).await?;
        let mut framing = Framing::of(method, &head)?;
        let mut collector = Collector::new(&head.headers, limits);
        loop {
            match timeout_at(deadline, self.next(&mut framing)).await {
                Ok(Ok(Some(data))) if collector.push(&data) => {}
                Ok(Ok(Some(_)) | Ok(None)) => break,
                Ok(Err(error)) => return Err(error),
                Err(_) => {
                    collector.cut();
                    break;
                }
            }
        }
        // A server that sends a body all the same would have it read as the next response.
        let reusable = collector.is_complete()
            && !has_no_body(method, head.status)
            && matches!(framing, Framing::Ended)
            && self.buffer.is_empty()
            && head.is_current
            && head.status != 101
            && !has_token(&head.headers, "connection", "close");
        Ok(Answered { response: collector.into_response(head.status, head.headers), reusable })
    }

    async fn send(&mut self, request: &[u8]) -> Result<Head, TransportError> {
        // A server may answer and close before it has read everything: its answer counts.
        let written = match self.io.write_all(request).await {
            Ok(()) => self.io.flush().await,
            Err(error) => Err(error),
        };
        for _ in 0..=INTERIM_LIMIT {
            let head = match (self.read_head().await, &written) {
                (Ok(head), _) => head,
                (Err(error), Err(cause)) if error.kind == TransportErrorKind::Closed => return Err(broken(cause)),
                (Err(error), _) => return Err(error),
            };
            if head.status == 101 || head.status >= 200 {
                return Ok(head);
            }
        }
        Err(failure(TransportErrorKind::Protocol, "the server sends interim responses without end"))
    }

    async fn read_head(&mut self) -> Result<Head, TransportError> {
        loop {
            if let Some((head, length)) = parse_head(&self.buffer)? {
                self.buffer.advance(length);
                return Ok(head);
            }
            if self.buffer.len() > HEAD_LIMIT {
                return Err(failure(TransportErrorKind::Protocol, "the head of the response is too long"));
            }
            if self.fill().await? == 0 {
                return Err(closed());
            }
        }
    }

    /// The next bytes of the body; `None` at its end.
    async fn next(&mut self, framing: &mut Framing) -> Result<Option<Bytes>, TransportError> {
        loop {
            let (left, chunked) = match framing {
                Framing::Ended => return Ok(None),
                Framing::UntilClose => {
                    if self.buffer.is_empty() && self.fill_until_close().await? == 0 {
                        *framing = Framing::Ended;
                        self.buffer.clear();
                        return Ok(None);
                    }
                    return Ok(Some(self.buffer.split().freeze()));
                }
                Framing::Chunked { left: 0, started } => {
                    let size = self.chunk_size(*started).await?;
                    *framing = if size == 0 { Framing::Ended } else { Framing::Chunked { left: size, started: true } };
                    continue;
                }
                Framing::Chunked { left, .. } => (left, true),
                Framing::Length(left) => (left, false),
            };
            if *left == 0 {
                *framing = Framing::Ended;
                return Ok(None);
            }
            if self.buffer.is_empty() && self.fill().await? == 0 {
                return Err(closed());
            }
            let available = self.buffer.len().min(usize::try_from(*left).unwrap_or(usize::MAX));
            *left -= available as u64;
            if *left == 0 && !chunked {
                *framing = Framing::Ended;
            }
            return Ok(Some(self.buffer.split_to(available).freeze()));
        }
    }

    /// Reads the line of a chunk, and behind the last chunk the trailers, which are dropped.
    async fn chunk_size(&mut self, after_chunk: bool) -> Result<u64, TransportError> {
        if after_chunk && !self.line().await?.is_empty() {
            return Err(bad_chunk());
        }
        let mut line = self.line().await?;
        line.extend_from_slice(b"\r\n");
        let size = match httparse::parse_chunk_size(&line) {
            Ok(Status::Complete((_, size))) => size,
            _ => return Err(bad_chunk()),
        };
        if size == 0 {
            while !self.line().await?.is_empty() {}
        }
        Ok(size)
    }

    /// One line without its end.
    async fn line(&mut self) -> Result<Vec<u8>, TransportError> {
        loop {
            if let Some(end) = self.buffer.iter().position(|byte| *byte == b'\n') {
                let line = self.buffer.split_to(end + 1);
                let line = &line[..end];
                return Ok(line.strip_suffix(b"\r").unwrap_or(line).to_vec());
            }
            if self.buffer.len() > LINE_LIMIT {
                return Err(bad_chunk());
            }
            if self.fill().await? == 0 {
                return Err(closed());
            }
        }
    }

    async fn fill(&mut self) -> Result<usize, TransportError> {
        self.io.read_buf(&mut self.buffer).await.map_err(|error| broken(&error))
    }

    /// Like `fill`; a TLS peer that closes without saying so ends the body, as one without TLS does.
    async fn fill_until_close(&mut self) -> Result<usize, TransportError> {
        match self.io.read_buf(&mut self.buffer).await {
            Err(error) if error.kind() == std::io::ErrorKind::UnexpectedEof => Ok(0),
            result => result.map_err(|error| broken(&error)),
        }
    }
}

/// The bytes of a request: `Host` and `User-Agent` before, `Content-Length` behind the given headers,
/// each only where it is not among them. Nothing is checked or escaped.
pub(super) fn serialize(origin: &Origin, request: &Request, user_agent: &str) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(512 + request.body.len());
    let mut put = |parts: &[&str]| parts.iter().for_each(|part| bytes.extend_from_slice(part.as_bytes()));
    put(&[&request.method, " ", &request.target, " HTTP/1.1\r\n"]);
    if !request.headers.contains("host") {
        put(&["Host: ", &origin.authority(), "\r\n"]);
    }
    if !request.headers.contains("user-agent") && !user_agent.is_empty() {
        put(&["User-Agent: ", user_agent, "\r\n"]);
    }
    for (name, value) in request.headers.iter() {
        put(&[name, ": ", value, "\r\n"]);
    }
    // RFC 9110, section 8.6: methods that expect content say so where it is empty.
    let expects_content = matches!(request.method.as_str(), "POST" | "PUT" | "PATCH");
    let is_framed = request.headers.contains("content-length") || request.headers.contains("transfer-encoding");
    if !is_framed && (expects_content || !request.body.is_empty()) {
        put(&["Content-Length: ", &request.body.len().to_string(), "\r\n"]);
    }
    put(&["\r\n"]);
    bytes.extend_from_slice(request.body.bytes());
    bytes
}

/// The head at the start of the bytes and its length; `None` if more bytes are needed.
fn parse_head(bytes: &[u8]) -> Result<Option<(Head, usize)>, TransportError> {
    let mut headers = [EMPTY_HEADER; HEADER_LIMIT];
    let mut parsed = httparse::Response::new(&mut headers);
    let result = ParserConfig::default()
        .allow_spaces_after_header_name_in_responses(true)
        .allow_obsolete_multiline_headers_in_responses(true)
        .allow_multiple_spaces_in_response_status_delimiters(true)
        .ignore_invalid_headers_in_responses(true)
        .parse_response(&mut parsed, bytes);
    match result {
        Ok(Status::Partial) => Ok(None),
        Ok(Status::Complete(length)) => {
            let headers = parsed.headers.iter().map(|header| (header.name, text(header.value))).collect();
            let status = parsed.code.unwrap_or_default();
            Ok(Some((Head { status, headers, is_current: parsed.version == Some(1) }, length)))
        }
        Err(httparse::Error::TooManyHeaders) => {
            Err(failure(TransportErrorKind::Protocol, "the response has too many headers"))
        }
        Err(_) => Err(failure(TransportErrorKind::Protocol, "the answer is not HTTP")),
    }
}

/// A header value as text: UTF-8, else ISO-8859-1.
///
/// **Source**: RFC 9110, section 5.5.
pub(super) fn text(value: &[u8]) -> String {
    match std::str::from_utf8(value) {
        Ok(text) => text.to_owned(),
        Err(_) => value.iter().copied().map(char::from).collect(),
    }
}

impl Framing {
    fn of(method: &str, head: &Head) -> Result<Self, TransportError> {
        if has_no_body(method, head.status) {
            return Ok(Self::Ended);
        }
        if let Some(codings) = head.headers.all("transfer-encoding").last() {
            let last = codings.rsplit(',').next().unwrap_or_default().trim();
            let is_chunked = last.eq_ignore_ascii_case("chunked");
            return Ok(if is_chunked { Self::Chunked { left: 0, started: false } } else { Self::UntilClose });
        }
        let mut lengths = head.headers.all("content-length").flat_map(|value| value.split(',')).map(str::trim);
        let Some(first) = lengths.next() else {
            return Ok(Self::UntilClose);
        };
        match first.parse() {
            Ok(0) => Ok(Self::Ended),
            Ok(length) if lengths.all(|other| other == first) => Ok(Self::Length(length)),
            _ => Err(failure(TransportErrorKind::Protocol, "the response states no usable length")),
        }
    }
}

/// True if a response ends with its head, whatever length it states.
///
/// **Source**: RFC 9112, section 6.3.
fn has_no_body(method: &str, status: u16) -> bool {
    method == "HEAD" || matches!(status, 101 | 204 | 304) || (method == "CONNECT" && (200..300).contains(&status))
}

fn bad_chunk() -> TransportError {
    failure(TransportErrorKind::Protocol, "the chunks of the response cannot be read")
}

fn has_token(headers: &Headers, name: &str, token: &str) -> bool {
    headers.all(name).flat_map(|value| value.split(',')).any(|part| part.trim().eq_ignore_ascii_case(token))
}
