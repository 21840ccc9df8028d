//! The evidence page of a small scan.

use model::compliance::{Framework, requirements_of};
use model::{Category, Meta, Mode, Scan, Variant};
use serde_json::{Value, json};

const fn meta(id: &'static str, category: Category, cwe: &'static [u16]) -> Meta {
    const NOTE: &[Variant] = &[Variant { name: "seen", when: "it is seen", cvss: None }];
    Meta {
        id,
        title: "A title",
        category,
        owasp: &[],
        cwe,
        variants: NOTE,
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

const METAS: [Meta; 5] = [
    meta("key-in-query", Category::ApiKeys, &[598]),
    meta("unlimited-guessing", Category::RateLimiting, &[307, 799]),
    meta("unlimited-key-guessing", Category::RateLimiting, &[307, 799]),
    meta("reflected-origin", Category::InputValidation, &[942, 346]),
    meta("plain-http", Category::Encryption, &[319]),
];

fn finding(check: &Meta, severity: &str, title: &str) -> Value {
    json!({
        "fingerprint": format!("f-{}", check.id), "check": check.id, "title": title, "category": check.category,
        "severity": severity, "confidence": "confirmed", "cwe": check.cwe, "owasp": [],
        "compliance": requirements_of(check.category, check.cwe),
        "message": "seen", "remediation": "mend it", "occurrences": [], "total": 0, "operations": 0,
    })
}

/// A finding, a note, a check that passed beside one that was not decided, and one that was not.
fn scan(outcome: &Value) -> Scan {
    let [query, guessing, key_guessing, origin, http] = &METAS;
    let row = |check: &Meta, verdict: &str| json!({ "check": check.id, "verdict": verdict, "count": 1 });
    let value = json!({
        "schema_version": 2, "id": "0190", "tool": { "name": "middlebrick", "version": "0.0.0" },
        "target": {
            "given": "http://127.0.0.1/a|b", "origin": "http://127.0.0.1", "base_path": "", "loopback": true,
        },
        "started_at": "2026-01-02T03:04:05Z", "duration_ms": 10, "mode": "safe", "seed": 1,
        "outcome": outcome, "gate": [], "requests": { "total": 4, "sign_in": 0, "survey": 2, "check": 2 },
        "identities": [{ "name": "key", "credentials": [], "alive": true, "note": "" }],
        "inventory": {
            "format": "OpenAPI 3.0", "title": "Orders `x` <img src=x>\n# [a](b)", "version": null,
            "operations": 2, "reading": 2, "references": 0, "warnings": [],
        },
        "coverage": {
            "ratio": 0.5, "assessments_ratio": 0.5, "operations_ratio": 1.0, "sendable_ratio": 1.0, "described": 2, "sendable": 2, "tested": 2, "working": 2,
            "refused": 0, "checks_decided": 3, "checks_asked": 4,
            "unreachable": [{ "operation": { "method": "GET", "path": "/a|<b>" }, "reason": "no id" }],
            "rows": [
                row(query, "fail"), row(http, "fail"), row(guessing, "pass"), row(key_guessing, "inconclusive"),
                row(origin, "not-applicable"),
            ],
            "untested": ["everything behind a sign-in"],
        },
        "set_aside": [], "leftovers": [],
        "score": { "points": 90, "risk": 10, "grade": null, "categories": {}, "deductions": [], "method": 2 },
        "findings": [
            finding(query, "medium", "The key | travels in the `query`"),
            finding(http, "info", "The API answers by plain http"),
        ],
        "exchanges": {}, "warnings": [],
    });
    serde_json::from_value(value).expect("a scan")
}

fn page(scan: &Scan, framework: Framework) -> String {
    report::evidence(scan, framework, &METAS.each_ref())
}

/// The cells of the row of a requirement.
fn row<'p>(page: &'p str, requirement: &str) -> Vec<&'p str> {
    let line = page.lines().find(|line| line.starts_with(&format!("| {requirement} "))).expect("a row");
    line.split(" | ").collect()
}

#[test]
fn the_page_has_scope_gaps_and_what_was_not_tested() {
    insta::assert_snapshot!(page(&scan(&json!({ "state": "done" })), Framework::PciDss));
}

#[test]
fn a_requirement_ends_in_one_of_three_words() {
    let page = page(&scan(&json!({ "state": "done" })), Framework::Asvs);
    assert_eq!(row(&page, "14.2.1")[1], "evidence of a gap");
    assert_eq!(row(&page, "6.3.1")[1], "no gap seen by these checks");
    assert_eq!(row(&page, "6.3.1")[3], "1 of 2 |");
    assert_eq!(row(&page, "3.4.2")[1], "not tested", "its check did not apply");
    assert_eq!(row(&page, "8.2.1")[1], "not tested", "it has no check");
    assert_eq!(row(&page, "12.2.1")[1], "no gap seen by these checks, but notes", "a note is no gap");
}

#[test]
fn a_scan_that_cannot_tell_shows_gaps_and_never_their_absence() {
    let page = page(&scan(&json!({ "state": "fell-short", "reason": "r", "hint": "" })), Framework::Asvs);
    assert_eq!(row(&page, "14.2.1")[1], "evidence of a gap");
    assert_eq!(row(&page, "6.3.1")[1], "not tested");
}

#[test]
fn a_suppressed_finding_is_a_gap_with_its_reason() {
    let mut scan = scan(&json!({ "state": "done" }));
    let reason = "behind <the> mesh".to_owned();
    scan.findings[0].suppressed = Some(model::Suppression { reason, until: None });
    let page = page(&scan, Framework::Asvs);
    assert_eq!(row(&page, "14.2.1")[1], "evidence of a gap");
    assert!(row(&page, "14.2.1")[2].ends_with("suppressed: behind &lt;the&gt; mesh"), "{page}");
}

#[test]
fn no_page_says_compliant_and_each_prints_its_notes() {
    let scan = scan(&json!({ "state": "done" }));
    for framework in Framework::PAGES {
        let page = page(&scan, framework);
        assert!(!page.to_lowercase().contains("compliant"), "{page}");
        assert!(page.contains("A scan") || page.contains("a scan can give"), "{page}");
    }
    assert!(page(&scan, Framework::PciDss).contains("API keys are not users."));
    assert!(page(&scan, Framework::OwaspApi).contains("| A03:2021 (injection) | not tested |"));
}

#[test]
fn a_proof_names_the_requirements() {
    let scan = scan(&json!({ "state": "done" }));
    let proof = report::proof(&scan, &scan.findings[0]);
    assert!(proof.contains("  evidence of a gap in\n") && proof.contains("PCI DSS 4.0.1: 6.2.4, 8.3.2 (by analogy)\n"));
    assert!(report::proof(&scan, &scan.findings[1]).contains("  belongs to\n"), "a note is no gap");
}
