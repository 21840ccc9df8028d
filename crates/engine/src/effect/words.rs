//! What names say: the verbs in paths, parameters, operation ids and sentences.
//!
//! The word lists are data, in `words/`, in lower case, several languages side by side. Inflected forms
//! (`deleted`, `updates`) are not verbs: they name states and lists.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use percent_encoding::percent_decode_str;

/// What a verb does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Verb {
    /// Creates, changes, sets something in motion.
    Changes,
    /// Deletes, ends, resets.
    Destroys,
}

/// Times that a text is percent-decoded.
///
/// **Source**: chosen; a proxy and a framework decode once each.
const DECODINGS: usize = 2;

/// Nouns after which a word of `either.txt` is a verb.
const OF_A_VERB: [&str; 20] = [
    "user",
    "users",
    "account",
    "accounts",
    "admin",
    "money",
    "funds",
    "role",
    "roles",
    "password",
    "card",
    "friend",
    "friends",
    "customer",
    "member",
    "ballot",
    "vote",
    "all",
    "everything",
    "me",
];

/// Words of `either.txt` that name a resource at the end of a path, also below an object: `/users/7/order`.
const RESOURCES: [&str; 18] = [
    "bid", "exchange", "format", "gift", "index", "issue", "link", "log", "make", "order", "process", "queue", "rate",
    "record", "report", "reward", "seed", "generate",
];

/// Words of `either.txt` that name a resource where they do not stand below an object: `/archive`, but not
/// `/orders/7/archive`.
const RESOURCES_AT_THE_TOP: [&str; 20] = [
    "archive",
    "backup",
    "blacklist",
    "block",
    "book",
    "bookmark",
    "broadcast",
    "change",
    "empty",
    "favorite",
    "fork",
    "hide",
    "pin",
    "post",
    "quarantine",
    "release",
    "share",
    "stake",
    "trash",
    "whitelist",
];

/// Words of `either.txt` that form names with other nouns: `order-status`, `block-index`.
const MOSTLY_NOUNS: [&str; 29] = [
    "bid", "block", "book", "commit", "exchange", "gift", "index", "issue", "link", "log", "make", "order", "pin",
    "post", "process", "purchase", "push", "queue", "rate", "record", "release", "report", "reward", "run", "seed",
    "share", "sign", "stake", "vote",
];

/// Nouns that say what is known of something, whatever stands before them.
const FACTS: [&str; 18] = [
    "access",
    "amount",
    "balance",
    "config",
    "configuration",
    "history",
    "id",
    "index",
    "key",
    "limit",
    "log",
    "logs",
    "name",
    "price",
    "settings",
    "state",
    "status",
    "token",
];

/// Words behind `set` that make it a noun.
const OF_A_SET: [&str; 9] = ["id", "ids", "number", "num", "list", "lists", "details", "info", "of"];

/// Words before a verb that make it a noun: `last-update`.
const BEFORE_A_NOUN: [&str; 5] = ["last", "latest", "recent", "previous", "auto"];

/// Words behind a verb that make it a noun: `edit-history`.
const BEHIND_A_NOUN: [&str; 18] = [
    "base",
    "date",
    "history",
    "info",
    "notes",
    "office",
    "points",
    "policies",
    "policy",
    "rate",
    "rates",
    "reasons",
    "requests",
    "rules",
    "statistics",
    "stats",
    "status",
    "timestamp",
];

/// Those of them that do so behind a verb that destroys: `shutdown-status`, but not `delete-notes`.
const BEHIND_ANY_NOUN: [&str; 7] = ["policies", "policy", "rate", "rates", "statistics", "stats", "status"];

/// Words that are verbs even behind one that reads: `getLogout`.
const NEVER_A_NOUN: [&str; 12] = [
    "logout",
    "logoff",
    "signout",
    "signoff",
    "shutdown",
    "reboot",
    "poweroff",
    "killall",
    "dropdb",
    "createdb",
    "resetdb",
    "factoryreset",
];

/// Words that come before the verb of a sentence about an operation: `This endpoint deletes …`.
const BEFORE_A_VERB: [&str; 30] = [
    "allows",
    "an",
    "api",
    "asynchronously",
    "call",
    "calling",
    "can",
    "caller",
    "clients",
    "endpoint",
    "for",
    "immediately",
    "irreversibly",
    "it",
    "lets",
    "method",
    "operation",
    "permanently",
    "please",
    "request",
    "route",
    "the",
    "this",
    "to",
    "use",
    "used",
    "user",
    "users",
    "will",
    "you",
];

/// Words of which one must begin what comes before the verb.
const BEGINS_BEFORE_A_VERB: [&str; 17] = [
    "allows",
    "api",
    "asynchronously",
    "call",
    "calling",
    "endpoint",
    "immediately",
    "irreversibly",
    "lets",
    "method",
    "operation",
    "permanently",
    "please",
    "route",
    "this",
    "to",
    "used",
];

/// Labels before a sentence: `Warning: deletes …`.
const LABELS: [&str; 11] = [
    "admin",
    "attention",
    "beta",
    "caution",
    "danger",
    "deprecated",
    "experimental",
    "important",
    "internal",
    "note",
    "warning",
];

/// New values that stand in a path: `/pay/{to}/{amount}`. An address or a role there may be what is read.
const IN_A_PATH: [&str; 8] =
    ["amount", "betrag", "importe", "newemail", "newname", "newrole", "newvalue", "newpassword"];

/// Words behind a third person that make a sentence of it: `Deletes the …`.
const ARTICLES: [&str; 24] = [
    "a",
    "all",
    "an",
    "and",
    "any",
    "each",
    "every",
    "everything",
    "existing",
    "his",
    "it",
    "its",
    "multiple",
    "my",
    "new",
    "one",
    "or",
    "some",
    "that",
    "the",
    "their",
    "this",
    "your",
    "specified",
];

static DESTROYS: LazyLock<BTreeSet<&str>> = LazyLock::new(|| words(include_str!("words/destroys.txt")));
static CHANGES: LazyLock<BTreeSet<&str>> = LazyLock::new(|| words(include_str!("words/changes.txt")));
static EITHER: LazyLock<BTreeSet<&str>> = LazyLock::new(|| words(include_str!("words/either.txt")));
static OBJECTS: LazyLock<BTreeSet<&str>> = LazyLock::new(|| words(include_str!("words/objects.txt")));
static READS: LazyLock<BTreeSet<&str>> = LazyLock::new(|| words(include_str!("words/reads.txt")));
static ONCE: LazyLock<BTreeSet<&str>> = LazyLock::new(|| words(include_str!("words/once.txt")));
static METERED: LazyLock<BTreeSet<&str>> = LazyLock::new(|| words(include_str!("words/metered.txt")));
pub(super) static SECRETS: LazyLock<BTreeSet<&str>> = LazyLock::new(|| words(include_str!("words/values.txt")));

pub(super) fn words(list: &'static str) -> BTreeSet<&'static str> {
    list.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#')).collect()
}

/// What a path says that it does, by the worst of its segments.
pub(super) fn of_path(path: &str) -> Option<Verb> {
    let segments: Vec<&str> = path.split('/').filter(|segment| !segment.is_empty()).collect();
    let of_segment = |(at, segment): (usize, &&str)| {
        if is_parameter(segment) {
            let name = plain(segment);
            let carries = SECRETS.contains(name.as_str()) || IN_A_PATH.contains(&name.as_str());
            return carries.then_some(Verb::Changes);
        }
        let words = split(segment);
        let is_last = segments.get(at + 1).is_none();
        let below_an_object = at.checked_sub(1).is_some_and(|before| has_an_id(segments[before]));
        let alone = is_last && is_action(&plain(without_extension(segment)), below_an_object);
        of_words(&words).or(alone.then_some(Verb::Changes))
    };
    segments.iter().enumerate().filter_map(of_segment).max()
}

/// A segment without the ending of a script or a format: `cron.php`, `logout.do`.
fn without_extension(segment: &str) -> &str {
    match segment.rsplit_once('.') {
        Some((name, ending)) if ending.len() <= 6 && ending.bytes().all(|b| b.is_ascii_alphanumeric()) => name,
        _ => segment,
    }
}

/// What an operation id says that it does, by its first or last word.
pub(super) fn of_id(id: &str) -> Option<Verb> {
    let words = split(id);
    if words.iter().any(|word| READS.contains(word.as_str())) {
        return None;
    }
    let ends: Vec<String> = match words.as_slice() {
        [] => return None,
        [only] => return of_words(std::slice::from_ref(only)),
        [first, second, ..] => vec![first.clone(), second.clone()],
    };
    let last = words.last().and_then(|last| verb(last));
    of_words(&ends).max(last)
}

/// What the first sentence of a text says that it does, by its leading verb.
pub(super) fn of_sentence(text: &str) -> Option<Verb> {
    let lead = Lead::of(text)?;
    if BEHIND_A_NOUN.contains(&lead.next.as_str()) {
        return None;
    }
    exact(&lead.word).or_else(|| in_one_script(&lead.word)).or_else(|| lead.inflected(exact))
}

/// True if the leading verb of a text's first sentence is one that reads: `Retrieves …`, `Get …`.
pub(super) fn sentence_reads(text: &str) -> bool {
    let reads = |word: &str| READS.contains(word).then_some(());
    Lead::of(text).is_some_and(|lead| {
        let third = [lead.word.strip_suffix("es"), lead.word.strip_suffix('s')];
        reads(&lead.word).is_some() || third.into_iter().flatten().any(|stem| reads(stem).is_some())
    })
}

/// True if an operation id begins with a verb that reads.
pub(super) fn id_reads(id: &str) -> bool {
    split(id).first().is_some_and(|first| READS.contains(first.as_str()))
}

/// The leading word of a sentence, and the one behind it.
struct Lead {
    word: String,
    next: String,
    /// True behind words such as `This endpoint`.
    is_introduced: bool,
}

impl Lead {
    fn of(text: &str) -> Option<Self> {
        let parts = text.split(['.', '\n', '\r', '!', ':', '[', ']', '(', ')']).map(str::trim);
        let sentence = parts.filter(|part| !part.is_empty()).find(|part| !LABELS.contains(&plain(part).as_str()))?;
        let mut words = sentence
            .split(|c: char| !c.is_alphanumeric() && c != '\'')
            .filter(|word| !word.is_empty())
            .take(10)
            .map(str::to_lowercase)
            .peekable();
        let is_introduced = words.peek().is_some_and(|first| BEGINS_BEFORE_A_VERB.contains(&first.as_str()));
        while is_introduced && words.next_if(|word| BEFORE_A_VERB.contains(&word.as_str())).is_some() {}
        let word = words.next()?;
        Some(Self { word, next: words.next().unwrap_or_default(), is_introduced })
    }

    /// The verb of which the word is the third person or, behind an introduction, the gerund.
    fn inflected(&self, verb: impl Fn(&str) -> Option<Verb>) -> Option<Verb> {
        let is_sentence = ARTICLES.contains(&self.next.as_str()) || self.is_introduced;
        let third = [self.word.strip_suffix("es"), self.word.strip_suffix('s')];
        let third = third.into_iter().flatten().find_map(&verb).filter(|_| is_sentence);
        third.or_else(|| {
            let stem = self.word.strip_suffix("ing").filter(|_| self.is_introduced)?;
            verb(stem).or_else(|| verb(&format!("{stem}e")))
        })
    }
}

/// True if a path says that each reading takes something away: a queue, a one-time link.
pub fn reads_once(path: &str) -> bool {
    all_words(path).iter().any(|word| ONCE.contains(word.as_str()))
}

/// True if a path says that each call may cost money.
pub fn is_metered(path: &str) -> bool {
    all_words(path).iter().any(|word| METERED.contains(word.as_str()))
}

fn all_words(path: &str) -> Vec<String> {
    let fixed = path.split('/').filter(|segment| !segment.is_empty() && !is_parameter(segment));
    fixed.flat_map(|segment| split(segment).into_iter().chain([plain(segment)])).collect()
}

/// What a name of several words says that it does.
fn of_words(words: &[String]) -> Option<Verb> {
    let has = |wanted: &[&str]| words.iter().any(|word| wanted.contains(&word.as_str()));
    let first_reads = words.first().is_some_and(|first| READS.contains(first.as_str()));
    let generates_a_secret = words.first().is_some_and(|first| first == "generate" || first == "gen")
        && has(&["key", "keys", "token", "tokens", "code", "codes", "secret", "otp", "password"]);
    if generates_a_secret {
        return Some(Verb::Changes);
    }
    let joined = words.concat();
    if first_reads && !has(&["and", "then"]) && !has(&NEVER_A_NOUN) {
        return exact(&joined);
    }
    let of_word = |(at, word): (usize, &String)| {
        let before = at.checked_sub(1).and_then(|before| words.get(before)).map(String::as_str).unwrap_or_default();
        let next = words.get(at + 1).map(String::as_str).unwrap_or_default();
        let found = verb(word)?;
        let is_add_on = word == "add" && matches!(next, "on" | "ons");
        let is_noun = is_add_on
            || BEFORE_A_NOUN.contains(&before)
            || BEHIND_ANY_NOUN.contains(&next)
            || (found == Verb::Changes && BEHIND_A_NOUN.contains(&next));
        (!is_noun).then_some(found)
    };
    let of_pair = |pair: &[String]| match pair {
        [set, next] if set == "set" => (!OF_A_SET.contains(&next.as_str())).then_some(Verb::Changes),
        [word, next] => is_verb_before(word, next).then_some(Verb::Changes),
        _ => None,
    };
    let single = words.iter().enumerate().filter_map(of_word);
    single.chain(words.windows(2).filter_map(of_pair)).chain(exact(&joined)).max()
}

/// True if a word that is as often a noun is a verb before this one.
fn is_verb_before(word: &str, next: &str) -> bool {
    let is_object = OBJECTS.contains(next) && !FACTS.contains(&next) && !MOSTLY_NOUNS.contains(&word);
    EITHER.contains(word) && (OF_A_VERB.contains(&next) || is_object)
}

/// True if a word that is as often a noun says what to do, where it is all that is said.
fn is_action(word: &str, below_an_object: bool) -> bool {
    let is_resource = RESOURCES.contains(&word) || (!below_an_object && RESOURCES_AT_THE_TOP.contains(&word));
    EITHER.contains(word) && !is_resource
}

/// What a parameter of this name does where it is set.
pub(super) fn of_parameter(name: &str) -> Option<Verb> {
    let words = split(name);
    match words.as_slice() {
        [only] => verb(only),
        [first, rest @ ..] if rest.iter().all(|word| OBJECTS.contains(word.as_str()) && word != "id") => exact(first),
        _ => None,
    }
}

/// What a name of an action says that it does.
pub(super) fn of_action(name: &str) -> Option<Verb> {
    let words = split(name);
    let alone = matches!(words.as_slice(), [only] if is_action(only, true));
    of_words(&words).or(alone.then_some(Verb::Changes))
}

/// A word that is a verb, also with its object run together.
fn verb(word: &str) -> Option<Verb> {
    exact(word).or_else(|| run_together(word)).or_else(|| in_one_script(word))
}

/// A verb at the beginning or the end of a word of a script that sets no spaces.
fn in_one_script(word: &str) -> Option<Verb> {
    if !word.starts_with(|c: char| c >= '\u{2e80}') {
        return None;
    }
    let of = |list: &BTreeSet<&str>| {
        list.iter().any(|verb| !verb.is_ascii() && (word.starts_with(verb) || word.ends_with(verb)))
    };
    match () {
        () if of(&DESTROYS) => Some(Verb::Destroys),
        () if of(&CHANGES) => Some(Verb::Changes),
        () => None,
    }
}

fn exact(word: &str) -> Option<Verb> {
    match () {
        () if DESTROYS.contains(word) => Some(Verb::Destroys),
        () if CHANGES.contains(word) => Some(Verb::Changes),
        () => None,
    }
}

/// `deleteallusers`, `dbdrop`: a verb with nouns of `objects.txt` behind or before it.
fn run_together(word: &str) -> Option<Verb> {
    let cuts = word.char_indices().map(|(at, _)| at).skip(2);
    let of_cut = |at: usize| {
        let (head, tail) = word.split_at(at);
        let behind = exact(head).filter(|_| are_objects(tail, 3));
        let before = exact(tail).filter(|_| are_objects(head, 2));
        let set = (head == "set" && !OF_A_SET.contains(&tail) && are_objects(tail, 2)).then_some(Verb::Changes);
        let either = is_verb_before(head, tail).then_some(Verb::Changes);
        [behind, before, set, either].into_iter().flatten().max()
    };
    cuts.filter_map(of_cut).max()
}

fn are_objects(text: &str, most: usize) -> bool {
    if OBJECTS.contains(text) {
        return true;
    }
    most > 1
        && text.char_indices().map(|(at, _)| at).skip(1).any(|at| {
            let (head, tail) = text.split_at(at);
            OBJECTS.contains(head) && are_objects(tail, most - 1)
        })
}

/// The words of a name in lower case, split at separators and at capitals.
pub(super) fn split(name: &str) -> Vec<String> {
    let name = decoded(name);
    let mut words = vec![String::new()];
    let (mut after_small, mut after_letter, mut after_digit) = (false, false, false);
    for c in name.chars() {
        let turns =
            (c.is_uppercase() && after_small) || (c.is_numeric() && after_letter) || (c.is_alphabetic() && after_digit);
        if !c.is_alphanumeric() || turns {
            words.push(String::new());
        }
        if c.is_alphanumeric() {
            let last = words.last_mut().expect("begins with one");
            last.extend(c.to_lowercase());
        }
        (after_small, after_letter, after_digit) = (c.is_lowercase(), c.is_alphabetic(), c.is_numeric());
    }
    words.retain(|word| !word.is_empty());
    words
}

/// A name without case and separators.
pub(super) fn plain(name: &str) -> String {
    decoded(name).chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

pub(super) fn decoded(text: &str) -> String {
    let mut text = text.to_owned();
    for _ in 0..DECODINGS {
        text = percent_decode_str(&text).decode_utf8_lossy().into_owned();
    }
    // Frameworks that normalize read full-width letters as the usual ones.
    text.chars()
        .map(|c| match u32::from(c) {
            code @ 0xff01..=0xff5e => char::from_u32(code - 0xfee0).unwrap_or(c),
            _ => c,
        })
        .collect()
}

fn is_parameter(segment: &str) -> bool {
    segment.starts_with('{') && segment.ends_with('}')
}

/// True if a segment of the path is a parameter, a number or a long id.
pub(super) fn has_an_id(path: &str) -> bool {
    path.split('/').filter(|segment| !segment.is_empty()).any(|segment| {
        let digits = segment.bytes().filter(u8::is_ascii_digit).count();
        is_parameter(segment) || digits == segment.len() || (digits > 2 && segment.len() >= 8)
    })
}
