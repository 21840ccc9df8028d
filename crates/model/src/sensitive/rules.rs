//! The rules of `rules.toml`, parsed once, each pattern compiled at its first use.

use std::sync::{LazyLock, OnceLock};

use regex::bytes::{Regex, RegexBuilder};
use serde::Deserialize;

use super::{Certainty, Kind};

/// How a value of one kind is recognized.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) struct Rule {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) kind: Kind,
    /// Literals, any letter case, one of which stands in or near each value.
    pub(super) keywords: Vec<String>,
    /// Byte pattern. The group `value` is what is reported (the whole match without it), the group
    /// `secret` its secret part (the value without it).
    pattern: String,
    /// How far from a keyword, in bytes, a match may begin or end.
    #[serde(default = "default_reach")]
    pub(super) reach: usize,
    /// What may be shown of a value: beginnings that the vendor gives to every such value.
    #[serde(default)]
    pub(super) shown: Vec<String>,
    #[serde(default)]
    pub(super) proof: Proof,
    /// The least Shannon entropy of the secret part, in bits per character.
    #[serde(default)]
    pub(super) min_entropy: f64,
    pub(super) certainty: Certainty,
    #[serde(default)]
    pub(super) publishable: bool,
    #[serde(skip)]
    compiled: OnceLock<Regex>,
}

/// What a value must satisfy beyond its pattern.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Proof {
    /// The pattern is enough.
    #[default]
    Pattern,
    /// Upper case, lower case and digits all occur, as in nearly every random base62 text.
    MixedAlphabet,
    /// The last six characters are the CRC32 of those behind the prefix, in base62.
    Base62Crc32,
    /// The first segment decodes to a JOSE header.
    Jwt,
    /// A JWT whose claims name Supabase as issuer and the public role.
    SupabaseAnon,
    /// A JWT whose claims name Supabase as issuer and the administrator's role.
    SupabaseServiceRole,
    /// Several lines of base64 that differ, between the two boundaries.
    Pem,
    /// Decodes from base64 to the number of bytes that the vendor's key has.
    AzureKey,
    /// Decodes from base64 to `user:password` or `id:secret`.
    BasicCredentials,
    /// The first segment is the decimal id of a bot, in base64.
    DiscordToken,
    /// Luhn digit, length and issuer range of a card that is not a published test card.
    PaymentCard,
    /// Country, its length and the check digits.
    Iban,
    /// A number that the US Social Security Administration can have issued.
    UsSsn,
    /// Check digits of the country's own scheme.
    Cpf,
    /// See `Cpf`.
    Pesel,
    /// See `Cpf`.
    SpanishDni,
    /// See `Cpf`.
    FrenchNir,
    /// See `Cpf`.
    CodiceFiscale,
    /// See `Cpf`.
    Aadhaar,
    /// Prefix letters that HM Revenue & Customs allocates.
    UkNino,
}

impl Rule {
    /// The compiled pattern.
    pub(super) fn regex(&self) -> &Regex {
        self.compiled.get_or_init(|| {
            let pattern = self.pattern.replace("<is>", ASSIGNMENT).replace("<of>", LABEL_END);
            RegexBuilder::new(&pattern).unicode(false).build().expect("a test compiles every pattern of rules.toml")
        })
    }
}

/// All rules, in order of precedence where two claim the same bytes.
pub(super) fn rules() -> &'static [Rule] {
    &RULES
}

/// What stands between a name and its value in JSON (also inside a JSON string), YAML, XML, code, HTTP
/// headers and environment files.
const ASSIGNMENT: &str = r#"\\?["']?\s{0,4}(?:[:=,>]|=>)\s{0,4}\\?["']?"#;

/// What stands between the name of a number and the number, in prose and in data.
const LABEL_END: &str =
    r"(?i:[ _-]?(?:number|num|no|nr|nummer|numero|security|is|de credito)\.?){0,2}[^A-Za-z0-9]{1,8}";

static RULES: LazyLock<Vec<Rule>> =
    LazyLock::new(|| toml::from_str::<File>(include_str!("rules.toml")).expect("a test parses rules.toml").rule);

#[derive(Deserialize)]
struct File {
    rule: Vec<Rule>,
}

fn default_reach() -> usize {
    256
}
