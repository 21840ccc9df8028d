//! Signed requests that only read.

use engine::controls::Standing;
use engine::effect::{Effect, effect};
use engine::{Protection, Survey, SurveyedIdentity};

use crate::signature_coverage::asked::{Asked, of};

/// The requests of an identity that have no body and are answered to it, and to nobody without
/// credentials.
pub(super) fn reading<'s>(identity: &'s SurveyedIdentity, survey: &'s Survey) -> impl Iterator<Item = Asked<'s>> {
    let operations = survey.operations.iter().filter(|o| {
        let open = o.baselines.iter().any(|b| b.identity.is_none() && b.standing == Standing::Works);
        o.key.method == "GET" && o.protection != Protection::Public && !open
    });
    operations.filter_map(|operation| {
        let baseline = operation.baseline_of(&identity.name).filter(|b| b.standing == Standing::Works)?;
        let harmless = effect(&baseline.request) == Effect::Reads && baseline.request.body.is_empty();
        harmless.then(|| of(operation, baseline, identity).ok()).flatten()
    })
}
