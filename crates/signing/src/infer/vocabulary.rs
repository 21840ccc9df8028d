//! The words of canonical strings: the parts of one request, each value once.

use std::collections::HashMap;

use model::Request;

use super::stamps::{Signature, Stamps, Token, escaped};
use crate::formula::{Formula, Variable};
use crate::seen::Seen;

/// Kinds of words: a canonical string holds at most one of each.
mod kind {
    pub(super) const METHOD: u32 = 1;
    pub(super) const PATH: u32 = 1 << 1;
    pub(super) const QUERY: u32 = 1 << 2;
    pub(super) const HOST: u32 = 1 << 3;
    pub(super) const BODY: u32 = 1 << 4;
    pub(super) const CONTENT_TYPE: u32 = 1 << 5;
    pub(super) const TIMESTAMP: u32 = 1 << 6;
    pub(super) const NONCE: u32 = 1 << 7;
    pub(super) const KEY_ID: u32 = 1 << 8;
    pub(super) const CONSTANT: u32 = 1 << 9;
    pub(super) const OTHER: u32 = 1 << 10;
}

/// The turn of a word that long forms do not have.
pub(super) const NEVER: u8 = u8::MAX;

/// One word.
#[derive(Clone, Debug)]
pub(super) struct Word {
    /// As a formula says it, `{path}`; a constant is itself.
    pub(super) formula: String,
    /// Its value in the sample.
    pub(super) bytes: Vec<u8>,
    /// The kinds that it is of.
    pub(super) kinds: u32,
    /// Its turn in the customary order of long forms; words of turn 0 stand anywhere, those of
    /// [`NEVER`] in no long form.
    pub(super) turn: u8,
    /// Which token of its kind gave it, for stamps.
    pub(super) token: usize,
    /// Other words that have the same value in this sample.
    pub(super) alike: Vec<String>,
}

/// Constants that schemes begin with, beside those that the sample itself shows.
///
/// **Source**: Slack (`v0`), Hawk, Microsoft and AWS documents; `v1` is the most common version.
const CONSTANTS: &[&str] = &["v0", "v1", "hawk.1.header", "HMAC-SHA256"];

/// The words of a sample without its signature.
pub(super) fn words(sample: &Request, stamps: &Stamps, signature: &Signature) -> Vec<Word> {
    let mut bare = sample.clone();
    signature.token.spot.clear(&mut bare);
    let seen = Seen { request: &bare, timestamp: "", unix_ms: 0, nonce: "", key_id: "", signature: "" };
    let mut words = Vec::new();
    let stamped: [(&str, u32, Vec<&Token>); 3] = [
        ("{ts}", kind::TIMESTAMP, stamps.timestamps.iter().map(|(token, _)| token).collect()),
        ("{nonce}", kind::NONCE, stamps.nonces.iter().collect()),
        ("{key_id}", kind::KEY_ID, stamps.key_ids.iter().collect()),
    ];
    for (formula, kinds, tokens) in stamped {
        for (position, token) in tokens.into_iter().enumerate() {
            add(&mut words, formula, token.text().as_bytes().to_vec(), kinds, 0, position);
        }
    }
    for (formula, kinds, turn) in [
        ("{METHOD}", kind::METHOD, 2),
        ("{method}", kind::METHOD, 2),
        ("{host}", kind::HOST, 0),
        ("{path}", kind::PATH, 3),
        ("{raw_path}", kind::PATH, 3),
        ("{path_query}", kind::PATH | kind::QUERY, 3),
        ("{url}", kind::HOST | kind::PATH | kind::QUERY, 3),
        ("{query}", kind::QUERY, 4),
        ("{sorted_query}", kind::QUERY, 4),
        ("{content_type}", kind::CONTENT_TYPE, 5),
        ("{body}", kind::BODY, 6),
        ("{sha256hex(body)}", kind::BODY, 6),
        ("{sha256b64(body)}", kind::BODY, 6),
        ("{md5hex(body)}", kind::BODY, 6),
        ("{md5b64(body)}", kind::BODY, 6),
        ("{sha512hex(body)}", kind::BODY, 6),
        ("{sha512b64(body)}", kind::BODY, 6),
        ("{sha1hex(body)}", kind::BODY, 6),
        ("{sha1b64(body)}", kind::BODY, 6),
        ("{sha384hex(body)}", kind::BODY, 6),
        ("{sha256(body)}", kind::BODY, 6),
        ("{sha512(body)}", kind::BODY, 6),
        ("{upper(sha256hex(body))}", kind::BODY, 6),
        ("{upper(md5hex(body))}", kind::BODY, 6),
        ("{form}", kind::BODY, 6),
    ] {
        let parsed: Formula = formula.parse().expect("the vocabulary is tested");
        add(&mut words, formula, seen.render(&parsed), kinds, turn, 0);
    }
    for name in &stamps.others {
        let value = seen.value(&Variable::Header(name.clone()));
        add(&mut words, &format!("{{header({name})}}"), value, kind::OTHER, NEVER, 0);
    }
    let own = signature.token.value[..signature.token.range.start].trim_end_matches(['=', ' ', '"', ',', ':']);
    let own = own.rsplit([',', ' ', ';']).next().filter(|c| !c.is_empty() && c.len() <= 16);
    for constant in CONSTANTS.iter().copied().chain(own) {
        add(&mut words, &escaped(constant), constant.as_bytes().to_vec(), kind::CONSTANT, 1, 0);
    }
    once(words)
}

fn add(words: &mut Vec<Word>, formula: &str, bytes: Vec<u8>, kinds: u32, turn: u8, token: usize) {
    words.push(Word { formula: formula.to_owned(), bytes, kinds, turn, token, alike: Vec::new() });
}

/// Each value once. Empty values stay apart: they stand for different lines.
fn once(words: Vec<Word>) -> Vec<Word> {
    let mut by_value: HashMap<Vec<u8>, usize> = HashMap::new();
    let mut kept: Vec<Word> = Vec::new();
    for word in words {
        if word.bytes.is_empty() {
            // One empty word of each kind; a derived one such as `{form}` adds nothing.
            if kept.iter().all(|k| !(k.bytes.is_empty() && k.kinds == word.kinds)) {
                kept.push(word);
            }
            continue;
        }
        match by_value.get(&word.bytes) {
            Some(&position) => kept[position].alike.push(word.formula),
            None => {
                by_value.insert(word.bytes.clone(), kept.len());
                kept.push(word);
            }
        }
    }
    kept
}
