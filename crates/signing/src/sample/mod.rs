//! Captured requests: text of an `.http` file, a curl command line, a HAR file.

mod curl;
mod har;
mod http_text;

use model::{Origin, Request};

pub use curl::{curl, curl_words};
pub use har::har;
pub use http_text::http_text;

/// Why a sample cannot be read. Never repeats what may be a credential.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SampleError {
    /// Nothing in it.
    #[error("the sample is empty")]
    Empty,
    /// No request line.
    #[error("line {line} of the sample is no request line such as `GET /path HTTP/1.1`")]
    RequestLine {
        /// Counted from 1.
        line: usize,
    },
    /// A header without a colon.
    #[error("line {line} of the sample is no header such as `Name: value`")]
    Header {
        /// Counted from 1.
        line: usize,
    },
    /// A quote without its end.
    #[error("a quote of the command line is never closed")]
    Quote,
    /// An option without its value.
    #[error("the option `{option}` lacks its value")]
    Value {
        /// The option.
        option: String,
    },
    /// An option that this reader does not know.
    #[error("the option `{option}` is not supported; {hint}")]
    Option {
        /// The option.
        option: String,
        /// What to do instead.
        hint: &'static str,
    },
    /// A command line without a URL, or with one that cannot be read.
    #[error("the sample has no URL of http or https")]
    Url,
    /// JSON, and no HAR.
    #[error("the sample is JSON, but no HAR: {why}")]
    Har {
        /// What is missing.
        why: String,
    },
}

/// The request of a sample in any of the three forms; of a HAR with several entries, the first one.
///
/// # Errors
/// Where the text is of none of the forms.
pub fn read(text: &str) -> Result<Request, SampleError> {
    let start = text.trim_start();
    if start.is_empty() {
        return Err(SampleError::Empty);
    }
    if start.starts_with('{') {
        return har(start)?.into_iter().next().ok_or_else(|| SampleError::Har { why: "no entries".into() });
    }
    if start.trim_start_matches("$ ").starts_with("curl") {
        return curl(start);
    }
    http_text(text)
}

/// The request of an absolute URL, whose fragment is dropped; the target is as written.
fn to_url(method: &str, url: &str) -> Result<Request, SampleError> {
    let parsed = url::Url::parse(url).map_err(|_| SampleError::Url)?;
    let origin = Origin::of(&parsed).ok_or(SampleError::Url)?;
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let rest = rest.split('#').next().unwrap_or_default();
    let target = match rest.find(['/', '?']) {
        Some(at) if rest[at..].starts_with('?') => format!("/{}", &rest[at..]),
        Some(at) => rest[at..].to_owned(),
        None => "/".to_owned(),
    };
    Ok(Request { origin: Some(origin), ..Request::new(method, &target) })
}
