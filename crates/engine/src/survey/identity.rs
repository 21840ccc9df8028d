//! Whether an identity works, which of its headers are credentials, and who is to blame where it does not.

use std::collections::BTreeSet;
use std::sync::Arc;

use model::{Answer, Place, Purpose, Request, SigningMode};

use super::run::Surveying;
use super::{Baseline, Fault, Protection, Reach, SurveyedIdentity, SurveyedOperation};
use crate::controls::{self, Sameness, Standing, standing};
use crate::draft::{Authenticate, Draft};
use crate::effect;
use crate::identities::{Live, Refusal};
use crate::lifetime;
use crate::trouble::Trouble;

/// Operations that are tried to find one that refuses a request without credentials. Where none of them
/// does, the answers are what checks of missing authentication ask for next.
///
/// **Source**: chosen; an API has rarely more open operations before one that is not.
const CANARIES: usize = 40;

/// Operations that are asked without one header to learn whether it is a credential.
///
/// **Source**: chosen.
const ASKED_PER_HEADER: usize = 4;

/// Parts of names that credentials customarily have.
///
/// **Source**: names of the API key schemes in public descriptions; RFC 9110 and RFC 6265 for the first two.
const CREDENTIAL_NAMES: [&str; 14] = [
    "authorization",
    "cookie",
    "key",
    "token",
    "secret",
    "session",
    "auth",
    "signature",
    "jwt",
    "passw",
    "pwd",
    "credential",
    "bearer",
    "csrf",
];

/// True if a header of this name is a credential by custom.
pub(crate) fn is_customary_credential(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    CREDENTIAL_NAMES.iter().any(|part| name.contains(part)) && !name.starts_with("idempotency")
}

impl Surveying<'_> {
    /// Finds out which credentials matter, and an operation that shows whether they still work.
    pub(super) async fn identity(
        &self,
        live: &Arc<Live>,
        failure: Option<&String>,
        operations: &[SurveyedOperation],
    ) -> SurveyedIdentity {
        let places = || live.generation().credentials.iter().map(|c| c.place.clone()).collect::<Vec<_>>();
        let mut surveyed = SurveyedIdentity {
            name: live.name.clone(),
            role: live.identity.role.clone(),
            tenant: live.identity.tenant.clone(),
            places: places(),
            signs: live.identity.signer.is_some(),
            mode: match (&live.identity.signer, live.sample()) {
                (None, _) => SigningMode::None,
                (Some(_), Some(_)) => SigningMode::Sample,
                (Some(_), None) => SigningMode::Secret,
            },
            signed: live.identity.signer.as_ref().and_then(|s| s.places()),
            is_monotone: live.identity.signer.as_ref().is_some_and(|s| s.is_monotone()),
            has_revoked_key: live.identity.revoked_key.is_some(),
            signer: live.identity.signer.clone(),
            alive: false,
            note: String::new(),
            fault: None,
            same_as: Vec::new(),
            sign_in: None,
            canary: None,
        };
        if let Some(why) = live.sample().and_then(|sample| self.why_unusable(sample, live, operations)) {
            surveyed.note = why;
            surveyed.fault = Some(Fault::Sample);
            return surveyed;
        }
        if let Some(failure) = failure {
            surveyed.note = failure.clone();
            surveyed.fault = Some(Fault::SignIn);
            return surveyed;
        }
        let own: Vec<(&SurveyedOperation, &Baseline)> =
            operations.iter().filter_map(|o| Some((o, o.baseline_of(&live.name)?))).collect();
        let mut works: Vec<_> = own.iter().filter(|(_, b)| b.standing == Standing::Works).copied().collect();
        works.sort_by_key(|(o, _)| {
            let declared = o.protection == Protection::Declared;
            (!declared, !o.is_reading(), o.operation.parameters.len(), o.operation.index)
        });
        self.learn_plain_headers(live, &works).await;
        surveyed.places = places();
        for (operation, baseline) in works.iter().take(CANARIES) {
            let draft = baseline.draft(&operation.key);
            let without = draft.clone().without_credentials();
            if self.accepted(&without, baseline).await != Some(false) {
                continue;
            }
            surveyed.canary = Some(operation.key.clone());
            surveyed.alive = true;
            surveyed.note = format!("{} answers it and refuses a request without credentials", operation.key);
            if let Ok(refused) = self.door.recall(&without, Purpose::Survey, &|| Ok(())).await {
                _ = live.refusal.set(Refusal::of(&refused.recorded));
            }
            self.learn_replays(live, &surveyed, &draft).await;
            _ = live.canary.set(draft);
            return surveyed;
        }
        self.blame(live, &mut surveyed, &works, operations);
        if let (Some((operation, baseline)), true) = (works.first(), surveyed.alive) {
            _ = live.canary.set(baseline.draft(&operation.key));
        }
        surveyed
    }

    /// An identity that gets nothing that nobody gets: whether anybody is refused, and whose fault it is.
    fn blame(
        &self,
        live: &Live,
        surveyed: &mut SurveyedIdentity,
        works: &[(&SurveyedOperation, &Baseline)],
        operations: &[SurveyedOperation],
    ) {
        let asked: Vec<&SurveyedOperation> =
            operations.iter().filter(|o| !matches!(o.reach, Reach::SetAside(_))).collect();
        let refuses = |o: &&&SurveyedOperation| {
            o.baselines.iter().any(|b| {
                let of_it = b.identity.as_deref().is_none_or(|name| name == &*live.name);
                of_it && b.standing == Standing::Refused
            })
        };
        let refusing = asked.iter().filter(refuses).count();
        let now = chrono::Utc::now().timestamp();
        let out_of_time =
            live.generation().credentials.iter().find_map(|c| lifetime::out_of_time(c.value.expose(), now));
        let trouble = trouble_of(asked.iter().copied());
        let expired = Fault::Expired;
        (surveyed.alive, surveyed.note, surveyed.fault) = match (trouble, out_of_time) {
            (Some(trouble), _) if works.is_empty() => {
                (false, format!("the target {}", trouble.reason()), Some(Fault::Target(trouble)))
            }
            (_, Some(why)) if refusing > 0 || works.is_empty() => (false, why, Some(expired)),
            _ if refusing > 0 && works.is_empty() => {
                (false, format!("refused by {refusing} operations, answered by none"), Some(Fault::Credential))
            }
            _ if refusing > 0 => {
                let why = format!(
                    "{refusing} operation{} and without credentials alike, and the others answer everybody",
                    if refusing == 1 { " refuses requests with it" } else { "s refuse requests with it" }
                );
                (false, why, Some(Fault::Credential))
            }
            _ if works.is_empty() => (false, "no operation answers it".into(), Some(Fault::Unknown)),
            _ => (true, "no operation asks for credentials".into(), None),
        };
    }

    /// Learns which headers of an identity are no credentials (tenant, version): those that neither custom
    /// nor the description calls one, and whose absence or corruption alone is never answered with the
    /// refusal of a credential. In doubt a header is a credential. The others go with every request.
    ///
    /// **Source**: docs/safety.md.
    async fn learn_plain_headers(&self, live: &Live, works: &[(&SurveyedOperation, &Baseline)]) {
        let credentials = live.generation().credentials;
        if credentials.len() < 2 {
            return;
        }
        let declared: BTreeSet<String> = self
            .inventory
            .security_schemes
            .values()
            .filter_map(|scheme| match scheme {
                inventory::SecurityScheme::ApiKey { name, .. } => Some(name.to_ascii_lowercase()),
                _ => None,
            })
            .collect();
        let mut kept: Vec<usize> = Vec::new();
        for (position, credential) in credentials.iter().enumerate() {
            let may_be_plain = match &credential.place {
                Place::Header { name, prefix } => {
                    prefix.is_empty()
                        && !declared.contains(&name.to_ascii_lowercase())
                        && !is_customary_credential(name)
                }
                Place::Query { .. } | Place::Cookie { .. } => false,
            };
            if !may_be_plain || !self.is_plain(position, credential.value.expose(), works).await {
                kept.push(position);
            }
        }
        // Something must be a credential: in doubt all of them are.
        if !kept.is_empty() && kept.len() < credentials.len() {
            live.keep_only(&kept);
            self.door.learn_headers(live);
        }
    }

    /// True if some operation shows that the header at this position is no credential, and none that it is.
    async fn is_plain(&self, position: usize, value: &str, works: &[(&SurveyedOperation, &Baseline)]) -> bool {
        let mut shown = false;
        for (operation, baseline) in works.iter().filter(|(o, _)| o.is_reading()).take(ASKED_PER_HEADER) {
            let draft = baseline.draft(&operation.key);
            let dropped = draft.clone().authenticate(Authenticate::Dropping(position));
            match self.answered(&dropped).await {
                Some(Standing::Refused) => return false,
                Some(Standing::Works) => {
                    shown |= self.accepted(&dropped, baseline).await == Some(true);
                }
                Some(Standing::Invalid | Standing::Missing) => {
                    let corrupted = draft.replacing(position, &corrupted(value), None);
                    match self.answered(&corrupted).await {
                        Some(Standing::Refused) | None => return false,
                        Some(_) => shown = true,
                    }
                }
                Some(Standing::Limited | Standing::Failed | Standing::Redirected | Standing::Unclear) | None => {}
            }
        }
        shown
    }

    async fn answered(&self, draft: &Draft) -> Option<Standing> {
        let sent = self.door.recall(draft, Purpose::Survey, &|| Ok(())).await.ok()?;
        sent.recorded.response().map(standing)
    }

    /// Finds out whether the server refuses a signature that it has seen, where equal requests of one
    /// second carry the same.
    async fn learn_replays(&self, live: &Live, surveyed: &SurveyedIdentity, draft: &Draft) {
        let (Some(signer), Some(places)) = (&live.identity.signer, &surveyed.signed) else { return };
        let path = draft.request.path();
        if !live.signatures.matter(&**signer, places) || effect::reads_once(path) || effect::is_metered(path) {
            return;
        }
        let frozen = draft.clone().frozen(self.door.stamp(draft).await);
        let mut works = [false; 2];
        for works in &mut works {
            let Ok(sent) = self.door.send(&frozen, Purpose::Survey, &|| Ok(())).await else { return };
            let Some(response) = sent.recorded.response() else { return };
            *works = match standing(response) {
                Standing::Works => true,
                Standing::Refused | Standing::Invalid => false,
                Standing::Missing | Standing::Limited | Standing::Failed => return,
                Standing::Redirected | Standing::Unclear => return,
            };
        }
        if let [true, second] = works {
            live.signatures.learn(!second);
        }
    }

    /// Why a captured request is of no use, if it is of none.
    fn why_unusable(&self, sample: &Request, live: &Live, operations: &[SurveyedOperation]) -> Option<String> {
        let Some(key) = self.operation_of(sample) else {
            return Some("no operation of the description has the sample's method and path".into());
        };
        let operation = operations.iter().find(|o| o.key == key)?;
        if let Reach::SetAside(why) = &operation.reach {
            return Some(format!("the sample is of {key}, which is not sent ({why})"));
        }
        let Some(baseline) = operation.baseline_of(&live.name) else {
            return Some(format!("the sample of {key} was not sent"));
        };
        if baseline.standing != Standing::Works {
            let status = baseline.exchange.status().map(|s| format!(" ({s})")).unwrap_or_default();
            return Some(format!("the sample was refused{status}: capture a fresh one"));
        }
        let again = baseline.repeated.as_ref().and_then(|repeated| repeated.response()).map(standing);
        (again.is_some() && again != Some(Standing::Works)).then(|| {
            "the sample works once only, what it carries is remembered: give the secret under `signing:`".to_owned()
        })
    }

    /// Whether a request is still accepted; `None` where that cannot be told.
    async fn accepted(&self, draft: &Draft, baseline: &Baseline) -> Option<bool> {
        let sent = self.door.recall(draft, Purpose::Survey, &|| Ok(())).await.ok()?;
        let (answer, works) = (sent.recorded.response()?, baseline.exchange.response()?);
        match standing(answer) {
            Standing::Works => (controls::content(answer, works, &baseline.volatile) == Sameness::Same).then_some(true),
            Standing::Refused | Standing::Invalid | Standing::Missing => Some(false),
            Standing::Redirected | Standing::Limited | Standing::Failed | Standing::Unclear => None,
        }
    }
}

/// What is wrong with a target of which nobody gets anything.
pub(crate) fn trouble_of<'o>(operations: impl Iterator<Item = &'o SurveyedOperation> + Clone) -> Option<Trouble> {
    if operations.clone().any(|o| o.any_baseline().is_some()) {
        return None;
    }
    let answers: Vec<(&SurveyedOperation, &Answer)> =
        operations.flat_map(|o| o.baselines.iter().map(move |b| (o, &b.exchange.answer))).collect();
    match Trouble::of_most(answers.iter().map(|(_, answer)| *answer))? {
        // An id that does not exist is no wrong base path.
        Trouble::Missing(_) => {
            let plain = answers.iter().filter(|(o, _)| !o.key.path.contains('{')).map(|(_, answer)| *answer);
            Trouble::of_most(plain).filter(|trouble| matches!(trouble, Trouble::Missing(_)))
        }
        trouble => Some(trouble),
    }
}

/// The value with its letters and digits turned into others of their kind.
fn corrupted(value: &str) -> String {
    value
        .chars()
        .map(|c| match c {
            'a'..='y' | 'A'..='Y' | '0'..='8' => char::from_u32(c as u32 + 1).unwrap_or(c),
            'z' => 'a',
            'Z' => 'A',
            '9' => '0',
            other => other,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_is_a_credential_by_its_name() {
        for name in [
            "Authorization",
            "Proxy-Authorization",
            "Cookie",
            "X-API-Key",
            "apikey",
            "X-Auth-Token",
            "X-Session-Id",
            "X-App-Secret",
            "X-Signature",
            "X-CSRF-Token",
            "Ocp-Apim-Subscription-Key",
            "X-JWT-Assertion",
        ] {
            assert!(is_customary_credential(name), "{name}");
        }
        for name in [
            "X-Tenant",
            "Accept-Version",
            "User-Agent",
            "Accept-Language",
            "X-Request-Id",
            "X-Region",
            "Idempotency-Key",
        ] {
            assert!(!is_customary_credential(name), "{name}");
        }
    }
}
