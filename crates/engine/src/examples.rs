//! The literate tests of a check: `examples.md` holds observations, each under the verdict that it
//! must get.
//!
//! A `##` heading names the check that the examples below it belong to, where a folder holds
//! several. A `###` heading begins an example; its first word is the verdict. A fenced block named
//! `http role` is an exchange under that role, `http role[]` appends to a list, and `json role` is
//! any other field. After the role, `as=alice` names the identity and `took=120ms` the duration;
//! `times=10` appends an exchange to a list ten times.

use model::{Answer, Body, Exchange, Headers, Purpose, Request, Response, TransportError, TransportErrorKind};
use serde_json::{Map, Value};

/// One example.
#[derive(Clone, Debug)]
pub struct Example {
    /// Id of the check, where a `##` heading names one.
    pub check: Option<String>,
    /// The heading, the verdict's word first.
    pub title: String,
    /// The observation as JSON, exchanges whole.
    pub observation: Value,
}

/// Verdict words as headings write them.
pub const WORDS: [(&str, &str); 4] =
    [("Passes", "pass"), ("Fails", "fail"), ("Inconclusive", "inconclusive"), ("Not", "not-applicable")];

/// Reads the examples of a check.
///
/// # Errors
/// What cannot be read, and in which example.
pub fn parse(text: &str) -> Result<Vec<Example>, String> {
    let mut examples: Vec<(Option<String>, String, Map<String, Value>)> = Vec::new();
    let mut check = None;
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        if let Some(id) = line.strip_prefix("## ") {
            check = Some(id.trim().to_owned());
        } else if let Some(title) = line.strip_prefix("### ") {
            examples.push((check.clone(), title.trim().to_owned(), Map::new()));
        } else if let Some(info) = line.strip_prefix("```").filter(|info| !info.is_empty()) {
            let block: Vec<&str> = lines.by_ref().take_while(|line| *line != "```").collect();
            let (_, title, fields) = examples.last_mut().ok_or("a block stands before the first heading")?;
            add(info, &block.join("\n"), fields).map_err(|why| format!("{title}: {why}"))?;
        }
    }
    let example = |(check, title, fields)| Example { check, title, observation: Value::Object(fields) };
    Ok(examples.into_iter().map(example).collect())
}

fn add(info: &str, block: &str, fields: &mut Map<String, Value>) -> Result<(), String> {
    let mut words = info.split_whitespace();
    let (kind, role) = (words.next().unwrap_or_default(), words.next().ok_or("a block without a role")?);
    let (times, words): (Vec<&str>, Vec<&str>) = words.partition(|word| word.starts_with("times="));
    let times = match times.first().and_then(|word| word.strip_prefix("times=")) {
        Some(times) => times.parse().map_err(|_| format!("`{times}` is no number"))?,
        None => 1,
    };
    let value = match kind {
        "http" => serde_json::to_value(exchange(block, words.into_iter())?).map_err(|e| e.to_string())?,
        "json" => serde_json::from_str(block).map_err(|e| format!("`{role}` is no JSON: {e}"))?,
        other => return Err(format!("a block of kind `{other}`")),
    };
    match role.strip_suffix("[]") {
        Some(role) => fields
            .entry(role)
            .or_insert_with(|| Value::Array(Vec::new()))
            .as_array_mut()
            .ok_or("a role is both a list and not")?
            .extend(std::iter::repeat_n(value, times)),
        None => _ = fields.insert(role.to_owned(), value),
    }
    Ok(())
}

/// Reads a request and a response, each as HTTP/1.1 text, a blank line between head and body. An
/// answer `! timeout` stands for no response.
fn exchange<'a>(block: &str, options: impl Iterator<Item = &'a str>) -> Result<Exchange, String> {
    let at = block.find("\nHTTP/1.1 ").or_else(|| block.find("\n! ")).ok_or("no response line")?;
    let (request, answer) = (block[..at].trim_end(), &block[at + 1..]);
    let (first, headers, body) = message(request)?;
    let (method, target) = first.split_once(' ').ok_or("no target in the request line")?;
    let request = Request { headers, body, ..Request::new(method, target.trim()) };
    let answer = match answer.strip_prefix("! ") {
        Some(kind) => {
            let kind: TransportErrorKind =
                serde_json::from_value(Value::String(kind.trim().into())).map_err(|e| e.to_string())?;
            Answer::Error(TransportError { kind, message: "no response".into() })
        }
        None => {
            let (first, headers, body) = message(answer)?;
            let status = first.split(' ').nth(1).and_then(|s| s.parse().ok()).ok_or("no status")?;
            let body_bytes = body.len() as u64;
            Answer::Response(Response { status, headers, body, body_bytes, truncated: false })
        }
    };
    let mut exchange = Exchange {
        id: 0,
        purpose: Purpose::Check,
        identity: None,
        operation: None,
        request,
        signed_as: None,
        answer,
        started_ms: 0,
        duration_ms: 0,
        connection: None,
    };
    for option in options {
        match option.split_once('=') {
            Some(("as", name)) => exchange.identity = Some(name.into()),
            Some(("took", time)) => {
                exchange.duration_ms =
                    time.trim_end_matches("ms").parse().map_err(|_| format!("`{time}` is no time"))?;
            }
            _ => return Err(format!("an option `{option}`")),
        }
    }
    Ok(exchange)
}

fn message(text: &str) -> Result<(&str, Headers, Body), String> {
    let (head, body) = text.split_once("\n\n").unwrap_or((text, ""));
    let mut lines = head.lines();
    let first = lines.next().ok_or("an empty message")?;
    let headers = lines
        .map(|line| line.split_once(':').map(|(n, v)| (n, v.trim())).ok_or_else(|| format!("`{line}` is no header")))
        .collect::<Result<Headers, String>>()?;
    Ok((first, headers, body.trim_end().to_owned().into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_example_becomes_an_observation() {
        let text = "### Fails when open\n\n```http owner as=alice took=12ms\nGET /a\n\nHTTP/1.1 200 OK\nX: 1\n\n{}\n```\n\n```http tries[] times=2\nGET /b\n\n! timeout\n```\n\n```json limit\n3\n```\n";
        let examples = parse(text).unwrap();
        assert_eq!(examples[0].title, "Fails when open");
        let observation = &examples[0].observation;
        assert_eq!(observation["owner"]["identity"], "alice");
        assert_eq!(observation["owner"]["answer"]["response"]["status"], 200);
        assert_eq!(observation["tries"][1]["answer"]["error"]["kind"], "timeout");
        assert_eq!(observation["tries"].as_array().map(Vec::len), Some(2));
        assert_eq!(observation["limit"], 3);
    }
}
