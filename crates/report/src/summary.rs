//! The first thing that people see: score, findings, and what was not tested, on one screen.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use anstyle::{AnsiColor, Effects};
use model::scan::Covered;
use model::{
    Finding, Grade, Judgement, Mode, Outcome, RemedyName, ReplayWindow, Scan, Severity, SignatureCoverage, SignedPart,
};

use crate::remedy::named;
use crate::visible::visible_scan;

/// Whether colors are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Style {
    /// Text alone.
    #[default]
    Plain,
    /// With ANSI colors.
    Color,
}

/// Findings of severity info that are shown one by one; beyond that they are only named.
///
/// **Source**: chosen; a screen has about 25 lines.
const LINES_OF_NOTES: usize = 3;

/// Remedies that are shown one by one; beyond that they are only named.
///
/// **Source**: chosen; a screen has about 25 lines.
const LINES_OF_CODE: usize = 2;

/// Width of a line.
///
/// **Source**: chosen; fits two panes of a wide terminal, and a pasted comment.
const WIDTH: usize = 100;

/// Longest JSON pointer that is shown whole.
///
/// **Source**: chosen; half a line.
const LONGEST_POINTER: usize = 40;

/// Where the second column starts.
const MARGIN: usize = 12;

/// The summary of a scan, about 25 lines.
pub fn summary(scan: &Scan, style: Style) -> String {
    let shown = visible_scan(scan);
    let scan = shown.as_ref().unwrap_or(scan);
    let mut text = String::new();
    let paint = Paint(style);
    header(scan, paint, &mut text);
    let above: Vec<&Finding> =
        scan.findings.iter().filter(|f| f.severity < Severity::Info && f.suppressed.is_none()).collect();
    for finding in above {
        one_finding(finding, paint, &mut text);
    }
    notes(scan, paint, &mut text);
    signatures(scan, &mut text);
    coverage(scan, &mut text);
    code(scan, &mut text);
    closing(scan, paint, &mut text);
    text
}

fn header(scan: &Scan, paint: Paint, text: &mut String) {
    let identities: Vec<&str> = scan.identities.iter().map(|i| i.name.as_str()).collect();
    let who =
        if identities.is_empty() { "no identity".to_owned() } else { format!("identity: {}", identities.join(", ")) };
    let title = scan.inventory.title.as_deref().map(|t| format!("   {}", one_line(t))).unwrap_or_default();
    line(text, &format!("middlebrick {}   {}{title}   {}   {who}", scan.tool.version, scan.target.given, scan.mode));
    line(text, "");
    let seconds = scan.duration_ms as f64 / 1000.0;
    let sent = format!("{} request{}, {seconds:.1} s", scan.requests.total, plural(scan.requests.total as usize));
    match (scan.score.grade, scan.score.points, scan.score.risk) {
        (Some(grade), Some(points), Some(risk)) => {
            let points = paint.strong(&format!("{points} / 100"));
            let grade = paint.grade(grade);
            line(text, &format!("  {points}   {grade}   risk {risk}     {}    {sent}", counts(scan)));
            let beside = beside_the_grade(scan);
            if !beside.is_empty() {
                remark(text, &beside);
            }
        }
        _ => {
            let why = scan.outcome.reason().or(scan.score.note.as_deref()).unwrap_or("too little was tested");
            remark(text, &format!("{}: {}", paint.bad("no grade"), one_line(why)));
            hint(scan, text);
            line(text, &format!("  {}   {sent}", counts(scan)));
        }
    }
    match (&scan.outcome, scan.score.grade) {
        (Outcome::Interrupted, _) => line(text, "  interrupted: this is what was seen until then"),
        (outcome, Some(_)) => {
            if let Some(reason) = outcome.reason() {
                remark(text, &one_line(reason));
                hint(scan, text);
            }
            if let Some(note) = &scan.score.note {
                remark(text, &format!("no A: {note}"));
            }
        }
        (_, None) => {}
    }
    for warning in &scan.warnings {
        line(text, &format!("  warning: {}", one_line(&warning.message)));
    }
    line(text, "");
}

/// What the grade says nothing of: questions that nobody asked, skipped checks, suppressed findings.
fn beside_the_grade(scan: &Scan) -> String {
    let mut beside: Vec<String> = scan.coverage.unasked.iter().map(|what| format!("{what} not tested")).collect();
    if !scan.coverage.skipped.is_empty() {
        beside.push(format!("skipped: {}", scan.coverage.skipped.join(", ")));
    }
    let suppressed = scan.findings.iter().filter(|f| f.suppressed.is_some()).count();
    if suppressed > 0 {
        beside.push(format!("{suppressed} suppressed finding{}", plural(suppressed)));
    }
    beside.join("; ")
}

fn hint(scan: &Scan, text: &mut String) {
    if let Some(hint) = scan.outcome.hint() {
        remark(text, &format!("hint: {}", one_line(hint)));
    }
}

/// A remark of the header, on as many lines as it needs.
fn remark(text: &mut String, what: &str) {
    for part in wrap(what, WIDTH - 2, 3) {
        line(text, &format!("  {part}"));
    }
}

/// `1 high   2 medium   6 notes`.
fn counts(scan: &Scan) -> String {
    let counted = scan.findings.iter().filter(|f| f.suppressed.is_none());
    let mut by: BTreeMap<Severity, usize> = BTreeMap::new();
    for finding in counted {
        *by.entry(finding.severity).or_default() += 1;
    }
    if by.is_empty() {
        return "no finding".into();
    }
    let words = by.iter().map(|(severity, count)| match severity {
        Severity::Info => format!("{count} note{}", plural(*count)),
        other => format!("{count} {other}"),
    });
    words.collect::<Vec<_>>().join("   ")
}

fn one_finding(finding: &Finding, paint: Paint, text: &mut String) {
    let severity = finding.severity.as_str().to_ascii_uppercase();
    let title = one_line(&finding.title);
    let sure = match finding.signing_mode {
        Some(mode) => format!("{}, mode: {mode}", finding.confidence),
        None => finding.confidence.to_string(),
    };
    let gap = WIDTH.saturating_sub(MARGIN + title.chars().count() + sure.len()).max(3);
    let head = format!(
        "{}{title}{}{}",
        paint.severity(finding.severity, &format!("{severity:<MARGIN$}")),
        " ".repeat(gap),
        sure
    );
    line(text, &head);
    let place = place(finding);
    let separator = if place.is_empty() { "" } else { ": " };
    let most = if finding.severity <= Severity::Medium { 3 } else { 1 };
    wrapped(text, &format!("{place}{separator}{}", one_line(&finding.message)), most);
    let explain = format!("explain {}", finding.check);
    let room = WIDTH.saturating_sub(MARGIN + explain.len() + 2);
    let fix = cut(&format!("fix  {}", first_sentence(&finding.remediation.replace('`', ""))), room);
    let gap = room.saturating_sub(fix.chars().count()) + 2;
    line(text, &format!("{}{fix}{}{}", " ".repeat(MARGIN), " ".repeat(gap), paint.dim(&explain)));
}

/// The text, or its beginning with an ellipsis, in this many characters.
fn cut(text: &str, width: usize) -> String {
    if text.chars().count() <= width {
        return text.to_owned();
    }
    let kept: String = text.chars().take(width.saturating_sub(1)).collect();
    let kept = kept.rsplit_once(' ').map_or(kept.as_str(), |(head, _)| head).trim_end_matches([',', ':', ';']);
    format!("{kept}…")
}

/// Up to the first full stop that ends a sentence.
fn first_sentence(text: &str) -> &str {
    text.find(". ").map_or(text, |at| &text[..=at]).trim_end_matches('.')
}

/// `GET /orders/{id} and 3 more`.
fn place(finding: &Finding) -> String {
    let Some(first) = finding.occurrences.first() else { return String::new() };
    let location = short(&first.location.to_string());
    let mut place = match (&first.operation, &first.identity, location.is_empty()) {
        (Some(operation), _, true) => operation.to_string(),
        (Some(operation), _, false) => format!("{operation}, {location}"),
        (None, Some(identity), _) => identity.clone(),
        (None, None, _) => location,
    };
    if finding.total > 1 {
        _ = write!(place, " and {} more", finding.total - 1);
    }
    place
}

/// A location with a long JSON pointer cut to its end.
fn short(location: &str) -> String {
    match location.split_once(" /") {
        Some((kind, pointer)) if pointer.chars().count() > LONGEST_POINTER => {
            let steps: Vec<&str> = pointer.split('/').collect();
            format!("{kind} …/{}", steps[steps.len().saturating_sub(2)..].join("/"))
        }
        Some(_) | None => location.to_owned(),
    }
}

fn notes(scan: &Scan, paint: Paint, text: &mut String) {
    let notes: Vec<&Finding> =
        scan.findings.iter().filter(|f| f.severity == Severity::Info && f.suppressed.is_none()).collect();
    if !notes.is_empty() {
        line(text, "");
        for (at, note) in notes.iter().take(LINES_OF_NOTES).enumerate() {
            let label = if at == 0 { "Notes" } else { "" };
            let place = place(note);
            let shown =
                if place.is_empty() { one_line(&note.title) } else { format!("{}: {place}", one_line(&note.title)) };
            entry(text, label, &shown);
        }
        if notes.len() > LINES_OF_NOTES {
            let rest: Vec<&str> = notes.iter().skip(LINES_OF_NOTES).map(|n| n.check.as_str()).collect();
            entry(text, "", &paint.dim(&format!("also {}", rest.join(", "))));
        }
    }
}

/// What the signatures of each identity cover: a line per identity and answer, operations named only
/// where they do not agree.
fn signatures(scan: &Scan, text: &mut String) {
    let rows = &scan.signature_coverage;
    let identities: BTreeSet<&str> = rows.iter().map(|r| r.identity.as_str()).collect();
    if !identities.is_empty() {
        line(text, "");
    }
    for identity in identities {
        let own: Vec<&SignatureCoverage> = rows.iter().filter(|r| r.identity == identity).collect();
        entry(text, "Signatures", &format!("of {identity}, part by part"));
        for (covered, label) in
            [(Covered::Covered, "covered"), (Covered::NotCovered, "not covered"), (Covered::NotTestable, "not tested")]
        {
            let parts: BTreeSet<SignedPart> = own.iter().filter(|r| r.covered == covered).map(|r| r.part).collect();
            let parts: Vec<String> = parts.iter().filter_map(|part| part_of(*part, covered, &own)).collect();
            if !parts.is_empty() {
                entry(text, "", &format!("{label}: {}", parts.join(", ")));
            }
        }
        for window in scan.replay_windows.iter().filter(|w| w.identity == identity) {
            entry(text, "", &lifetime(window));
        }
    }
}

/// How far a timestamp may be off.
fn lifetime(window: &ReplayWindow) -> String {
    format!("time accepted: {} into the past, {} into the future", window.past, window.future)
}

/// A part with this answer: alone where every operation that decides gives it, else with the operations
/// that do. A part that some operation decides is not named among those not tested.
fn part_of(part: SignedPart, covered: Covered, rows: &[&SignatureCoverage]) -> Option<String> {
    let of_part = rows.iter().copied().filter(|r| r.part == part);
    let (same, other): (Vec<&SignatureCoverage>, Vec<_>) = of_part.partition(|r| r.covered == covered);
    let decided = other.iter().any(|r| r.covered != Covered::NotTestable);
    match (covered, decided) {
        (Covered::NotTestable, true) => None,
        (Covered::NotTestable, false) => {
            let why = same.first().and_then(|r| r.why.as_deref()).unwrap_or("it was not asked");
            Some(format!("{} ({})", part.as_str(), one_line(why)))
        }
        (_, false) => Some(part.as_str().to_owned()),
        (_, true) => {
            let operations: Vec<String> = same.iter().map(|r| r.operation.to_string()).collect();
            Some(format!("{} ({})", part.as_str(), operations.join("; ")))
        }
    }
}

fn coverage(scan: &Scan, text: &mut String) {
    line(text, "");
    let coverage = &scan.coverage;
    if scan.mode == Mode::Description {
        entry(text, "Tested", &format!("the description alone: {} operations", scan.inventory.operations));
    } else {
        let refused = match coverage.refused {
            0 => String::new(),
            count => format!(", {count} of them refused everybody"),
        };
        entry(
            text,
            "Tested",
            &format!(
                "{} of {} operations{refused}, {} of {} checks decided (coverage {:.2})",
                coverage.tested, coverage.described, coverage.checks_decided, coverage.checks_asked, coverage.ratio,
            ),
        );
    }
    for (at, identity) in scan.identities.iter().filter(|i| !i.credentials.is_empty()).enumerate() {
        let label = if at == 0 { "Credentials" } else { "" };
        entry(text, label, &format!("{}: {}", identity.name, one_line(&identity.credentials.join(", "))));
    }
    if !scan.headers.is_empty() {
        let names = one_line(&scan.headers.join(", "));
        entry(text, "Headers", &format!("{names}: sent with every request, no credential"));
    }
    for (at, partly) in coverage.partly.iter().take(4).enumerate() {
        let label = if at == 0 { "In part" } else { "" };
        entry(text, label, &format!("{}: {}", partly.operation, one_line(&partly.reason)));
    }
    if coverage.partly.len() > 4 {
        entry(text, "", &format!("and {} more: --format json lists them", coverage.partly.len() - 4));
    }
    for (at, untested) in coverage.unreachable.iter().take(4).enumerate() {
        let label = if at == 0 { "No response" } else { "" };
        entry(text, label, &format!("{}: {}", untested.operation, one_line(&untested.reason)));
    }
    if coverage.unreachable.len() > 4 {
        entry(text, "", &format!("and {} more: --format json lists them", coverage.unreachable.len() - 4));
    }
    for (at, untested) in coverage.untested.iter().enumerate() {
        entry(text, if at == 0 { "Not tested" } else { "" }, &one_line(untested));
    }
    let odd = scan.inventory.warnings.len();
    if let Some(first) = scan.inventory.warnings.first() {
        let more = if odd > 1 { format!(" (and {} more)", odd - 1) } else { String::new() };
        let place = first.place.as_deref().map(|p| format!("{p}: ")).unwrap_or_default();
        entry(text, "Description", &format!("{place}{}{more}", one_line(&first.message)));
    }
}

/// Code to paste, one line per remedy, that of the worst finding first.
fn code(scan: &Scan, text: &mut String) {
    let mut remedies: Vec<(&RemedyName, usize)> = Vec::new();
    for finding in scan.findings.iter().filter(|f| f.suppressed.is_none() && f.severity < Severity::Info) {
        let Some(remedy) = &finding.remedy else { continue };
        match remedies.iter_mut().find(|(known, _)| *known == remedy) {
            Some((_, count)) => *count += 1,
            None => remedies.push((remedy, 1)),
        }
    }
    for (at, (remedy, count)) in remedies.iter().take(LINES_OF_CODE).enumerate() {
        let label = if at == 0 { "Code" } else { "" };
        entry(text, label, &format!("{}: {count} finding{}", named(remedy), plural(*count)));
    }
    let Some((first, _)) = remedies.first() else { return };
    let rest: Vec<&str> = remedies.iter().skip(LINES_OF_CODE).map(|(remedy, _)| remedy.name.as_str()).collect();
    let also = if rest.is_empty() { String::new() } else { format!("also {}; ", rest.join(", ")) };
    entry(text, "", &format!("{also}middlebrick explain {} shows the first", first.name));
}

fn closing(scan: &Scan, paint: Paint, text: &mut String) {
    if let Some(worst) = scan.findings.iter().find(|f| f.suppressed.is_none()) {
        entry(
            text,
            "Next",
            &format!("middlebrick explain {} shows the proof; -o json=scan.json keeps all of it", worst.check),
        );
    }
    if scan.gate.0.is_empty() {
        if scan.score.points.is_some_and(|points| points < 80) && scan.outcome == Outcome::Done {
            entry(text, "Gate", "none set; --min-score 80 would fail");
        }
        return;
    }
    for (at, condition) in scan.gate.0.iter().enumerate() {
        let word = match condition.result {
            Judgement::Held => paint.good(Judgement::Held.as_str()),
            other => paint.bad(other.as_str()),
        };
        entry(
            text,
            if at == 0 { "Gate" } else { "" },
            &format!("{word}: {} ({})", condition.condition, condition.found),
        );
    }
}

fn entry(text: &mut String, label: &str, what: &str) {
    let mut first = true;
    for part in wrap(what, WIDTH - MARGIN, 3) {
        let label = if first { label } else { "" };
        line(text, &format!("{label:<MARGIN$}{part}"));
        first = false;
    }
}

fn wrapped(text: &mut String, what: &str, most: usize) {
    for part in wrap(what, WIDTH - MARGIN, most) {
        line(text, &format!("{}{part}", " ".repeat(MARGIN)));
    }
}

/// Breaks text at spaces into at most so many lines of this width; what does not fit ends in an ellipsis.
fn wrap(text: &str, width: usize, most: usize) -> Vec<String> {
    let mut lines: Vec<String> = vec![String::new()];
    for word in text.split_whitespace() {
        let last = lines.last_mut().expect("never empty");
        if !last.is_empty() && last.chars().count() + 1 + word.chars().count() > width {
            if lines.len() == most {
                lines.last_mut().expect("never empty").push('…');
                return lines;
            }
            lines.push(word.to_owned());
        } else {
            if !last.is_empty() {
                last.push(' ');
            }
            last.push_str(word);
        }
    }
    lines
}

fn line(text: &mut String, content: &str) {
    text.push_str(content.trim_end());
    text.push('\n');
}

fn plural(count: usize) -> &'static str {
    if count == 1 { "" } else { "s" }
}

/// Text of the target on one line, without control characters: it must not move the cursor.
fn one_line(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

#[derive(Clone, Copy)]
struct Paint(Style);

impl Paint {
    fn with(self, style: anstyle::Style, text: &str) -> String {
        match self.0 {
            Style::Plain => text.to_owned(),
            Style::Color => format!("{style}{text}{style:#}"),
        }
    }

    fn strong(self, text: &str) -> String {
        self.with(anstyle::Style::new().effects(Effects::BOLD), text)
    }

    fn dim(self, text: &str) -> String {
        self.with(anstyle::Style::new().effects(Effects::DIMMED), text)
    }

    fn good(self, text: &str) -> String {
        self.with(AnsiColor::Green.on_default(), text)
    }

    fn bad(self, text: &str) -> String {
        self.with(AnsiColor::Red.on_default().effects(Effects::BOLD), text)
    }

    fn severity(self, severity: Severity, text: &str) -> String {
        let color = match severity {
            Severity::Critical => AnsiColor::Magenta,
            Severity::High => AnsiColor::Red,
            Severity::Medium => AnsiColor::Yellow,
            Severity::Low => AnsiColor::Cyan,
            Severity::Info => AnsiColor::BrightBlack,
        };
        self.with(color.on_default().effects(Effects::BOLD), text)
    }

    fn grade(self, grade: Grade) -> String {
        let text = format!("grade {grade}");
        match grade {
            Grade::A | Grade::B => self.good(&text),
            Grade::C => self.with(AnsiColor::Yellow.on_default(), &text),
            Grade::D | Grade::F => self.bad(&text),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::WindowBounds;

    #[test]
    fn a_window_is_said_in_seconds() {
        let window = ReplayWindow {
            identity: "alice".into(),
            past: WindowBounds { accepted_s: 244, refused_s: Some(329) },
            future: WindowBounds { accepted_s: 86_400, refused_s: None },
        };
        assert_eq!(lifetime(&window), "time accepted: 244 to 329 s into the past, 86400 s or more into the future");
        let narrow = WindowBounds { accepted_s: 0, refused_s: Some(36) };
        assert_eq!(narrow.to_string(), "less than 36 s");
    }

    #[test]
    fn operations_are_named_only_where_they_do_not_agree() {
        let row = |path: &str, part, covered| SignatureCoverage {
            identity: "alice".into(),
            operation: model::OperationKey { method: "GET".into(), path: path.into() },
            part,
            covered,
            why: (covered == Covered::NotTestable).then(|| "it has none".into()),
        };
        let rows = [
            row("/a", SignedPart::Path, Covered::Covered),
            row("/b", SignedPart::Path, Covered::Covered),
            row("/a", SignedPart::Query, Covered::Covered),
            row("/b", SignedPart::Query, Covered::NotCovered),
            row("/a", SignedPart::Body, Covered::NotTestable),
            row("/b", SignedPart::Body, Covered::Covered),
            row("/a", SignedPart::Nonce, Covered::NotTestable),
            row("/b", SignedPart::Nonce, Covered::NotTestable),
        ];
        let rows: Vec<_> = rows.iter().collect();
        let text = |part, covered| part_of(part, covered, &rows);
        assert_eq!(text(SignedPart::Path, Covered::Covered).as_deref(), Some("path"));
        assert_eq!(text(SignedPart::Query, Covered::Covered).as_deref(), Some("query (GET /a)"));
        assert_eq!(text(SignedPart::Query, Covered::NotCovered).as_deref(), Some("query (GET /b)"));
        assert_eq!(text(SignedPart::Body, Covered::NotTestable), None);
        assert_eq!(text(SignedPart::Body, Covered::Covered).as_deref(), Some("body"));
        assert_eq!(text(SignedPart::Nonce, Covered::NotTestable).as_deref(), Some("nonce (it has none)"));
    }
}
