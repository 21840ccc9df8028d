//! What the API does for each identity before any check runs. Frozen before the first check.

pub(crate) mod clean;
mod fill;
mod forge;
mod harvest;
mod identity;
mod reason;
pub mod repair;
mod run;

use std::collections::BTreeSet;
use std::sync::Arc;

use inventory::{Inventory, Security};
use model::{Mode, OperationKey, Place, Recorded, Request, SignedPlace, SignedPlaces, Signer, SigningMode};

pub use fill::ConfiguredValues;
pub(crate) use identity::trouble_of;
pub use run::Configured;
pub(crate) use run::survey;

use crate::controls::Standing;
use crate::draft::Draft;
use crate::effect;
use crate::guard;
use crate::trouble::Trouble;

/// What is known of the target when checks begin.
#[derive(Clone, Debug)]
pub struct Survey {
    /// The description.
    pub inventory: Arc<Inventory>,
    /// Where requests go.
    pub origin: model::Origin,
    /// Path before every operation's path; empty or starting with `/`.
    pub base_path: String,
    /// What the scan may do.
    pub mode: Mode,
    /// Who there is.
    pub identities: Vec<Arc<SurveyedIdentity>>,
    /// Every operation of the description, with what came of it.
    pub operations: Vec<Arc<SurveyedOperation>>,
    /// Operations that are sign-ins which worked.
    pub signed_in: BTreeSet<OperationKey>,
    /// The answer to a path that cannot exist, without credentials.
    pub unknown_path: Option<Recorded>,
    /// A path segment that exists nowhere, the same for the whole scan.
    pub unknown_word: String,
    /// True if the target's log can be read.
    pub has_log: bool,
    /// Objects seen in answers.
    pub resources: Vec<Resource>,
}

impl Survey {
    /// True if the target is this machine.
    pub fn is_loopback(&self) -> bool {
        self.origin.is_loopback()
    }

    /// The identity of this name.
    pub fn identity(&self, name: &str) -> Option<&Arc<SurveyedIdentity>> {
        self.identities.iter().find(|i| &*i.name == name)
    }

    /// The operation of this key.
    pub fn operation(&self, key: &OperationKey) -> Option<&Arc<SurveyedOperation>> {
        self.operations.iter().find(|o| &o.key == key)
    }

    /// The first working request of an identity that signs, and the identity; none where the
    /// operation is open by design.
    pub fn signed<'s>(&'s self, operation: &'s SurveyedOperation) -> Option<(&'s Baseline, &'s SurveyedIdentity)> {
        if operation.protection == Protection::Public {
            return None;
        }
        operation.baselines.iter().filter(|b| b.standing == Standing::Works).find_map(|baseline| {
            let identity = self.identity(baseline.identity.as_deref()?)?;
            identity.signs.then_some((baseline, &**identity))
        })
    }

    /// The path of an operation's template below the base path.
    pub fn path(&self, below: &str) -> String {
        format!("{}{below}", self.base_path)
    }
}

/// An identity, as the survey found it.
#[derive(Clone, Debug)]
pub struct SurveyedIdentity {
    /// Name in the configuration.
    pub name: Arc<str>,
    /// Role, where the user states one.
    pub role: Option<String>,
    /// Tenant, where the user states one.
    pub tenant: Option<String>,
    /// Where its credentials stand, in their order.
    pub places: Vec<Place>,
    /// True if its requests are signed.
    pub signs: bool,
    /// What is known of how they are.
    pub mode: SigningMode,
    /// Where its signatures and what belongs to them stand; absent where it does not sign, or where
    /// that cannot be said.
    pub signed: Option<SignedPlaces>,
    /// True where each of its nonces must be greater than the one before.
    pub is_monotone: bool,
    /// True if the user gave a key of it that must not work any more.
    pub has_revoked_key: bool,
    /// What signs.
    pub(crate) signer: Option<Arc<dyn Signer>>,
    /// True if it works.
    pub alive: bool,
    /// What shows that it works, or why it does not.
    pub note: String,
    /// What is at fault where it does not work.
    pub(crate) fault: Option<Fault>,
    /// Identities that have the very same credentials: one and the same for the API.
    pub same_as: Vec<Twin>,
    /// The sign-in that gave its credentials, where one did.
    pub sign_in: Option<Recorded>,
    /// An operation that answers it and refuses a request without credentials.
    pub canary: Option<OperationKey>,
}

/// Another identity with the very same credentials.
#[derive(Clone, Debug)]
pub struct Twin {
    /// Name in the configuration.
    pub name: Arc<str>,
    /// The sign-in that gave it the credentials, where one did.
    pub sign_in: Option<Recorded>,
    /// True if it signs in with another password or secret.
    pub has_own_secret: bool,
}

impl SurveyedIdentity {
    /// Where a digest of the body stands that its signatures cover in place of the body.
    pub fn digest(&self) -> Option<SignedPlace> {
        self.signer.as_ref()?.digest()
    }

    /// The parts that its requests themselves name as signed; `None` where it has no choice.
    pub fn components(&self) -> Option<Vec<String>> {
        self.signer.as_ref()?.components()
    }

    /// The name of the scheme by which a weak or placeholder secret makes the signature of its sample; none
    /// where no secret of the list does, or where it has no sample. Takes seconds, and sends nothing.
    pub async fn weakly_signed(&self) -> Option<String> {
        let captured = self.signer.as_ref()?.sample()?.captured.clone();
        let search =
            signing::infer::Options { modes: vec![signing::infer::Mode::Hmac], words: 3, ..Default::default() };
        let found = tokio::task::spawn_blocking(move || {
            guard::call(|| signing::infer::infer_with(&captured, &signing::Secrets::Weak, &search, &|_, _| {}).found)
        });
        // A search that failed by itself has not shown that the secret is strong.
        let found = found.await.ok().and_then(Result::ok).expect("the search for weak secrets does not panic");
        let weak = found.into_iter().find(|inferred| matches!(inferred.key, signing::infer::Key::Weak(_)))?;
        Some(weak.scheme.name)
    }
}

/// What is at fault where an identity does not work.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// Its credential.
    Credential,
    /// Its credential, which says itself that it is out of time.
    Expired,
    /// Its sign-in.
    SignIn,
    /// Its captured request.
    Sample,
    /// The target, which answers nobody.
    Target(Trouble),
    /// That cannot be said.
    Unknown,
}

/// What the description says of credentials.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protection {
    /// They are needed.
    Declared,
    /// They are not needed: `security: []`, an empty alternative, or the user's `public:` list.
    Public,
    /// It does not say.
    Unstated,
}

/// Whether there is a working request for an operation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reach {
    /// There is.
    Working,
    /// Every identity is refused.
    Refused,
    /// There is none, and why.
    Unreachable(String),
    /// The mode keeps it back, or it is closed on purpose; and why.
    SetAside(String),
}

/// One operation, with what the survey learnt of it.
#[derive(Clone, Debug)]
pub struct SurveyedOperation {
    /// As described.
    pub operation: Arc<inventory::Operation>,
    /// Its name in records.
    pub key: OperationKey,
    /// What the description, or the user, says of credentials.
    pub protection: Protection,
    /// True if the user says that everyone may read its objects.
    pub shared: bool,
    /// True if the user says that it may be sent again, whatever its method and name.
    pub repeatable: bool,
    /// Whether there is a working request.
    pub reach: Reach,
    /// What each identity got, the first working one first.
    pub baselines: Vec<Baseline>,
}

/// A request of an identity, and what it got.
#[derive(Clone, Debug)]
pub struct Baseline {
    /// Name of the identity; absent for anonymous.
    pub identity: Option<Arc<str>>,
    /// The request without credentials.
    pub request: Request,
    /// What came of it.
    pub exchange: Recorded,
    /// How that is to be read.
    pub standing: Standing,
    /// What came of the same request a moment later.
    pub repeated: Option<Recorded>,
    /// JSON pointers whose values differ at each request, array indexes as `*`.
    pub volatile: BTreeSet<String>,
}

impl SurveyedOperation {
    /// The first working baseline of an identity that has credentials.
    pub fn baseline(&self) -> Option<&Baseline> {
        self.baselines.iter().find(|b| b.identity.is_some() && b.standing == Standing::Works)
    }

    /// The first working baseline of anyone.
    pub fn any_baseline(&self) -> Option<&Baseline> {
        self.baselines.iter().find(|b| b.standing == Standing::Works)
    }

    /// What this identity got.
    pub fn baseline_of(&self, identity: &str) -> Option<&Baseline> {
        self.baselines.iter().find(|b| b.identity.as_deref() == Some(identity))
    }

    /// True if its name says that each call takes something away or costs money, and the user does not
    /// say otherwise.
    pub fn is_costly(&self) -> bool {
        !self.repeatable && (effect::reads_once(&self.key.path) || effect::is_metered(&self.key.path))
    }

    /// True if its method reads.
    pub fn is_reading(&self) -> bool {
        matches!(self.key.method.as_str(), "GET" | "HEAD" | "QUERY")
    }
}

impl Baseline {
    /// The same request again: recalled, it gives the baseline's own exchange.
    pub fn draft(&self, operation: &OperationKey) -> Draft {
        let draft = match &self.identity {
            Some(name) => Draft::of(name, self.request.clone()),
            None => Draft::anonymous(self.request.clone()),
        };
        draft.for_operation(operation)
    }
}

/// An object seen in an answer.
#[derive(Clone, Debug, PartialEq)]
pub struct Resource {
    /// Path template of the operation that showed it.
    pub seen_in: String,
    /// Name of the list or member that held it; empty at the top.
    pub under: String,
    /// Its scalar members.
    pub members: Vec<(String, serde_json::Value)>,
    /// The identity that saw it.
    pub identity: Option<Arc<str>>,
}

/// What the description says of an operation's credentials.
pub(crate) fn protection(operation: &inventory::Operation) -> Protection {
    match &operation.security {
        Security::Undeclared => Protection::Unstated,
        Security::Public | Security::Required { optional: true, .. } => Protection::Public,
        Security::Required { optional: false, .. } => Protection::Declared,
    }
}
