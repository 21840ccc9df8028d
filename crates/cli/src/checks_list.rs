//! `middlebrick checks`.

use std::process::ExitCode;

use serde_json::json;

use crate::args::{ChecksOptions, ListFormat};
use crate::output::data;

/// Lists the checks by category.
pub(crate) fn run(options: &ChecksOptions) -> anyhow::Result<ExitCode> {
    let mut metas: Vec<_> = checks::all().iter().map(|c| c.meta()).collect();
    metas.sort_by_key(|m| (m.category, m.worst(), m.id));
    match options.format {
        ListFormat::Json => {
            let list: Vec<_> = metas
                .iter()
                .map(|m| {
                    json!({
                        "id": m.id, "title": m.title, "category": m.category, "severity": m.worst(), "mode": m.mode,
                        "needs": m.needs, "owasp": m.owasp, "cwe": m.cwe, "reference": m.reference, "since": m.since,
                        "variants": m.variants.iter().map(|v| json!({
                            "name": v.name, "when": v.when, "severity": v.severity(), "cvss": v.cvss,
                        })).collect::<Vec<_>>(),
                    })
                })
                .collect();
            data(&format!("{}\n", serde_json::to_string_pretty(&list)?))
        }
        ListFormat::Table => {
            let widest = metas.iter().map(|m| m.id.len()).max().unwrap_or_default();
            let mut text = String::new();
            let mut category = None;
            for meta in metas {
                if category != Some(meta.category) {
                    let gap = if category.is_some() { "\n" } else { "" };
                    text.push_str(&format!("{gap}{}\n", meta.category));
                    category = Some(meta.category);
                }
                text.push_str(&format!(
                    "  {:<widest$}  {:<8}  {:<11}  {}\n",
                    meta.id,
                    meta.worst(),
                    meta.mode,
                    meta.title
                ));
            }
            data(&text)
        }
    }
}
