//! Values that stand beside a name such as `password`, in text of any form: JSON whole or cut or broken,
//! lines of JSON, XML, forms, logs, headers, properties.
//!
//! Nothing is parsed: a body that is no document of its type leaks as well. A name stands before `:`, `=`,
//! `=>` or in a tag, its value behind.

use std::collections::HashMap;
use std::ops::Range;

use memchr::memchr3_iter;
use serde_json::Value;

use super::fields::{FieldKind, secret_by_name};
use super::fields::{agrees, is_jwk_secret};
use super::tables;
use crate::escapes::{levels, meaning};
use crate::redact::End;

/// Longest name that is looked at.
///
/// **Source**: chosen; as names of members.
const LONGEST_NAME: usize = 64;

/// How far a value may stand behind the name that is itself a value, as in `{"name": "pin", "value": "1"}`.
///
/// **Source**: chosen; a tag or a small object.
const NAME_REACHES: usize = 200;

/// A secret beside its name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Named {
    /// The name, as it stands.
    pub name: String,
    /// Where the value is written.
    pub at: Range<usize>,
    /// The value as its reader gets it.
    pub value: String,
    /// True for a number or word of JSON without quotes.
    pub is_bare_json: bool,
}

/// Secrets that stand beside a name that says so, in order, without overlaps.
pub fn named_secrets(text: &[u8], end: End) -> Vec<Named> {
    let mut found: Vec<Named> = Vec::new();
    levels(text, &mut |read, written| {
        let mut pairs =
            Pairs { text: read, end, names: HashMap::new(), has_jwk: contains(read, b"\"kty\""), found: Vec::new() };
        pairs.read();
        found.extend(pairs.found.into_iter().map(|named| Named { at: written(named.at), ..named }));
    });
    found.sort_by(|a, b| a.at.start.cmp(&b.at.start).then(b.at.end.cmp(&a.at.end)));
    let mut kept: Vec<Named> = Vec::with_capacity(found.len());
    for named in found {
        match kept.last_mut() {
            Some(last) if named.at.start < last.at.end => last.at.end = last.at.end.max(named.at.end),
            _ => kept.push(named),
        }
    }
    kept
}

/// Shortest value in prose.
///
/// **Source**: chosen; a word with digits in it that is shorter is a version or a number.
const SHORTEST_IN_PROSE: usize = 6;

/// A name that stood as a value, what it promises, and where.
type Announced<'t> = (&'t [u8], FieldKind, usize);

struct Pairs<'t> {
    text: &'t [u8],
    end: End,
    /// What each name met so far promises: lists repeat the same few names.
    names: HashMap<&'t [u8], Option<FieldKind>>,
    has_jwk: bool,
    found: Vec<Named>,
}

impl<'t> Pairs<'t> {
    fn read(&mut self) {
        self.tables();
        self.serialized();
        // A name that stood as a value, what it promises, and where.
        let mut announced: Option<Announced<'t>> = None;
        for at in memchr3_iter(b':', b'=', b'>', self.text) {
            if self.text[at] == b'>' {
                announced = self.element(at, announced).or(announced);
                continue;
            }
            let Some((name, is_quoted)) = self.name_before(at) else { continue };
            let says_name = is_one_of(name, &["name", "key", "field", "property", "id", "path", "pointer"]);
            let says_value = is_one_of(name, &["value", "val", "content", "text"]);
            let promise = match announced {
                Some((name, kind, from)) if says_value && at - from <= NAME_REACHES => Some((name, kind)),
                _ => self.promise(name).map(|kind| (name, kind)),
            };
            if !says_name && promise.is_none() {
                continue;
            }
            let Some(start) = self.value_start(at, is_quoted) else { continue };
            if says_name && promise.is_none() {
                let value = self.value(start, at, is_quoted);
                let name = self.text.get(value.clone()).unwrap_or_default();
                let name = name.rsplit(|byte| *byte == b'/').next().unwrap_or_default();
                announced = self.promise(name).map(|kind| (name, kind, at));
                if let Some((name, kind, _)) = announced {
                    self.part(name, kind, value.end);
                }
                continue;
            }
            let Some((name, kind)) = promise else { continue };
            match self.text.get(start) {
                Some(b'[') => self.list(start + 1, name, kind),
                // `{"password": {"value": "x"}}`
                Some(b'{') => announced = Some((name, kind, at)),
                None => {}
                Some(first) => {
                    let value = self.value(start, at, is_quoted);
                    let is_bare = is_quoted && self.text[at] == b':' && !is_quote(*first);
                    self.take(name, kind, value, is_bare);
                }
            }
        }
    }

    /// What a name promises, if that is a secret.
    fn promise(&mut self, name: &'t [u8]) -> Option<FieldKind> {
        if name.len() > LONGEST_NAME || name.is_empty() {
            return None;
        }
        if self.has_jwk && is_one_of(name, &["d", "k", "p", "q", "dp", "dq", "qi"]) {
            return Some(FieldKind::PrivateKey);
        }
        *self.names.entry(name).or_insert_with(|| {
            let name = std::str::from_utf8(name).ok()?;
            match name.to_ascii_lowercase().as_str() {
                "authorization" | "proxy-authorization" | "cookie" | "set-cookie" => Some(FieldKind::Token),
                _ => secret_by_name(name),
            }
        })
    }

    /// The name that ends before a separator, and whether it stands in quotes.
    fn name_before(&self, at: usize) -> Option<(&'t [u8], bool)> {
        let before = self.text[..at].trim_ascii_end();
        if at - before.len() > 8 {
            return None;
        }
        match before.last() {
            Some(quote) if is_quote(*quote) => {
                let inner = &before[..before.len() - 1];
                let inner = inner.strip_suffix(b"\\").unwrap_or(inner);
                let from = inner.len().saturating_sub(LONGEST_NAME + 1);
                let start = inner[from..].iter().rposition(|byte| byte == quote)?;
                Some((&inner[from + start + 1..], true))
            }
            _ => {
                let is_name = |byte: &u8| byte.is_ascii_alphanumeric() || b"_-.$@[]".contains(byte) || *byte >= 0x80;
                let length = before.iter().rev().take(LONGEST_NAME + 1).take_while(|byte| is_name(byte)).count();
                let name = &before[before.len() - length..];
                (!name.is_empty()).then_some((name, false))
            }
        }
    }

    /// Where the value begins behind a separator; in JSON perhaps on another line.
    fn value_start(&self, at: usize, is_quoted: bool) -> Option<usize> {
        let mut start = at + 1;
        if self.text.get(start) == Some(&b'>') || (self.text[at] == b':' && self.text.get(start) == Some(&b'=')) {
            start += 1;
        }
        if self.text.get(start) == Some(&b'=') {
            return None;
        }
        let is_space = |byte: &&u8| matches!(byte, b' ' | b'\t') || (is_quoted && matches!(byte, b'\n' | b'\r'));
        Some(start + self.text[start.min(self.text.len())..].iter().take_while(is_space).count())
    }

    /// The stretch of a value that begins here.
    fn value(&self, start: usize, separator: usize, is_quoted: bool) -> Range<usize> {
        let rest = &self.text[start.min(self.text.len())..];
        let Some(first) = rest.first() else { return start..start };
        if is_quote(*first) {
            return start + 1..start + 1 + closing(&rest[1..], *first);
        }
        let in_json = is_quoted && self.text[separator] == b':';
        let ends = |at: usize, byte: u8| match byte {
            b'"' | b'\'' | b'<' | b'>' | b'`' => true,
            b'&' => self.text[separator] == b'=',
            b',' | b'}' | b']' if in_json => true,
            b',' | b';' => is_next_pair(&rest[at + 1..]),
            _ => byte.is_ascii_whitespace(),
        };
        let length = rest.iter().enumerate().position(|(at, byte)| ends(at, *byte)).unwrap_or(rest.len());
        // `Authorization: Bearer x`, `Cookie: a=b; c=d`: the rest of the line is one value.
        let name = self.name_before(separator).map(|(name, _)| name).unwrap_or_default();
        if is_one_of(name, &["authorization", "proxy-authorization", "cookie", "set-cookie"]) {
            let line = rest.iter().position(|byte| b"\r\n\"'<".contains(byte)).unwrap_or(rest.len());
            return start..start + line;
        }
        start..start + length
    }

    /// The texts of a list.
    fn list(&mut self, mut at: usize, name: &'t [u8], kind: FieldKind) {
        while let Some(byte) = self.text.get(at) {
            match byte {
                b'"' | b'\'' => {
                    let length = closing(&self.text[at + 1..], *byte);
                    self.take(name, kind, at + 1..at + 1 + length, false);
                    at += length + 2;
                }
                b',' => at += 1,
                _ if byte.is_ascii_whitespace() => at += 1,
                _ => return,
            }
        }
    }

    /// The text of an element whose tag ends here, if the tag or an attribute of it names a secret.
    /// Returns the name that its text is, what that promises, and where.
    fn element(&mut self, at: usize, announced: Option<Announced<'t>>) -> Option<Announced<'t>> {
        let from = at.saturating_sub(4 * LONGEST_NAME);
        let open = self.text[from..at].iter().rposition(|byte| *byte == b'<').map(|open| from + open)?;
        let tag = &self.text[open + 1..at];
        if tag.is_empty() || matches!(tag[0], b'/' | b'!' | b'?') || tag.ends_with(b"/") || tag.contains(&b'>') {
            return None;
        }
        let name = tag.split(u8::is_ascii_whitespace).next().unwrap_or_default();
        let name = name.rsplit(|byte| *byte == b':').next().unwrap_or_default();
        let says_value = is_one_of(name, &["value", "val", "content", "text"]) && at > open;
        let by_name = announced
            .filter(|(.., from)| *from > open || (says_value && at - *from <= NAME_REACHES))
            .map(|(name, kind, _)| (name, kind));
        if is_one_of(name, &["name", "key", "field", "property"]) {
            let text = &self.text[at + 1..];
            let text = text[..memchr::memchr(b'<', text).unwrap_or(text.len())].trim_ascii();
            return self.promise(text).map(|kind| (text, kind, at));
        }
        let (name, kind) = self.promise(name).map(|kind| (name, kind)).or(by_name)?;
        let mut start = at + 1;
        let rest = &self.text[start..];
        let rest = match rest.strip_prefix(b"<![CDATA[") {
            Some(data) => {
                start += 9;
                &data[..find(data, b"]]>").unwrap_or(data.len())]
            }
            None => &rest[..memchr::memchr(b'<', rest).unwrap_or(rest.len())],
        };
        let space = rest.len() - rest.trim_ascii_start().len();
        let value = rest.trim_ascii();
        self.take(name, kind, start + space..start + space + value.len(), false);
        None
    }

    /// Cells of tables whose head says what they are.
    fn tables(&mut self) {
        let cells = tables::cells(self.text, &mut |label| self.promise(label).is_some());
        for cell in cells {
            if let Some(kind) = self.promise(cell.label) {
                self.take(cell.label, kind, cell.at, cell.is_bare_json);
            }
        }
    }

    /// The value of a part of a form, whose name ends here: `name="password"`, an empty line, the value.
    fn part(&mut self, name: &'t [u8], kind: FieldKind, from: usize) {
        let head = &self.text[from..(from + NAME_REACHES).min(self.text.len())];
        let Some(empty) = find(head, b"\r\n\r\n") else { return };
        if head[..empty].windows(2).filter(|pair| *pair == b"\r\n").count() > 3 || head[..empty].contains(&b'{') {
            return;
        }
        let start = from + empty + 4;
        let length = find(&self.text[start..], b"\r\n--").unwrap_or(self.text.len() - start);
        self.take(name, kind, start..start + length, false);
    }

    /// `s:8:"password";s:5:"value";` of PHP; `curl -u user:value`; `the password for bob is value`.
    fn serialized(&mut self) {
        for at in memchr::memmem::find_iter(self.text, b"\";s:") {
            let Some((name, _)) = self.name_before(at + 1) else { continue };
            let Some(kind) = self.promise(name) else { continue };
            let digits = self.text[at + 4..].iter().take_while(|byte| byte.is_ascii_digit()).count();
            let start = at + 4 + digits + 2;
            if self.text.get(start - 2..start) == Some(b":\"") {
                let length = memchr::memchr(b'"', &self.text[start..]).unwrap_or(self.text.len() - start);
                self.take(name, kind, start..start + length, false);
            }
        }
        for (option, length) in [(&b" -u "[..], 4), (b" --user ", 8)] {
            for at in memchr::memmem::find_iter(self.text, option) {
                let word = self.word(at + length);
                let Some(colon) = memchr::memchr(b':', &self.text[word.clone()]) else { continue };
                self.take(b"password", FieldKind::Password, word.start + colon + 1..word.end, false);
            }
        }
        for at in memchr::memmem::find_iter(self.text, b" is ") {
            let from =
                self.text[..at].iter().rev().take(LONGEST_NAME).take_while(|b| !b"\n.<>{}[],;".contains(b)).count();
            let before = self.text[at - from..at].split(|byte| !byte.is_ascii_alphanumeric() && *byte != b'_');
            let promise = before.filter_map(|word| Some((word, self.promise(word)?))).next_back();
            let Some((name, kind)) = promise else { continue };
            let word = self.word(at + 4);
            let value = &self.text[word.clone()];
            let is_mixed = value.iter().any(u8::is_ascii_digit) && value.iter().any(u8::is_ascii_alphabetic);
            if is_mixed && value.len() >= SHORTEST_IN_PROSE {
                self.take(name, kind, word, false);
            }
        }
    }

    /// The word that begins here, without quotes and what ends a sentence.
    fn word(&self, start: usize) -> Range<usize> {
        let is_quote = |byte: &u8| b"\"'`".contains(byte);
        let start = start + usize::from(self.text.get(start).is_some_and(is_quote));
        let ends = |byte: &u8| byte.is_ascii_whitespace() || b"\"'`<>".contains(byte);
        let rest = &self.text[start.min(self.text.len())..];
        let length = rest.iter().position(ends).unwrap_or(rest.len());
        let sentence = rest[..length].iter().rev().take_while(|byte| b".,;!)".contains(byte)).count();
        start..start + length - sentence
    }

    /// Keeps a value if it is of the sort that its name promises. One that ends with a cut text is kept
    /// whatever it is: the rest of it is not known.
    fn take(&mut self, name: &[u8], kind: FieldKind, at: Range<usize>, is_bare_json: bool) {
        let Some(written) = self.text.get(at.clone()).filter(|value| !value.is_empty()) else { return };
        let value = String::from_utf8_lossy(&meaning(written)).into_owned();
        let is_cut = self.end == End::Cut && at.end >= self.text.len();
        let json = Value::String(value.clone());
        let name = String::from_utf8_lossy(name).into_owned();
        let (credential, is_jwk) = (value.rsplit(' ').next().unwrap_or_default(), name.len() <= 2);
        let is_header = kind == FieldKind::Token && name.to_ascii_lowercase().ends_with("authorization");
        let agrees = match (is_header, is_jwk) {
            (true, _) => credential.len() >= 8 && !super::is_placeholder(credential),
            (false, true) => is_jwk_secret(&json),
            (false, false) if is_one_of(name.as_bytes(), &["cookie", "set-cookie"]) => {
                value.contains('=') && value.len() >= 12
            }
            (false, false) => {
                let digits = is_bare_json && matches!(value.as_str(), "true" | "false" | "null");
                !digits && (agrees(kind, &name, &json) || super::fields::is_password_hash(&value))
            }
        };
        // What is masked already keeps its own name.
        if (agrees || is_cut) && !(value.contains("{{") && value.contains("}}")) {
            self.found.push(Named { name, at, value, is_bare_json });
        }
    }
}

fn is_quote(byte: u8) -> bool {
    matches!(byte, b'"' | b'\'' | b'`')
}

fn is_one_of(name: &[u8], names: &[&str]) -> bool {
    names.iter().any(|known| name.eq_ignore_ascii_case(known.as_bytes()))
}

/// Length up to the closing quote, or to the end.
pub(super) fn closing(text: &[u8], quote: u8) -> usize {
    let mut at = 0;
    while let Some(byte) = text.get(at) {
        match byte {
            b'\\' => at += 2,
            byte if *byte == quote => return at,
            _ => at += 1,
        }
    }
    text.len()
}

/// True if what follows a comma or semicolon is another pair, or nothing of the value.
fn is_next_pair(rest: &[u8]) -> bool {
    let rest = rest.trim_ascii_start();
    let name =
        rest.iter().take(LONGEST_NAME).take_while(|b| b.is_ascii_alphanumeric() || b"_-.\"'".contains(b)).count();
    rest.is_empty() || matches!(rest.get(name), Some(b'=' | b':'))
}

fn find(text: &[u8], wanted: &[u8]) -> Option<usize> {
    memchr::memmem::find(text, wanted)
}

fn contains(text: &[u8], wanted: &[u8]) -> bool {
    find(text, wanted).is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    const PASSWORD: &str = "Px8b3Tq6Wn1Zm9Kc4Vr7Lf";

    fn values(text: &str, end: End) -> Vec<String> {
        named_secrets(text.as_bytes(), end).into_iter().map(|named| text[named.at].to_owned()).collect()
    }

    #[test]
    fn a_password_is_found_in_text_of_any_form() {
        for text in [
            r#"{"id":1,"password":"PW"}"#,
            r#"{"id":1,"password":"PW",}"#,
            r#"{"id":1, "password" : "PW""#,
            "{\"password\":\n  \"PW\"}",
            "{'password': 'PW'}",
            "{id: 1, password: 'PW'}",
            "{\"id\":1,\"password\":\"PW\"}\n{\"id\":2}",
            r#"{"payload":"{\"password\":\"PW\"}"}"#,
            r#"{"payload":"{\"a\":{\"password\":\"PW\"}}","x":[1}"#,
            r#"{"\u0070assword":"PW"}"#,
            "<user><id>1</id><password>PW</password></user>",
            "<u:user><u:Password xml:lang=\"en\">\n PW \n</u:Password></u:user>",
            "<password><![CDATA[PW]]></password>",
            "<user name=\"bob\" password=\"PW\"/>",
            "<entry key=\"db.password\">PW</entry>",
            "<add key=\"password\" value=\"PW\" />",
            "<input type=\"hidden\" name=\"password\" value=\"PW\">",
            "&lt;password&gt;PW&lt;/password&gt;",
            r#"[{"name":"password","value":"PW"}]"#,
            "id=1&password=PW",
            "password=PW&id=1",
            "user[password]=PW&x=1",
            "/reset?password=PW HTTP/1.1",
            "2026-01-01 ERROR db connect failed host=10.0.0.1 password=PW",
            "2026-01-01 user=bob,password=PW,host=x",
            "conn: Server=x;User Id=sa;Password=PW;Encrypt=yes",
            "{\"connection\":\"Server=x;Password=PW;Encrypt=yes\"}",
            "password: PW",
            "db:\n  password: \"PW\"\n",
            "db.password = PW\n",
            "'password' => 'PW'",
            "{:password=>\"PW\"}",
            "password := PW",
            "export DB_PASSWORD=PW",
            "id,email,password\n1,a@x.example,PW\n",
            "id;passwort\n1;PW\n",
            "| user | password |\n|---|---|\n| bob | PW |\n",
            "<table><tr><th>user<th>password</tr><tr><td>bob<td>PW</tr></table>",
            "INSERT INTO users (id,password) VALUES (1,'PW');",
            r#"{"columns":["id","password"],"rows":[[1,"PW"]]}"#,
            r#"{"passwords":["PW"]}"#,
            r#"{"password":{"value":"PW"}}"#,
            "<p><name>password</name><value>PW</value></p>",
            "<dl><dt>Password</dt><dd>PW</dd></dl>",
            r#"[{"op":"replace","path":"/password","value":"PW"}]"#,
            "a:1:{s:8:\"password\";s:16:\"PW\";}",
            "--b\r\nContent-Disposition: form-data; name=\"password\"\r\n\r\nPW\r\n--b--",
            r#"{"message":"password for bob is PW"}"#,
            "your new password is 'PW'.",
            "curl -u bob:PW http://x/",
        ] {
            let text = text.replace("PW", PASSWORD);
            assert_eq!(values(&text, End::Whole), [PASSWORD], "{text}");
        }
    }

    #[test]
    fn other_secrets_are_found_by_their_names_too() {
        let key = "q8Zr1mK4vX7tB2nQ5wE9";
        for text in [
            r#"{"api_key":"§"}"#,
            r#"{"recovery_codes":["§","§"]}"#,
            "X-Api-Key: §\r\nAccept: a",
            "curl -H 'Authorization: Bearer §' http://h/",
            "{\"headers\":{\"Authorization\":\"Bearer §\"}}",
            "Cookie: sid=§; lang=de\n",
            r#"{"kty":"oct","k":"x7§"}"#,
            "client_secret=§",
            r#"{"accessToken":"§"}"#,
        ] {
            let text = text.replace('§', key);
            assert!(!values(&text, End::Whole).is_empty(), "{text}");
            let masked =
                named_secrets(text.as_bytes(), End::Whole).iter().rev().fold(text.clone(), |mut text, named| {
                    text.replace_range(named.at.clone(), "-");
                    text
                });
            assert!(!masked.contains(key), "{masked}");
        }
        assert_eq!(values(r#"{"pin": 471147, "cvv":123}"#, End::Whole), ["471147", "123"]);
    }

    #[test]
    fn a_value_that_is_cut_is_found_whatever_is_left_of_it() {
        for text in [r#"[{"password":"P"#, "<password>P", "a=b&password=P", r#"{"password":"a b"#, r#"{"pin":1"#] {
            assert_eq!(values(text, End::Cut).len(), 1, "{text}");
            assert!(values(text, End::Whole).is_empty() || text.contains("a b"), "{text}");
        }
    }

    #[test]
    fn what_only_speaks_of_secrets_stays() {
        for text in [
            r#"{"errors":{"password":"is too short"}}"#,
            r#"{"password":{"type":"string"},"token_type":"bearer","password_changed_at":"2026-01-01"}"#,
            r#"{"password":null,"secret":true,"api_key":"{{alice.key}}"}"#,
            "<label>password:</label> <input type=\"password\" name=\"password\">",
            "password: incorrect",
            "if (password == other) {}",
            "http://h/password?x=1",
            "next_page_token=abcdefgh12345678",
            "the password of v2 is required",
            r#"{"password":{"minLength":8,"pattern":"^[a-z0-9]{8}$"}}"#,
            r#"{"required":["id","password"],"examples":[["a","b"]]}"#,
            "user, password\nbob, required",
        ] {
            assert!(values(text, End::Whole).is_empty(), "{text}: {:?}", values(text, End::Whole));
        }
    }
}
