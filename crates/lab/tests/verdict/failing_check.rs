//! A check that panics takes nothing down with it, and the scan says that its question is open.

use engine::testing::scan_served;
use engine::{AnyCheck, Check, NotApplicable, Requests, Session, Survey, Unobserved, check, subject};
use model::{Category, Meta, Mode, Outcome, Shortfall, Verdict};

use crate::shop::shop_with_key;

const fn meta(id: &'static str) -> Meta {
    Meta {
        id,
        title: "A check that fails by itself",
        category: Category::Inventory,
        owasp: &[],
        cwe: &[],
        variants: &[],
        mode: Mode::Safe,
        needs: &[],
        remedy: None,
        reference: &[],
        since: "0.1.0",
        disturbs: false,
        readme: "",
        examples: "",
    }
}

/// A check of the target whose three steps are these.
macro_rules! check_of_target {
    ($name:ident, $id:literal, $plan:expr, $observe:expr, $judge:expr) => {
        struct $name;
        impl Check for $name {
            const META: Meta = meta($id);
            type Subject = subject::Target;
            type Observation = bool;

            fn plan(_: &subject::Target, _: &Survey) -> Result<Requests, NotApplicable> {
                $plan
            }

            async fn observe(_: &subject::Target, _: &Survey, session: &Session) -> Result<bool, Unobserved> {
                session.pause(std::time::Duration::from_millis(1)).await;
                $observe
            }

            fn judge(_: &bool) -> Verdict {
                $judge
            }
        }
    };
}

check_of_target!(Sound, "sound", Ok(Requests::NONE), Ok(true), Verdict::pass());
check_of_target!(InPlan, "in-plan", panic!("s3cr3t"), Ok(true), Verdict::pass());
check_of_target!(InObserve, "in-observe", Ok(Requests::NONE), panic!("s3cr3t"), Verdict::pass());
check_of_target!(InJudge, "in-judge", Ok(Requests::NONE), Ok(true), panic!("s3cr3t"));

#[tokio::test(start_paused = true)]
async fn a_check_that_panics_ends_in_a_report_without_a_grade_that_names_it() {
    let sound = [check::<Sound>()];
    let scan = scan_served(shop_with_key(), &sound).await;
    assert_eq!((scan.outcome.clone(), scan.exit_code()), (Outcome::Done, 0));
    for (broken, name) in
        [(check::<InPlan>(), "in-plan"), (check::<InObserve>(), "in-observe"), (check::<InJudge>(), "in-judge")]
    {
        let both: [&'static dyn AnyCheck; 2] = [broken, check::<Sound>()];
        let scan = scan_served(shop_with_key(), &both).await;
        let Outcome::FellShort { cause: Shortfall::Check, reason, .. } = &scan.outcome else {
            panic!("{name}: {:?}", scan.outcome)
        };
        assert!(reason.contains(name) && !reason.contains("sound"), "{reason}");
        assert_eq!((scan.score.grade, scan.score.points, scan.exit_code()), (None, None, 2), "{name}");
        assert!(scan.coverage.rows.iter().any(|r| r.check == "sound" && r.verdict == "pass"), "{name}");
        assert!(!serde_json::to_string(&scan).expect("a scan serializes").contains("s3cr3t"), "{name}");
    }
}
