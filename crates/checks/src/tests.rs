//! Tests that every check must pass, whatever it checks.

use std::collections::BTreeSet;

use engine::examples::{WORDS, parse};
use engine::testing::scan_served;
use engine::{AnyCheck, effect};
use model::compliance::{requirements_of, rows, rows_of};
use model::{OperationKey, Scan, Severity};

use crate::{FOLDERS, Folder};

const SRC: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/src");

/// Headings that each README has, in this order.
const HEADINGS: [&str; 6] =
    ["What it checks", "Why it matters", "How it is tested", "What it cannot see", "How to fix it", "Sources"];

/// Lines of a file of `remedies/`, at most.
///
/// **Source**: chosen; people read what they paste.
const LONGEST_REMEDY: usize = 120;

fn checks() -> impl Iterator<Item = (&'static Folder, &'static dyn AnyCheck)> {
    FOLDERS.iter().flat_map(|folder| folder.checks.iter().map(move |check| (folder, *check)))
}

fn ids_found(scan: &Scan) -> BTreeSet<&str> {
    scan.findings.iter().map(|f| f.check.as_str()).collect()
}

#[test]
fn examples_get_the_verdict_in_their_heading() {
    for (folder, check) in checks() {
        let meta = check.meta();
        let examples = parse(meta.examples).unwrap_or_else(|why| panic!("{}/examples.md: {why}", folder.name));
        let own: Vec<_> = examples.iter().filter(|e| e.check.as_deref().is_none_or(|c| c == meta.id)).collect();
        for (word, verdict) in WORDS.iter().take(2) {
            assert!(own.iter().any(|e| e.title.starts_with(word)), "{}: no example that {word} ({verdict})", meta.id);
        }
        for example in own {
            let verdict = check
                .judge(&example.observation)
                .unwrap_or_else(|why| panic!("{}: {}: no observation: {why}", meta.id, example.title));
            let wanted = WORDS.iter().find(|(word, _)| example.title.starts_with(word)).map(|(_, v)| *v);
            assert_eq!(wanted, Some(verdict.word()), "{}: {}: got {verdict:?}", meta.id, example.title);
            for flaw in verdict.flaws() {
                let severity = meta.variant(&flaw.variant).map(model::Variant::severity);
                assert!(severity.is_some(), "{}: no variant {}", meta.id, flaw.variant);
                let is_note = example.title.contains(" as a note");
                assert!(!is_note || severity == Some(Severity::Info), "{}: {}: {severity:?}", meta.id, example.title);
            }
        }
    }
}

#[test]
fn examples_name_only_checks_of_their_folder() {
    for folder in FOLDERS {
        for check in folder.checks {
            for example in parse(check.meta().examples).unwrap() {
                let known = example.check.as_ref().is_none_or(|id| folder.checks.iter().any(|c| c.meta().id == id));
                assert!(known, "{}/examples.md: {:?} is no check of the folder", folder.name, example.check);
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn each_check_tells_its_vulnerable_server_from_its_fixed_one() {
    let all = crate::all();
    for folder in FOLDERS {
        let pairs = (folder.pairs)();
        for check in folder.checks {
            assert!(pairs.iter().any(|p| p.check == check.meta().id), "{}: no pair in target.rs", check.meta().id);
        }
        for pair in pairs {
            let repeatable = pair.vulnerable.repeatable.clone();
            let vulnerable = scan_served(pair.vulnerable, &all).await;
            assert!(
                ids_found(&vulnerable).contains(pair.check),
                "{}: not found on its vulnerable server; found {:?}; {:#?}",
                pair.check,
                ids_found(&vulnerable),
                vulnerable.coverage
            );
            let fixed = scan_served(pair.fixed, &all).await;
            assert!(
                !ids_found(&fixed).contains(pair.check),
                "{}: found on its fixed server: {:#?}",
                pair.check,
                fixed.findings
            );
            let decided = fixed.coverage.rows.iter().any(|r| r.check == pair.check && r.verdict == "pass");
            assert!(decided, "{}: not decided on its fixed server: {:#?}", pair.check, fixed.coverage);
            for scan in [vulnerable, fixed] {
                stays_within_its_mode(&scan, &repeatable);
                judges_again_to_the_same_verdict(&scan, &all);
            }
        }
    }
}

fn stays_within_its_mode(scan: &Scan, repeatable: &BTreeSet<OperationKey>) {
    for exchange in scan.exchanges.values() {
        if exchange.operation.as_ref().is_some_and(|operation| repeatable.contains(operation)) {
            continue;
        }
        // Tries to sign in as a random user are the session's own exception, counted by it.
        if exchange.purpose == model::Purpose::Check && exchange.request.method == "POST" {
            continue;
        }
        if exchange.purpose == model::Purpose::SignIn {
            continue;
        }
        let effect = effect::effect(&exchange.request);
        assert!(
            effect::permit(scan.mode, effect).is_ok(),
            "sent in {} mode: {effect:?} {:?}",
            scan.mode,
            exchange.request
        );
    }
}

fn judges_again_to_the_same_verdict(scan: &Scan, all: &[&'static dyn AnyCheck]) {
    let stored: Scan = serde_json::from_str(&serde_json::to_string(scan).unwrap()).unwrap();
    for (assessment, verdict) in engine::scan::rejudge(&stored, all).unwrap() {
        assert_eq!(assessment.verdict, verdict, "{} judged again", assessment.check);
    }
}

#[test]
fn every_readme_has_the_same_headings() {
    for (folder, check) in checks() {
        let readme = check.meta().readme;
        let headings: Vec<&str> = readme.lines().filter_map(|l| l.strip_prefix("## ")).collect();
        assert_eq!(headings, HEADINGS, "{}/README.md", folder.name);
        assert!(readme.starts_with("# "), "{}/README.md begins with its title", folder.name);
        for heading in HEADINGS {
            let section = model::finding::section(readme, heading).trim();
            assert!(section.len() > 20, "{}/README.md: {heading} is empty", folder.name);
        }
        let id = check.meta().id;
        assert!(
            folder.checks.len() == 1 || readme.contains(&format!("`{id}`")),
            "{}/README.md does not name `{id}`",
            folder.name
        );
    }
}

#[test]
fn ids_are_unique_kebab_case_and_never_forgotten() {
    let ids: Vec<&str> = checks().map(|(_, c)| c.meta().id).collect();
    let unique: BTreeSet<&str> = ids.iter().copied().collect();
    assert_eq!(ids.len(), unique.len(), "an id is used twice");
    for id in &unique {
        assert!(id.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-'), "{id}");
        assert!(!id.starts_with("check-") && !id.starts_with("no-") && !id.starts_with("missing-"), "{id}");
    }
    insta::assert_snapshot!("ids", unique.into_iter().collect::<Vec<_>>().join("\n"));
}

#[test]
fn each_meta_is_sound() {
    for (folder, check) in checks() {
        let meta = check.meta();
        assert!(!meta.variants.is_empty(), "{}: no variant", meta.id);
        let names: BTreeSet<&str> = meta.variants.iter().map(|v| v.name).collect();
        assert_eq!(names.len(), meta.variants.len(), "{}: a variant's name is used twice", meta.id);
        for variant in meta.variants {
            let Some(vector) = variant.cvss else { continue };
            let severity = Severity::of_vector(vector);
            assert!(
                severity.is_some_and(|s| s < Severity::Info),
                "{}: {} has no rating by `{vector}`",
                meta.id,
                variant.name
            );
        }
        assert!(!meta.title.ends_with('.') && meta.title.starts_with(char::is_uppercase), "{}: title", meta.id);
        assert!(!meta.cwe.is_empty(), "{}: no CWE", meta.id);
        assert!(
            folder.name.replace('_', "-") == meta.id || folder.checks.len() > 1,
            "{}: folder {}",
            meta.id,
            folder.name
        );
    }
}

/// Rows of the design's list of key weaknesses.
const KEY_ROWS: std::ops::RangeInclusive<u8> = 1..=35;

/// Those that no check has, each with the reason.
const KEY_ROWS_WITHOUT_CHECK: [(u8, &str); 1] =
    [(30, "whose objects a key opens is asked of two callers, by the checks of bola")];

#[test]
fn every_row_of_key_weaknesses_stands_at_a_check() {
    let referenced: BTreeSet<&str> = checks().flat_map(|(_, check)| check.meta().reference).copied().collect();
    let missing: Vec<u8> = KEY_ROWS.filter(|row| !referenced.contains(format!("KEY-{row:03}").as_str())).collect();
    assert_eq!(missing, KEY_ROWS_WITHOUT_CHECK.map(|(row, _)| row));
    let known: BTreeSet<String> = KEY_ROWS.map(|row| format!("KEY-{row:03}")).collect();
    let odd: Vec<&&str> = referenced.iter().filter(|id| id.starts_with("KEY-") && !known.contains(**id)).collect();
    assert!(odd.is_empty(), "no such rows: {odd:?}");
}

#[test]
fn each_check_has_a_compliance_row() {
    for (_, check) in checks() {
        let meta = check.meta();
        let rows = rows_of(meta.category, meta.cwe);
        assert!(
            !rows.is_empty(),
            "{}: no row of crates/model/src/compliance.toml has {} and one of {:?}",
            meta.id,
            meta.category,
            meta.cwe
        );
        let requirements = requirements_of(meta.category, meta.cwe);
        for class in meta.owasp {
            let name = serde_json::to_value(class).unwrap();
            assert!(
                requirements.iter().any(|r| Some(r.requirement.as_str()) == name.as_str()),
                "{}: META has {name}, its compliance rows have {:?}",
                meta.id,
                rows.iter().map(|row| &row.group).collect::<Vec<_>>()
            );
        }
    }
}

#[test]
fn each_cwe_of_a_compliance_row_is_that_of_a_check_or_planned() {
    for row in rows() {
        for cwe in &row.cwe {
            let has = checks().any(|(_, c)| row.category.contains(&c.meta().category) && c.meta().cwe.contains(cwe));
            assert!(has || row.planned.contains(cwe), "{}: no check has CWE-{cwe}, and it is not planned", row.group);
        }
    }
}

#[test]
fn the_registry_lists_every_folder() {
    let mut folders: Vec<String> = std::fs::read_dir(SRC)
        .unwrap()
        .map(|entry| entry.unwrap())
        .filter(|entry| entry.path().join("mod.rs").exists())
        .map(|entry| entry.file_name().into_string().unwrap())
        .collect();
    folders.sort();
    let modules: String = folders.iter().map(|f| format!("pub mod {f};\n")).collect();
    let list: String = folders.iter().map(|f| format!("    folder!({f}),\n")).collect();
    let path = format!("{SRC}/lib.rs");
    let old = std::fs::read_to_string(&path).unwrap();
    let new = between(&old, "// folders: begin\n", "// folders: end", &modules);
    let new = between(&new, "    // list: begin\n", "    // list: end", &list);
    if old == new {
        return;
    }
    if std::env::var_os("CI").is_none() {
        std::fs::write(&path, new).unwrap();
        panic!("src/lib.rs was out of date and has been rewritten; run the tests again");
    }
    panic!("src/lib.rs does not list every folder; run the tests once and commit it");
}

fn between(text: &str, begin: &str, end: &str, with: &str) -> String {
    let (head, rest) = text.split_once(begin).expect("a begin marker");
    let (_, tail) = rest.split_once(end).expect("an end marker");
    format!("{head}{begin}{with}{end}{tail}")
}

#[test]
fn every_file_of_a_remedy_is_carried_along_and_every_remedy_is_named_by_a_check() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../remedies");
    let names = |path: &str| -> BTreeSet<String> {
        let entries = std::fs::read_dir(path).unwrap().map(|entry| entry.unwrap());
        entries.map(|entry| entry.file_name().into_string().unwrap()).filter(|name| name != "__pycache__").collect()
    };
    let known: BTreeSet<String> = crate::remedies::ALL.iter().map(|remedy| remedy.name.to_owned()).collect();
    assert_eq!(names(folder), known, "the folders of remedies/ and crate::remedies::ALL");
    for remedy in crate::remedies::ALL {
        let files: BTreeSet<String> =
            remedy.code.iter().map(|code| code.file.to_owned()).chain(["README.md".to_owned()]).collect();
        assert_eq!(names(&format!("{folder}/{}", remedy.name)), files, "the files of remedies/{}", remedy.name);
        assert!(remedy.readme.starts_with("# "), "remedies/{}/README.md begins with its title", remedy.name);
        assert!(
            checks().any(|(_, check)| check.meta().remedy == Some(*remedy)),
            "no check names the remedy {}",
            remedy.name
        );
        for code in remedy.code {
            let lines = code.text.lines().count();
            assert!(lines <= LONGEST_REMEDY, "remedies/{}/{} has {lines} lines", remedy.name, code.file);
        }
    }
    for (_, check) in checks() {
        let remedy = check.meta().remedy;
        assert!(remedy.is_none_or(|remedy| known.contains(remedy.name)), "{}: {remedy:?}", check.meta().id);
    }
}
