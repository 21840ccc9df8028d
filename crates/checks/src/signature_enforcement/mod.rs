#![doc = include_str!("README.md")]

use std::collections::BTreeSet;
use std::marker::PhantomData;

use engine::controls::{Acceptance, Sameness, acceptance, admitted, content, verified};
use engine::{
    AnyCheck, Check, Draft, Edit, NotApplicable, Protection, Requests, Session, Signed, Survey, Tamper, Unobserved,
    check, subject,
};
use model::{Category, Confidence, Flaw, Meta, Mode, Need, Owasp, Recorded, Variant, Verdict};
use serde::{Deserialize, Serialize};

use crate::signature_coverage::asked::asked_in_any_mode as asked;
use crate::signature_coverage::{status, unclear};

#[cfg(any(test, feature = "targets"))]
pub mod target;

/// The checks of this folder.
pub const CHECKS: &[&dyn AnyCheck] = &[
    check::<SignatureIgnored>(),
    check::<Malformed<Empty>>(),
    check::<Malformed<Partial>>(),
    check::<Malformed<Missing>>(),
];

const ONLY: Variant = Variant {
    name: "only-credential",
    when: "the signature is the only credential: anyone gets in",
    cvss: Some("CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:N/SC:N/SI:N/SA:N"),
};

const BESIDE: Variant = Variant {
    name: "beside-a-key",
    when: "another credential is still needed",
    cvss: Some("CVSS:4.0/AV:N/AC:L/AT:N/PR:L/UI:N/VC:H/VI:N/VA:N/SC:N/SI:N/SA:N"),
};

const LENGTHENED: Variant = Variant {
    name: "lengthened",
    when: "only what follows the whole right signature is ignored: nothing is forged",
    cvss: None,
};

const UNPROTECTED: Variant = Variant {
    name: "unprotected",
    when: "it is declared protected, and answers without signature and credentials",
    cvss: Some("CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:N/VA:N/SC:N/SI:N/SA:N"),
};

const PUBLIC: Variant =
    Variant { name: "public", when: "it answers everybody, and nothing says that it should not", cvss: None };

const META: Meta = Meta {
    id: "signature-ignored",
    title: "A corrupted signature is accepted",
    category: Category::RequestIntegrity,
    owasp: &[Owasp::Api2],
    cwe: &[347, 345],
    variants: &[ONLY, BESIDE, UNPROTECTED, PUBLIC],
    mode: Mode::Safe,
    needs: &[Need::Signing],
    remedy: Some(&crate::remedies::VERIFY_SIGNATURE),
    reference: &["SIG-003", "SIG-030"],
    since: "0.1.0",
    disturbs: false,
    readme: include_str!("README.md"),
    examples: include_str!("examples.md"),
};

/// Is a corrupted signature accepted where a request without credentials is refused?
struct SignatureIgnored;

/// A valid signature, a corrupted one, and neither signature nor credentials.
#[derive(Serialize, Deserialize)]
struct Ignored {
    /// Signed as it is sent.
    valid: Recorded,
    /// The same, its signature corrupted.
    corrupted: Recorded,
    /// The same request without signature and credentials.
    without_credentials: Recorded,
    /// True if nothing but the signature shows who asks.
    only_credential: bool,
    /// True if the description declares the operation protected.
    declared: bool,
    /// What differs at every request.
    #[serde(default)]
    volatile: BTreeSet<String>,
}

impl Check for SignatureIgnored {
    const META: Meta = META;
    type Subject = subject::Operation;
    type Observation = Ignored;

    fn plan(operation: &subject::Operation, survey: &Survey) -> Result<Requests, NotApplicable> {
        asked(operation, survey)?;
        Ok(Requests { expected: 3, most: 4 })
    }

    async fn observe(
        operation: &subject::Operation,
        survey: &Survey,
        session: &Session,
    ) -> Result<Ignored, Unobserved> {
        let asked = asked(operation, survey)?;
        let controls = asked.controls(session).await?;
        let without_credentials = session.recall(&asked.draft.clone().without_credentials()).await?;
        Ok(Ignored {
            valid: controls.valid,
            corrupted: controls.corrupted,
            without_credentials,
            only_credential: asked.identity.places.is_empty(),
            declared: operation.protection == Protection::Declared,
            volatile: asked.baseline.volatile.clone(),
        })
    }

    fn judge(seen: &Ignored) -> Verdict {
        if verified(&seen.valid, &seen.valid, &seen.corrupted) == Acceptance::Accepted {
            return Verdict::pass();
        }
        let same = |exchange: &Recorded| match (exchange.response(), seen.valid.response()) {
            (Some(a), Some(b)) => content(a, b, &seen.volatile) == Sameness::Same,
            _ => false,
        };
        if acceptance(&seen.corrupted, &seen.valid, None) != Acceptance::Accepted || !same(&seen.corrupted) {
            return unclear(&seen.corrupted);
        }
        let flaw = |variant, message| {
            Flaw::new(variant, "signature-ignored", message).mark("corrupted", status(&seen.corrupted))
        };
        match acceptance(&seen.without_credentials, &seen.valid, None) {
            Acceptance::Refused => {
                let variant = if seen.only_credential { &ONLY } else { &BESIDE };
                Verdict::fail(flaw(variant, "the same content comes back with one character of the signature changed"))
            }
            Acceptance::Accepted if same(&seen.without_credentials) && seen.declared => {
                let message = "the same content comes back with a corrupted signature, and with none at all";
                Verdict::fail(flaw(&UNPROTECTED, message).with_confidence(Confidence::Likely))
            }
            Acceptance::Accepted if same(&seen.without_credentials) => {
                Verdict::fail(flaw(&PUBLIC, "it answers everybody, signed or not"))
            }
            Acceptance::Accepted | Acceptance::Unclear => unclear(&seen.without_credentials),
        }
    }
}

/// Signatures that cannot be right, where a corrupted one is refused.
trait Forms: Send + Sync + 'static {
    const META: Meta;
    /// Each form, and what it is.
    fn forms() -> Vec<(Tamper, &'static str)>;
}

struct Empty;

impl Forms for Empty {
    const META: Meta = Meta {
        id: "empty-signature-accepted",
        title: "An empty signature is accepted",
        variants: &[ONLY, BESIDE],
        reference: &["SIG-002"],
        ..META
    };

    fn forms() -> Vec<(Tamper, &'static str)> {
        vec![(Tamper::Empty, "an empty signature"), (Tamper::Set("=".into()), "the signature `=`")]
    }
}

struct Partial;

impl Forms for Partial {
    const META: Meta = Meta {
        id: "partial-signature-accepted",
        title: "A part of the signature is enough",
        cwe: &[187, 697, 347],
        variants: &[ONLY, BESIDE, LENGTHENED],
        reference: &["SIG-024"],
        ..META
    };

    fn forms() -> Vec<(Tamper, &'static str)> {
        vec![
            (Tamper::Keep(8), "a signature cut after 8 characters"),
            (Tamper::WrongTail, "a signature whose second half is wrong"),
            (Tamper::Append("00".into()), BEHIND),
            // The usual control itself: accepted only where that one had to differ throughout.
            (Tamper::Corrupt, "a signature with one character in its middle changed"),
        ]
    }
}

/// Decoders of Base64 stop at the padding (Python's `b64decode` unless it validates), those of
/// hexadecimal at what is no digit (Node.js `Buffer.from`), so a whole right signature may have more
/// behind it without any byte of it being left out of the comparison.
const BEHIND: &str = "a signature with more behind it";

struct Missing;

impl Forms for Missing {
    const META: Meta = Meta {
        id: "signature-missing-accepted",
        title: "A request without a signature is accepted",
        cwe: &[306, 345],
        variants: &[BESIDE],
        reference: &["SIG-001", "SIG-030"],
        ..META
    };

    fn forms() -> Vec<(Tamper, &'static str)> {
        vec![(Tamper::Drop, "a request without the signature, all else in place,")]
    }
}

/// Is a signature of this form accepted?
struct Malformed<F>(PhantomData<F>);

/// A valid signature, a corrupted one, and each form that cannot be right.
#[derive(Serialize, Deserialize)]
struct Tried {
    /// Signed as it is sent.
    valid: Recorded,
    /// The same, its signature corrupted.
    corrupted: Recorded,
    /// The same request with each form in place of its signature.
    tries: Vec<Recorded>,
    /// True if nothing but the signature shows who asks.
    only_credential: bool,
    /// What differs at every request.
    #[serde(default)]
    volatile: BTreeSet<String>,
}

impl<F: Forms> Check for Malformed<F> {
    const META: Meta = F::META;
    type Subject = subject::Operation;
    type Observation = Tried;

    fn plan(operation: &subject::Operation, survey: &Survey) -> Result<Requests, NotApplicable> {
        asked(operation, survey)?;
        let forms = u32::try_from(F::forms().len()).unwrap_or(u32::MAX);
        Ok(Requests { expected: forms, most: forms + 4 })
    }

    async fn observe(operation: &subject::Operation, survey: &Survey, session: &Session) -> Result<Tried, Unobserved> {
        let asked = asked(operation, survey)?;
        let controls = asked.controls(session).await?.differ()?;
        let mut tries = Vec::new();
        for (tamper, _) in F::forms() {
            let draft: Draft = asked.draft.clone().edit(Edit::Signed(Signed::Signature, tamper));
            tries.push(session.recall(&draft).await?);
        }
        Ok(Tried {
            valid: controls.valid,
            corrupted: controls.corrupted,
            tries,
            only_credential: asked.identity.places.is_empty(),
            volatile: asked.baseline.volatile.clone(),
        })
    }

    fn judge(seen: &Tried) -> Verdict {
        let (mut undecided, mut lengthened) = (None, None);
        for (answer, (_, what)) in seen.tries.iter().zip(F::forms()) {
            // An unknown form may be refused in other words than a wrong signature is.
            match admitted(answer, &seen.valid, &seen.corrupted) {
                Acceptance::Refused => {}
                Acceptance::Unclear => undecided = Some(answer),
                Acceptance::Accepted => {
                    let differs = match (answer.response(), seen.valid.response()) {
                        (Some(a), Some(b)) => content(a, b, &seen.volatile) == Sameness::Different,
                        _ => true,
                    };
                    if differs {
                        return Verdict::inconclusive("it is accepted, with other content than the valid request gets");
                    }
                    let only = F::META.variant(ONLY.name).filter(|_| seen.only_credential);
                    let message = format!("{what} is accepted, a wrong one is refused");
                    let flaw = |variant| Flaw::new(variant, F::META.id, message).mark("tries", status(answer));
                    if what != BEHIND {
                        return Verdict::fail(flaw(only.unwrap_or(&BESIDE)));
                    }
                    lengthened = Some(flaw(&LENGTHENED));
                }
            }
        }
        match lengthened {
            Some(flaw) => Verdict::fail(flaw),
            None => undecided.map_or_else(Verdict::pass, unclear),
        }
    }
}
