//! Where a request names the version of the API, and the same request for another version.

use std::sync::LazyLock;

use engine::SurveyedOperation;
use inventory::ParameterLocation;
use model::{Place, Request};
use regex::Regex;

/// Where a version stands in a request, and which it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Version {
    pub(crate) number: u32,
    stands: Stands,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Stands {
    /// The whole segment at this index of the path.
    Segment(usize),
    Query(String),
    Header(String),
    /// A media type in `Accept`; the bytes from `start` to `end` are the number.
    Media {
        media_type: String,
        start: usize,
        end: usize,
    },
}

impl Version {
    /// The version that a request of an operation asks for.
    pub(crate) fn of(operation: &SurveyedOperation, request: &Request) -> Option<Self> {
        let segments = request.path().split('/').enumerate();
        let in_path = segments.filter_map(|(index, segment)| Some((index, in_segment(segment)?))).next();
        if let Some((index, number)) = in_path {
            return Some(Self { number, stands: Stands::Segment(index) });
        }
        in_parameter(operation, request).or_else(|| in_media_type(operation))
    }

    /// Other operations whose version stands in the same place are the same API.
    pub(crate) fn group(&self, request: &Request) -> String {
        match &self.stands {
            Stands::Segment(index) => request.path().split('/').take(*index + 1).collect::<Vec<_>>().join("/"),
            Stands::Query(name) | Stands::Header(name) => format!("{name}={}", self.number),
            Stands::Media { .. } => format!("Accept={}", self.number),
        }
    }

    /// The request for another version.
    pub(crate) fn request(&self, request: &Request, number: u32) -> Request {
        let mut other = request.clone();
        match &self.stands {
            Stands::Segment(index) => {
                let mut segments: Vec<String> = request.path().split('/').map(Into::into).collect();
                if let Some(segment) = segments.get_mut(*index) {
                    *segment = format!("{}{number}", &segment[..1]);
                }
                other = other.with_path(&segments.join("/"));
            }
            Stands::Query(name) => Place::Query { name: name.clone() }.put(&mut other, &number.to_string()),
            Stands::Header(name) => other.headers.set(name, number.to_string()),
            Stands::Media { media_type, start, end } => {
                other.headers.set("Accept", format!("{}{number}{}", &media_type[..*start], &media_type[*end..]));
            }
        }
        other
    }
}

/// `v2` as a whole segment.
fn in_segment(segment: &str) -> Option<u32> {
    let digits = segment.strip_prefix(['v', 'V'])?;
    let plain = (1..=3).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit());
    digits.parse().ok().filter(|_| plain)
}

/// A parameter named after a version, with a whole number in the request.
fn in_parameter(operation: &SurveyedOperation, request: &Request) -> Option<Version> {
    operation.operation.parameters.iter().find_map(|parameter| {
        let name = parameter.name.to_ascii_lowercase().replace(['-', '_'], "");
        if !["apiversion", "xapiversion", "acceptversion", "version"].contains(&name.as_str()) {
            return None;
        }
        let (value, stands) = match parameter.location {
            ParameterLocation::Header => {
                (request.headers.first(&parameter.name)?, Stands::Header(parameter.name.clone()))
            }
            // A `version` in the query may as well be one of a document.
            ParameterLocation::Query if name.contains("api") => {
                let pairs = request.query()?.split('&');
                (
                    pairs.filter_map(|pair| pair.split_once('=')).find(|(n, _)| *n == parameter.name)?.1,
                    Stands::Query(parameter.name.clone()),
                )
            }
            ParameterLocation::Query | ParameterLocation::Path | ParameterLocation::Cookie => return None,
        };
        Some(Version { number: value.parse().ok()?, stands })
    })
}

/// A vendor's media type with a version, such as `application/vnd.shop.v2+json`.
///
/// **Source**: RFC 6838, section 3.2 (vendor tree); the version's place is a convention of GitHub,
/// Heroku and others.
fn in_media_type(operation: &SurveyedOperation) -> Option<Version> {
    static NUMBER: LazyLock<Regex> =
        LazyLock::new(|| Regex::new(r"(?:\bv|version=)([0-9]{1,3})\b").expect("the pattern is constant"));
    let success = operation.operation.responses.iter().filter(|response| response.status.starts_with('2'));
    success.flat_map(|response| &response.media).find_map(|media| {
        let found = NUMBER.captures(&media.media_type)?.get(1)?;
        let stands = Stands::Media { media_type: media.media_type.clone(), start: found.start(), end: found.end() };
        Some(Version { number: found.as_str().parse().ok()?, stands })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_whole_segment_is_a_version() {
        assert_eq!(in_segment("v2"), Some(2));
        assert_eq!(in_segment("V10"), Some(10));
        for other in ["v", "v2beta", "video", "2", "v1.1", "v20240101"] {
            assert_eq!(in_segment(other), None, "{other}");
        }
    }

    #[test]
    fn another_version_changes_nothing_else() {
        let request = Request::get("/api/V2/orders/7?limit=2");
        let version = Version { number: 2, stands: Stands::Segment(2) };
        assert_eq!(version.request(&request, 1).target, "/api/V1/orders/7?limit=2");
        assert_eq!(version.group(&request), "/api/V2");
        let media = Version {
            number: 2,
            stands: Stands::Media { media_type: "application/vnd.shop.v2+json".into(), start: 22, end: 23 },
        };
        assert_eq!(media.request(&request, 1).headers.first("accept"), Some("application/vnd.shop.v1+json"));
    }
}
