//! Finds names inside sentences: messages without a field of their own, plain text, debug pages.

use std::sync::LazyLock;

use regex::Regex;

use super::{Certainty, Complaint, Heard, Place, Wish, name_of, pattern, wish};

/// Most characters of prose that are read.
const LONGEST: usize = 8_000;

/// A name as APIs write them, without its quotes.
const NAME: &str = r"[A-Za-z_$@][0-9A-Za-z_$@./\-\[\]]*";
/// An opening or closing quote.
const QUOTE: &str = r#"['"`“”‘’]"#;
/// What a name may be called.
const KIND: &str = r"(?:query[ -]?string|query|path|url|request|body|form|json|header|cookie|input|string|mandatory)?[ ]?(?:parameter|param|field|property|argument|attribute|header|cookie|variable|part|key|option|member)";

/// Returns what a text complains about.
pub(super) fn read(text: &str) -> Vec<Heard> {
    if text.len() > LONGEST {
        return Vec::new();
    }
    if wants_tagged(text) {
        return tags(text);
    }
    if text.contains("Field error in object") {
        return field_errors(text);
    }
    clauses(text).flat_map(clause).collect()
}

/// Returns what an HTML page complains about: only the debug page of a framework that names the key.
///
/// **Source**: Werkzeug, `BadRequestKeyError`; Django, `MultiValueDictKeyError`.
pub(super) fn read_page(text: &str) -> Vec<Heard> {
    static KEY: LazyLock<Regex> = LazyLock::new(|| {
        pattern(
            r#"(?:BadRequestKeyError|MultiValueDictKeyError)[^<]{0,200}?(?:'|&#39;|&#x27;|&quot;|")([\w.\-\[\]]{1,80})(?:'|&#39;|&#x27;|&quot;|")"#,
        )
    });
    KEY.captures(text).map(|found| heard(&found[1], None, Wish::Present)).into_iter().collect()
}

/// Splits a text into clauses that each complain about one thing.
fn clauses(text: &str) -> impl Iterator<Item = &str> {
    // Ajv and Joi join their messages by `, ` and `. `.
    static JOINT: LazyLock<Regex> = LazyLock::new(|| {
        pattern(r#"[\r\n]+|; |\. (?:"|')?|, (?:(?:querystring|params|headers|body|data)[/. ]|request\.)"#)
    });
    let mut starts = vec![0];
    for joint in JOINT.find_iter(text) {
        let is_joint = match joint.as_str() {
            j if j.starts_with(". ") => j.len() > 2 && !text[..joint.start()].ends_with("value"),
            "; " => {
                !text[joint.end()..].starts_with("nested") && !text[..joint.start()].contains("including the following")
            }
            _ => true,
        };
        if is_joint {
            starts.push(joint.start());
        }
    }
    let ends: Vec<usize> = starts.iter().skip(1).copied().chain([text.len()]).collect();
    starts
        .into_iter()
        .zip(ends)
        .map(|(start, end)| text[start..end].trim_start_matches(['.', ',', ';', '-', '*', ' ', '\r', '\n']).trim())
}

/// Returns what one clause complains about.
fn clause(text: &str) -> Vec<Heard> {
    let text = text.trim();
    if text.is_empty() || text.len() > 1_000 {
        return Vec::new();
    }
    if let Some(found) = located(text) {
        return found;
    }
    if let Some(found) = at_path(text) {
        return found;
    }
    if let Some(found) = listed(text) {
        return found;
    }
    let Some((name, rest)) = subject(text) else { return Vec::new() };
    let place = place_told(text);
    let wishes = wish::by_words(rest, &name);
    wishes.into_iter().map(|wish| heard(&name, place, wish)).collect()
}

/// `querystring/limit must be integer`, `body must have required property 'name'`,
/// `request.query.limit should be <= 20`.
///
/// **Source**: Fastify, `schemaErrorFormatter`; Ajv, `errorsText`.
fn located(text: &str) -> Option<Vec<Heard>> {
    static LOCATED: LazyLock<Regex> = LazyLock::new(|| {
        pattern(
            r"^(?:request[./])?(?P<place>querystring|query|params|headers|cookies|body|data)(?P<path>(?:[./\[][\w$@.~\-/\[\]']*)?) (?P<rest>(?:must|should) .+)$",
        )
    });
    let found = LOCATED.captures(text)?;
    let place = match &found["place"] {
        "data" => Some(Place::Body),
        other => super::place_named(other),
    };
    let mut steps = super::steps(&found["path"]);
    let rest = &found["rest"];
    let (member, wishes) = of_member(rest);
    steps.extend(member);
    let wishes = wishes.unwrap_or_else(|| wish::by_words(rest, steps.last().map_or("", String::as_str)));
    if steps.is_empty() && place != Some(Place::Body) {
        return Some(Vec::new());
    }
    let name = super::joined(&steps);
    let certainty = Certainty::Named;
    Some(
        wishes
            .into_iter()
            .map(|wish| Heard { complaint: Complaint { name: name.clone(), place, wish }, certainty })
            .collect(),
    )
}

/// `'zip' is a required property - 'address'`: what is wanted, then where.
///
/// **Source**: connexion, `JSONRequestBodyValidator`.
fn at_path(text: &str) -> Option<Vec<Heard>> {
    static AT: LazyLock<Regex> = LazyLock::new(|| pattern(&format!(r"^(?P<rest>.+) - '(?P<name>{NAME})'$")));
    static MEMBER: LazyLock<Regex> = LazyLock::new(|| pattern(&format!(r"^'({NAME})' is a required property$")));
    let found = AT.captures(text)?;
    let (rest, name) = (&found["rest"], &found["name"]);
    if let Some(member) = MEMBER.captures(rest) {
        return Some(vec![heard(&format!("{name}.{}", &member[1]), None, Wish::Present)]);
    }
    Some(wish::by_words(rest, name).into_iter().map(|wish| heard(name, None, wish)).collect())
}

/// The member that a JSON Schema message about an object names, and what is wanted of it.
pub(super) fn of_member(message: &str) -> (Option<String>, Option<Vec<Wish>>) {
    static MEMBER: LazyLock<Regex> = LazyLock::new(|| {
        pattern(r#"(?:have|missing|requires) (?:the )?(?:required )?propert(?:y|ies):? ['"`]?([^'"`\s]+)['"`]?"#)
    });
    match MEMBER.captures(message) {
        Some(found) => (Some(found[1].trim_matches('.').into()), Some(vec![Wish::Present])),
        None => (None, None),
    }
}

/// Complaints about several names at once, or about a name after its colon: `missing parameters: a, b`,
/// `param is missing or the value is empty: user`.
fn listed(text: &str) -> Option<Vec<Heard>> {
    static LISTED: LazyLock<Vec<(Regex, bool)>> = LazyLock::new(|| {
        let kinds = r"(?:parameter|param|field|propert(?:y|ie)|argument|key|header|cookie|attribute|member|column|input|value)(?:s|\(s\))?(?: name| key)?";
        let list = r#"(?P<list>[\[\({]?['"`:]?[\w$@][\w$@.\-\[\]'"`, :/;]*[\]\)}]?)"#;
        let kind_words = r"(?:required |the |mandatory |a |an |request |query |string |body |form |json |path |url |http |in |root |following |some )*";
        [
            (format!(r"^(?:error: |bad request: |.*\bwas )?missing {kind_words}{kinds}(?:, including(?: the following)?)?(?: is| are)?: ?{list}\.?$"), true),
            (format!(r"^(?:error: |bad request: )?(?:missing|required) {kind_words}{kinds}(?: is missing| are missing| missing| not (?:present|provided|found))?:? {list}\.?$"), true),
            (format!(r"^(?:the |both )?(?P<list>{NAME}(?:, {NAME})*,? (?:and|or) {NAME}) (?:are|is) (?:both |all )?(?:required|missing|mandatory)\.?$"), true),
            (format!(r"(?:param|parameter) is missing or the value is empty(?: or invalid)?: {list}"), true),
            (format!(r"^{kind_words}{kinds} (?:is|are) (?:missing|required): {list}\.?$"), true),
            (format!(r"^(?:found |received |got )?(?:unexpected|unknown|unrecogni[sz]ed|unpermitted|unsupported|extra) {kind_words}{kinds}:? ?\(?{list}\)?(?: (?:not in spec|in body|in object).*)?\.?$"), false),
            (format!(r"^unrecognized key\(?s?\)?(?: in object)?: {list}$"), false),
            (format!(r"additional properties are not allowed \({list} (?:was|were) unexpected\)"), false),
            (format!(r"(?:invalid json payload received\. )?unknown name {list}"), false),
        ]
        .into_iter()
        .map(|(source, present)| (pattern(&source), present))
        .collect()
    });
    static EACH: LazyLock<Regex> = LazyLock::new(|| pattern(&format!(r"^{QUOTE}?:?({NAME}){QUOTE}?$")));
    if text.to_ascii_lowercase().contains("authenticat") {
        return None;
    }
    for (listed, is_missing) in LISTED.iter() {
        let Some(found) = listed.captures(text) else { continue };
        let list = found["list"].trim_matches(['[', ']', '(', ')', '{', '}', '.', ' ']);
        let list = list.split(" not in ").next().unwrap_or_default();
        let list = list.split(" at ").next().unwrap_or_default();
        let names: Option<Vec<String>> = list
            .split([',', ';'])
            .flat_map(|part| part.split(" and "))
            .flat_map(|part| part.split(" or "))
            .map(|part| part.trim().trim_start_matches("and ").trim_start_matches("or "))
            .map(|part| EACH.captures(part.trim().trim_end_matches('.')).map(|c| c[1].to_string()))
            .collect();
        // What stands after a colon or in quotes is a name, whatever the word.
        let is_told =
            text[..found.name("list").map_or(0, |l| l.start())].ends_with(": ") || list.starts_with(['\'', '"', '`']);
        let Some(names) = names.filter(|names| is_told || names.iter().all(|n| is_name(n))) else { continue };
        let place = place_told(text);
        let wish = if *is_missing { Wish::Present } else { Wish::Absent };
        return Some(names.iter().map(|name| heard(name, place, wish.clone())).collect());
    }
    None
}

/// The name that a clause is about, and the part of the clause that says what is wanted.
fn subject(text: &str) -> Option<(String, &str)> {
    static SUBJECTS: LazyLock<Vec<Regex>> = LazyLock::new(|| {
        let says = r"(?:is (?:a )?(?:required|missing|mandatory|not allowed|not permitted|invalid|empty|not present|not provided|not set|not specified|not included|not a number|too short|too long)|is not a valid|isn't|was not|must|should|can't|cannot|can not|may not|has to|needs to|length must|size must|contains|with value|fails to match|does not match the|failed custom|not provided|not specified|missing|required|field is required)";
        // What follows a quoted text that may be a value rather than a name.
        let says_of_name = r"(?:is (?:a )?(?:required|missing|mandatory|not allowed|not permitted|empty|not present|not provided|not set|not specified)|must|should|can't|cannot|can not|may not|has to|needs to|length must|size must|with value|fails to match|not provided|not specified|(?:query |path |header |body |url )?(?:parameter|param|field|property|header|argument|attribute|option)s? )";
        [
            // Jackson's chain of members.
            r#"^(?P<rest>.*(?:deserialize|unrecognized field).*)\(through reference chain: .*\["(?P<name>[^"\]]+)"\]\)"#.into(),
            r#"^(?P<rest>.*unrecognized field "(?P<name>[^"]+)".*)$"#.into(),
            r"^(?P<rest>json: cannot unmarshal \w+ into go (?:struct field \w*\.(?P<name>[\w.]+)|value) of type .+)$".into(),
            r#"error at "(?P<name>/[^"]+)": (?P<rest>.+)$"#.into(),
            r#"^(?P<rest>failed to bind parameter "(?:[\w<>?\[\].]+ )?(?P<name>\w+)" from .*)$"#.into(),
            r#"^(?P<rest>required parameter "(?:[\w<>?\[\].]+ )?(?P<name>\w+)" was not provided.*)$"#.into(),
            format!(r"^failed to deserialize [^:]+: (?P<name>{NAME}): (?P<rest>.+)$"),
            format!(r"^method parameter '(?P<name>{NAME})': (?P<rest>.+)$"),
            format!(r"^(?P<rest>failed to convert '(?P<name>{NAME})' with value: .*)$"),
            format!(r"(?P<rest>value .*? at '(?P<name>{NAME})' failed to satisfy constraint: .+)$"),
            format!(r"(?P<rest>invalid value at '(?P<name>{NAME})' .+)$"),
            format!(r"^invalid format for parameter (?P<name>{NAME}): (?P<rest>.+)$"),
            format!(r"(?P<rest>missing field {QUOTE}(?P<name>{NAME}){QUOTE}.*)$"),
            format!(r"(?P<rest>unknown field {QUOTE}(?P<name>{NAME}){QUOTE})"),
            format!(r#"^parameter "(?P<name>{NAME})" in (?:query|path|header|cookie) has an error: (?P<rest>.+)$"#),
            format!(r"^(?P<rest>(?:required )?path {QUOTE}(?P<name>{NAME}){QUOTE} (?:is|must|should) .+)$"),
            format!(r"^(?:the )?(?:value )?for (?:the )?'(?P<name>{NAME})' (?P<rest>parameter or property was not provided.*)$"),
            format!(r"^a value for the '(?P<name>{NAME})' (?P<rest>parameter or property was not provided.*)$"),
            format!(r"^the field (?P<name>{NAME}) (?P<rest>.+)$"),
            format!(r"^(?:the )?(?P<name>{NAME}) (?:field|parameter|property|header|query parameter) (?P<rest>(?:is|was|must|should|may|can|has|format|does).+)$"),
            format!(r"^(?P<rest>the value '[^']*' is not valid for (?P<name>{NAME}?))\.?$"),
            format!(r"^(?P<rest>.*(?:expected|type).* for (?:the )?(?:query|path|header|cookie|formdata|body) parameter '(?P<name>{NAME})'.*)$"),
            format!(r"^(?P<rest>(?:missing |required )?{QUOTE}(?P<name>{NAME}){QUOTE} {KIND})\.?$"),
            format!(r"^(?:the )?{QUOTE}(?P<name>{NAME}){QUOTE} (?P<rest>{says_of_name}.*)$"),
            format!(r"^(?P<rest>(?:missing|required|the|a|an|invalid)?[ ]?(?:required |mandatory |request |string |int |long |boolean )*{KIND}s?:? (?:named? |called )?{QUOTE}(?P<name>{NAME}){QUOTE}.*)$"),
            format!(r"^(?:the |a )?(?:required |mandatory )?{KIND}:? (?P<name>{NAME}):? (?P<rest>{says}.*)$"),
            format!(r"^(?:query|path|header|cookie|form) (?:argument|parameter) (?P<name>{NAME}) (?P<rest>{says}.*)$"),
            // Jakarta Validation leads with the method; the parameter comes last.
            format!(r"^(?:\w+\.)*(?P<name>{NAME}): (?P<rest>(?:must|should|is|size|not|may) .+)$"),
            format!(r"^(?P<name>{NAME}):? (?P<rest>{says}.*)$"),
            format!(r"^invalid (?P<name>{NAME}): (?P<rest>must .+)$"),
        ]
        .iter()
        .map(|source| pattern(source))
        .collect()
    });
    SUBJECTS.iter().find_map(|form| {
        let found = form.captures(text)?;
        let name = found.name("name")?.as_str().trim_end_matches(['.', ':']);
        let rest = found.name("rest")?.as_str();
        let before = found.name("name").map_or(0, |n| n.start());
        let is_quoted = text[..before].ends_with(['\'', '"', '`', '“', '‘']);
        (is_quoted || is_name(name)).then(|| (name.to_string(), rest))
    })
}

/// False for the words that stand where names stand but are none.
fn is_name(word: &str) -> bool {
    const WORDS: &[&str] = &[
        "a",
        "access",
        "all",
        "an",
        "and",
        "any",
        "are",
        "argument",
        "arguments",
        "at",
        "attribute",
        "authentication",
        "authorization",
        "body",
        "but",
        "by",
        "client",
        "content-type",
        "cookie",
        "credentials",
        "data",
        "each",
        "either",
        "error",
        "field",
        "fields",
        "following",
        "for",
        "from",
        "given",
        "has",
        "have",
        "header",
        "headers",
        "here",
        "however",
        "http",
        "https",
        "if",
        "in",
        "input",
        "invalid",
        "is",
        "it",
        "json",
        "key",
        "login",
        "missing",
        "must",
        "name(s)",
        "names",
        "no",
        "none",
        "not",
        "null",
        "object",
        "of",
        "on",
        "one",
        "or",
        "parameter",
        "parameters",
        "param",
        "params",
        "payload",
        "permission",
        "please",
        "properties",
        "property",
        "request",
        "required",
        "requests",
        "resource",
        "response",
        "server",
        "service",
        "should",
        "some",
        "something",
        "string",
        "that",
        "the",
        "there",
        "these",
        "they",
        "this",
        "to",
        "unknown",
        "validation",
        "value",
        "values",
        "was",
        "we",
        "which",
        "with",
        "you",
        "your",
    ];
    word.len() <= 80
        && !WORDS.contains(&word.to_ascii_lowercase().as_str())
        && !word.contains("//")
        && !word.contains("()")
}

/// The place that a clause tells by its words.
fn place_told(text: &str) -> Option<Place> {
    static TOLD: LazyLock<Vec<(Regex, Place)>> = LazyLock::new(|| {
        [
            (r"^query deserialize|\bquery[ -]?(?:string|param|arg|option)|\bin query\b|from query|required request parameter\b", Place::Query),
            (r"\bpath (?:param|variable|segment)|\bin path\b|uri template variable|from route", Place::Path),
            (r"\bheaders?\b", Place::Header),
            (r"\bcookies?\b", Place::Cookie),
            (r"^json deserialize|\b(?:json|request) (?:body|payload|parse error|deserialization)|\bform ?(?:data|field|param)|\bbody\b|request part|cannot unmarshal|cannot deserialize", Place::Body),
        ]
        .into_iter()
        .map(|(source, place)| (pattern(source), place))
        .collect()
    });
    // Spring calls form fields request parameters too, so that phrase tells no place.
    if text.to_ascii_lowercase().contains("required request parameter") {
        return None;
    }
    TOLD.iter().find(|(told, _)| told.is_match(text)).map(|(_, place)| *place)
}

fn wants_tagged(text: &str) -> bool {
    text.contains("Error:Field validation for '")
}

/// `Key: 'Req.Name' Error:Field validation for 'Name' failed on the 'required' tag`.
///
/// **Source**: go-playground/validator, `fieldErrMsg`.
fn tags(text: &str) -> Vec<Heard> {
    static TAG: LazyLock<Regex> = LazyLock::new(|| {
        pattern(
            r"Key: '(?P<path>[^']*)' Error:Field validation for '(?P<name>[^']+)' failed on the '(?P<tag>[^']+)' tag",
        )
    });
    let found = TAG.captures_iter(text).filter_map(|found| {
        let wish = match found["tag"].to_ascii_lowercase().as_str() {
            tag if tag.starts_with("required") => Wish::Present,
            "oneof" => Wish::OneOf(Vec::new()),
            "http_url" => Wish::Url,
            tag => wish::of_type(tag)?,
        };
        // The path starts with the name of the Go type.
        let path = found["path"].split_once('.').map_or(&found["name"], |(_, path)| path);
        Some(heard(path, None, wish))
    });
    found.collect()
}

/// `Field error in object 'o' on field 'limit': rejected value [x]; codes …; default message [m]`.
///
/// **Source**: Spring Framework, `FieldError::toString`.
fn field_errors(text: &str) -> Vec<Heard> {
    static FIELD: LazyLock<Regex> = LazyLock::new(|| pattern(r"on field '([^']+)': rejected value"));
    static SAID: LazyLock<Regex> = LazyLock::new(|| pattern(r"; default message \[(.+?)\]+\s*(?:,? ?\[?$|$)"));
    let parts = text.split("Field error in object").skip(1);
    let found = parts.flat_map(|part| {
        let name = FIELD.captures(part).map(|c| c[1].to_string());
        let said =
            part.rfind("; default message [").and_then(|at| SAID.captures(&part[at..])).map(|c| c[1].to_string());
        let (Some(name), Some(said)) = (name, said) else { return Vec::new() };
        wish::by_words(&said, &name).into_iter().map(|wish| heard(&name, None, wish)).collect()
    });
    found.collect()
}

fn heard(name: &str, place: Option<Place>, wish: Wish) -> Heard {
    Heard { complaint: Complaint { name: name_of(name, place), place, wish }, certainty: Certainty::Sentence }
}
