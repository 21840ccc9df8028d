//! An exchange as a command line that people can run.

use model::{Origin, Request};

/// One `curl` command for a request. Credentials, which recordings mask as `{{alice.key}}`, become
/// shell variables (`$ALICE_KEY`).
pub fn curl(origin: &Origin, request: &Request) -> String {
    let origin = request.origin.as_ref().unwrap_or(origin);
    let mut command = String::from("curl -si");
    match request.method.as_str() {
        "GET" => {}
        "HEAD" => command.push_str(" --head"),
        other => command.push_str(&format!(" -X {other}")),
    }
    // Dots and doubled slashes must arrive as they are.
    if request.target.contains("/.") || request.target.contains("//") {
        command.push_str(" --path-as-is");
    }
    command.push_str(&format!(" {}", quoted(&format!("{origin}{}", request.target))));
    for (name, value) in request.headers.iter() {
        command.push_str(&format!(" -H {}", quoted(&format!("{name}: {value}"))));
    }
    if !request.body.is_empty() {
        command.push_str(&format!(" --data-raw {}", quoted(&request.body.text())));
    }
    command
}

/// A shell word. Without a mask it stands in single quotes, where nothing is special; with one, in
/// double quotes, so that the variable is replaced.
fn quoted(text: &str) -> String {
    if !text.contains("{{") {
        return format!("'{}'", text.replace('\'', r"'\''"));
    }
    let mut word = String::from("\"");
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("{{") {
        let Some((name, tail)) = after.split_once("}}") else { break };
        word.push_str(&escaped(before));
        word.push_str(&format!("${{{}}}", variable(name)));
        rest = tail;
    }
    word.push_str(&escaped(rest));
    word.push('"');
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

fn variable(label: &str) -> String {
    label.chars().map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_uppercase() } else { '_' }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credentials_become_variables_and_nothing_else_is_special() {
        let origin = "http://127.0.0.1:5000".parse().unwrap();
        let request = Request::get("/a?q=$(id)&r='x'")
            .with_header("X-API-Key", "{{alice.X-API-Key}}")
            .with_header("X", "`id` {{bob.bearer}}");
        assert_eq!(
            curl(&origin, &request),
            r#"curl -si 'http://127.0.0.1:5000/a?q=$(id)&r='\''x'\''' -H "X-API-Key: ${ALICE_X_API_KEY}" -H "X: \`id\` ${BOB_BEARER}""#
        );
    }
}
