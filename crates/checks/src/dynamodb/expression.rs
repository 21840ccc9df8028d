//! A condition in place of an attribute's name: `{field} = :value` built from a parameter.

use engine::{Check, NotApplicable, Requests, Session, Survey, Unobserved, subject};
use model::{Confidence, Meta, Verdict};

use super::candidate::{has_parameters, of_fields, with_value, working};
use super::pair::{Conditions, MOST, Observation, Outcome, listing, observe};
use super::{META, flaw, undecided, unknown_name};

/// Does a parameter become part of a DynamoDB expression?
pub struct ExpressionInjection;

impl Check for ExpressionInjection {
    const META: Meta = META;
    type Subject = subject::Operation;
    type Observation = Observation;

    fn plan(operation: &subject::Operation, _: &Survey) -> Result<Requests, NotApplicable> {
        working(operation)?;
        if !has_parameters(operation) {
            return Err(NotApplicable::new("it has no query parameter"));
        }
        Ok(Requests { expected: 2, most: MOST })
    }

    async fn observe(
        operation: &subject::Operation,
        survey: &Survey,
        session: &Session,
    ) -> Result<Observation, Unobserved> {
        let (request, row) = listing(operation, survey, session).await?;
        let unknown = unknown_name(&survey.unknown_word);
        // An expression has no literals, so a condition that is true or false for every row is one about
        // an attribute that no row has. AND binds closer than OR.
        let tries = of_fields(operation, &request, &row).into_iter().map(|candidate| {
            let value =
                |before: &str| with_value(&request, &candidate.parameter, &format!("{before}{}", candidate.value));
            Conditions {
                plain: value(""),
                never: value(&format!("attribute_exists({unknown}) and ")),
                same: value(&format!("attribute_not_exists({unknown}) and ")),
                always: Some(value(&format!("attribute_not_exists({unknown}) or "))),
                invented: None,
                parameter: candidate.parameter.clone(),
            }
        });
        observe(operation, survey, session, tries.collect()).await
    }

    fn judge(seen: &Observation) -> Verdict {
        match seen.outcome() {
            Outcome::Evaluated { grew } => {
                let flaw = flaw(seen, "expression", "a condition in");
                // Where the plain request lists all there is, only the pair that shrinks is left as proof.
                Verdict::fail(flaw.with_confidence(if grew { Confidence::Confirmed } else { Confidence::Likely }))
            }
            other => undecided(other),
        }
    }
}
