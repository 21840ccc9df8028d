//! The requirements that a finding or a check touches, one line per standard.

use model::{ComplianceRow, Framework};

/// `PCI DSS 4.0.1: 6.2.4, 8.3.2 (by analogy)` for each standard that has a requirement among the rows.
pub fn requirements(rows: &[ComplianceRow]) -> Vec<String> {
    let line = |framework: Framework| {
        let labels: Vec<String> =
            rows.iter().filter(|row| row.framework == framework).map(ComplianceRow::label).collect();
        (!labels.is_empty()).then(|| format!("{}: {}", framework.name(), labels.join(", ")))
    };
    Framework::ALL.into_iter().filter_map(line).collect()
}
