//! What a server takes of old versions and weak suites: one ClientHello per question.

use std::collections::BTreeMap;

use engine::transport::{HandshakeAnswer, Hello, TlsVersion};
use engine::{Check, NotApplicable, Requests, Session, Survey, Unobserved, subject};
use model::{Flaw, Meta, Variant, Verdict};
use serde::{Deserialize, Serialize};

use super::suites::{OF_OLD_VERSIONS, OF_TLS_13, ORDINARY, WEAK};
use super::{LOOPBACK, META, needs_https};

/// Versions before 1.2, with the key of their answer and the name that people use.
const OLD: [(TlsVersion, &str, &str); 3] = [
    (TlsVersion::Ssl30, "ssl-3.0", "SSL 3.0"),
    (TlsVersion::Tls10, "tls-1.0", "TLS 1.0"),
    (TlsVersion::Tls11, "tls-1.1", "TLS 1.1"),
];

const SSL: Variant = Variant {
    name: "ssl-3.0",
    when: "SSL 3.0 is taken, whose encryption is broken",
    cvss: Some("CVSS:4.0/AV:N/AC:H/AT:P/PR:N/UI:P/VC:H/VI:N/VA:N/SC:N/SI:N/SA:N"),
};

const OLD_TLS: Variant = Variant {
    name: "tls-1.0-or-1.1",
    when: "TLS 1.0 or 1.1 is taken",
    cvss: Some("CVSS:4.0/AV:N/AC:H/AT:P/PR:N/UI:P/VC:L/VI:N/VA:N/SC:N/SI:N/SA:N"),
};

const BROKEN: Variant = Variant {
    name: "next-to-no-protection",
    when: "a suite without encryption, without a certificate, or of at most 56 bits is taken",
    cvss: Some("CVSS:4.0/AV:N/AC:H/AT:P/PR:N/UI:A/VC:H/VI:N/VA:N/SC:N/SI:N/SA:N"),
};

const WEAK_SUITE: Variant = Variant {
    name: "weak",
    when: "RC4 or 3DES is taken",
    cvss: Some("CVSS:4.0/AV:N/AC:H/AT:P/PR:N/UI:P/VC:L/VI:N/VA:N/SC:N/SI:N/SA:N"),
};

/// Does the server take versions of TLS before 1.2?
pub struct OldTlsVersion;

/// Does the server take weak cipher suites?
pub struct WeakCipherSuite;

/// Answers to hand-made ClientHellos.
#[derive(Serialize, Deserialize)]
pub struct Observation {
    /// The answer to TLS 1.2 or 1.3 with ordinary suites.
    ordinary: Option<HandshakeAnswer>,
    /// The answers by what was offered; none where none came.
    offered: BTreeMap<String, Option<HandshakeAnswer>>,
    /// True if the target is this machine.
    loopback: bool,
}

impl Check for OldTlsVersion {
    const META: Meta = Meta {
        id: "old-tls-version",
        title: "The server takes versions of TLS that are forbidden",
        cwe: &[327, 326],
        variants: &[SSL, OLD_TLS, LOOPBACK],
        ..META
    };
    type Subject = subject::Origin;
    type Observation = Observation;

    fn plan(origin: &subject::Origin, _: &Survey) -> Result<Requests, NotApplicable> {
        needs_https(&origin.0)?;
        Ok(Requests { expected: 4, most: 5 })
    }

    async fn observe(_: &subject::Origin, survey: &Survey, session: &Session) -> Result<Observation, Unobserved> {
        let ordinary = ordinary(session).await?;
        let mut offered = BTreeMap::new();
        for (version, name, _) in OLD {
            offered.insert(name.to_owned(), ask(session, version, &OF_OLD_VERSIONS).await?);
        }
        Ok(Observation { ordinary, offered, loopback: survey.is_loopback() })
    }

    fn judge(seen: &Observation) -> Verdict {
        // A server may answer an offer with an older version; what it chose counts.
        let chosen = |version: TlsVersion| {
            seen.offered
                .values()
                .flatten()
                .any(|a| matches!(a, HandshakeAnswer::Accepted { version: v, .. } if *v == version.code()))
        };
        let taken: Vec<_> = OLD.into_iter().filter(|(version, ..)| chosen(*version)).collect();
        if taken.is_empty() {
            return judge_refusals(seen);
        }
        let variant = match (seen.loopback, chosen(TlsVersion::Ssl30)) {
            (true, _) => &LOOPBACK,
            (false, true) => &SSL,
            (false, false) => &OLD_TLS,
        };
        let names: Vec<&str> = taken.iter().map(|(.., name)| *name).collect();
        Verdict::fail(Flaw::new(variant, "old-version", format!("the server takes {}", names.join(" and "))))
    }
}

impl Check for WeakCipherSuite {
    const META: Meta = Meta {
        id: "weak-cipher-suite",
        title: "The server takes cipher suites that do not protect",
        cwe: &[327, 326],
        variants: &[BROKEN, WEAK_SUITE, LOOPBACK],
        ..META
    };
    type Subject = subject::Origin;
    type Observation = Observation;

    fn plan(origin: &subject::Origin, _: &Survey) -> Result<Requests, NotApplicable> {
        needs_https(&origin.0)?;
        Ok(Requests { expected: 7, most: 8 })
    }

    async fn observe(_: &subject::Origin, survey: &Survey, session: &Session) -> Result<Observation, Unobserved> {
        let ordinary = ordinary(session).await?;
        let mut offered = BTreeMap::new();
        for group in WEAK {
            let suites: Vec<u16> = group.suites.iter().map(|(number, _)| *number).collect();
            offered.insert(group.name.to_owned(), ask(session, TlsVersion::Tls12, &suites).await?);
        }
        Ok(Observation { ordinary, offered, loopback: survey.is_loopback() })
    }

    fn judge(seen: &Observation) -> Verdict {
        let chosen = |group: &super::suites::Group| match seen.offered.get(group.name) {
            Some(Some(HandshakeAnswer::Accepted { suite, .. })) => {
                group.suites.iter().find(|(number, _)| number == suite).map(|(_, name)| *name)
            }
            _ => None,
        };
        let taken: Vec<_> = WEAK.iter().filter_map(|group| Some((group, chosen(group)?))).collect();
        let Some((_, suite)) = taken.first() else { return judge_refusals(seen) };
        let variant = match (seen.loopback, taken.iter().any(|(group, _)| group.broken)) {
            (true, _) => &LOOPBACK,
            (false, true) => &BROKEN,
            (false, false) => &WEAK_SUITE,
        };
        let what: Vec<&str> = taken.iter().map(|(group, _)| group.what).collect();
        Verdict::fail(Flaw::new(
            variant,
            "weak-suite",
            format!("the server takes {}, such as {suite}", what.join(", ")),
        ))
    }
}

/// Nothing that was offered was taken: a pass if each offer was refused by a server that otherwise speaks TLS.
fn judge_refusals(seen: &Observation) -> Verdict {
    if !matches!(seen.ordinary, Some(HandshakeAnswer::Accepted { .. })) {
        return Verdict::inconclusive("an ordinary handshake was not answered either");
    }
    let refused =
        |answer: &Option<HandshakeAnswer>| matches!(answer, Some(HandshakeAnswer::Alert(_) | HandshakeAnswer::Closed));
    match seen.offered.iter().find(|(_, answer)| !refused(answer)) {
        Some((name, _)) => Verdict::inconclusive(format!("the offer of `{name}` was neither taken nor refused")),
        None => Verdict::pass(),
    }
}

/// The answer to an offer that every server takes.
async fn ordinary(session: &Session) -> Result<Option<HandshakeAnswer>, Unobserved> {
    let answer = ask(session, TlsVersion::Tls12, &ORDINARY).await?;
    match answer {
        Some(HandshakeAnswer::Accepted { .. }) => Ok(answer),
        _ => ask(session, TlsVersion::Tls13, &OF_TLS_13).await,
    }
}

/// The answer to a hello; none where no answer came. A single one that hangs must not hide the others.
async fn ask(session: &Session, version: TlsVersion, suites: &[u16]) -> Result<Option<HandshakeAnswer>, Unobserved> {
    match session.handshake(&Hello { version, suites }).await {
        Ok(answer) => Ok(Some(answer)),
        Err(Unobserved::Inconclusive(_)) => Ok(None),
        Err(other) => Err(other),
    }
}
