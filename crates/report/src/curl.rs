//! An exchange as a command line that people can run.

use std::collections::{BTreeMap, BTreeSet};

use model::{Behind, Exchange, Origin, Request};

use crate::visible::is_hidden;

/// What stands behind the masks of a scan, by label.
pub type Masks = BTreeMap<String, Behind>;

/// One `curl` command for a request. Credentials, which recordings mask as `{{alice.key}}`, become shell
/// variables: the user's own where one is known, else `$ALICE_KEY`. Values that the scan made up stand as
/// they are.
pub fn curl(origin: &Origin, request: &Request, masks: &Masks) -> String {
    let origin = request.origin.as_ref().unwrap_or(origin);
    let word = |text: &str| quoted(text, masks);
    let mut command = String::from("curl -si");
    match (request.method.as_str(), request.body.is_empty()) {
        ("GET", true) => {}
        ("HEAD", true) => command.push_str(" --head"),
        (other, _) => command.push_str(&format!(" -X {}", word(other))),
    }
    // Dots and doubled slashes must arrive as they are, and brackets are no pattern.
    if request.target.contains("/.") || request.target.contains("//") {
        command.push_str(" --path-as-is");
    }
    let literal: String =
        pieces(&request.target, masks).into_iter().filter(|(_, is_mask)| !is_mask).map(|(t, _)| t).collect();
    if literal.contains(['[', ']', '{', '}']) {
        command.push_str(" -g");
    }
    command.push_str(&format!(" {}", word(&format!("{origin}{}", request.target))));
    for (name, value) in request.headers.iter() {
        // `X:` would take the header out; `X;` sends it empty.
        let header = if value.trim().is_empty() { format!("{name};") } else { format!("{name}: {value}") };
        command.push_str(&format!(" -H {}", word(&header)));
    }
    if !request.body.is_empty() {
        if !request.headers.contains("content-type") {
            command.push_str(" -H 'Content-Type:'");
        }
        command.push_str(&format!(" --data-raw {}", word(&request.body.text())));
    }
    command
}

/// The command for an exchange: where its signature can be made anew, one that does so with the identity of
/// this configuration file.
///
/// `is_again` means that the same bytes were sent before: the command then sends what it signs twice.
pub(crate) fn command(
    origin: &Origin,
    exchange: &Exchange,
    masks: &Masks,
    configuration: Option<&str>,
    is_again: bool,
) -> String {
    let (Some(signed_as), Some(identity)) = (&exchange.signed_as, &exchange.identity) else {
        return curl(origin, &exchange.request, masks);
    };
    let sent = signed_as.without(&exchange.request);
    let mut command = String::from("middlebrick sign request");
    let mut option = |name: &str, value: &str| command.push_str(&format!(" --{name} {}", quoted(value, masks)));
    option("identity", identity);
    if let Some(file) = configuration.filter(|file| *file != USUAL_CONFIGURATION) {
        option("config", file);
    }
    if let Some(key_id) = &signed_as.key_id {
        option("key-id", key_id);
    }
    if signed_as.clock_offset_ms != 0 {
        option("clock-offset", &signed_as.clock_offset_ms.to_string());
    }
    if let Some(signed) = &signed_as.request {
        if signed.method != sent.method {
            option("signed-method", &signed.method);
        }
        if signed.target != sent.target {
            option("signed-target", &signed.target);
        }
        let names = signed.headers.iter().chain(sent.headers.iter()).map(|(name, _)| name.to_ascii_lowercase());
        for name in names.collect::<BTreeSet<_>>() {
            if signed.headers.all(&name).eq(sent.headers.all(&name)) {
                continue;
            }
            let mut values: Vec<&str> = signed.headers.all(&name).collect();
            if values.is_empty() {
                values.push("");
            }
            values.into_iter().for_each(|value| option("signed-header", format!("{name}: {value}").trim_end()));
        }
        if signed.body != sent.body {
            option("signed-body", &signed.body.text());
        }
    }
    signed_as.left_out.iter().for_each(|name| option("leave-out", name));
    command.push_str(&format!(" -- {}", curl(origin, &sent, masks)));
    match is_again {
        true => format!("signed=$({command}); sh -c \"$signed\"; sh -c \"$signed\""),
        false => format!("{command} | sh"),
    }
}

/// The configuration that is read where none is named.
const USUAL_CONFIGURATION: &str = "middlebrick.yaml";

/// Labels of the masks that stand in the command for an exchange.
pub(crate) fn labels(exchange: &Exchange, masks: &Masks) -> BTreeSet<String> {
    let Some(signed_as) = &exchange.signed_as else { return labels_of(&exchange.request, masks) };
    let signed = signed_as.request.iter().flat_map(|signed| labels_of(signed, masks));
    labels_of(&signed_as.without(&exchange.request), masks).into_iter().chain(signed).collect()
}

fn labels_of(request: &Request, masks: &Masks) -> BTreeSet<String> {
    let texts = request.headers.iter().flat_map(|(name, value)| [name.to_owned(), value.to_owned()]);
    let texts = texts.chain([request.target.clone(), request.body.text().into_owned()]);
    let masked = |text: String| -> Vec<String> {
        pieces(&text, masks).into_iter().filter(|(_, is_mask)| *is_mask).map(|(label, _)| label.to_owned()).collect()
    };
    texts.flat_map(masked).collect()
}

/// The shell variable for a label, and whether it is the user's own; `None` where the value is known.
pub(crate) fn variable(label: &str, masks: &Masks) -> Option<(String, bool)> {
    match masks.get(label) {
        Some(Behind::Value(_)) => None,
        Some(Behind::Variable(name)) if is_name(name) => Some((name.clone(), true)),
        Some(Behind::Variable(_) | Behind::Credential) | None => {
            let name: String =
                label.chars().map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_uppercase() } else { '_' }).collect();
            let name = if name.starts_with(|c: char| c.is_ascii_digit()) { format!("_{name}") } else { name };
            Some((name, false))
        }
    }
}

fn is_name(text: &str) -> bool {
    !text.is_empty()
        && !text.starts_with(|c: char| c.is_ascii_digit())
        && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

/// The parts of a text, and for each whether it is the label of a mask. What only looks like one is text: an
/// API must not name a variable of whoever pastes the command.
fn pieces<'t>(text: &'t str, masks: &Masks) -> Vec<(&'t str, bool)> {
    let mut pieces = Vec::new();
    let mut rest = text;
    let mut from = 0;
    while let Some(start) = rest[from..].find("{{").map(|at| at + from) {
        let Some(length) = rest[start + 2..].find("}}") else { break };
        let label = &rest[start + 2..start + 2 + length];
        if !masks.contains_key(label) && !is_signature(label) {
            from = start + 2;
            continue;
        }
        pieces.push((&rest[..start], false));
        pieces.push((label, true));
        rest = &rest[start + length + 4..];
        from = 0;
    }
    pieces.push((rest, false));
    pieces.retain(|(text, is_mask)| *is_mask || !text.is_empty());
    pieces
}

/// `alice.signature:3fa2c1`, which names no variable that anybody has.
fn is_signature(label: &str) -> bool {
    let hash = label.rsplit_once(".signature:").map(|(_, hash)| hash).unwrap_or_default();
    hash.len() == 6 && hash.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// A shell word: the one way in which any text gets into a command. What is text stands in single quotes,
/// where nothing is special; a variable in double ones.
fn quoted(text: &str, masks: &Masks) -> String {
    let mut parts: Vec<(String, bool)> = Vec::new();
    for (piece, is_mask) in pieces(text, masks) {
        let (piece, is_variable) = match (is_mask, masks.get(piece)) {
            (true, Some(Behind::Value(value))) => (value.clone(), false),
            (true, _) => (variable(piece, masks).map(|(name, _)| name).unwrap_or_default(), true),
            (false, _) => (piece.to_owned(), false),
        };
        match parts.last_mut() {
            Some((last, false)) if !is_variable => last.push_str(&piece),
            _ => parts.push((piece, is_variable)),
        }
    }
    let is_plain = |text: &str| !text.chars().any(|c| is_hidden(c) || matches!(c, '\n' | '\t' | '!'));
    let has_variable = parts.iter().any(|(_, is_variable)| *is_variable);
    if has_variable && parts.iter().all(|(part, is_variable)| *is_variable || is_plain(part)) {
        let inner = parts.iter().map(|(p, is_variable)| if *is_variable { format!("${{{p}}}") } else { escaped(p) });
        return format!("\"{}\"", inner.collect::<String>());
    }
    let words =
        parts.iter().map(|(part, is_variable)| if *is_variable { format!("\"${{{part}}}\"") } else { single(part) });
    let word: String = words.collect();
    if word.is_empty() { "''".into() } else { word }
}

/// Text in single quotes; with characters that would not be seen, in the quotes that take escapes.
fn single(text: &str) -> String {
    let is_token = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    if !text.is_empty() && text.chars().all(is_token) {
        return text.to_owned();
    }
    if !text.chars().any(|c| is_hidden(c) || matches!(c, '\n' | '\t')) {
        return format!("'{}'", text.replace('\'', r"'\''"));
    }
    let mut word = String::from("$'");
    for c in text.chars() {
        match c {
            '\'' | '\\' => word.extend(['\\', c]),
            '\n' => word.push_str("\\n"),
            c if c.is_ascii_control() => word.push_str(&format!("\\x{:02x}", u32::from(c))),
            c if is_hidden(c) => word.push_str(&format!("\\U{:08x}", u32::from(c))),
            c => word.push(c),
        }
    }
    word.push('\'');
    word
}

fn escaped(text: &str) -> String {
    let mut escaped = String::new();
    for c in text.chars() {
        if matches!(c, '"' | '\\' | '$' | '`') {
            escaped.push('\\');
        }
        escaped.push(c);
    }
    escaped
}

#[cfg(test)]
mod tests {
    use model::SignedAs;

    use super::*;

    fn origin() -> Origin {
        "http://127.0.0.1:5000".parse().unwrap()
    }

    fn masks() -> Masks {
        let labels = ["alice.X-API-Key", "bob.bearer", "a.b"];
        labels.into_iter().map(|label| (label.to_owned(), Behind::Credential)).collect()
    }

    #[test]
    fn what_only_looks_like_a_mask_is_text() {
        let request = Request::get("/a/{{HOME}}/{{x}}{{a.b}}").with_header("X-Sig", "{{me.signature:0a1b2c}}");
        assert_eq!(
            curl(&origin(), &request, &masks()),
            r#"curl -si -g "http://127.0.0.1:5000/a/{{HOME}}/{{x}}${A_B}" -H "X-Sig: ${ME_SIGNATURE_0A1B2C}""#
        );
    }

    #[test]
    fn credentials_become_variables_and_nothing_else_is_special() {
        let request = Request::get("/a?q=$(id)&r='x'")
            .with_header("X-API-Key", "{{alice.X-API-Key}}")
            .with_header("X", "`id` {{bob.bearer}}");
        assert_eq!(
            curl(&origin(), &request, &masks()),
            r#"curl -si 'http://127.0.0.1:5000/a?q=$(id)&r='\''x'\''' -H "X-API-Key: ${ALICE_X_API_KEY}" -H "X: \`id\` ${BOB_BEARER}""#
        );
    }

    #[test]
    fn the_users_own_variables_are_named_and_made_up_values_stand_as_they_are() {
        let masks = Masks::from([
            ("key.X-API-Key".to_owned(), Behind::Variable("SHOP_KEY".into())),
            ("random-key".to_owned(), Behind::Value("f3'a9".into())),
        ]);
        let request = Request::get("/a?k={{random-key}}").with_header("X-API-Key", "{{key.X-API-Key}}");
        assert_eq!(
            curl(&origin(), &request, &masks),
            r#"curl -si 'http://127.0.0.1:5000/a?k=f3'\''a9' -H "X-API-Key: ${SHOP_KEY}""#
        );
    }

    #[test]
    fn a_signature_is_made_anew_for_what_was_signed() {
        let sent = Request::get("/a?c=EUR&ts=9&mb=1")
            .with_header("X-API-Key", "{{alice.X-API-Key}}")
            .with_header("X-Time", "0")
            .with_header("X-Signature", "{{alice.signature:0a1b2c}}");
        let signed_as = SignedAs {
            request: Some(Request::new("POST", "/a?c=EUR").with_header("X-API-Key", "{{alice.X-API-Key}}")),
            headers: vec!["X-Signature".into()],
            query: vec!["ts".into()],
            left_out: vec!["X-Nonce".into()],
            key_id: Some("it's".into()),
            clock_offset_ms: -5000,
        };
        let mut exchange = Exchange {
            id: 1,
            purpose: model::Purpose::Check,
            identity: Some("alice".into()),
            operation: None,
            request: sent,
            signed_as: Some(Box::new(signed_as)),
            answer: model::Answer::Error(model::TransportError {
                kind: model::TransportErrorKind::Timeout,
                message: String::new(),
            }),
            started_ms: 0,
            duration_ms: 0,
            connection: None,
        };
        assert_eq!(
            command(&origin(), &exchange, &masks(), Some("ci/api.yaml"), false),
            "middlebrick sign request --identity alice --config 'ci/api.yaml' --key-id 'it'\\''s' --clock-offset -5000 \
             --signed-method POST --signed-target '/a?c=EUR' --signed-header 'x-time:' --leave-out X-Nonce \
             -- curl -si 'http://127.0.0.1:5000/a?c=EUR&mb=1' -H \"X-API-Key: ${ALICE_X_API_KEY}\" -H 'X-Time: 0' | sh"
        );
        exchange.signed_as = Some(Box::default());
        exchange.request = Request::get("/a");
        let again = "signed=$(middlebrick sign request --identity alice -- curl -si 'http://127.0.0.1:5000/a'); \
                     sh -c \"$signed\"; sh -c \"$signed\"";
        assert_eq!(command(&origin(), &exchange, &masks(), Some("middlebrick.yaml"), true), again);
    }

    #[test]
    fn what_a_command_sends_is_what_was_sent() {
        for (request, command) in [
            (Request::get("/a").with_header("X-API-Key", ""), "curl -si 'http://127.0.0.1:5000/a' -H 'X-API-Key;'"),
            (Request::get("/a[0]{b}"), "curl -si -g 'http://127.0.0.1:5000/a[0]{b}'"),
            (Request::new("X;$'\\164';", "/a"), r"curl -si -X 'X;$'\''\164'\'';' 'http://127.0.0.1:5000/a'"),
            (Request::new("PURGE", "/../a"), "curl -si -X PURGE --path-as-is 'http://127.0.0.1:5000/../a'"),
            (
                Request { body: "a\nb'\u{1b}\u{202e}".into(), ..Request::get("/a") },
                r"curl -si -X GET 'http://127.0.0.1:5000/a' -H 'Content-Type:' --data-raw $'a\nb\'\x1b\U0000202e'",
            ),
            (
                Request::get("/a").with_header("X", "hi! {{a.b}}"),
                r#"curl -si 'http://127.0.0.1:5000/a' -H 'X: hi! '"${A_B}""#,
            ),
        ] {
            assert_eq!(curl(&origin(), &request, &masks()), command);
        }
    }
}
