//! Which requirements of standards a weakness touches: a join on category and CWE.
//!
//! The table stands in `compliance.toml`. A requirement is named by its id; a scan gives evidence of
//! a gap and never of its absence.

use std::cmp::Ordering;
use std::fmt;
use std::str::FromStr;
use std::sync::LazyLock;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::meta::Category;

/// A standard that findings are joined to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Framework {
    /// OWASP API Security Top 10, edition 2023.
    OwaspApi,
    /// OWASP Top 10, edition 2021: only where the API edition has no class.
    #[serde(rename = "owasp-top10")]
    OwaspTop10,
    /// OWASP Application Security Verification Standard 5.0.
    Asvs,
    /// PCI DSS 4.0.1.
    PciDss,
    /// Trust Services Criteria of a SOC 2 report.
    Soc2,
    /// NIST SP 800-53, revision 5.
    Nist,
    /// Technical safeguards of the HIPAA Security Rule.
    Hipaa,
}

impl Framework {
    /// All of them, in the order in which they are shown.
    pub const ALL: [Self; 7] =
        [Self::OwaspApi, Self::OwaspTop10, Self::Asvs, Self::PciDss, Self::Soc2, Self::Nist, Self::Hipaa];

    /// Those with an evidence page of their own. The page of [`Self::OwaspApi`] has the classes of
    /// [`Self::OwaspTop10`] too.
    pub const PAGES: [Self; 6] = [Self::OwaspApi, Self::Asvs, Self::PciDss, Self::Soc2, Self::Nist, Self::Hipaa];

    /// The word used in JSON and in options.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::OwaspApi => "owasp-api",
            Self::OwaspTop10 => "owasp-top10",
            Self::Asvs => "asvs",
            Self::PciDss => "pci-dss",
            Self::Soc2 => "soc2",
            Self::Nist => "nist",
            Self::Hipaa => "hipaa",
        }
    }

    /// Name and edition.
    pub fn name(self) -> &'static str {
        match self {
            Self::OwaspApi => "OWASP API Top 10 2023",
            Self::OwaspTop10 => "OWASP Top 10 2021",
            Self::Asvs => "OWASP ASVS 5.0",
            Self::PciDss => "PCI DSS 4.0.1",
            Self::Soc2 => "SOC 2",
            Self::Nist => "NIST SP 800-53 r5",
            Self::Hipaa => "HIPAA Security Rule",
        }
    }

    /// True if the evidence page of this framework lists requirements of the other.
    pub fn lists(self, other: Self) -> bool {
        self == other || (self == Self::OwaspApi && other == Self::OwaspTop10)
    }
}

impl fmt::Display for Framework {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// A word that names no framework with an evidence page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NoSuchFramework(String);

impl fmt::Display for NoSuchFramework {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let known: Vec<&str> = Framework::PAGES.iter().map(|page| page.as_str()).collect();
        write!(f, "no requirements are mapped for `{}`; they are for {}", self.0, known.join(", "))
    }
}

impl std::error::Error for NoSuchFramework {}

impl FromStr for Framework {
    type Err = NoSuchFramework;

    fn from_str(word: &str) -> Result<Self, Self::Err> {
        Self::PAGES.into_iter().find(|page| page.as_str() == word).ok_or_else(|| NoSuchFramework(word.into()))
    }
}

/// One requirement that a finding touches.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ComplianceRow {
    /// The standard.
    pub framework: Framework,
    /// Id of the requirement in it.
    pub requirement: String,
    /// True where the standard speaks of something else, such as users and their passwords.
    pub by_analogy: bool,
    /// Level, or the condition under which it counts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

impl ComplianceRow {
    /// `8.3.2 (by analogy)`.
    pub fn label(&self) -> String {
        let remarks: Vec<&str> =
            self.by_analogy.then_some("by analogy").into_iter().chain(self.note.as_deref()).collect();
        if remarks.is_empty() {
            return self.requirement.clone();
        }
        format!("{} ({})", self.requirement, remarks.join(", "))
    }
}

/// One row of the table: the requirements that a group of weaknesses touches.
#[derive(Clone, Debug)]
pub struct Row {
    /// What the weaknesses have in common.
    pub group: String,
    /// Categories of its checks.
    pub category: Vec<Category>,
    /// CWE numbers of its checks: any of them.
    pub cwe: Vec<u16>,
    /// Those of `cwe` that no check has yet.
    pub planned: Vec<u16>,
    /// The requirements, in the order of [`Framework::ALL`].
    pub requirements: Vec<ComplianceRow>,
}

/// What to know before reading the requirements.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Note {
    /// The standard it is about; every one where it is absent.
    pub framework: Option<Framework>,
    /// A sentence or two.
    pub text: String,
}

/// Every row of the table.
pub fn rows() -> &'static [Row] {
    &TABLE.rows
}

/// The notes for a standard, those for every standard first.
pub fn notes_on(framework: Framework) -> impl Iterator<Item = &'static Note> {
    TABLE.notes.iter().filter(move |note| note.framework.is_none_or(|of| of == framework))
}

/// The rows of a check: those that have its category and any of its CWEs.
pub fn rows_of(category: Category, cwe: &[u16]) -> Vec<&'static Row> {
    rows().iter().filter(|row| row.category.contains(&category) && row.cwe.iter().any(|n| cwe.contains(n))).collect()
}

/// The requirements that a check touches: those of its rows, each once, by framework and id.
pub fn requirements_of(category: Category, cwe: &[u16]) -> Vec<ComplianceRow> {
    merge(rows_of(category, cwe).into_iter().flat_map(|row| &row.requirements))
}

/// Each requirement once, by framework and id. One that is meant directly anywhere is not by analogy,
/// and a note that it does not have everywhere is left out.
pub fn merge<'r>(requirements: impl IntoIterator<Item = &'r ComplianceRow>) -> Vec<ComplianceRow> {
    let mut merged: Vec<ComplianceRow> = Vec::new();
    for requirement in requirements {
        let known = merged
            .iter_mut()
            .find(|m| (m.framework, &m.requirement) == (requirement.framework, &requirement.requirement));
        match known {
            Some(known) => {
                known.by_analogy &= requirement.by_analogy;
                known.note = known.note.take().filter(|note| requirement.note.as_ref() == Some(note));
            }
            None => merged.push(requirement.clone()),
        }
    }
    merged.sort_by(|a, b| a.framework.cmp(&b.framework).then_with(|| by_number(&a.requirement, &b.requirement)));
    merged
}

/// Compares ids so that 6.2.4 stands before 10.3.
fn by_number(a: &str, b: &str) -> Ordering {
    parts(a).cmp(&parts(b))
}

/// Runs of digits as numbers, the rest as text.
fn parts(id: &str) -> Vec<(u32, &str)> {
    id.split_inclusive(|c: char| !c.is_ascii_digit())
        .flat_map(|piece| {
            let digits = piece.trim_end_matches(|c: char| !c.is_ascii_digit());
            let rest = &piece[digits.len()..];
            [(digits.parse().unwrap_or(0), ""), (0, rest)]
        })
        .collect()
}

struct Table {
    notes: Vec<Note>,
    rows: Vec<Row>,
}

static TABLE: LazyLock<Table> =
    LazyLock::new(|| parse(include_str!("compliance.toml")).expect("a test reads compliance.toml"));

fn parse(text: &str) -> Result<Table, toml::de::Error> {
    let file: File = toml::from_str(text)?;
    Ok(Table { notes: file.note, rows: file.row.into_iter().map(Row::from).collect() })
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    note: Vec<Note>,
    row: Vec<Written>,
}

/// A row as it is written in the file.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    group: String,
    category: Vec<Category>,
    cwe: Vec<u16>,
    #[serde(default)]
    planned: Vec<u16>,
    owasp_api_2023: List,
    #[serde(default)]
    owasp_top10_2021: List,
    asvs_5: List,
    pci_dss_4_0_1: List,
    soc2: List,
    nist_800_53: List,
    hipaa: List,
}

/// Requirements, or the word `none`.
#[derive(Deserialize)]
#[serde(untagged)]
enum List {
    Requirements(Vec<Requirement>),
    Word(Word),
}

#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
enum Word {
    None,
}

impl Default for List {
    fn default() -> Self {
        Self::Word(Word::None)
    }
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Requirement {
    Id(String),
    Remarked(Remarked),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Remarked {
    id: String,
    #[serde(default)]
    by_analogy: bool,
    note: Option<String>,
}

impl From<Written> for Row {
    fn from(row: Written) -> Self {
        let lists = [
            (Framework::OwaspApi, row.owasp_api_2023),
            (Framework::OwaspTop10, row.owasp_top10_2021),
            (Framework::Asvs, row.asvs_5),
            (Framework::PciDss, row.pci_dss_4_0_1),
            (Framework::Soc2, row.soc2),
            (Framework::Nist, row.nist_800_53),
            (Framework::Hipaa, row.hipaa),
        ];
        let requirements = lists.into_iter().flat_map(|(framework, list)| list.of(framework)).collect();
        Self { group: row.group, category: row.category, cwe: row.cwe, planned: row.planned, requirements }
    }
}

impl List {
    fn of(self, framework: Framework) -> Vec<ComplianceRow> {
        let requirements = match self {
            Self::Requirements(requirements) => requirements,
            Self::Word(Word::None) => Vec::new(),
        };
        let row = |requirement| match requirement {
            Requirement::Id(id) => ComplianceRow { framework, requirement: id, by_analogy: false, note: None },
            Requirement::Remarked(Remarked { id, by_analogy, note }) => {
                ComplianceRow { framework, requirement: id, by_analogy, note }
            }
        };
        requirements.into_iter().map(row).collect()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::meta::Owasp;

    fn labels(category: Category, cwe: &[u16], framework: Framework) -> Vec<String> {
        let requirements = requirements_of(category, cwe);
        requirements.iter().filter(|r| r.framework == framework).map(ComplianceRow::label).collect()
    }

    #[test]
    fn a_key_in_the_url_touches_broken_authentication_first_and_passwords_by_analogy() {
        assert_eq!(rows_of(Category::ApiKeys, &[598]).len(), 1);
        assert_eq!(labels(Category::ApiKeys, &[598], Framework::PciDss), ["6.2.4", "8.3.2 (by analogy)"]);
        assert_eq!(labels(Category::ApiKeys, &[598], Framework::Asvs), ["3.4.5", "14.2.1 (level 1)"]);
        assert_eq!(labels(Category::ApiKeys, &[598], Framework::OwaspApi), ["API2:2023", "API8:2023"]);
    }

    #[test]
    fn the_join_needs_both_category_and_cwe() {
        assert!(rows_of(Category::Llm, &[598]).is_empty());
        assert!(rows_of(Category::ApiKeys, &[9999]).is_empty() && rows_of(Category::ApiKeys, &[]).is_empty());
        assert_eq!(rows_of(Category::Authentication, &[89, 347]).len(), 2, "each row that shares a number");
    }

    #[test]
    fn the_corrections_of_the_table_hold() {
        for cwe in [532, 117] {
            assert!(labels(Category::ApiKeys, &[cwe], Framework::OwaspApi).is_empty(), "no class for logging");
            assert_eq!(labels(Category::ApiKeys, &[cwe], Framework::OwaspTop10), ["A09:2021 (logging)"]);
        }
        assert!(labels(Category::InputValidation, &[943], Framework::OwaspApi).is_empty(), "no class for injection");
        assert_eq!(labels(Category::InputValidation, &[943], Framework::OwaspTop10), ["A03:2021 (injection)"]);
        assert_eq!(labels(Category::RequestIntegrity, &[294], Framework::OwaspApi), ["API2:2023"], "replay");
        assert_eq!(labels(Category::RequestIntegrity, &[294], Framework::Nist), ["IA-2(8)", "SC-23", "SC-45"]);
        assert!(labels(Category::ApiKeys, &[532], Framework::Nist).contains(&"IA-5(6)".to_owned()));
        let http = labels(Category::Encryption, &[319], Framework::PciDss);
        assert_eq!(http, ["2.2.7 (only administrative access)", "4.2.1 (only with card data)", "8.3.2 (by analogy)"]);
    }

    #[test]
    fn pci_dss_chapter_8_is_by_analogy_and_optional_trust_criteria_say_so() {
        for row in rows() {
            for r in &row.requirements {
                assert_eq!(
                    r.framework == Framework::PciDss && r.requirement.starts_with("8."),
                    r.framework == Framework::PciDss && r.by_analogy,
                    "{}: {}",
                    row.group,
                    r.requirement
                );
                let optional = ["PI1", "C1", "A1"].iter().any(|c| r.requirement.starts_with(c));
                if r.framework == Framework::Soc2 && optional {
                    assert_eq!(r.note.as_deref(), Some("if in scope"), "{}: {}", row.group, r.requirement);
                }
            }
        }
    }

    #[test]
    fn every_row_is_whole() {
        let mut groups = BTreeSet::new();
        for row in rows() {
            assert!(groups.insert(&row.group), "{} stands twice", row.group);
            assert!(!row.category.is_empty() && !row.cwe.is_empty(), "{}", row.group);
            assert!(row.planned.iter().all(|n| row.cwe.contains(n)), "{}: planned without a CWE", row.group);
            let has = |framework| row.requirements.iter().any(|r| r.framework == framework);
            assert!(
                has(Framework::OwaspApi) != has(Framework::OwaspTop10),
                "{}: the Top 10 2021 stands where the API Top 10 has no class, and only there",
                row.group
            );
            let ids: BTreeSet<_> = row.requirements.iter().map(|r| (r.framework, &r.requirement)).collect();
            assert_eq!(ids.len(), row.requirements.len(), "{}: a requirement stands twice", row.group);
            for class in row.requirements.iter().filter(|r| r.framework == Framework::OwaspApi) {
                let name = serde_json::Value::from(class.requirement.as_str());
                assert!(serde_json::from_value::<Owasp>(name).is_ok(), "{}: {}", row.group, class.requirement);
            }
        }
    }

    #[test]
    fn a_requirement_met_twice_keeps_only_what_holds_in_both_places() {
        let row = |by_analogy, note: Option<&str>| ComplianceRow {
            framework: Framework::Asvs,
            requirement: "9.2.1".into(),
            by_analogy,
            note: note.map(Into::into),
        };
        let merged = merge(&[row(true, Some("a")), row(false, Some("a")), row(true, Some("a"))]);
        assert_eq!(merged, [row(false, Some("a"))]);
        assert_eq!(merge(&[row(true, Some("a")), row(true, None)]), [row(true, None)]);
    }

    #[test]
    fn ids_are_ordered_by_their_numbers() {
        let mut ids = ["10.3", "6.2.4", "6.10", "6.2", "IA-5(7)", "IA-5", "AC-3", "API10:2023", "API2:2023"];
        ids.sort_by(|a, b| by_number(a, b));
        assert_eq!(ids, ["AC-3", "API2:2023", "API10:2023", "IA-5", "IA-5(7)", "6.2", "6.2.4", "6.10", "10.3"]);
    }

    #[test]
    fn a_framework_without_rows_is_refused_with_those_that_have_some() {
        assert_eq!("pci-dss".parse(), Ok(Framework::PciDss));
        let refused = "gdpr".parse::<Framework>().unwrap_err().to_string();
        assert_eq!(
            refused,
            "no requirements are mapped for `gdpr`; they are for owasp-api, asvs, pci-dss, soc2, nist, hipaa"
        );
        for page in Framework::PAGES {
            assert!(rows().iter().flat_map(|row| &row.requirements).any(|r| r.framework == page), "{page} has no row");
        }
    }
}
