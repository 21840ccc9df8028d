#![doc = include_str!("README.md")]

use engine::controls::{Standing, standing};
use engine::{AnyCheck, Check, NotApplicable, Requests, Session, Survey, Unobserved, check, subject};
use model::{Category, Flaw, Meta, Mode, Owasp, Recorded, Variant, Verdict};
use serde::{Deserialize, Serialize};

use markers::{Class, Found, disclosed};

mod markers;
mod provoke;
#[cfg(any(test, feature = "targets"))]
pub mod target;

/// The checks of this folder.
pub const CHECKS: &[&dyn AnyCheck] = &[
    check::<DebugPage>(),
    check::<StackTrace>(),
    check::<DatabaseErrorText>(),
    check::<CloudErrorDetail>(),
    check::<ExceptionText>(),
    check::<ServerErrorOnMalformedInput>(),
];

const OPEN_CONSOLE: Variant = Variant {
    name: "open-console",
    when: "the page runs code for whoever asks, without a PIN",
    cvss: Some("CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:N/SC:N/SI:N/SA:N"),
};

const PAGE: Variant = Variant {
    name: "page",
    when: "the page shows source code and settings",
    cvss: Some("CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:N/VA:N/SC:N/SI:N/SA:N"),
};

const DETAIL: Variant = Variant {
    name: "detail",
    when: "the answer tells how the server is made",
    cvss: Some("CVSS:4.0/AV:N/AC:L/AT:P/PR:N/UI:P/VC:L/VI:N/VA:N/SC:N/SI:N/SA:N"),
};

const NAME_ONLY: Variant =
    Variant { name: "resource-name", when: "the answer names a cloud resource and no more", cvss: None };

const CRASH: Variant = Variant {
    name: "crash",
    when: "malformed input is answered with 500 each time",
    cvss: Some("CVSS:4.0/AV:N/AC:L/AT:P/PR:N/UI:P/VC:N/VI:N/VA:L/SC:N/SI:N/SA:N"),
};

const META: Meta = Meta {
    id: "debug-page",
    title: "An error shows the framework's debug page",
    category: Category::DataExposure,
    owasp: &[Owasp::Api8],
    cwe: &[489, 215],
    variants: &[OPEN_CONSOLE, PAGE],
    mode: Mode::Safe,
    needs: &[],
    remedy: Some(&crate::remedies::GENERIC_ERRORS),
    reference: &["KEY-013"],
    since: "0.1.0",
    disturbs: false,
    readme: include_str!("README.md"),
    examples: include_str!("examples.md"),
};

/// Does an error show the framework's debug page?
pub struct DebugPage;

/// Does an error show the frames of an exception?
pub struct StackTrace;

/// Does an error repeat the words of the database?
pub struct DatabaseErrorText;

/// Does an error repeat the words of a cloud SDK?
pub struct CloudErrorDetail;

/// Does an error repeat the message of an exception?
pub struct ExceptionText;

/// Is malformed input answered with 500 each time?
pub struct ServerErrorOnMalformedInput;

/// The answer to the working request, and those to malformed variants of it.
#[derive(Serialize, Deserialize)]
pub struct Observation {
    /// What the working request gets; absent where there is none.
    baseline: Option<Recorded>,
    /// What malformed ones get, or the operation's own request where none works.
    provoked: Vec<Recorded>,
}

/// The same, with the request that failed sent twice more.
#[derive(Serialize, Deserialize)]
pub struct Failing {
    /// What the working request gets.
    baseline: Recorded,
    /// What malformed ones get.
    provoked: Vec<Recorded>,
    /// The first that failed, sent again.
    #[serde(default)]
    again: Vec<Recorded>,
    /// The working request before each repetition.
    #[serde(default)]
    between: Vec<Recorded>,
}

/// A member that looks for one class of text.
macro_rules! disclosure {
    ($check:ident, $meta:expr, $judge:expr) => {
        impl Check for $check {
            const META: Meta = $meta;
            type Subject = subject::Operation;
            type Observation = Observation;

            fn plan(operation: &subject::Operation, _: &Survey) -> Result<Requests, NotApplicable> {
                plan(operation)?;
                // Six checks share the requests.
                Ok(Requests { expected: 2, most: MOST })
            }

            async fn observe(
                operation: &subject::Operation,
                survey: &Survey,
                session: &Session,
            ) -> Result<Observation, Unobserved> {
                observe(operation, survey, session).await
            }

            fn judge(seen: &Observation) -> Verdict {
                judge(seen, $judge)
            }
        }
    };
}

disclosure!(DebugPage, META, |found| (found.class == Class::DebugPage).then(|| match found.open_console {
    true => {
        let message = format!("an error shows the {} debugger, whose console asks for no PIN", found.what);
        Flaw::new(&OPEN_CONSOLE, "open-console", message)
    }
    false => Flaw::new(&PAGE, cause(found.what), format!("an error shows the debug page of {}", found.what)),
}));

disclosure!(
    StackTrace,
    Meta {
        id: "stack-trace",
        title: "An error shows a stack trace",
        cwe: &[209],
        variants: &[DETAIL],
        reference: &["KEY-014"],
        ..META
    },
    |found| (found.class == Class::StackTrace).then(|| Flaw::new(
        &DETAIL,
        cause(found.what),
        format!("an error shows the frames of a {} exception", found.what)
    ))
);

disclosure!(
    DatabaseErrorText,
    Meta {
        id: "database-error-text",
        title: "An error repeats the words of the database",
        cwe: &[209],
        variants: &[DETAIL],
        reference: &["KEY-014"],
        ..META
    },
    |found| (found.class == Class::DatabaseError).then(|| Flaw::new(
        &DETAIL,
        cause(found.what),
        format!("an error repeats a message of {}", found.what)
    ))
);

disclosure!(
    CloudErrorDetail,
    Meta {
        id: "cloud-error-detail",
        title: "An error repeats the words of a cloud SDK",
        cwe: &[209],
        variants: &[DETAIL, NAME_ONLY],
        reference: &["KEY-014"],
        ..META
    },
    |found| match found.class {
        Class::CloudError =>
            Some(Flaw::new(&DETAIL, cause(found.what), format!("an error repeats a message of {}", found.what))),
        Class::CloudName =>
            Some(Flaw::new(&NAME_ONLY, "resource-name", "an error names an AWS resource and its account")),
        Class::DebugPage | Class::StackTrace | Class::DatabaseError | Class::ExceptionText => None,
    }
);

disclosure!(
    ExceptionText,
    Meta {
        id: "exception-text",
        title: "An error repeats the message of an exception",
        cwe: &[209],
        variants: &[DETAIL],
        reference: &["KEY-014"],
        ..META
    },
    |found| (found.class == Class::ExceptionText).then(|| Flaw::new(
        &DETAIL,
        cause(found.what),
        format!("an error repeats the message of a {} exception", found.what)
    ))
);

impl Check for ServerErrorOnMalformedInput {
    const META: Meta = Meta {
        id: "server-error-on-malformed-input",
        title: "Malformed input is answered with a server error",
        category: Category::InputValidation,
        cwe: &[755, 20],
        variants: &[CRASH],
        reference: &[],
        ..META
    };
    type Subject = subject::Operation;
    type Observation = Failing;

    fn plan(operation: &subject::Operation, _: &Survey) -> Result<Requests, NotApplicable> {
        plan(operation)?;
        if operation.any_baseline().is_none() {
            return Err(NotApplicable::new("there is no working request for it"));
        }
        Ok(Requests { expected: 2, most: MOST + 4 })
    }

    async fn observe(
        operation: &subject::Operation,
        survey: &Survey,
        session: &Session,
    ) -> Result<Failing, Unobserved> {
        let Observation { baseline: Some(baseline), provoked } = observe(operation, survey, session).await? else {
            return Err(NotApplicable::new("there is no working request for it").into());
        };
        let mut seen = Failing { baseline, provoked, again: Vec::new(), between: Vec::new() };
        let Some(failed) = seen.provoked.iter().position(|e| e.status() == Some(500)) else { return Ok(seen) };
        let own = operation.baseline().or(operation.any_baseline()).ok_or(NotApplicable::new("no working request"))?;
        let drafts = provoke::malformed(operation, own, &survey.unknown_word);
        for _ in 0..2 {
            seen.between.push(session.send(&own.draft(&operation.key)).await?);
            seen.again.push(session.send(&drafts[failed]).await?);
        }
        Ok(seen)
    }

    fn judge(seen: &Failing) -> Verdict {
        let failed = |e: &&Recorded| e.status().is_some_and(|status| status >= 500 && status != 501);
        if seen.again.is_empty() {
            return match seen.provoked.iter().find(failed).and_then(|e| e.status()) {
                Some(status) => Verdict::inconclusive(format!("a malformed request was answered with {status}")),
                None => undecided(&seen.provoked).map_or_else(Verdict::pass, Verdict::inconclusive),
            };
        }
        let live = seen.between.iter().all(|e| e.response().is_some_and(|r| standing(r) == Standing::Works));
        if !live {
            return Verdict::inconclusive("the working request failed too, after a malformed one");
        }
        if seen.again.iter().any(|e| e.status() != Some(500)) {
            return Verdict::inconclusive("a malformed request was answered with 500, but not each time");
        }
        let message = "a malformed request is answered with 500 each time, while the working one is answered";
        Verdict::fail(Flaw::new(&CRASH, "server-error", message).mark("again", "HTTP 500"))
    }
}

/// Requests that provoking takes at most.
const MOST: u32 = provoke::MOST as u32;

/// Equal server errors after which an operation is left alone.
///
/// **Source**: docs/safety.md: they wake people.
const EQUAL_FAILURES: usize = 3;

fn plan(operation: &subject::Operation) -> Result<(), NotApplicable> {
    if operation.is_costly() {
        return Err(NotApplicable::new("each request of it counts: only its own is sent"));
    }
    let failed = operation.baselines.iter().any(|b| b.standing == Standing::Failed);
    if operation.any_baseline().is_none() && !failed {
        return Err(NotApplicable::new("there is no working request for it"));
    }
    Ok(())
}

async fn observe(
    operation: &subject::Operation,
    survey: &Survey,
    session: &Session,
) -> Result<Observation, Unobserved> {
    let Some(baseline) = operation.baseline().or(operation.any_baseline()) else {
        let own = operation.baselines.iter().filter(|b| b.standing == Standing::Failed);
        return Ok(Observation { baseline: None, provoked: own.map(|b| b.exchange.clone()).collect() });
    };
    let mut provoked: Vec<Recorded> = Vec::new();
    for draft in provoke::malformed(operation, baseline, &survey.unknown_word) {
        let answer = match session.recall(&draft).await {
            Ok(answer) => answer,
            Err(Unobserved::Inconclusive(_)) if !provoked.is_empty() => break,
            Err(other) => return Err(other),
        };
        let failure = answer.status().filter(|status| *status >= 500);
        provoked.push(answer);
        let equal = provoked.iter().filter(|e| failure.is_some() && e.status() == failure).count();
        if equal >= EQUAL_FAILURES {
            break;
        }
    }
    Ok(Observation { baseline: Some(baseline.exchange.clone()), provoked })
}

fn judge(seen: &Observation, flaw_of: fn(&Found) -> Option<Flaw>) -> Verdict {
    let baseline = seen.baseline.as_ref().and_then(|b| b.response());
    let mut flaws: Vec<Flaw> = Vec::new();
    for found in seen.provoked.iter().filter_map(|exchange| disclosed(exchange, baseline)) {
        let Some(flaw) = flaw_of(&found) else { continue };
        if !flaws.iter().any(|other| other.cause == flaw.cause) {
            flaws.push(flaw.mark("provoked", found.text));
        }
    }
    if flaws.is_empty()
        && let Some(why) = undecided(&seen.provoked)
    {
        return Verdict::inconclusive(why);
    }
    Verdict::of_flaws(flaws)
}

/// Why answers say nothing of how errors are handled, if they do not.
fn undecided(provoked: &[Recorded]) -> Option<&'static str> {
    let speaks = |e: &Recorded| {
        e.response()
            .is_some_and(|r| !matches!(standing(r), Standing::Refused | Standing::Limited | Standing::Redirected))
    };
    if provoked.iter().any(speaks) { None } else { Some("no malformed request was answered by the operation itself") }
}

/// The name of a framework, language or product as a cause.
fn cause(what: &str) -> String {
    what.to_ascii_lowercase().replace([' ', '.'], "-").trim_matches('-').to_owned()
}
