//! A scheme as the `signing:` block of a configuration file.

use std::fmt::Write as _;

use serde::Serialize;
use serde_json::Value;

use crate::formula::Variable;
use crate::preset::preset;
use crate::scheme::{Canonical, Scheme};
use crate::slot::{Slot, Spot};

/// What a place holds, and its key in the block.
const ROLES: [(Variable, &str); 4] = [
    (Variable::Signature, "signature"),
    (Variable::Timestamp, "timestamp"),
    (Variable::Nonce, "nonce"),
    (Variable::KeyId, "key_id"),
];

impl Scheme {
    /// The block from which [`crate::Settings`] make this scheme, in YAML, the secret as a variable.
    pub fn block(&self, key_id: Option<&str>) -> String {
        let mut text = String::from("signing:\n");
        let own = preset(&self.name);
        let base = own.as_ref();
        if base.is_some() {
            _ = writeln!(text, "  preset: {}", self.name);
        }
        if let (None, Canonical::Formula(formula)) = (base, &self.canonical) {
            _ = writeln!(text, "  canonical: {}", quoted(formula.text()));
        }
        if base.is_none_or(|base| base.algorithm != self.algorithm) {
            _ = writeln!(text, "  algorithm: {}", self.algorithm);
        }
        if base.map_or(self.key_encoding != Default::default(), |base| base.key_encoding != self.key_encoding) {
            _ = writeln!(text, "  key_encoding: {}", name(&self.key_encoding));
        }
        if base.is_none_or(|base| base.encoding != self.encoding) {
            _ = writeln!(text, "  encoding: {}", name(&self.encoding));
        }
        let has_time = self.slots.iter().any(|slot| slot.holds(&Variable::Timestamp));
        if base.map_or(has_time, |base| base.clock != self.clock) {
            _ = writeln!(text, "  clock: {}", name(&self.clock));
        }
        if base.is_none() {
            for (key, takes) in [
                ("headers", (|spot| matches!(spot, Spot::Header(_))) as fn(&Spot) -> bool),
                ("query", |spot| matches!(spot, Spot::Query(_))),
                ("form", |spot| matches!(spot, Spot::Form(_))),
            ] {
                let slots: Vec<&Slot> = self.slots.iter().filter(|slot| takes(&slot.spot)).collect();
                if !slots.is_empty() {
                    _ = writeln!(text, "  {key}:");
                    slots.into_iter().for_each(|slot| text.push_str(&place(slot)));
                }
            }
        }
        text.push_str("  secret: \"${SIGNING_SECRET}\"\n");
        if let Some(key_id) = key_id.filter(|key_id| !key_id.is_empty()) {
            _ = writeln!(text, "  key_id: {}", quoted(key_id));
        }
        text
    }
}

/// A line of a place: its name alone where nothing stands beside the value.
fn place(slot: &Slot) -> String {
    let (Spot::Header(name) | Spot::Query(name) | Spot::Form(name)) = &slot.spot;
    match ROLES.iter().find(|(variable, _)| slot.holds(variable)) {
        Some((variable, key)) if slot.template.text() == format!("{{{}}}", variable.name()) => {
            format!("    {key}: {}\n", quoted(name))
        }
        Some((_, key)) => format!("    {key}: {}\n", quoted(&format!("{name}: {}", slot.template.text()))),
        None => format!("    derived: {{ {}: {} }}\n", quoted(name), quoted(slot.template.text())),
    }
}

fn name(value: &impl Serialize) -> String {
    match serde_json::to_value(value) {
        Ok(Value::String(name)) => name,
        _ => String::new(),
    }
}

/// A text as a scalar of YAML: as it is where that is the same, else in double quotes.
fn quoted(text: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    let starts_plain = text.starts_with(|c: char| c.is_ascii_alphabetic());
    let is_word = ["true", "false", "yes", "no", "on", "off", "null"].iter().any(|w| text.eq_ignore_ascii_case(w));
    if starts_plain && !is_word && text.chars().all(is_plain) {
        return text.to_owned();
    }
    Value::from(text).to_string()
}

#[cfg(test)]
mod tests {
    use crate::settings::Settings;

    #[test]
    fn a_block_makes_the_scheme_that_it_was_written_from() {
        for block in [
            "canonical: \"{ts}\\n{METHOD}\\n{raw_path}\\n{sha512hex(body)}\"\nalgorithm: hmac-sha1\nencoding: base64\nclock: ms\nheaders: { timestamp: X-Acme-Time, signature: X-Acme-Sig }\n",
            "canonical: \"v0:{ts}:{{x}}{body}\"\nalgorithm: sha256-secret-last\nencoding: hex-upper\nkey_encoding: base64\nheaders: { signature: \"Authorization: ACME {key_id}:{sig}\", timestamp: Date }\nclock: http-date\n",
            "canonical: \"{sorted_query}\\t{nonce}\"\nencoding: base64url\nquery: { signature: sign, nonce: n, key_id: \"app\" }\n",
            "canonical: \"{ts}{form}\"\nform: { signature: sign, timestamp: t }\n",
            "preset: slack\n",
            "preset: stripe\nalgorithm: hmac-sha512\nencoding: base64\n",
        ] {
            let settings: Settings = serde_saphyr::from_str(block).unwrap();
            let scheme = settings.scheme().unwrap();
            let written = scheme.block(Some("k1"));
            let inner: String = written.lines().skip(1).map(|line| format!("{}\n", &line[2..])).collect();
            let again: Settings = serde_saphyr::from_str(&inner).unwrap();
            assert_eq!(again.scheme().unwrap(), scheme, "{written}");
            assert_eq!((again.secret.expose(), again.key_id.as_str()), ("${SIGNING_SECRET}", "k1"), "{written}");
        }
    }
}
