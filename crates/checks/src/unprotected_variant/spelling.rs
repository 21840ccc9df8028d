//! Other spellings of a path that lead to the same operation wherever a router is lenient.

use model::Request;

/// A spelling. Each normalizes to the path that it was made from.
///
/// **Source**: CWE-647, CWE-288; RFC 3986, section 6.2 (normalization), section 3.3 (path parameters);
/// OWASP Web Security Testing Guide, WSTG-ATHZ-02.
#[derive(Clone, Copy)]
pub(super) enum Spelling {
    TrailingSlash,
    LetterCase,
    Extension,
    DoubleSlash,
    PathParameter,
    EncodedDot,
}

impl Spelling {
    pub(super) const ALL: [Self; 6] = [
        Self::TrailingSlash,
        Self::LetterCase,
        Self::Extension,
        Self::DoubleSlash,
        Self::PathParameter,
        Self::EncodedDot,
    ];

    pub(super) fn words(self) -> &'static str {
        match self {
            Self::TrailingSlash => "a slash at the end",
            Self::LetterCase => "capitals",
            Self::Extension => "`.json` at the end",
            Self::DoubleSlash => "a doubled slash",
            Self::PathParameter => "a `;` parameter",
            Self::EncodedDot => "an encoded dot segment",
        }
    }

    /// The request with its path in this spelling; `None` where the template leaves nothing to spell
    /// otherwise. What a cache could mistake for a file carries a query of its own.
    pub(super) fn of(self, request: &Request, template: &str, path: &str, word: &str) -> Option<Request> {
        let spelled = self.path(template, path)?;
        let request = request.clone().with_path(&spelled);
        Some(match self {
            Self::Extension | Self::PathParameter => request.with_query("mb", word),
            Self::TrailingSlash | Self::LetterCase | Self::DoubleSlash | Self::EncodedDot => request,
        })
    }

    fn path(self, template: &str, path: &str) -> Option<String> {
        if path.ends_with('/') {
            return None;
        }
        let mut segments: Vec<String> = path.split('/').map(ToOwned::to_owned).collect();
        // A base path may stand before the template; only the template's own segments are spelled anew.
        let offset = segments.len().checked_sub(template.split('/').count())?;
        let fixed: Vec<usize> = template
            .split('/')
            .enumerate()
            .filter(|(_, segment)| !segment.is_empty() && !segment.contains('{'))
            .map(|(at, _)| at + offset)
            .collect();
        match self {
            Self::TrailingSlash => segments.push(String::new()),
            Self::Extension => segments.last_mut()?.push_str(".json"),
            Self::PathParameter => segments.last_mut()?.push_str(";mb=1"),
            Self::LetterCase => {
                for at in &fixed {
                    segments[*at] = segments[*at].to_ascii_uppercase();
                }
                fixed.first()?;
            }
            Self::DoubleSlash => segments.insert(*fixed.last()?, String::new()),
            Self::EncodedDot => segments.insert(*fixed.last()?, "%2e".into()),
        }
        Some(segments.join("/")).filter(|spelled| spelled != path)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(template: &str, path: &str) -> Vec<String> {
        Spelling::ALL.iter().filter_map(|spelling| spelling.path(template, path)).collect()
    }

    #[test]
    fn each_spelling_keeps_base_path_and_values() {
        assert_eq!(
            all("/orders/{id}", "/api/orders/aB"),
            [
                "/api/orders/aB/",
                "/api/ORDERS/aB",
                "/api/orders/aB.json",
                "/api//orders/aB",
                "/api/orders/aB;mb=1",
                "/api/%2e/orders/aB"
            ]
        );
    }

    #[test]
    fn a_path_of_values_alone_has_fewer() {
        assert_eq!(all("/{id}", "/7"), ["/7/", "/7.json", "/7;mb=1"]);
        assert_eq!(all("/", "/"), Vec::<String>::new());
    }
}
