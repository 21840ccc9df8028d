//! Every verifier of `e2e/verifiers`: the map of what its signatures cover, and the findings above
//! info, are what its library's code makes true.

use std::collections::{BTreeMap, BTreeSet};

use lab::verifiers::{Shown, Truth, show, truths, verifiers};

/// What is said of a verifier although it is not true, or true and not said.
fn differences(shown: &Shown, truth: &Truth) -> Vec<String> {
    let name = &shown.verifier.name;
    let mut differences = Vec::new();
    if shown.map != truth.map {
        differences.push(format!("{name}: the map is {:#?}, true is {:#?}", shown.map, truth.map));
    }
    let untrue = shown.findings.keys().filter(|check| truth.why_found(check).is_none());
    differences.extend(untrue.map(|check| format!("{name}: `{check}` is not true")));
    let not_found = truth.checks().filter(|(check, missed)| !missed && !shown.findings.contains_key(*check));
    differences.extend(not_found.map(|(check, _)| format!("{name}: `{check}` is not found")));
    differences
}

#[tokio::test(flavor = "multi_thread")]
async fn the_map_and_the_findings_of_each_are_what_its_code_makes_true() {
    let truths: BTreeMap<String, Truth> = truths().unwrap();
    let verifiers = verifiers().unwrap();
    let mounted: BTreeSet<&str> = verifiers.iter().map(|v| v.name.as_str()).collect();
    assert_eq!(mounted, truths.keys().map(String::as_str).collect::<BTreeSet<_>>(), "e2e/verifiers/truth.toml");
    let shown = show(&verifiers).await.unwrap();
    let wrong: Vec<String> = shown.iter().flat_map(|s| differences(s, &truths[&s.verifier.name])).collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
