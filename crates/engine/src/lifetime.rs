//! What a token says of its own lifetime.

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use chrono::DateTime;
use serde_json::Value;

/// Why a JSON Web Token cannot be accepted at this time (Unix seconds), by its own claims; none for any
/// other text, and for a token that is valid.
///
/// **Source**: RFC 7519, sections 4.1.4 (`exp`) and 4.1.5 (`nbf`).
pub(crate) fn out_of_time(token: &str, now: i64) -> Option<String> {
    let mut parts = token.trim().split('.');
    let (Some(_), Some(claims), Some(_), None) = (parts.next(), parts.next(), parts.next(), parts.next()) else {
        return None;
    };
    let claims = BASE64_URL_SAFE_NO_PAD.decode(claims.trim_end_matches('=')).ok()?;
    let claims: Value = serde_json::from_slice(&claims).ok()?;
    let time = |name: &str| {
        let number = claims.get(name)?;
        number.as_i64().or_else(|| number.as_f64().map(|seconds| seconds as i64))
    };
    let shown = |at: i64| DateTime::from_timestamp(at, 0).map_or(String::new(), |at| at.to_rfc3339());
    match (time("exp"), time("nbf")) {
        (Some(exp), _) if exp <= now => {
            Some(format!("its token expired {} ago (`exp` is {})", span(now - exp), shown(exp)))
        }
        (_, Some(nbf)) if nbf > now => {
            Some(format!("its token is not valid for another {} (`nbf` is {})", span(nbf - now), shown(nbf)))
        }
        _ => None,
    }
}

/// Seconds in the largest unit that fits.
fn span(seconds: i64) -> String {
    let units = [(86_400, "day"), (3_600, "hour"), (60, "minute"), (1, "second")];
    let (size, unit) = units.into_iter().find(|(size, _)| seconds >= *size).unwrap_or((1, "second"));
    let count = seconds / size;
    format!("{count} {unit}{}", if count == 1 { "" } else { "s" })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn token(claims: &str) -> String {
        format!("eyJhbGciOiJIUzI1NiJ9.{}.c2ln", BASE64_URL_SAFE_NO_PAD.encode(claims))
    }

    #[test]
    fn a_token_says_itself_when_it_is_valid() {
        let now = 1_796_076_660;
        let says = |claims: &str| out_of_time(&token(claims), now);
        let two_hours = now - 7200;
        assert_eq!(
            says(&format!(r#"{{"exp":{two_hours}}}"#)).as_deref(),
            Some("its token expired 2 hours ago (`exp` is 2026-11-30T20:11:00+00:00)")
        );
        assert!(says(&format!(r#"{{"exp":{}.5}}"#, now - 1)).unwrap().contains("1 second ago"));
        assert!(
            says(&format!(r#"{{"nbf":{},"exp":{}}}"#, now + 86_400, now + 90_000)).unwrap().contains("another 1 day")
        );
        for sound in [
            format!(r#"{{"exp":{}}}"#, now + 1),
            format!(r#"{{"nbf":{now},"exp":{}}}"#, now + 60),
            r#"{"sub":"4"}"#.into(),
            r#"{"exp":"soon"}"#.into(),
            "[]".into(),
            "no json".into(),
        ] {
            assert_eq!(says(&sound), None, "{sound}");
        }
        for other in ["", "a.b.c", "a.b", "sk_live_123", "....", &token("{}").repeat(2)] {
            assert_eq!(out_of_time(other, now), None, "{other}");
        }
    }
}
