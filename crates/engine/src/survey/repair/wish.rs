//! What a message or a machine code asks for.

mod bound;
mod choice;
mod code;

use std::sync::LazyLock;

use regex::Regex;

pub(super) use code::by_code;

use super::{Wish, pattern};

/// The types and formats that messages name, longest first so that `date-time` is not read as `date`.
const TYPES: &str = r"iso[ -]?8601 (?:date|string|timestamp)(?: string| format)?|date[ -]?time|offsetdatetime|localdatetime|zoneddatetime|timestamp|instant|date[ -]only|localdate|date|whole number|integer number|number string|numeric string|integer|int(?:8|16|32|64)?|bigint|bigdecimal|long|short|number|numeric|numeral|float(?:32|64)?|double|decimal|[iu](?:8|16|32|64|size)|f(?:32|64)|boolean|bool|true or false|string|str|uuid|guid|e-?mail(?: ?address)?|url(?: address)?|uri|list|array|sequence|dictionary|dict|map(?:ping)?|(?:json |plain )?object|struct";

/// Returns what a message asks for, several wishes where it states a range; empty where it asks for
/// nothing that is understood.
///
/// `name` is the name of the value, for messages that only say that it is invalid.
pub(super) fn by_words(message: &str, name: &str) -> Vec<Wish> {
    if is_about_access(message) {
        return Vec::new();
    }
    if let Some(source) = pattern_wanted(message) {
        return vec![Wish::Matching(source)];
    }
    if EMPTY.is_match(message) {
        return vec![Wish::Present];
    }
    if ABSENT.is_match(message) {
        return vec![Wish::Absent];
    }
    if let Some(values) = choice::wanted(message) {
        return vec![Wish::OneOf(values)];
    }
    let bounds = bound::wanted(message);
    if !bounds.is_empty() {
        return bounds;
    }
    if let Some(wish) = type_wanted(message) {
        return vec![wish];
    }
    if PRESENT.is_match(message) {
        return vec![Wish::Present];
    }
    if let Some(rejected) = unbound_value(message) {
        return vec![bindable(&rejected, name)];
    }
    if MALFORMED.is_match(message) { by_name(name).into_iter().collect() } else { Vec::new() }
}

/// The wish for the name of a type or of a format, in any of the usual spellings.
pub(super) fn of_type(word: &str) -> Option<Wish> {
    let word = word.trim().to_ascii_lowercase().replace([' ', '-', '_'], "");
    let word = word.rsplit('.').next().unwrap_or_default();
    Some(match word {
        "integer" | "int" | "int8" | "int16" | "int32" | "int64" | "bigint" | "biginteger" | "long" | "short"
        | "wholenumber" | "integernumber" | "numericstring" | "i8" | "i16" | "i32" | "i64" | "isize" | "u8" | "u16"
        | "u32" | "u64" | "usize" | "uint" | "uint32" | "uint64" | "safeint" => Wish::Integer,
        "number" | "numeric" | "numeral" | "numberstring" | "float" | "float32" | "float64" | "double" | "decimal"
        | "bigdecimal" | "single" | "f32" | "f64" => Wish::Number,
        "boolean" | "bool" | "trueorfalse" => Wish::Boolean,
        "string" | "str" | "text" => Wish::Text,
        "datetime" | "timestamp" | "instant" | "offsetdatetime" | "localdatetime" | "zoneddatetime"
        | "datetimeoffset" | "isodate" | "isodatetime" => Wish::DateTime,
        "date" | "localdate" | "dateonly" | "fulldate" => Wish::Date,
        "uuid" | "uuid4" | "uuidv4" | "guid" => Wish::Uuid,
        "email" | "emailaddress" => Wish::Email,
        "url" | "uri" | "urladdress" | "httpurl" => Wish::Url,
        "list" | "array" | "sequence" | "set" | "tuple" | "arraylist" => Wish::List,
        "object" | "dict" | "dictionary" | "map" | "mapping" | "jsonobject" | "plainobject" | "struct" | "record" => {
            Wish::Object
        }
        other if other.starts_with("iso8601") => Wish::DateTime,
        _ => return None,
    })
}

/// The wish that a name suggests for a value of which the API only says that it is malformed.
pub(super) fn by_name(name: &str) -> Option<Wish> {
    let last = name.rsplit(['/', '.']).next().unwrap_or_default();
    let plain = super::plain(last);
    let ends = |suffixes: &[&str]| suffixes.iter().any(|s| plain.ends_with(s));
    if ends(&["email", "emailaddress", "mail"]) {
        return Some(Wish::Email);
    }
    if ends(&["uuid", "guid"]) {
        return Some(Wish::Uuid);
    }
    if ends(&["url", "uri", "website", "homepage"]) {
        return Some(Wish::Url);
    }
    if ends(&["datetime", "timestamp"]) || last.ends_with("_at") || last.ends_with("At") {
        return Some(Wish::DateTime);
    }
    if ends(&["date", "birthday", "dob"]) {
        return Some(Wish::Date);
    }
    None
}

/// True for a message about who calls or how often, which no value repairs.
fn is_about_access(message: &str) -> bool {
    static ACCESS: LazyLock<Regex> = LazyLock::new(|| {
        pattern(
            r"unauthori[sz]ed|not authori[sz]ed|authenticat|authori[sz]ation|\bcredentials?\b|\bapi[ _-]?keys?\b|\b(?:access|bearer|auth|id|refresh|security|session) ?token|\bjwt\b|\bbearer\b|\b(?:log|sign)(?:ged)?[ -]?in\b|permission|forbidden|\bcsrf\b|\bsignature\b|rate[ -]?limit|too many requests|quota|throttl|already (?:exists|been|in use|taken|registered)|(?:record|resource|page|route|url|user|object|item|entity|document) (?:was |could )?not (?:be )?found|no such|does(?: not|n't) exist",
        )
    });
    ACCESS.is_match(message)
}

static EMPTY: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"(?:can't|can ?not|must not|may not|should not|shouldn't|mustn't|not allowed to) be (?:left )?(?:blank|null|empty|nil|none|undefined)|(?:null|none) is not (?:an )?allowed|(?:is|are|was) (?:empty|null|blank|nil|undefined)\b|must have a value|\bnon-null\b|received undefined|^required\.?$",
    )
});

static ABSENT: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r#"\bis not allowed[.!]?$|should not exist|not be allowed$|(?:unexpected|unknown|unrecogni[sz]ed|unpermitted|unsupported|extra|additional|undeclared) (?:query |request |body |form |json )?(?:inputs?|field|fields|propert(?:y|ies)|param(?:eter)?s?|parameter\(s\)|keys?(?:\(s\))?|arguments?|names?|attributes?|members?)\b|was unexpected|not permitted|cannot find field|must not have additional|should not have additional|\bis prohibited|not in spec\b"#,
    )
});

static PRESENT: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"\brequired\b|\bmissing\b|\bis mandatory\b|(?:is|was|are|were) not (?:present|provided|supplied|specified|given|set|sent)|not provided|must be (?:provided|present|specified|supplied|set|filled|given|included|sent)|should be (?:provided|present|specified)|\bmust (?:provide|specify|supply|include|contain)\b|no value",
    )
});

static MALFORMED: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"\b(?:is|was|are) (?:invalid|malformed|not valid)\b|^invalid\b|invalid (?:value|format)|format is invalid|wrong format|bad format|not (?:a )?valid|valid value|not well-formed",
    )
});

/// The type that a message names as wanted: `must be an integer`, `Not a valid UUID`, `to required
/// type 'int'`.
fn type_wanted(message: &str) -> Option<Wish> {
    static WANTED: LazyLock<Vec<Regex>> = LazyLock::new(|| {
        let t = format!(r#"(?P<type>{TYPES})\b"#);
        let valid = r"(?:(?:valid|well-formed|properly[ -]formatted|positive|negative|non-negative|single|json|finite|unsigned|signed|strict|java\.lang\.|java\.util\.|java\.time\.|java\.math\.|system\.)[ ]?)*";
        [
            // Conversions name both types; the wanted one comes last.
            format!(r#"(?:required|target|to|into) (?:a |an )?(?:required )?type:? ?\[?['"`]?(?:[a-z]+\.)*{t}"#),
            format!(r"converted to (?:[a-z]+\.)*(?:nullable`1\[(?:[a-z]+\.)*)?{t}"),
            format!(r#"(?:must|should|ha[sv]e? to|needs? to|expected to|required to) (?:all )?be (?:either )?(?:a |an |in |of |of type |type )?['"`]?{valid}['"`]?{t}"#),
            format!(r#"expect(?:ed|s|ing):? (?:type |a |an |value of type |the )*['"`]?{valid}{t}"#),
            format!(r#"(?:not|n't|invalid|isn't|not of) (?:be )?(?:as )?(?:a |an )?(?:of type |type )?['"`]?{valid}['"`]?{t}"#),
            format!(r"(?:a|an|enter a|enter an|use a|provide a|requires a|requires an|supply a) {valid}{t}(?: value)?(?: is required| format)?[.,]?(?:$| is | format| without| address)"),
            format!(r#"(?:match|matches|valid) (?:the )?(?:format )?['"`]?{t}"#),
            format!(r"(?:of|go value of|go struct field \S+ of) type {t}[.']?$"),
            format!(r"(?:parsed?|parsing) (?:\S+ )*as (?:a |an )?{valid}{t}"),
            format!(r"^(?:the )?{t} (?:has wrong format|value expected|expected)"),
            format!(r"(?:only|accepts?) {t} (?:values? )?(?:is|are)? ?(?:allowed|accepted)"),
            format!(r"\b{t} (?:value )?(?:is )?expected"),
        ]
        .iter()
        .map(|source| pattern(source))
        .collect()
    });
    if message.to_ascii_lowercase().contains("expected pk value") {
        return Some(Wish::Integer);
    }
    if FOR_INPUT.is_match(message) {
        return Some(Wish::Integer);
    }
    WANTED.iter().find_map(|wanted| of_type(&wanted.captures(message)?["type"]))
}

/// What the number parsers of Java, Go, Rust and Protocol Buffers say.
static FOR_INPUT: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"NumberFormatException|invalid literal for int\(\)|strconv\.(?:ParseInt|Atoi|ParseUint)|invalid digit found in string|cannot parse integer|\bTYPE_U?INT(?:32|64)\b|enter a whole number",
    )
});

/// The regular expression that a message demands.
fn pattern_wanted(message: &str) -> Option<String> {
    static WANTED: LazyLock<Vec<Regex>> = LazyLock::new(|| {
        [
            r"(?:match|matches|matching) (?P<source>/.+/[a-z]*) regular expression",
            r"(?:pattern|regex|regexp|regular expression)(?: pattern)?:? (?P<quote>/).+/[a-z]*\.?$",
            r#"(?:pattern|regex|regexp|regular expression)(?: pattern)?:? ['"`“](?P<source>.+)['"`”](?: - '[\w.]+')?\.?(?: \(.*\))?$"#,
            r"regular expression pattern: (?P<source>\S+)$",
            r#"(?:must|should|does not|doesn't|did not) match ['"`](?P<source>.*[\^\[\\$*+].*)['"`](?: - '[\w.]+')?\.?$"#,
        ]
        .iter()
        .map(|source| pattern(source))
        .collect()
    });
    WANTED.iter().find_map(|wanted| {
        let found = wanted.captures(message)?;
        match (found.name("source"), found.name("quote")) {
            (Some(source), _) => Some(source.as_str().into()),
            (None, Some(slash)) => Some(message[slash.start()..].trim_end_matches('.').into()),
            (None, None) => None,
        }
    })
}

/// The rejected value of a binder that does not say what it wanted.
///
/// **Source**: ASP.NET Core, `ModelBindingMessageProvider` (`AttemptedValueIsInvalidAccessor`);
/// Spring Framework, `TypeMismatchException` as a problem detail.
fn unbound_value(message: &str) -> Option<String> {
    static UNBOUND: LazyLock<Regex> = LazyLock::new(|| {
        pattern(
            r#"^the value '(?P<a>[^']*)' is not valid(?: for [^.]*)?\.?$|failed to convert '[^']*' with value: '(?P<b>[^']*)'|failed to bind parameter "[^"]*" from "(?P<c>[^"]*)""#,
        )
    });
    let found = UNBOUND.captures(message)?;
    ["a", "b", "c"].iter().find_map(|group| Some(found.name(group)?.as_str().into()))
}

/// What a binder most probably wanted of a value that it could not convert: a number that does not
/// bind was no number's, and text that does not bind was no text's.
fn bindable(rejected: &str, name: &str) -> Wish {
    if let Some(wish) = by_name(name) {
        return wish;
    }
    let plain = super::plain(name);
    if plain.starts_with("is") || plain.starts_with("has") || plain.ends_with("only") || plain.ends_with("enabled") {
        return Wish::Boolean;
    }
    if rejected.parse::<i32>().is_ok() { Wish::Uuid } else { Wish::Integer }
}
