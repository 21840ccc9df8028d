//! Where a scan is written: tried before the first request, and each written whatever becomes of the others.

use std::collections::BTreeSet;
use std::num::NonZeroUsize;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use model::{Framework, Outcome, Scan};
use store::OutputFile;

use crate::CANNOT_TELL;
use crate::args::{Format, ScanOptions};
use crate::output::{self, data, hinted, words};
use crate::shell::store;
use crate::signals;

/// Names of standard output, which the summary goes to as well.
const STDOUT: [&str; 4] = ["-", "/dev/stdout", "/dev/fd/1", "/proc/self/fd/1"];

/// What people read of a run that was stopped before there was anything to scan.
const INTERRUPTED_EARLY: &str = "interrupted before the first operation was tested\n";

/// What a scan is written as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Page {
    Summary,
    Survey,
    Json,
    Evidence(Framework),
}

/// Everything that a run writes.
#[derive(Debug)]
pub(crate) struct Outputs {
    /// The complete record.
    record: Option<Place>,
    files: Vec<(Page, Place)>,
    stdout: Page,
    /// What people read of it.
    people: Page,
    /// Scans to keep under the state folder; surveys are not kept.
    keep: NonZeroUsize,
    quiet: bool,
}

#[derive(Debug)]
enum Place {
    Stdout,
    File(OutputFile),
}

impl Outputs {
    /// Standard output and the state folder only.
    pub(crate) fn stdout(format: Format) -> Self {
        let stdout = match format {
            Format::Summary => Page::Summary,
            Format::Json => Page::Json,
        };
        Self { record: None, files: Vec::new(), stdout, people: Page::Summary, keep: store::KEEP, quiet: false }
    }

    /// Tries everything that is to be written. With a framework, its evidence page takes the place of
    /// what people read on stdout, unless a file gets it.
    ///
    /// # Errors
    /// A format is unknown, a file cannot be written, or two outputs are one file or an input.
    pub(crate) fn open(options: &ScanOptions, people: Page) -> anyhow::Result<Self> {
        let mut files = Vec::new();
        for typed in &options.output {
            let (page, path) = named_page(typed, options.framework, people)?;
            files.push((page, place(&path)?));
        }
        let record = options.record.as_deref().map(place).transpose()?;
        let all: Vec<&OutputFile> =
            files.iter().map(|(_, place)| place).chain(&record).filter_map(Place::file).collect();
        for (at, file) in all.iter().enumerate() {
            if all[..at].iter().any(|other| other.is_same(file)) {
                let hint = "give each output a file of its own";
                return Err(hinted(format!("two outputs go to `{}`", file.path().display()), Some(hint.into())));
            }
            if inputs(options).iter().any(|input| file.would_replace(input)) {
                let message = format!("`{}` is read by this scan and would be replaced", file.path().display());
                return Err(hinted(message, Some("write the output to another file".into())));
            }
        }
        let in_a_file = files.iter().any(|(page, _)| matches!(page, Page::Evidence(_)));
        let stdout = match (options.format, options.framework) {
            (Format::Json, _) => Page::Json,
            (Format::Summary, Some(framework)) if !in_a_file => Page::Evidence(framework),
            (Format::Summary, _) => people,
        };
        Ok(Self { record, files, stdout, people, keep: options.keep, quiet: options.quiet })
    }

    /// Writes that the user stopped the run before there was anything to scan, and returns its exit code.
    pub(crate) fn write_interrupted(&self) -> ExitCode {
        let json = json_of(&Outcome::Interrupted);
        let text = |page: Page| match page {
            Page::Json => json.as_str(),
            Page::Summary | Page::Survey | Page::Evidence(_) => INTERRUPTED_EARLY,
        };
        let files = self.files.iter().map(|(page, place)| place.write(text(*page)));
        let record = self.record.iter().map(|record| record.write(&json));
        let stdout = std::iter::once_with(|| data(text(self.stdout)).map(drop));
        for error in record.chain(files).chain(stdout).filter_map(Result::err) {
            output::error(&error);
        }
        ExitCode::from(signals::INTERRUPTED)
    }

    /// Writes all that can be written, says what cannot and where the scan is kept, and returns the
    /// scan's exit code: that of *cannot tell* where an output is missing and the scan itself ended well.
    pub(crate) fn write(&self, mut scan: Scan) -> ExitCode {
        let mut failed = false;
        let mut note = |written: anyhow::Result<()>| {
            if let Err(error) = written {
                output::error(&error);
                failed = true;
            }
        };
        if let Some(record) = &self.record {
            note(render(&scan, Page::Json, report::Style::Plain).and_then(|text| record.write(&text)));
            if self.people != Page::Survey {
                trim(&mut scan);
            }
        }
        for (page, place) in &self.files {
            note(render(&scan, *page, report::Style::Plain).and_then(|text| place.write(&text)));
        }
        let kept = (self.people != Page::Survey).then(|| store().save(&scan, self.keep));
        note(render(&scan, self.stdout, report::Style::Color).and_then(|text| data(&text).map(drop)));
        match kept {
            Some(Ok(path)) if failed || !self.quiet => words(&format!("the scan is kept in `{}`", path.display())),
            Some(Err(error)) => {
                words(&format!("warning: the scan is not kept for `explain`: {}", output::chain(&error.into())));
            }
            Some(Ok(_)) | None => {}
        }
        if let Some(reason) = scan.outcome.reason() {
            words(reason);
        }
        if let Some(hint) = scan.outcome.hint() {
            words(&format!("hint: {hint}"));
        }
        match scan.exit_code() {
            0 if failed => ExitCode::from(CANNOT_TELL),
            code => ExitCode::from(code),
        }
    }
}

/// The JSON of a run that is no scan.
pub(crate) fn json_of(outcome: &Outcome) -> String {
    format!("{:#}\n", serde_json::json!({ "outcome": outcome }))
}

impl Place {
    fn file(&self) -> Option<&OutputFile> {
        match self {
            Self::Stdout => None,
            Self::File(file) => Some(file),
        }
    }

    fn write(&self, text: &str) -> anyhow::Result<()> {
        match self {
            Self::Stdout => data(text).map(drop),
            Self::File(file) => Ok(file.write(text.as_bytes())?),
        }
    }
}

fn place(path: &Path) -> anyhow::Result<Place> {
    if STDOUT.iter().any(|name| path == Path::new(name)) {
        return Ok(Place::Stdout);
    }
    OutputFile::open(path).map(Place::File).map_err(|error| match error {
        store::StoreError::NoFolder { .. } => hinted(error, Some("make the folder first, or name another".into())),
        store::StoreError::IsFolder { .. } => {
            hinted(error, Some("name a file in it, as in json=FOLDER/scan.json".into()))
        }
        error => anyhow::Error::new(error),
    })
}

/// Files that a scan reads.
fn inputs(options: &ScanOptions) -> Vec<PathBuf> {
    let typed = [options.target.as_ref(), options.spec.as_ref()].into_iter().flatten().map(PathBuf::from);
    let files = [&options.config, &options.sample, &options.cacert].into_iter().flatten().cloned();
    let logs = options.log_file.iter().map(PathBuf::from);
    typed.chain(files).chain(logs).chain(["middlebrick.yaml".into(), "middlebrick.yml".into()]).collect()
}

/// Leaves what findings refer to, as in a scan without a record.
fn trim(scan: &mut Scan) {
    let kept: BTreeSet<u32> = scan
        .findings
        .iter()
        .flat_map(|f| &f.occurrences)
        .flat_map(|o| &o.evidence)
        .filter_map(|e| e.exchange)
        .collect();
    scan.exchanges.retain(|id, _| kept.contains(id));
    scan.assessments.retain(|a| a.observation.is_some());
}

/// A page of a scan. One that fails by a defect costs no other.
fn render(scan: &Scan, page: Page, style: report::Style) -> anyhow::Result<String> {
    let rendered = catch_unwind(AssertUnwindSafe(|| match page {
        Page::Summary => report::summary(scan, style),
        Page::Survey => report::survey(scan),
        Page::Json => report::json(scan),
        Page::Evidence(framework) => {
            let metas: Vec<&model::Meta> = checks::all().iter().map(|check| check.meta()).collect();
            report::evidence(scan, framework, &metas)
        }
    }));
    rendered.map_err(|_| hinted(format!("an output is missing: {page:?}"), Some(crate::REPORT.into())))
}

/// `json=FILE`, or a file whose ending tells. `page` is what people read.
fn named_page(typed: &str, framework: Option<Framework>, page: Page) -> anyhow::Result<(Page, PathBuf)> {
    let (name, path) = match typed.split_once('=') {
        Some((name, path)) => (name.to_owned(), path),
        None => (Path::new(typed).extension().unwrap_or_default().to_string_lossy().into_owned(), typed),
    };
    let page = match (name.to_ascii_lowercase().as_str(), framework) {
        ("json", _) => Page::Json,
        ("txt" | "text" | "summary", _) => page,
        ("md" | "markdown", Some(framework)) => Page::Evidence(framework),
        ("md" | "markdown", None) => {
            let hint = "say whose requirements, as in --framework pci-dss";
            return Err(hinted("Markdown is written for the requirements of a framework", Some(hint.into())));
        }
        (other, _) => {
            return Err(hinted(
                format!("`{other}` is no format"),
                Some("json, summary and markdown are written, as in -o json=scan.json".into()),
            ));
        }
    };
    Ok((page, path.into()))
}
