//! The method that a header, a parameter or a cookie names in place of the request's own.

use model::Request;

use super::{Effect, effect_of};

/// Headers that some frameworks read the method from.
///
/// **Source**: Express `method-override`, Rails `Rack::MethodOverride`, ASP.NET
/// `HttpMethodOverrideMiddleware`.
pub const OVERRIDE_HEADERS: [&str; 3] = ["X-HTTP-Method-Override", "X-HTTP-Method", "X-Method-Override"];

/// Names that say nothing else, without case and separators: whatever value they have is a method.
///
/// **Source**: [`OVERRIDE_HEADERS`]; Rails and Laravel (`_method`), Google APIs (`$httpMethod`); CGI and WSGI,
/// which read `-` and `_` alike (RFC 3875, section 4.1.18).
const ALWAYS: [&str; 7] = [
    "xhttpmethodoverride",
    "xhttpmethod",
    "xmethodoverride",
    "httpmethodoverride",
    "methodoverride",
    "xoverridemethod",
    "httpmethod",
];

/// Parts of names whose value is one where it is a method: `X-Rest-Method: DELETE`, but not
/// `payment_method=card`.
const PARTS: [&str; 3] = ["method", "verb", "override"];

/// True if a header or cookie of this name may say which method is meant: no value of a description is
/// filled into it.
pub(crate) fn may_name_a_method(name: &str) -> bool {
    let name = plain(name);
    let is_only = matches!(name.as_str(), "method" | "verb" | "xmethod" | "xverb");
    let has = |parts: &[&str]| parts.iter().any(|part| name.contains(part));
    let is_method = has(&["method", "verb"]) && has(&["http", "rest", "override", "original", "requested", "tunnel"]);
    is_only || is_method || (has(&["override"]) && has(&["http"]))
}

/// What the methods do that the overrides of a request name; it reads where there are none.
pub(crate) fn overridden(request: &Request) -> Effect {
    let headers = request.headers.iter().map(|(name, value)| (name.to_owned(), value.to_owned()));
    let cookies = request.headers.all("cookie").flat_map(|cookies| cookies.split(';'));
    let cookies = cookies.filter_map(|pair| pair.split_once('=')).map(|(n, v)| (n.trim().to_owned(), v.to_owned()));
    let is_form = |(_, value): (&str, &str)| value.to_ascii_lowercase().contains("urlencoded");
    let has_form = request.headers.iter().filter(|(name, _)| name.eq_ignore_ascii_case("content-type")).any(is_form);
    let form: &[u8] = if has_form { request.body.bytes() } else { b"" };
    let pairs = |text| url::form_urlencoded::parse(text).map(|(name, value)| (name.into_owned(), value.into_owned()));
    let query = pairs(request.query().unwrap_or_default().as_bytes());
    headers
        .chain(cookies)
        .chain(query)
        .chain(pairs(form))
        .filter_map(|(name, value)| named(&name, &value))
        .map(|method| effect_of(&method, request))
        .max()
        .unwrap_or(Effect::Reads)
}

/// The method that a pair names, in upper case.
fn named(name: &str, value: &str) -> Option<String> {
    let is_marked = name.starts_with('_') || name.starts_with('$');
    let name = plain(name);
    let method = value.trim().to_ascii_uppercase();
    let is_method = matches!(
        method.as_str(),
        "GET" | "HEAD" | "OPTIONS" | "TRACE" | "QUERY" | "POST" | "PUT" | "PATCH" | "DELETE" | "PURGE" | "MERGE"
    );
    let is_always = ALWAYS.contains(&name.as_str()) || (is_marked && name == "method");
    let is_said = is_always || (is_method && PARTS.iter().any(|part| name.contains(part)));
    (is_said && !method.is_empty()).then_some(method)
}

/// A name without case and separators.
fn plain(name: &str) -> String {
    name.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_lowercase()).collect()
}

#[cfg(test)]
mod tests {
    use super::super::effect;
    use super::*;

    #[test]
    fn an_override_counts_as_the_method_that_it_names_however_its_name_is_written() {
        for name in [
            "X-HTTP-Method-Override",
            "x_http_method_override",
            "X_HTTP_Method",
            "X-METHOD_OVERRIDE",
            "X-Http-Verb",
            "X-Method",
            "X-Override-Method",
            "X-HTTP-Override",
            "Http-Method",
            "X-HTTP-MethodOverride",
            "X-Rest-Method",
            "X-Original-Method",
            "X-Requested-Method",
            "X-Verb",
            "Method",
            "_method",
        ] {
            assert_eq!(overridden(&Request::get("/a").with_header(name, " delete ")), Effect::Deletes, "{name}");
            assert_eq!(effect(&Request::get("/a").with_header(name, "PUT")), Effect::Writes, "{name}");
            assert_eq!(effect(&Request::get("/a").with_header(name, "GET")), Effect::Reads, "{name}");
            assert!(may_name_a_method(name), "{name}");
        }
        for query in [
            "httpMethod=DELETE",
            "http_method=delete",
            "method_override=DELETE",
            "_methodOverride=DELETE",
            "%5Fmethod=DELETE",
        ] {
            assert_eq!(overridden(&Request::get(&format!("/a?b=1&{query}"))), Effect::Deletes, "{query}");
        }
        assert_eq!(overridden(&Request::get("/a").with_header("Cookie", "a=b; _method=DELETE")), Effect::Deletes);
        let mut form = Request::new("POST", "/a").with_header("Content-Type", "application/x-www-form-urlencoded");
        form.body = "a=b&_method=delete".into();
        assert_eq!(overridden(&form), Effect::Deletes);
        for (name, value) in [("Payment-Method", "card"), ("X-Verb-Tense", "past"), ("Override-Cache", "yes")] {
            assert_eq!(effect(&Request::get("/a").with_header(name, value)), Effect::Reads, "{name}");
            assert!(!may_name_a_method(name), "{name}");
        }
        assert_eq!(effect(&Request::get("/a?payment_method=card&shipping_method=post-office")), Effect::Reads);
    }
}
