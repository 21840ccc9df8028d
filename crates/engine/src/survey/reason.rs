//! Why an operation has no working request, in words that are true for the cause.

use inventory::{Operation, ParameterLocation};
use model::Answer;

use crate::controls::Standing;
use crate::door::Sent;
use crate::trouble::Trouble;

/// Why an answer is no working one.
pub(super) fn reason(sent: &Sent, standing: Standing, operation: &Operation, invented: bool) -> String {
    let status = sent.recorded.status().unwrap_or_default();
    if let Some(trouble) = Trouble::of(&sent.recorded.answer)
        && !matches!(trouble, Trouble::Missing(_) | Trouble::Elsewhere(_))
    {
        return match &sent.recorded.answer {
            Answer::Error(error) => error.to_string(),
            Answer::Response(_) => format!("the target {}", trouble.reason()),
        };
    }
    let has_path = operation.parameters.iter().any(|p| p.location == ParameterLocation::Path);
    let has_any = has_path || !operation.parameters.is_empty() || operation.body.is_some();
    match standing {
        Standing::Works => String::new(),
        Standing::Refused if invented => {
            format!("no working id is known: invented ones are refused ({status}); set one under `values:`")
        }
        Standing::Refused => format!("refused ({status})"),
        Standing::Missing if has_path => {
            format!("no working id found ({status}); set one under `values:`")
        }
        Standing::Missing => {
            format!(
                "there is nothing at its path ({status}): is the description of this version, and the base path right?"
            )
        }
        Standing::Invalid if has_any => format!("no accepted values found ({status}); set them under `values:`"),
        Standing::Invalid => format!("the request is rejected ({status}), and the description names nothing to send"),
        Standing::Limited => format!("too many requests ({status})"),
        Standing::Failed => format!("the server fails ({status})"),
        Standing::Redirected => format!("redirected elsewhere ({status})"),
        Standing::Unclear if (200..300).contains(&status) => "a path that cannot exist gets the same response".into(),
        Standing::Unclear => format!("a response that fits no class ({status})"),
    }
}
