//! A remedy: why, and the code to paste.

use std::fmt::Write as _;

use model::{Code, Remedy, RemedyName};

/// The README of a remedy and some of its files, as Markdown below a heading; none without a file.
pub fn remedy<'r>(remedy: &'r Remedy, files: impl Iterator<Item = &'r Code>) -> Option<String> {
    let (title, words) = remedy.readme.split_once('\n').unwrap_or((remedy.readme, ""));
    let mut text = format!("\n## {}\n\n{}\n", title.trim_start_matches("# "), words.trim());
    let before = text.len();
    for code in files {
        let path = format!("remedies/{}/{}", remedy.name, code.file);
        _ = write!(text, "\n### {}: {path}\n\n```{}\n{}\n```\n", code.framework, language(code.file), code.text.trim());
    }
    (text.len() > before).then_some(text)
}

/// `remedies/verify-signature (Flask, FastAPI)`.
pub(crate) fn named(remedy: &RemedyName) -> String {
    format!("remedies/{} ({})", remedy.name, remedy.frameworks.join(", "))
}

fn language(file: &str) -> &'static str {
    match file.rsplit('.').next() {
        Some("py") => "python",
        Some("mjs") => "js",
        Some("rs") => "rust",
        _ => "",
    }
}
