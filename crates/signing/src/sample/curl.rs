//! A curl command line, as browsers and API documents give it.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use model::Request;

use super::{SampleError, to_url};

/// Options with a value that changes nothing in the request.
const IGNORED_WITH_VALUE: &[&str] = &[
    "-o",
    "--output",
    "-m",
    "--max-time",
    "--connect-timeout",
    "--retry",
    "-w",
    "--write-out",
    "-x",
    "--proxy",
    "--cacert",
    "--resolve",
    "--limit-rate",
    "-c",
    "--cookie-jar",
];

/// The request of a curl command line in the words of a POSIX shell. Files (`-d @file`) are not read.
///
/// # Errors
/// Where a quote is open, an option lacks its value or is not known, or there is no URL.
pub fn curl(command: &str) -> Result<Request, SampleError> {
    curl_words(shell_words(command)?)
}

/// The same of a command line whose words a shell has read.
///
/// # Errors
/// Where an option lacks its value or is not known, or there is no URL.
pub fn curl_words(words: impl IntoIterator<Item = String>) -> Result<Request, SampleError> {
    let mut words = words.into_iter().skip_while(|word| word == "$").skip(1);
    let mut read = Read::default();
    while let Some(word) = words.next() {
        let (option, attached) = split(&word);
        let Some(option) = option else {
            read.url = Some(word);
            continue;
        };
        let mut value =
            || attached.clone().or_else(|| words.next()).ok_or_else(|| SampleError::Value { option: option.clone() });
        match option.as_str() {
            "-X" | "--request" => read.method = Some(value()?),
            "-H" | "--header" => read.headers.push(value()?),
            "-d" | "--data" | "--data-ascii" => read.data(without_newlines(&of_text(value()?, &option)?)),
            "--data-raw" => read.data(value()?),
            "--data-binary" => read.data(of_text(value()?, &option)?),
            "--data-urlencode" => read.data(urlencoded(&of_text(value()?, &option)?)),
            "--json" => {
                read.data(of_text(value()?, &option)?);
                read.defaults = &[("Content-Type", "application/json"), ("Accept", "application/json")];
            }
            "-G" | "--get" => read.in_query = true,
            "-I" | "--head" => read.method = Some("HEAD".into()),
            "-u" | "--user" => read.headers.push(format!("Authorization: Basic {}", BASE64_STANDARD.encode(value()?))),
            "--oauth2-bearer" => read.headers.push(format!("Authorization: Bearer {}", value()?)),
            "-A" | "--user-agent" => read.headers.push(format!("User-Agent: {}", value()?)),
            "-e" | "--referer" => read.headers.push(format!("Referer: {}", value()?)),
            "-b" | "--cookie" => read.headers.push(format!("Cookie: {}", value()?)),
            "--url" => read.url = Some(value()?),
            "-F" | "--form" | "-T" | "--upload-file" => {
                return Err(SampleError::Option { option, hint: "give the request as text with its body" });
            }
            "--aws-sigv4" => {
                return Err(SampleError::Option { option, hint: "give the request as curl sends it (`curl -v`)" });
            }
            known if IGNORED_WITH_VALUE.contains(&known) => drop(value()?),
            // Switches such as `-s`, `-k`, `--compressed` do not change what is signed.
            _ => {}
        }
    }
    read.request()
}

#[derive(Default)]
struct Read {
    method: Option<String>,
    url: Option<String>,
    headers: Vec<String>,
    data: Option<String>,
    in_query: bool,
    defaults: &'static [(&'static str, &'static str)],
}

impl Read {
    /// Several pieces of data are joined by `&`, as curl does.
    fn data(&mut self, text: String) {
        self.data = Some(match self.data.take() {
            Some(before) => format!("{before}&{text}"),
            None => text,
        });
        if self.defaults.is_empty() {
            self.defaults = &[("Content-Type", "application/x-www-form-urlencoded")];
        }
    }

    fn request(self) -> Result<Request, SampleError> {
        let url = self.url.ok_or(SampleError::Url)?;
        let url = if url.contains("://") { url } else { format!("http://{url}") };
        let sends_body = self.data.is_some() && !self.in_query;
        let method = self.method.as_deref().unwrap_or(if sends_body { "POST" } else { "GET" });
        let mut request = to_url(method, &url)?;
        for header in &self.headers {
            if let Some((name, value)) = header.split_once(':').filter(|(_, value)| !value.is_empty()) {
                request.headers.push(name.trim(), value.trim());
            } else if let Some(name) = header.strip_suffix(';') {
                request.headers.push(name, "");
            }
        }
        let Some(data) = self.data else { return Ok(request) };
        if self.in_query {
            let separator = if request.target.contains('?') { '&' } else { '?' };
            request.target = format!("{}{separator}{data}", request.target);
            return Ok(request);
        }
        for (name, value) in self.defaults {
            if !request.headers.contains(name) {
                request.headers.push(*name, *value);
            }
        }
        request.body = data.into();
        Ok(request)
    }
}

/// An option and the value in the same word: `-XPOST`, `--url=…`.
fn split(word: &str) -> (Option<String>, Option<String>) {
    if word.starts_with("--") {
        return match word.split_once('=') {
            Some((option, value)) => (Some(option.into()), Some(value.into())),
            None => (Some(word.into()), None),
        };
    }
    if !word.starts_with('-') || word.len() < 2 {
        return (None, None);
    }
    // Switches may be joined, `-sSk`; of the others the rest is the value.
    let takes_value = |c: char| "XHdueAbFToxmwc".contains(c);
    match word.char_indices().skip(1).find(|(_, c)| takes_value(*c)) {
        Some((at, c)) => {
            let rest = &word[at + c.len_utf8()..];
            (Some(format!("-{c}")), (!rest.is_empty()).then(|| rest.to_owned()))
        }
        None if word.contains('G') => (Some("-G".into()), None),
        None if word.contains('I') => (Some("-I".into()), None),
        None => (Some(word.into()), None),
    }
}

fn of_text(value: String, option: &str) -> Result<String, SampleError> {
    if value.starts_with('@') {
        let option = format!("{option} @…");
        return Err(SampleError::Option { option, hint: "put the content of the file in its place" });
    }
    Ok(value)
}

fn without_newlines(text: &str) -> String {
    text.replace(['\n', '\r'], "")
}

/// `name=content` with its content encoded, or content alone.
fn urlencoded(text: &str) -> String {
    let encode = |content: &str| url::form_urlencoded::byte_serialize(content.as_bytes()).collect::<String>();
    match text.split_once('=') {
        Some(("", content)) => encode(content),
        Some((name, content)) => format!("{name}={}", encode(content)),
        None => encode(text),
    }
}

/// The words of a POSIX shell, with `$'…'` of bash; nothing is expanded.
///
/// **Source**: POSIX.1-2024, Shell Command Language, section 2.2.
fn shell_words(text: &str) -> Result<Vec<String>, SampleError> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '\\' => match chars.next() {
                Some('\n') | None => {}
                Some('\r') => {
                    chars.next_if_eq(&'\n');
                }
                Some(c) => word.get_or_insert_default().push(c),
            },
            '\'' => {
                let word = word.get_or_insert_default();
                loop {
                    match chars.next().ok_or(SampleError::Quote)? {
                        '\'' => break,
                        c => word.push(c),
                    }
                }
            }
            '"' => {
                let word = word.get_or_insert_default();
                loop {
                    match chars.next().ok_or(SampleError::Quote)? {
                        '"' => break,
                        '\\' => match chars.next().ok_or(SampleError::Quote)? {
                            c @ ('"' | '\\' | '$' | '`') => word.push(c),
                            '\n' => {}
                            c => word.extend(['\\', c]),
                        },
                        c => word.push(c),
                    }
                }
            }
            '$' if chars.next_if_eq(&'\'').is_some() => {
                let word = word.get_or_insert_default();
                loop {
                    match chars.next().ok_or(SampleError::Quote)? {
                        '\'' => break,
                        '\\' => match chars.next().ok_or(SampleError::Quote)? {
                            'n' => word.push('\n'),
                            'r' => word.push('\r'),
                            't' => word.push('\t'),
                            c => word.push(c),
                        },
                        c => word.push(c),
                    }
                }
            }
            c if c.is_whitespace() => words.extend(word.take()),
            c => word.get_or_insert_default().push(c),
        }
    }
    words.extend(word);
    Ok(words)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_browsers_copy() {
        let request = curl(
            "curl 'https://api.example.com/a?b=1' \\\n  -X PUT -H 'X-Key: k' -H \"Accept: */*\" \\\n  \
             --data-raw $'{\"a\":\\'b\\'}' --compressed -sk",
        )
        .unwrap();
        assert_eq!((request.method.as_str(), request.target.as_str()), ("PUT", "/a?b=1"));
        assert_eq!(request.headers.first("x-key"), Some("k"));
        assert_eq!(request.body.text(), "{\"a\":'b'}");
        assert_eq!(request.origin.unwrap().to_string(), "https://api.example.com");
    }

    #[test]
    fn data_makes_a_form_and_json_makes_json() {
        let request = curl("curl -d a=1 -d 'b=2' localhost:5000").unwrap();
        assert_eq!((request.method.as_str(), request.target.as_str()), ("POST", "/"));
        assert_eq!(request.body.text(), "a=1&b=2");
        assert_eq!(request.headers.first("content-type"), Some("application/x-www-form-urlencoded"));
        let request = curl("curl --json '{}' http://h/").unwrap();
        assert_eq!(request.headers.first("content-type"), Some("application/json"));
        let request = curl("curl -G -d a=1 --data-urlencode 'b=x y' 'http://h/p?c=2'").unwrap();
        assert_eq!((request.method.as_str(), request.target.as_str()), ("GET", "/p?c=2&a=1&b=x+y"));
    }

    #[test]
    fn says_what_it_cannot_read() {
        assert_eq!(curl("curl 'http://h").unwrap_err(), SampleError::Quote);
        assert_eq!(curl("curl -s").unwrap_err(), SampleError::Url);
        assert_eq!(curl("curl http://h -H").unwrap_err(), SampleError::Value { option: "-H".into() });
        assert!(matches!(curl("curl http://h -d @secret.json").unwrap_err(), SampleError::Option { .. }));
    }
}
