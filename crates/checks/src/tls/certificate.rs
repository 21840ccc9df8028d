//! Whether clients can trust the certificate, and for how long.

use engine::{Check, Draft, NotApplicable, Requests, Session, Survey, Unobserved, subject};
use model::exchange::{Certificate, Tls};
use model::{Flaw, Meta, Recorded, Request, Variant, Verdict};
use serde::{Deserialize, Serialize};

use super::{LOOPBACK, META, needs_https};

const DAY_MS: i64 = 24 * 60 * 60 * 1000;

/// Days before the end from which a certificate should have been renewed.
///
/// **Source**: chosen; authorities send their last reminder at 7 to 14 days.
const RENEW_DAYS: i64 = 14;

/// Part of its life that a short-lived certificate may have left.
///
/// **Source**: Let's Encrypt, "Integration Guide": renew when a third of the lifetime is left.
const RENEW_PART: i64 = 3;

/// Bits of the shortest keys that authorities sign.
///
/// **Source**: CA/Browser Forum Baseline Requirements, section 6.1.5.
const RSA_BITS: u32 = 2048;
const EC_BITS: u32 = 256;

const UNTRUSTED: Variant = Variant {
    name: "untrusted",
    when: "clients that check the certificate refuse it, and those that do not can be deceived",
    cvss: Some("CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:A/VC:H/VI:N/VA:N/SC:N/SI:N/SA:N"),
};

const WEAK: Variant = Variant {
    name: "weak",
    when: "its key is short, or it is signed over SHA-1 or MD5",
    cvss: Some("CVSS:4.0/AV:N/AC:H/AT:P/PR:N/UI:P/VC:H/VI:N/VA:N/SC:N/SI:N/SA:N"),
};

const EXPIRING: Variant = Variant {
    name: "expiring",
    when: "it ends soon and should have been renewed",
    cvss: Some("CVSS:4.0/AV:N/AC:L/AT:P/PR:N/UI:P/VC:L/VI:N/VA:N/SC:N/SI:N/SA:N"),
};

/// Can clients trust the certificate?
pub struct UntrustedCertificate;

/// The facts of one handshake.
#[derive(Serialize, Deserialize)]
pub struct Observation {
    /// A path that cannot exist, without credentials.
    unknown_path: Recorded,
    /// Facts of the connection that it went over.
    tls: Option<Tls>,
    /// When it was looked at, Unix milliseconds.
    at_ms: i64,
    /// True if the target is this machine.
    loopback: bool,
}

impl Check for UntrustedCertificate {
    const META: Meta = Meta {
        id: "untrusted-certificate",
        title: "Clients cannot trust the certificate",
        cwe: &[295, 298, 297, 326],
        variants: &[UNTRUSTED, WEAK, EXPIRING, LOOPBACK],
        ..META
    };
    type Subject = subject::Origin;
    type Observation = Observation;

    fn plan(origin: &subject::Origin, _: &Survey) -> Result<Requests, NotApplicable> {
        needs_https(&origin.0)?;
        Ok(Requests { expected: 0, most: 2 })
    }

    async fn observe(_: &subject::Origin, survey: &Survey, session: &Session) -> Result<Observation, Unobserved> {
        let request = Request::get(&survey.path(&format!("/{}", survey.unknown_word)));
        let unknown_path = session.recall(&Draft::anonymous(request)).await?;
        let tls = unknown_path.connection.as_ref().and_then(|connection| connection.tls.clone());
        Ok(Observation { unknown_path, tls, at_ms: session.unix_ms(), loopback: survey.is_loopback() })
    }

    fn judge(seen: &Observation) -> Verdict {
        let Some(tls) = &seen.tls else { return Verdict::inconclusive("there are no facts of a TLS handshake") };
        let Some(leaf) = tls.certificates.first() else {
            return Verdict::inconclusive("the server showed no certificate that can be read");
        };
        let mut flaws = Vec::new();
        let mut add = |variant: &Variant, cause: &str, message: String| {
            let variant = if seen.loopback { &LOOPBACK } else { variant };
            flaws.push(Flaw::new(variant, cause, message));
        };
        match &tls.verification_error {
            Some(reason) => add(&UNTRUSTED, cause(reason), reason.clone()),
            None => {
                let (left, life) = (leaf.not_after_ms - seen.at_ms, leaf.not_after_ms - leaf.not_before_ms);
                if left < RENEW_DAYS * DAY_MS && left < life / RENEW_PART {
                    add(&EXPIRING, "expiring", format!("the certificate ends in {} days", left / DAY_MS));
                }
            }
        }
        if is_short(&leaf.key) {
            add(&WEAK, "short-key", format!("the certificate's key is {}", leaf.key));
        }
        if let Some(weak) = tls.certificates.iter().find(|certificate| is_signed_weakly(certificate)) {
            add(
                &WEAK,
                "weak-signature",
                format!("a certificate of the chain is signed with {}", weak.signature_algorithm),
            );
        }
        Verdict::of_flaws(flaws)
    }
}

/// What groups the reasons that a verifier gives.
fn cause(reason: &str) -> &'static str {
    let known = [
        ("expired", "expired"),
        ("not valid yet", "not-valid-yet"),
        ("another name", "another-name"),
        ("no trusted authority", "unknown-authority"),
        ("revoked", "revoked"),
    ];
    known.into_iter().find(|(words, _)| reason.contains(words)).map_or("not-valid", |(_, cause)| cause)
}

/// `RSA 1024`, `EC 192`, `DSA`.
fn is_short(key: &str) -> bool {
    let bits = key.split(' ').nth(1).and_then(|bits| bits.parse::<u32>().ok());
    match (key.split(' ').next(), bits) {
        (Some("RSA"), Some(bits)) => bits < RSA_BITS,
        (Some("EC"), Some(bits)) => bits < EC_BITS,
        (Some("DSA"), _) => true,
        _ => false,
    }
}

/// Nobody checks the signature of a root: it is trusted for being known.
fn is_signed_weakly(certificate: &Certificate) -> bool {
    let algorithm = certificate.signature_algorithm.to_ascii_lowercase();
    certificate.subject != certificate.issuer
        && ["sha1", "sha-1", "md5", "md2"].iter().any(|weak| algorithm.contains(weak))
}
