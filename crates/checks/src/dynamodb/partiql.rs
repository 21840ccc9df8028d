//! A quote in a value that a PartiQL statement is pasted together from.

use engine::{Check, NotApplicable, Requests, Session, Survey, Unobserved, subject};
use model::{Meta, Verdict};

use super::candidate::{has_parameters, of_values, text_member, with_value, working};
use super::pair::{Conditions, MOST, Observation, Outcome, listing, observe};
use super::{META, flaw, undecided, unknown_name};

/// Does a parameter become part of a PartiQL statement?
pub struct PartiqlInjection;

impl Check for PartiqlInjection {
    const META: Meta =
        Meta { id: "partiql-injection", title: "A parameter becomes part of a PartiQL statement", ..META };
    type Subject = subject::Operation;
    type Observation = Observation;

    fn plan(operation: &subject::Operation, _: &Survey) -> Result<Requests, NotApplicable> {
        working(operation)?;
        if !has_parameters(operation) {
            return Err(NotApplicable::new("it has no query parameter"));
        }
        Ok(Requests { expected: 3, most: MOST })
    }

    async fn observe(
        operation: &subject::Operation,
        survey: &Survey,
        session: &Session,
    ) -> Result<Observation, Unobserved> {
        let (request, row) = listing(operation, survey, session).await?;
        let unknown = unknown_name(&survey.unknown_word);
        // The last comparison takes up the quote that the statement closes the value with, and holds for
        // no row. MISSING is a word of PartiQL that SQL does not know: the pair differs in NOT alone.
        let tries = of_values(operation, &request, &row).into_iter().filter_map(|candidate| {
            let member = text_member(&row, &candidate.parameter)?;
            let value =
                |after: &str| with_value(&request, &candidate.parameter, &format!("{}{after}", candidate.value));
            Some(Conditions {
                plain: value(""),
                never: value(&format!("' AND {member} = '{unknown}")),
                same: value(&format!("' OR {unknown} IS NOT MISSING OR {member} = '{unknown}")),
                always: Some(value(&format!("' OR {unknown} IS MISSING OR {member} = '{unknown}"))),
                invented: None,
                parameter: candidate.parameter.clone(),
            })
        });
        observe(operation, survey, session, tries.collect()).await
    }

    fn judge(seen: &Observation) -> Verdict {
        match seen.outcome() {
            Outcome::Evaluated { grew: true } => Verdict::fail(flaw(seen, "statement", "PartiQL in")),
            Outcome::Evaluated { grew: false } => {
                Verdict::inconclusive("a condition that is true for every row added none")
            }
            other => undecided(other),
        }
    }
}
