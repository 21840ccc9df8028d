//! Is the time of a signature compared with the clock at all?

use engine::controls::{Acceptance, admitted};
use engine::{Check, Draft, NotApplicable, Requests, Session, Survey, Unobserved, subject};
use model::{Flaw, Forgery, Meta, Recorded, Variant, Verdict};
use serde::{Deserialize, Serialize};

use super::{CONTROLS, DAY_S, META, YEAR_S, judged, timed};
use crate::signature_coverage::asked::Asked;
use crate::signature_coverage::{status, unclear};

const FOREVER: Variant = Variant {
    name: "no-time-check",
    when: "a captured request works for a year or more",
    cvss: Some("CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:N/VI:L/VA:N/SC:N/SI:N/SA:N"),
};

const NO_NUMBER: Variant = Variant {
    name: "no-number",
    when: "a request whose signed time is no number never gets too old",
    cvss: Some("CVSS:4.0/AV:N/AC:L/AT:P/PR:N/UI:N/VC:N/VI:L/VA:N/SC:N/SI:N/SA:N"),
};

const CLIENT_WINDOW: Variant = Variant {
    name: "client-window",
    when: "the client says how old its request may be, without a limit",
    cvss: Some("CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:N/VI:L/VA:N/SC:N/SI:N/SA:N"),
};

/// Parameters by which a client says how old its request may be, in milliseconds.
///
/// **Source**: Binance, "SIGNED endpoint security" (`recvWindow`, at most 60 000); Bybit and MEXC take
/// the same, some under the second name.
const WINDOWS: [&str; 2] = ["recvWindow", "recv_window"];

/// Texts that some verifiers read as a time which is never too old, and what each is.
///
/// **Source**: IEEE 754, section 5.11 (NaN compares as false with everything), which `Number("NaN")`
/// of ECMAScript, `float("NaN")` of Python and `ParseFloat("NaN")` of Go give; an empty text is false
/// in conditions that guard the comparison.
const NO_NUMBERS: [(&str, &str); 2] = [("NaN", "`NaN`"), ("", "nothing")];

/// Is a request accepted however old its signature is?
pub(super) struct OldTimestampAccepted;

/// A request signed now, and the same signed with other times.
#[derive(Serialize, Deserialize)]
pub(super) struct Observation {
    /// Signed now.
    valid: Recorded,
    /// The same, its signature corrupted.
    corrupted: Recorded,
    /// Signed with the time of yesterday.
    day_old: Recorded,
    /// Signed with the time of a year ago; absent where that of yesterday is refused.
    year_old: Option<Recorded>,
    /// The same, its signature corrupted; absent where the time alone was refused.
    year_old_corrupted: Option<Recorded>,
    /// Signed with `NaN`, and with nothing, as the time; empty where yesterday's time is accepted.
    #[serde(default)]
    no_number: Vec<Recorded>,
    /// The last of them, its signature corrupted; absent where it was refused.
    #[serde(default)]
    no_number_corrupted: Option<Recorded>,
    /// Signed with the time of yesterday and a parameter that allows two days; absent where a time that is
    /// no number is accepted.
    #[serde(default)]
    client_window: Option<Recorded>,
    /// The same, its signature corrupted; absent where it was refused.
    #[serde(default)]
    client_window_corrupted: Option<Recorded>,
}

impl Check for OldTimestampAccepted {
    const META: Meta = Meta { variants: &[NO_NUMBER, CLIENT_WINDOW, FOREVER], reference: &["SIG-017"], ..META };
    type Subject = subject::Identity;
    type Observation = Observation;

    fn plan(identity: &subject::Identity, survey: &Survey) -> Result<Requests, NotApplicable> {
        timed(identity, survey)?;
        Ok(Requests { expected: 4, most: CONTROLS + 6 })
    }

    async fn observe(
        identity: &subject::Identity,
        survey: &Survey,
        session: &Session,
    ) -> Result<Observation, Unobserved> {
        let asked = timed(identity, survey)?;
        let controls = asked.controls(session).await?.differ()?;
        let day_old = session.recall(&at(&asked, -DAY_S)).await?;
        let mut seen = Observation {
            valid: controls.valid.clone(),
            corrupted: controls.corrupted.clone(),
            day_old,
            year_old: None,
            year_old_corrupted: None,
            no_number: Vec::new(),
            no_number_corrupted: None,
            client_window: None,
            client_window_corrupted: None,
        };
        match judged(&seen.day_old, &controls) {
            Acceptance::Unclear => {}
            Acceptance::Accepted => {
                let old = at(&asked, -YEAR_S);
                let year_old = session.recall(&old).await?;
                if judged(&year_old, &controls) == Acceptance::Accepted {
                    seen.year_old_corrupted = Some(session.send(&controls.corrupt(old)).await?);
                }
                seen.year_old = Some(year_old);
            }
            Acceptance::Refused => {
                for (text, _) in NO_NUMBERS {
                    let forgery = Forgery { timestamp: Some(text.into()), ..Forgery::default() };
                    if !asked.identity.can_forge(&forgery) {
                        break;
                    }
                    let draft = asked.draft.clone().forged(forgery);
                    let answer = session.send(&draft).await?;
                    let accepted = judged(&answer, &controls) == Acceptance::Accepted;
                    seen.no_number.push(answer);
                    if accepted {
                        seen.no_number_corrupted = Some(session.send(&controls.corrupt(draft)).await?);
                        return Ok(seen);
                    }
                }
                let draft = with_window(&asked);
                let answer = session.send(&draft).await?;
                if judged(&answer, &controls) == Acceptance::Accepted {
                    seen.client_window_corrupted = Some(session.send(&controls.corrupt(draft)).await?);
                }
                seen.client_window = Some(answer);
            }
        }
        Ok(seen)
    }

    fn judge(seen: &Observation) -> Verdict {
        let judged = |answer: &Recorded| admitted(answer, &seen.valid, &seen.corrupted);
        let refused = |answer: &Option<Recorded>| answer.as_ref().is_some_and(|e| judged(e) == Acceptance::Refused);
        let checked = "the same request with a corrupted signature is not refused as others are";
        match judged(&seen.day_old) {
            Acceptance::Unclear => return unclear(&seen.day_old),
            Acceptance::Refused => {
                let accepted = |(answer, _): &(&Recorded, _)| judged(answer) == Acceptance::Accepted;
                if let Some(answer) = seen.client_window.as_ref().filter(|e| judged(e) == Acceptance::Accepted) {
                    if !refused(&seen.client_window_corrupted) {
                        return Verdict::inconclusive(checked);
                    }
                    let message =
                        "a request of yesterday is accepted if a parameter of it says that it may be that old";
                    let flaw = Flaw::new(&CLIENT_WINDOW, "client-window-accepted", message);
                    return Verdict::fail(flaw.mark("client_window", status(answer)));
                }
                let Some((answer, (_, what))) = seen.no_number.iter().zip(NO_NUMBERS).find(accepted) else {
                    return Verdict::pass();
                };
                if !refused(&seen.no_number_corrupted) {
                    return Verdict::inconclusive(checked);
                }
                let message = format!("a request that was signed with {what} as its time is accepted");
                let flaw = Flaw::new(&NO_NUMBER, "no-number-accepted", message);
                return Verdict::fail(flaw.mark("no_number", status(answer)));
            }
            Acceptance::Accepted => {}
        }
        let Some(year_old) = &seen.year_old else {
            return Verdict::inconclusive("no request that was signed a year ago was sent");
        };
        match judged(year_old) {
            Acceptance::Unclear => unclear(year_old),
            Acceptance::Refused => {
                Verdict::Pass { note: Some("a signature of yesterday is accepted, one of a year ago is not".into()) }
            }
            Acceptance::Accepted if refused(&seen.year_old_corrupted) => {
                let message = "a request that was signed with the time of a year ago is accepted";
                Verdict::fail(Flaw::new(&FOREVER, "time-not-checked", message).mark("year_old", status(year_old)))
            }
            Acceptance::Accepted => Verdict::inconclusive(checked),
        }
    }
}

/// The request, signed as if the clock were this many seconds off.
pub(super) fn at(asked: &Asked<'_>, seconds: i64) -> Draft {
    asked.draft.clone().signed_at(1000 * seconds)
}

/// The request of yesterday, with parameters that allow it to be two days old.
fn with_window(asked: &Asked<'_>) -> Draft {
    let mut draft = at(asked, -DAY_S);
    for name in WINDOWS {
        draft.request = draft.request.with_query(name, &(2000 * DAY_S).to_string());
    }
    draft
}
