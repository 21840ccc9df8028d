//! Query parameters that become arguments of the SDK's call: `table.scan(**request.args)`.

use engine::{Check, NotApplicable, Requests, Session, Survey, Unobserved, subject};
use model::{Meta, Verdict};

use super::candidate::{with_value, working};
use super::pair::{Conditions, MOST, Observation, Outcome, listing, observe};
use super::{META, flaw, undecided, unknown_name};

/// Do query parameters become arguments of a DynamoDB call?
pub struct RequestArgumentInjection;

impl Check for RequestArgumentInjection {
    const META: Meta = Meta {
        id: "dynamodb-request-argument-injection",
        title: "Query parameters become arguments of a DynamoDB call",
        cwe: &[943, 915],
        ..META
    };
    type Subject = subject::Operation;
    type Observation = Observation;

    fn plan(operation: &subject::Operation, _: &Survey) -> Result<Requests, NotApplicable> {
        working(operation)?;
        Ok(Requests { expected: 3, most: MOST })
    }

    async fn observe(
        operation: &subject::Operation,
        survey: &Survey,
        session: &Session,
    ) -> Result<Observation, Unobserved> {
        let (request, row) = listing(operation, survey, session).await?;
        let unknown = unknown_name(&survey.unknown_word);
        let members: Vec<&str> =
            row.as_object().into_iter().flat_map(|fields| fields.keys()).map(String::as_str).collect();
        // Arguments of Scan and Query that boto3 takes as text, each with a value that leaves no row and
        // one that leaves all as they are.
        let arguments = [
            ("FilterExpression", format!("attribute_exists({unknown})"), format!("attribute_not_exists({unknown})")),
            ("ProjectionExpression", unknown.clone(), members.join(", ")),
        ];
        let tries = arguments.into_iter().map(|(argument, never, same)| Conditions {
            parameter: argument.to_owned(),
            plain: request.clone(),
            same: with_value(&request, argument, &same),
            invented: Some(with_value(&request, &format!("{unknown}{argument}"), &never)),
            never: with_value(&request, argument, &never),
            always: None,
        });
        observe(operation, survey, session, tries.collect()).await
    }

    fn judge(seen: &Observation) -> Verdict {
        match seen.outcome() {
            Outcome::Evaluated { .. } => Verdict::fail(flaw(seen, "argument", "the argument")),
            other => undecided(other),
        }
    }
}
