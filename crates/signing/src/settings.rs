//! The `signing:` block of a configuration file.

use std::collections::BTreeMap;
use std::time::Duration;

use model::Secret;
use schemars::JsonSchema;
use serde::Deserialize;

use crate::algorithm::{Algorithm, Encoding, Hash, KeyEncoding};
use crate::clock::Clock;
use crate::formula::{Formula, FormulaError, Variable};
use crate::key::KeyError;
use crate::keyed::Keyed;
use crate::preset::{nearest_preset, preset};
use crate::scheme::{Canonical, Derivation, Scheme};
use crate::slot::{Slot, Spot};
use crate::standard::Standard;

/// How an identity signs its requests: a preset, or a canonical formula with the places of its
/// parts. What is stated beside a preset replaces the preset's own.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Settings {
    /// Name of a preset.
    pub preset: Option<String>,
    /// The canonical string as a formula.
    pub canonical: Option<String>,
    /// `hmac-sha256`, `sha256-secret-first`, `ed25519` and so on.
    pub algorithm: Option<String>,
    /// What the secret's text stands for.
    pub key_encoding: Option<KeyEncoding>,
    /// How the signature is written.
    pub encoding: Option<Encoding>,
    /// Headers: a name, or a name and a template such as `Stripe-Signature: t={ts},v1={sig}`.
    pub headers: Places,
    /// Query parameters.
    pub query: Places,
    /// Fields of an urlencoded body.
    pub form: Places,
    /// How the timestamp is written.
    pub clock: Option<Clock>,
    /// How old a timestamp may be, in seconds.
    pub window_s: Option<u64>,
    /// True where each nonce must be greater than the one before.
    pub monotone_nonce: Option<bool>,
    /// Text before the secret where the key is derived.
    pub key_prefix: Option<String>,
    /// Formulas of a chain of HMACs that derives the key.
    pub key_steps: Vec<String>,
    /// The secret, as text, PEM or JWK.
    #[schemars(with = "String")]
    pub secret: Secret,
    /// The key id.
    pub key_id: String,
    /// Region of a `sigv4` scheme.
    pub region: Option<String>,
    /// Service of a `sigv4` scheme.
    pub service: Option<String>,
    /// Access token of an `oauth1` or `dpop` scheme.
    #[schemars(with = "Option<String>")]
    pub token: Option<Secret>,
    /// What an `rfc9421` or `cavage` scheme signs, in order, and which headers a `sigv4` scheme signs.
    /// What a request does not have is left out of its signature.
    #[serde(alias = "signed_headers")]
    pub components: Option<Vec<String>>,
    /// Parameters of an `rfc9421` signature, in order: `created`, `expires`, `nonce`, `keyid`, `alg`, or
    /// one as it is written, such as `tag="orders"`.
    pub parameters: Option<Vec<String>>,
    /// Label of an `rfc9421` signature.
    pub label: Option<String>,
}

/// Names of places, by what stands there: `timestamp`, `nonce`, `key_id`, `signature`. Beside a preset,
/// a name alone keeps the preset's template.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Places {
    /// Where the timestamp stands.
    pub timestamp: Option<String>,
    /// Where the nonce stands.
    pub nonce: Option<String>,
    /// Where the key id stands.
    pub key_id: Option<String>,
    /// Where the signature stands.
    pub signature: Option<String>,
    /// What is computed before signing: a template by name, such as a digest of the body.
    pub derived: BTreeMap<String, String>,
}

/// Why settings make no signer. Never repeats the secret.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SettingsError {
    /// Neither a preset nor a formula.
    #[error("signing needs `preset` or `canonical`")]
    Empty,
    /// No preset of this name.
    #[error("there is no preset `{name}`{}", nearest.map(|n| format!("; did you mean `{n}`?")).unwrap_or_default())]
    UnknownPreset {
        /// As written.
        name: String,
        /// The nearest name that there is.
        nearest: Option<&'static str>,
    },
    /// No algorithm of this name.
    #[error("there is no algorithm `{name}`; `hmac-sha256` is the most common one")]
    UnknownAlgorithm {
        /// As written.
        name: String,
    },
    /// A formula or a template cannot be read.
    #[error("`{key}`: {source}")]
    Formula {
        /// The key that holds it.
        key: &'static str,
        /// What is wrong with it.
        source: FormulaError,
    },
    /// The formula uses a part of the stamp that has no place in the request.
    #[error("the formula uses `{variable}`, but no header or parameter holds it")]
    NoPlace {
        /// The variable.
        variable: String,
    },
    /// An option of another scheme.
    #[error("`{key}` is no option of this scheme")]
    Option {
        /// The key.
        key: &'static str,
    },
    /// The secret cannot be the scheme's key.
    #[error(transparent)]
    Key(#[from] KeyError),
}

impl Settings {
    /// The signer of these settings.
    ///
    /// # Errors
    /// Where a name, a formula or the secret does not fit.
    pub fn signer(&self) -> Result<Keyed, SettingsError> {
        Ok(Keyed::new(self.scheme()?, self.secret.clone(), self.key_id.clone())?)
    }

    /// The scheme of these settings.
    ///
    /// # Errors
    /// Where a name or a formula does not fit.
    pub fn scheme(&self) -> Result<Scheme, SettingsError> {
        let mut scheme = match &self.preset {
            Some(name) => preset(name)
                .ok_or_else(|| SettingsError::UnknownPreset { name: name.clone(), nearest: nearest_preset(name) })?,
            None => self.bare()?,
        };
        if let (Some(_), Some(text)) = (&self.preset, &self.canonical) {
            scheme.canonical = Canonical::Formula(parse("canonical", text)?);
        }
        if let Some(name) = &self.algorithm {
            scheme.algorithm = name.parse().map_err(|()| SettingsError::UnknownAlgorithm { name: name.clone() })?;
        }
        scheme.key_encoding = self.key_encoding.unwrap_or(scheme.key_encoding);
        scheme.encoding = self.encoding.unwrap_or(scheme.encoding);
        scheme.clock = self.clock.unwrap_or(scheme.clock);
        scheme.window = self.window_s.map(Duration::from_secs).or(scheme.window);
        scheme.monotone_nonce = self.monotone_nonce.unwrap_or(scheme.monotone_nonce);
        if !self.key_steps.is_empty() {
            let steps = self.key_steps.iter().map(|step| {
                Formula::template(step).map_err(|source| SettingsError::Formula { key: "key_steps", source })
            });
            let prefix = self.key_prefix.clone().unwrap_or_default();
            scheme.derivation = Some(Derivation { prefix, steps: steps.collect::<Result<_, _>>()? });
        }
        self.options(&mut scheme.canonical)?;
        if let Canonical::Standard(standard) = &mut scheme.canonical {
            self.fixed_places(standard)?;
            return Ok(scheme);
        }
        for (places, spot) in
            [(&self.headers, Spot::Header as fn(String) -> Spot), (&self.query, Spot::Query), (&self.form, Spot::Form)]
        {
            places.add_to(&mut scheme.slots, spot)?;
        }
        // The signature comes last: it may cover what the other places hold.
        scheme.slots.sort_by_key(|slot| slot.holds(&Variable::Signature));
        has_places(&scheme)?;
        Ok(scheme)
    }

    fn bare(&self) -> Result<Scheme, SettingsError> {
        let text = self.canonical.as_deref().ok_or(SettingsError::Empty)?;
        Ok(Scheme {
            name: "custom".into(),
            canonical: Canonical::Formula(parse("canonical", text)?),
            algorithm: Algorithm::Hmac(Hash::Sha256),
            key_encoding: KeyEncoding::Raw,
            derivation: None,
            encoding: Encoding::Hex,
            slots: Vec::new(),
            clock: Clock::Seconds,
            window: None,
            monotone_nonce: false,
        })
    }

    /// A document says where its values stand: settings may repeat that, and choose where it has two
    /// places.
    fn fixed_places(&self, standard: &mut Standard) -> Result<(), SettingsError> {
        if self.query.is_stated() || self.form.is_stated() || !self.headers.derived.is_empty() {
            return Err(SettingsError::Option { key: "query, form or derived" });
        }
        for (role, place, _) in self.headers.stated() {
            if place.is_some_and(|header| !standard.has_header(role, header)) {
                return Err(SettingsError::Option { key: role });
            }
        }
        if let (Standard::Cavage(options), Some(header)) = (standard, &self.headers.signature) {
            options.authorization = header.eq_ignore_ascii_case("authorization");
        }
        Ok(())
    }

    fn options(&self, canonical: &mut Canonical) -> Result<(), SettingsError> {
        let mut unused = [
            ("region", self.region.is_some()),
            ("service", self.service.is_some()),
            ("token", self.token.is_some()),
            ("components", self.components.is_some()),
            ("parameters", self.parameters.is_some()),
            ("label", self.label.is_some()),
        ];
        let mut used: &[&str] = &[];
        if let Canonical::Standard(standard) = canonical {
            match standard {
                Standard::SigV4(options) => {
                    used = &["region", "service", "components"];
                    options.region = self.region.clone().unwrap_or(options.region.clone());
                    options.service = self.service.clone().unwrap_or(options.service.clone());
                    let names_digest =
                        |names: &Vec<String>| names.iter().any(|n| n.eq_ignore_ascii_case("x-amz-content-sha256"));
                    options.content_header |=
                        options.service == "s3" || self.components.as_ref().is_some_and(names_digest);
                    options.signed_headers = self.components.clone().or(options.signed_headers.take());
                }
                Standard::OAuth1(options) => {
                    used = &["token"];
                    options.token = self.token.as_ref().map(|token| token.expose().to_owned());
                }
                Standard::Dpop(options) => {
                    used = &["token"];
                    options.token = self.token.clone();
                }
                Standard::Rfc9421(_) => {
                    used = &["components", "parameters", "label"];
                    if let Some(components) = &self.components {
                        standard.sign_only(components);
                    }
                    if let Standard::Rfc9421(options) = standard {
                        options.parameters = self.parameters.clone().unwrap_or(options.parameters.clone());
                        options.label = self.label.clone().unwrap_or(options.label.clone());
                    }
                }
                Standard::Cavage(_) => {
                    used = &["components"];
                    if let Some(components) = &self.components {
                        standard.sign_only(components);
                    }
                }
                Standard::Hawk | Standard::Azure => {}
            }
        }
        unused.iter_mut().for_each(|(key, is_set)| *is_set &= !used.contains(key));
        match unused.iter().find(|(_, is_set)| *is_set) {
            Some((key, _)) => Err(SettingsError::Option { key }),
            None => Ok(()),
        }
    }
}

impl Places {
    fn stated(&self) -> [(&'static str, Option<&str>, Variable); 4] {
        [
            ("timestamp", self.timestamp.as_deref(), Variable::Timestamp),
            ("nonce", self.nonce.as_deref(), Variable::Nonce),
            ("key_id", self.key_id.as_deref(), Variable::KeyId),
            ("signature", self.signature.as_deref(), Variable::Signature),
        ]
    }

    fn is_stated(&self) -> bool {
        !self.derived.is_empty() || self.stated().iter().any(|(_, place, _)| place.is_some())
    }

    /// A name alone renames the place that a preset has, whose template stays.
    fn add_to(&self, slots: &mut Vec<Slot>, spot: fn(String) -> Spot) -> Result<(), SettingsError> {
        for (key, place, variable) in self.stated() {
            let Some(place) = place else { continue };
            let (name, template) = match place.split_once(": ") {
                Some((name, template)) => (name, template.to_owned()),
                None => {
                    let own = slots.iter_mut().find(|slot| slot.holds(&variable));
                    let renamed = spot(place.to_owned());
                    if let Some(slot) = own.filter(|slot| slot.spot.is_like(&renamed)) {
                        slot.spot = renamed;
                        continue;
                    }
                    (place, format!("{{{}}}", variable.name()))
                }
            };
            slots.retain(|slot| !slot.holds(&variable));
            slots.push(
                Slot::new(spot(name.to_owned()), &template).map_err(|source| SettingsError::Formula { key, source })?,
            );
        }
        for (name, template) in &self.derived {
            slots.push(
                Slot::new(spot(name.clone()), template)
                    .map_err(|source| SettingsError::Formula { key: "derived", source })?,
            );
        }
        Ok(())
    }
}

fn parse(key: &'static str, text: &str) -> Result<Formula, SettingsError> {
    text.parse().map_err(|source| SettingsError::Formula { key, source })
}

/// Whatever a formula takes from the stamp must travel with the request, as must the signature.
fn has_places(scheme: &Scheme) -> Result<(), SettingsError> {
    let Canonical::Formula(formula) = &scheme.canonical else { return Ok(()) };
    let is_stamp = |v: &&Variable| matches!(v, Variable::Timestamp | Variable::Nonce | Variable::KeyId);
    let used = formula.variables().into_iter().filter(is_stamp).chain([&Variable::Signature]);
    for variable in used {
        if !scheme.slots.iter().any(|slot| slot.holds(variable)) {
            return Err(SettingsError::NoPlace { variable: variable.name() });
        }
    }
    Ok(())
}
