//! How a signature or a signed text may stand in an answer.

use base64::Engine as _;
use base64::prelude::{BASE64_STANDARD, BASE64_STANDARD_NO_PAD, BASE64_URL_SAFE, BASE64_URL_SAFE_NO_PAD};
use model::Response;

/// Shorter texts stand in an answer by chance.
///
/// **Source**: chosen; the shortest signature in use, 80 bits in base64, has 14 characters.
pub(super) const SHORTEST: usize = 14;

/// The forms in which a server may write a signature, each with its name; none for one that is too
/// short to be told from chance.
pub(super) fn forms(signature: &str) -> Vec<(String, &'static str)> {
    let mut forms = vec![(signature.to_owned(), "as it is sent")];
    if let Some(bytes) = decoded(signature) {
        let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        forms.extend([
            (hex.to_ascii_uppercase(), "in hex"),
            (hex, "in hex"),
            (BASE64_STANDARD.encode(&bytes), "in base64"),
            (BASE64_STANDARD_NO_PAD.encode(&bytes), "in base64"),
            (BASE64_URL_SAFE.encode(&bytes), "in base64url"),
            (BASE64_URL_SAFE_NO_PAD.encode(&bytes), "in base64url"),
        ]);
    }
    // Some JSON writers escape the slash.
    let escaped: Vec<_> =
        forms.iter().filter(|(f, _)| f.contains('/')).map(|(f, n)| (f.replace('/', "\\/"), *n)).collect();
    forms.extend(escaped);
    forms.retain(|(form, _)| form.len() >= SHORTEST);
    forms
}

fn decoded(signature: &str) -> Option<Vec<u8>> {
    let is_hex = signature.len().is_multiple_of(2) && signature.bytes().all(|b| b.is_ascii_hexdigit());
    if is_hex {
        return (0..signature.len()).step_by(2).map(|at| u8::from_str_radix(&signature[at..at + 2], 16).ok()).collect();
    }
    let bare = signature.trim_end_matches('=');
    BASE64_STANDARD_NO_PAD.decode(bare).or_else(|_| BASE64_URL_SAFE_NO_PAD.decode(bare)).ok()
}

/// True if the body or a header of an answer holds the text: as it is, escaped as in JSON or XML, or as
/// hex, with or without spaces between the bytes.
pub(super) fn holds(answer: &Response, text: &[u8]) -> bool {
    let hex = |separator: &str| text.iter().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().join(separator);
    let mut forms = vec![text.to_vec(), hex("").into_bytes(), hex(" ").into_bytes()];
    if let Ok(text) = std::str::from_utf8(text) {
        let json = serde_json::to_string(text).unwrap_or_default();
        let json = json.trim_matches('"');
        let quoted_twice = serde_json::to_string(json).unwrap_or_default();
        let quoted_twice = quoted_twice.trim_matches('"').to_owned();
        let xml = text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
        let html = xml.replace('"', "&#34;").replace('\'', "&#39;");
        let lines = text.replace('\n', "\r\n");
        let quoted = xml.replace('"', "&quot;");
        forms.extend(
            [json.to_owned(), json.replace('/', "\\/"), quoted_twice, xml, html, quoted, lines].map(String::into_bytes),
        );
    }
    let body = &answer.body.bytes()[..];
    forms.iter().any(|form| find(body, form) || answer.headers.iter().any(|(_, value)| find(value.as_bytes(), form)))
}

/// True if the bytes hold the text.
pub(super) fn find(bytes: &[u8], text: &[u8]) -> bool {
    !text.is_empty() && bytes.windows(text.len()).any(|window| window == text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(body: &str) -> Response {
        let headers = [("Content-Type", "text/plain")].into_iter().collect();
        Response { status: 401, headers, body: body.to_owned().into(), body_bytes: 0, truncated: false }
    }

    #[test]
    fn a_signature_is_known_in_every_spelling() {
        let bytes: Vec<u8> = (200..232).collect();
        let hex: String = bytes.iter().map(|b| format!("{b:02x}")).collect();
        let base64 = BASE64_STANDARD.encode(&bytes);
        for sent in [&hex, &base64] {
            let found = |body: &str| forms(sent).iter().any(|(form, _)| holds(&answer(body), form.as_bytes()));
            assert!(found(&format!("expected {hex}")) && found(&format!("expected {}", hex.to_uppercase())));
            assert!(found(&format!(r#"{{"want":"{}"}}"#, base64.replace('/', "\\/"))));
            assert!(found(&BASE64_URL_SAFE_NO_PAD.encode(&bytes)));
            assert!(!found(&format!("expected {}00", &hex[..62])));
        }
        assert!(forms("abc").is_empty());
    }

    #[test]
    fn a_signed_text_is_known_escaped() {
        let text = b"GET\n/a?b=1&c=2\nhost";
        for body in [
            "GET\n/a?b=1&c=2\nhost",
            r#"{"s":"GET\n\/a?b=1&c=2\nhost"}"#,
            r#"{"s":"over \"GET\\n/a?b=1&c=2\\nhost\""}"#,
            "<s>GET\n/a?b=1&amp;c=2\nhost</s>",
        ] {
            assert!(holds(&answer(body), text), "{body}");
        }
        assert!(!holds(&answer("GET /a?b=1&c=2 host"), text));
    }
}
