//! What a check is asked of.

use std::sync::{Arc, OnceLock};

use model::{Recorded, Response, SubjectKey};
use serde_json::Value;

use crate::survey::{SurveyedIdentity, SurveyedOperation};

/// A kind of subject.
pub trait Subject: Send + Sync + Sized {
    /// The subject, if it is of this kind.
    fn of(any: &AnySubject) -> Option<&Self>;
}

/// The API as a whole: all that is known of it stands in the survey.
#[derive(Clone, Debug)]
pub struct Target;

/// One scheme, host and port.
#[derive(Clone, Debug)]
pub struct Origin(pub model::Origin);

/// One identity that the user gave.
#[derive(Clone, Debug)]
pub struct Identity(pub Arc<SurveyedIdentity>);

/// One operation, with what the survey learnt of it.
#[derive(Clone, Debug)]
pub struct Operation(pub Arc<SurveyedOperation>);

impl std::ops::Deref for Operation {
    type Target = SurveyedOperation;

    fn deref(&self) -> &SurveyedOperation {
        &self.0
    }
}

/// One exchange of the scan, for checks that send nothing.
#[derive(Debug)]
pub struct Exchange {
    /// As recorded: credentials and other people's secrets masked.
    pub recorded: Recorded,
    /// The response as it came, for facts that need its bytes. Not to be stored.
    pub raw: Arc<Response>,
    /// The operation it belongs to, where it belongs to one.
    pub operation: Option<Arc<inventory::Operation>>,
    json: OnceLock<Option<Value>>,
}

impl Exchange {
    /// An exchange with the response as it came.
    pub fn new(recorded: Recorded, raw: Arc<Response>, operation: Option<Arc<inventory::Operation>>) -> Self {
        Self { recorded, raw, operation, json: OnceLock::new() }
    }

    /// The raw body as JSON as far as it was read, parsed once for all checks.
    pub fn json(&self) -> Option<&Value> {
        self.json.get_or_init(|| self.raw.json_read()).as_ref()
    }
}

/// A subject of any kind.
#[derive(Debug)]
pub enum AnySubject {
    /// The API as a whole.
    Target(Target),
    /// One origin.
    Origin(Origin),
    /// One identity.
    Identity(Identity),
    /// One operation.
    Operation(Operation),
    /// One exchange.
    Exchange(Exchange),
}

impl AnySubject {
    /// The name under which assessments of it are recorded.
    pub fn key(&self) -> SubjectKey {
        match self {
            Self::Target(_) => SubjectKey::Target,
            Self::Origin(origin) => SubjectKey::Origin(origin.0.to_string()),
            Self::Identity(identity) => SubjectKey::Identity(identity.0.name.to_string()),
            Self::Operation(operation) => SubjectKey::Operation(operation.key.clone()),
            Self::Exchange(exchange) => SubjectKey::Exchange {
                id: exchange.recorded.id,
                operation: exchange.recorded.operation.clone(),
                identity: exchange.recorded.identity.clone(),
            },
        }
    }
}

macro_rules! subject {
    ($kind:ident) => {
        impl Subject for $kind {
            fn of(any: &AnySubject) -> Option<&Self> {
                if let AnySubject::$kind(subject) = any { Some(subject) } else { None }
            }
        }
    };
}

subject!(Target);
subject!(Origin);
subject!(Identity);
subject!(Operation);
subject!(Exchange);
