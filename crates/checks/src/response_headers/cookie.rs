//! Session cookies that scripts or other sites can use.

use engine::{Check, NotApplicable, Requests, Session, Survey, Unobserved, subject};
use model::{Category, Confidence, Flaw, Location, Meta, Owasp, Place, Recorded, Variant, Verdict};
use serde::{Deserialize, Serialize};

use super::{LOW, META};

const READABLE: Variant =
    Variant { name: "readable", when: "a script or a listener can read the session's cookie", cvss: Some(LOW) };

const SITE: Variant =
    Variant { name: "site-unstated", when: "only SameSite is absent, which browsers take as Lax", cvss: None };

/// Parts of the names of session cookies.
///
/// **Source**: defaults of PHP, Jakarta Servlet, ASP.NET, Express, Flask, Django, Rails, Laravel.
const SESSION_PARTS: [&str; 11] = [
    "sess",
    "sid",
    "auth",
    "token",
    "jwt",
    "login",
    "remember",
    "phpsessid",
    "jsessionid",
    "identity",
    "aspnetcore.cookies",
];

/// Parts of the names of cookies that scripts must read, or that belong to balancers and analytics.
///
/// **Source**: Angular `XSRF-TOKEN`, Django `csrftoken`; AWS Elastic Load Balancing, Cloudflare,
/// Imperva, F5 and Azure documents on their own cookies.
const EXEMPT_PARTS: [&str; 16] = [
    "xsrf",
    "csrf",
    "awsalb",
    "awselb",
    "__cf",
    "cf_",
    "_cfuvid",
    "incap_",
    "visid_",
    "nlbi_",
    "bigip",
    "arraffinity",
    "_ga",
    "_gid",
    "consent",
    "locale",
];

/// Can scripts, listeners or other sites use the cookie of a session?
pub struct InsecureCookie;

/// The session cookies that an answer sets.
#[derive(Serialize, Deserialize)]
pub struct Observation {
    /// The answer.
    exchange: Recorded,
    /// Cookies that look like a session's.
    cookies: Vec<Cookie>,
    /// True where the API is reached by https.
    secure_origin: bool,
}

/// A cookie, without its value.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Cookie {
    name: String,
    http_only: bool,
    secure: bool,
    same_site: bool,
    /// True if an identity's credential is a cookie of this name.
    #[serde(default)]
    signs_in: bool,
}

impl Check for InsecureCookie {
    const META: Meta = Meta {
        id: "insecure-cookie",
        title: "A session cookie can be read by scripts or over plain http",
        category: Category::Authentication,
        owasp: &[Owasp::Api8, Owasp::Api2],
        cwe: &[1004, 614, 1275],
        variants: &[READABLE, SITE],
        ..META
    };
    type Subject = subject::Exchange;
    type Observation = Observation;

    fn plan(subject: &subject::Exchange, _: &Survey) -> Result<Requests, NotApplicable> {
        if !subject.raw.headers.contains("set-cookie") {
            return Err(NotApplicable::new("the answer sets no cookie"));
        }
        Ok(Requests::NONE)
    }

    async fn observe(subject: &subject::Exchange, survey: &Survey, _: &Session) -> Result<Observation, Unobserved> {
        let places: Vec<&Place> = survey.identities.iter().flat_map(|identity| &identity.places).collect();
        let signs_in = |name: &str| places.iter().any(|p| matches!(p, Place::Cookie { name: own } if own == name));
        let mut cookies: Vec<Cookie> = subject.raw.headers.all("set-cookie").filter_map(cookie).collect();
        for cookie in &mut cookies {
            cookie.signs_in = signs_in(&cookie.name);
        }
        cookies.retain(|cookie| cookie.signs_in || looks_like_a_session(&cookie.name));
        Ok(Observation { exchange: subject.recorded.clone(), cookies, secure_origin: survey.origin.secure })
    }

    fn judge(seen: &Observation) -> Verdict {
        if seen.cookies.is_empty() {
            return Verdict::NotApplicable { reason: "no cookie of the answer looks like a session's".into() };
        }
        let flaws = seen.cookies.iter().filter_map(|cookie| {
            let mut lacks = Vec::new();
            if !cookie.http_only {
                lacks.push("HttpOnly");
            }
            // Over http a browser would not keep a Secure cookie; that there is no https is another
            // check's finding.
            if !cookie.secure && seen.secure_origin {
                lacks.push("Secure");
            }
            let (variant, cause) =
                if lacks.is_empty() { (&SITE, "same-site-absent") } else { (&READABLE, "attributes-absent") };
            if !cookie.same_site {
                lacks.push("SameSite");
            }
            if lacks.is_empty() {
                return None;
            }
            let message = format!("the cookie `{}` is set without {}", cookie.name, lacks.join(", "));
            let confidence = if cookie.signs_in { Confidence::Confirmed } else { Confidence::Likely };
            let flaw = Flaw::new(variant, cause, message).with_confidence(confidence);
            Some(flaw.at(Location::ResponseHeader("Set-Cookie".into())).mark("exchange", &cookie.name))
        });
        Verdict::of_flaws(flaws.collect())
    }
}

fn looks_like_a_session(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    !EXEMPT_PARTS.iter().any(|part| name.contains(part)) && SESSION_PARTS.iter().any(|part| name.contains(part))
}

/// A cookie that is set; `None` for one that is deleted, or has no value.
///
/// **Source**: RFC 6265, section 5.2.
fn cookie(header: &str) -> Option<Cookie> {
    let mut parts = header.split(';').map(str::trim);
    let (name, value) = parts.next()?.split_once('=')?;
    let attributes: Vec<(String, &str)> = parts
        .map(|part| part.split_once('=').unwrap_or((part, "")))
        .map(|(name, value)| (name.trim().to_ascii_lowercase(), value.trim()))
        .collect();
    let has = |wanted: &str| attributes.iter().any(|(name, _)| name == wanted);
    let stated = |wanted: &str| attributes.iter().find(|(name, _)| name == wanted).map(|(_, value)| *value);
    let ends = stated("max-age").is_some_and(|seconds| seconds.parse::<i64>().is_ok_and(|s| s <= 0))
        || stated("expires").is_some_and(|date| date.contains("1970") || date.contains("1969"));
    if ends || value.trim_matches('"').is_empty() {
        return None;
    }
    Some(Cookie {
        name: name.trim().into(),
        http_only: has("httponly"),
        secure: has("secure"),
        same_site: has("samesite"),
        signs_in: false,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn deleted_cookies_are_left_out() {
        assert_eq!(cookie("sid=; Path=/"), None);
        assert_eq!(cookie("sid=x; Max-Age=0"), None);
        assert_eq!(cookie("sid=x; expires=Thu, 01 Jan 1970 00:00:00 GMT"), None);
        assert!(cookie("sid=x; HTTPONLY; samesite=Lax").is_some_and(|c| c.http_only && c.same_site && !c.secure));
    }

    #[test]
    fn only_names_of_sessions_count() {
        for name in ["sessionid", "connect.sid", "PHPSESSID", "auth_token", ".AspNetCore.Cookies"] {
            assert!(looks_like_a_session(name), "{name}");
        }
        for name in ["XSRF-TOKEN", "csrftoken", "AWSALB", "AWSALBCORS", "__cf_bm", "theme"] {
            assert!(!looks_like_a_session(name), "{name}");
        }
    }
}
