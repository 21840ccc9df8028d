//! Schemes by name.

use std::time::Duration;

use crate::algorithm::{Algorithm, Encoding, Hash, KeyEncoding};
use crate::clock::Clock;
use crate::scheme::{Canonical, Scheme};
use crate::slot::{Filled, Slot, Spot};
use crate::standard::{Cavage, Dpop, OAuth1, Rfc9421, SigV4, Standard};

/// The names of all presets.
pub const PRESETS: [&str; 19] = [
    "reference",
    "article",
    "stripe",
    "github",
    "slack",
    "standard-webhooks",
    "shopify",
    "shopify-app-proxy",
    "twilio",
    "sigv4",
    "rfc9421",
    "cavage",
    "hawk",
    "oauth1",
    "binance",
    "coinbase",
    "kraken",
    "azure",
    "dpop",
];

const SHA256: Algorithm = Algorithm::Hmac(Hash::Sha256);

/// The scheme of a preset; `None` where there is none of this name.
pub fn preset(name: &str) -> Option<Scheme> {
    Some(match name {
        // What we recommend: everything that changes the meaning of a request, in lines.
        "reference" => Scheme {
            window: minutes(5),
            ..formula(
                name,
                "v1\\n{key_id}\\n{ts}\\n{nonce}\\n{METHOD}\\n{host}\\n{path_query}\\n{content_type}\\n{sha256hex(body)}",
                vec![
                    header("X-Key-Id", "{key_id}"),
                    header("X-Timestamp", "{ts}"),
                    header("X-Nonce", "{nonce}"),
                    header("X-Signature", "{sig}"),
                ],
            )
        },
        // The middleBrick article "Integrity Failures in Flask with Api Keys".
        "article" => Scheme {
            window: minutes(5),
            ..formula(
                name,
                "{ts}{METHOD}{path}{text(body)}",
                vec![header("X-Timestamp", "{ts}"), header("X-Signature", "{sig}")],
            )
        },
        // docs.stripe.com/webhooks, "Verify webhook signatures manually"; default tolerance 5 minutes.
        "stripe" => Scheme {
            window: minutes(5),
            ..formula(name, "{ts}.{body}", vec![header("Stripe-Signature", "t={ts},v1={sig}")])
        },
        // docs.github.com, "Validating webhook deliveries".
        "github" => formula(name, "{body}", vec![header("X-Hub-Signature-256", "sha256={sig}")]),
        // docs.slack.dev, "Verifying requests from Slack".
        "slack" => Scheme {
            window: minutes(5),
            ..formula(
                name,
                "v0:{ts}:{body}",
                vec![header("X-Slack-Request-Timestamp", "{ts}"), header("X-Slack-Signature", "v0={sig}")],
            )
        },
        // github.com/standard-webhooks/standard-webhooks, "Signature scheme".
        "standard-webhooks" => Scheme {
            key_encoding: KeyEncoding::Whsec,
            encoding: Encoding::Base64,
            window: minutes(5),
            ..formula(
                name,
                "{nonce}.{ts}.{body}",
                vec![
                    header("webhook-id", "{nonce}"),
                    header("webhook-timestamp", "{ts}"),
                    header("webhook-signature", "v1,{sig}"),
                ],
            )
        },
        // shopify.dev, "Verify webhook deliveries".
        "shopify" => Scheme {
            encoding: Encoding::Base64,
            ..formula(name, "{body}", vec![header("X-Shopify-Hmac-Sha256", "{sig}")])
        },
        // shopify.dev, "Authenticate app proxies": sorted parameters, joined by nothing.
        "shopify-app-proxy" => formula(
            name,
            "{joined_query}",
            vec![slot(Spot::Query("timestamp".into()), "{ts}"), slot(Spot::Query("signature".into()), "{sig}")],
        ),
        // twilio.com/docs/usage/security, "Validating requests are coming from Twilio".
        "twilio" => Scheme {
            algorithm: Algorithm::Hmac(Hash::Sha1),
            encoding: Encoding::Base64,
            ..formula(
                name,
                "{url}{form}",
                vec![
                    Slot { filled: Filled::UnlessForm, ..slot(Spot::Query("bodySHA256".into()), "{sha256hex(body)}") },
                    header("X-Twilio-Signature", "{sig}"),
                ],
            )
        },
        // developers.binance.com, "SIGNED endpoint security"; the client's `recvWindow` is at most 60 s.
        "binance" => Scheme {
            clock: Clock::Milliseconds,
            window: Some(Duration::from_secs(60)),
            ..formula(
                name,
                "{query}{body}",
                vec![
                    header("X-MBX-APIKEY", "{key_id}"),
                    slot(Spot::Query("timestamp".into()), "{ts}"),
                    slot(Spot::Query("signature".into()), "{sig}"),
                ],
            )
        },
        // docs.cdp.coinbase.com/exchange, "REST API authentication"; `CB-ACCESS-PASSPHRASE` is no part of it.
        "coinbase" => Scheme {
            key_encoding: KeyEncoding::Base64,
            encoding: Encoding::Base64,
            window: Some(Duration::from_secs(30)),
            ..formula(
                name,
                "{ts}{METHOD}{path_query}{body}",
                vec![
                    header("CB-ACCESS-KEY", "{key_id}"),
                    header("CB-ACCESS-TIMESTAMP", "{ts}"),
                    header("CB-ACCESS-SIGN", "{sig}"),
                ],
            )
        },
        // docs.kraken.com/api, "Spot REST authentication".
        "kraken" => Scheme {
            algorithm: Algorithm::Hmac(Hash::Sha512),
            key_encoding: KeyEncoding::Base64,
            encoding: Encoding::Base64,
            monotone_nonce: true,
            ..formula(
                name,
                "{raw_path}{sha256(nonce, body)}",
                vec![
                    slot(Spot::Form("nonce".into()), "{nonce}"),
                    header("API-Key", "{key_id}"),
                    header("API-Sign", "{sig}"),
                ],
            )
        },
        "sigv4" => Scheme {
            clock: Clock::Basic,
            window: minutes(15),
            ..standard(
                name,
                Standard::SigV4(SigV4 {
                    region: "us-east-1".into(),
                    service: "execute-api".into(),
                    content_header: false,
                    signed_headers: None,
                }),
            )
        },
        "rfc9421" => Scheme {
            encoding: Encoding::Base64,
            // The RFC leaves the age of `created` to the verifier: chosen.
            window: minutes(5),
            ..standard(
                name,
                Standard::Rfc9421(Rfc9421 {
                    label: "sig1".into(),
                    components: ["@method", "@authority", "@path", "@query", "content-type"]
                        .map(|c| format!("\"{c}\""))
                        .into(),
                    digest: true,
                    parameters: ["created", "nonce", "keyid", "alg"].map(Into::into).into(),
                }),
            )
        },
        "cavage" => Scheme {
            encoding: Encoding::Base64,
            clock: Clock::HttpDate,
            // Kong's and APISIX's default clock skew.
            window: minutes(5),
            ..standard(
                name,
                Standard::Cavage(Cavage {
                    headers: ["(request-target)", "host", "date"].map(Into::into).into(),
                    digest: true,
                    authorization: false,
                }),
            )
        },
        "hawk" => Scheme {
            encoding: Encoding::Base64,
            window: Some(Duration::from_secs(60)),
            ..standard(name, Standard::Hawk)
        },
        "oauth1" => Scheme {
            algorithm: Algorithm::Hmac(Hash::Sha1),
            encoding: Encoding::Base64,
            // RFC 5849 leaves the age to the server: chosen.
            window: minutes(5),
            ..standard(name, Standard::OAuth1(OAuth1::default()))
        },
        "azure" => Scheme {
            key_encoding: KeyEncoding::Base64,
            encoding: Encoding::Base64,
            clock: Clock::HttpDate,
            window: minutes(15),
            ..standard(name, Standard::Azure)
        },
        "dpop" => Scheme {
            algorithm: Algorithm::EcdsaP256Sha256,
            encoding: Encoding::Base64Url,
            // RFC 9449, section 11.1: "a relatively brief period (on the order of seconds or minutes)".
            window: minutes(5),
            ..standard(name, Standard::Dpop(Dpop::default()))
        },
        _ => return None,
    })
}

/// The preset whose name is nearest to a wrong one.
pub fn nearest_preset(name: &str) -> Option<&'static str> {
    PRESETS
        .into_iter()
        .map(|p| (strsim::damerau_levenshtein(p, name), p))
        .min()
        .filter(|(distance, _)| *distance <= 1 + name.chars().count() / 3)
        .map(|(_, p)| p)
}

/// A scheme of HMAC-SHA-256 in hexadecimal with a raw key and Unix seconds.
fn formula(name: &str, canonical: &str, slots: Vec<Slot>) -> Scheme {
    let canonical = Canonical::Formula(canonical.parse().expect("the formulas of presets are tested"));
    scheme(name, canonical, slots)
}

fn standard(name: &str, standard: Standard) -> Scheme {
    scheme(name, Canonical::Standard(standard), Vec::new())
}

fn scheme(name: &str, canonical: Canonical, slots: Vec<Slot>) -> Scheme {
    Scheme {
        name: name.to_owned(),
        canonical,
        algorithm: SHA256,
        key_encoding: KeyEncoding::Raw,
        derivation: None,
        encoding: Encoding::Hex,
        slots,
        clock: Clock::Seconds,
        window: None,
        monotone_nonce: false,
    }
}

fn header(name: &str, template: &str) -> Slot {
    slot(Spot::Header(name.into()), template)
}

fn slot(spot: Spot, template: &str) -> Slot {
    Slot::new(spot, template).expect("the templates of presets are tested")
}

fn minutes(minutes: u64) -> Option<Duration> {
    Some(Duration::from_mins(minutes))
}
