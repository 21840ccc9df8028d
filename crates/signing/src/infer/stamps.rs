//! What in a sample may be the signature, the timestamp, the nonce and the key id.

use std::cmp::Reverse;
use std::ops::Range;

use model::Request;

use crate::algorithm::{Encoding, Hash};
use crate::clock::Clock;
use crate::formula::{Formula, Variable};
use crate::seen;
use crate::slot::{Slot, Spot};

/// A piece of a value in some place of the sample.
#[derive(Clone, Debug)]
pub(super) struct Token {
    pub(super) spot: Spot,
    /// The whole value there.
    pub(super) value: String,
    /// Which part of it this is.
    pub(super) range: Range<usize>,
    /// A field's own name, such as `ts` in `ts=…`; else the name of the place.
    pub(super) name: String,
}

impl Token {
    pub(super) fn text(&self) -> &str {
        &self.value[self.range.clone()]
    }

    /// True if some character belongs to both.
    pub(super) fn overlaps(&self, other: &Self) -> bool {
        self.spot == other.spot && self.range.start < other.range.end && other.range.start < self.range.end
    }
}

/// A token that may be the signature.
#[derive(Clone, Debug)]
pub(super) struct Signature {
    pub(super) token: Token,
    pub(super) encoding: Encoding,
    pub(super) bytes: Vec<u8>,
}

/// The tokens of a sample by what they may be, the likeliest first.
#[derive(Clone, Debug, Default)]
pub(super) struct Stamps {
    pub(super) signatures: Vec<Signature>,
    pub(super) timestamps: Vec<(Token, Clock)>,
    pub(super) nonces: Vec<Token>,
    pub(super) key_ids: Vec<Token>,
    /// Names of other headers that a signature may cover.
    pub(super) others: Vec<String>,
}

/// Candidates of each kind that are followed.
///
/// **Source**: chosen.
const MOST: usize = 2;

/// Headers that no scheme signs by its own choice of name, or that have a variable of their own.
const ORDINARY: &[&str] = &[
    "host",
    "content-type",
    "content-length",
    "user-agent",
    "accept",
    "accept-encoding",
    "accept-language",
    "connection",
    "cookie",
    "origin",
    "referer",
    "cache-control",
    "pragma",
    "x-forwarded-for",
    "x-forwarded-proto",
    "x-forwarded-host",
    "forwarded",
    "via",
    "te",
    "upgrade-insecure-requests",
];

impl Stamps {
    pub(super) fn of(sample: &Request) -> Self {
        let mut stamps = Self::default();
        let mut weaker = Vec::new();
        for token in tokens(sample) {
            if let Some((encoding, bytes)) = decoded(token.text()) {
                let is_named = has(&token.name, &["sig", "mac", "sign", "auth"])
                    || has(place(&token.spot), &["sig", "mac", "sign"]);
                let is_nonce = has(&token.name, &["nonce", "request", "id", "digest", "md5", "key"]);
                let signature = Signature { token: token.clone(), encoding, bytes };
                if is_named && !is_nonce {
                    stamps.signatures.push(signature);
                    continue;
                }
                weaker.push(signature);
            }
            if let Some(clock) = Clock::recognize(token.text()) {
                stamps.timestamps.push((token, clock));
            } else if has(
                &token.name,
                &["nonce", "request-id", "requestid", "message-id", "webhook-id", "delivery", "idempotency", "uuid"],
            ) {
                stamps.nonces.push(token);
            } else if has(
                &token.name,
                &["key", "kid", "client", "app", "access", "account", "consumer", "merchant", "user", "credential"],
            ) || token.name == "id"
            {
                stamps.key_ids.push(token);
            } else if let Spot::Header(name) = &token.spot
                && token.range.len() == token.value.len()
                && stamps.others.len() < MOST
                && decoded(token.text()).is_none()
            {
                stamps.others.push(name.clone());
            }
        }
        if stamps.signatures.is_empty() {
            stamps.signatures = weaker;
        }
        // A header of its own is likelier than a field or a parameter.
        stamps.timestamps.sort_by_key(|(token, _)| !has(&token.name, &["time", "ts", "date"]));
        stamps.signatures.truncate(MOST);
        stamps.timestamps.truncate(MOST);
        stamps.nonces.truncate(MOST);
        stamps.key_ids.truncate(MOST);
        stamps
    }

    pub(super) fn key_ids(&self) -> Vec<&str> {
        self.key_ids.iter().map(Token::text).collect()
    }

    /// The slots of a scheme whose stamps are these tokens: one per place.
    pub(super) fn slots(tokens: &[(&Token, Variable)]) -> Vec<Slot> {
        let mut spots: Vec<&Spot> = Vec::new();
        for (token, _) in tokens {
            if !spots.contains(&&token.spot) {
                spots.push(&token.spot);
            }
        }
        let mut slots: Vec<Slot> = spots.into_iter().map(|spot| slot(spot, tokens)).collect();
        slots.sort_by_key(|slot| slot.holds(&Variable::Signature));
        slots
    }
}

/// The slot of one place: its value with every token in it replaced by its variable. Of tokens that overlap
/// the signature stays, then the widest; of a header that stands twice, the value that holds the signature.
fn slot(spot: &Spot, tokens: &[(&Token, Variable)]) -> Slot {
    let mut here: Vec<_> = tokens.iter().filter(|(token, _)| token.spot == *spot).collect();
    here.sort_by_key(|(token, variable)| (*variable != Variable::Signature, Reverse(token.range.len())));
    let value = here.first().map_or("", |(token, _)| token.value.as_str());
    let mut apart: Vec<&(&Token, Variable)> = Vec::new();
    for (token, variable) in here.iter().map(|pair| (pair.0, pair)).filter(|(token, _)| token.value == value) {
        let overlaps = |other: &Range<usize>| token.range.start < other.end && other.start < token.range.end;
        if !apart.iter().any(|(other, _)| overlaps(&other.range)) {
            apart.push(variable);
        }
    }
    apart.sort_by_key(|(token, _)| token.range.start);
    let mut template = String::new();
    let mut at = 0;
    for (token, variable) in apart {
        template.push_str(&escaped(&value[at..token.range.start]));
        template.push_str(&format!("{{{}}}", variable.name()));
        at = token.range.end;
    }
    template.push_str(&escaped(&value[at..]));
    let template = Formula::template(&template).expect("text outside of variables is escaped");
    Slot { spot: spot.clone(), template, filled: crate::slot::Filled::Always }
}

/// A text that a formula reads as itself.
pub(super) fn escaped(text: &str) -> String {
    text.replace('\\', "\\\\").replace('{', "{{").replace('}', "}}")
}

fn place(spot: &Spot) -> &str {
    match spot {
        Spot::Header(name) | Spot::Query(name) | Spot::Form(name) => name,
    }
}

fn has(name: &str, words: &[&str]) -> bool {
    let name = name.to_ascii_lowercase().replace('_', "-");
    words.iter().any(|word| name.contains(word))
}

fn tokens(sample: &Request) -> Vec<Token> {
    let mut tokens = Vec::new();
    let own = sample.headers.iter().filter(|(name, _)| !ORDINARY.contains(&name.to_ascii_lowercase().as_str()));
    for (name, value) in own {
        tokens.extend(split(&Spot::Header(name.to_owned()), value));
    }
    for (name, value) in seen::pairs(sample.query().unwrap_or_default().as_bytes()) {
        tokens.extend(split(&Spot::Query(name), &value).into_iter().take(1));
    }
    if seen::is_form(sample) {
        for (name, value) in seen::pairs(sample.body.bytes()) {
            tokens.extend(split(&Spot::Form(name), &value).into_iter().take(1));
        }
    }
    tokens
}

/// The whole value, and its fields where it has some: `v1=…`, `t=…,v1=…`, `Scheme a="…", b="…"`.
fn split(spot: &Spot, value: &str) -> Vec<Token> {
    let token = |range: Range<usize>, name: &str| Token {
        spot: spot.clone(),
        value: value.to_owned(),
        range,
        name: name.to_owned(),
    };
    let mut found = vec![token(0..value.len(), place(spot))];
    let mut at = 0;
    for field in value.split_inclusive([',', ' ', ';']) {
        let start = at;
        at += field.len();
        let field = field.trim_end_matches([',', ' ', ';']);
        // What has nothing but `=` behind it ends with the padding of base64.
        let is_pair = |(name, value): &(&str, &str)| !name.is_empty() && !value.trim_matches('=').is_empty();
        let name = field.split_once('=').filter(is_pair).map(|(name, _)| name);
        let from = start + name.map_or(0, |n| n.len() + 1);
        let text = &value[from..start + field.len()];
        let inner = text.trim_matches('"');
        let from = from + (text.len() - text.trim_start_matches('"').len());
        if !inner.is_empty() && inner.len() < value.len() {
            found.push(token(from..from + inner.len(), name.unwrap_or(place(spot))));
        }
        if let Some((prefix, rest)) = inner.split_once(':')
            && !rest.is_empty()
        {
            found.push(token(from..from + prefix.len(), "key-id"));
            found.push(token(from + prefix.len() + 1..from + inner.len(), "signature"));
        }
    }
    found
}

/// The bytes of a text that is as long as some hash.
fn decoded(text: &str) -> Option<(Encoding, Vec<u8>)> {
    let is_hash = |bytes: &Vec<u8>| Hash::ALL.iter().any(|hash| hash.len_bytes() == bytes.len());
    [Encoding::Hex, Encoding::Base64, Encoding::Base64Url]
        .into_iter()
        .find_map(|encoding| encoding.decode(text).filter(is_hash).map(|bytes| (encoding, bytes)))
}
