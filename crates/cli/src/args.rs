//! What can be typed.

use std::net::IpAddr;
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, Subcommand, ValueEnum};
use clap_complete::Shell;
use model::{Framework, Method, Severity};

/// Tells the owner of an API, in seconds and without access to its code, whether it can be abused.
#[derive(Debug, Parser)]
#[command(
    version,
    max_term_width = 100,
    after_help = "Start with `middlebrick demo`: it starts a vulnerable API on this machine and scans it."
)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Scan an API: score, grade, findings with proof and fix, and what was not tested
    #[command(after_help = SCAN_EXAMPLES)]
    Scan(Box<ScanOptions>),
    /// Sign in and find working requests only: what answers, for whom, what stayed unreachable
    Survey(Box<ScanOptions>),
    /// Start the built-in vulnerable API on this machine and scan it
    Demo(DemoOptions),
    /// List the checks
    Checks(ChecksOptions),
    /// Explain a check, or a finding of the last scan: what, why, how tested, how to fix
    Explain {
        /// Id of a check, fingerprint of a finding, or name of a remedy
        what: String,
        /// Show the code for this framework alone, such as flask or express
        #[arg(long, value_name = "NAME")]
        framework: Option<String>,
    },
    /// The signing toolbox, offline: infer a scheme from a captured request, sign a request, check one
    #[command(subcommand)]
    Sign(SignCommand),
    /// Print a completion script for a shell
    Completions {
        /// The shell
        shell: Shell,
    },
    /// Print the manual page
    Man,
}

#[derive(Debug, Subcommand)]
pub(crate) enum SignCommand {
    /// Find the canonical string of a captured signed request: the formula, what it covers, what not
    Infer {
        /// The captured request: HTTP text, a curl command line, or a HAR file; `-` for stdin
        sample: PathBuf,
        /// A secret to try, as `@env:NAME` or `@file:PATH` (repeatable); without one, weak and placeholder secrets
        #[arg(long, value_name = "SECRET")]
        secret: Vec<String>,
    },
    /// Sign a request as an identity does, and print it as a curl command
    Request(SignRequestOptions),
    /// Check the signature of a captured request, and say which part fails
    Check(SignCheckOptions),
}

const SIGN_EXAMPLES: &str = "\
Examples:
  middlebrick sign request --identity alice -- curl -si https://api.example.com/orders | sh
  middlebrick sign request --preset stripe --secret @env:WEBHOOK_SECRET webhook.http

What is to be sent otherwise than it is signed is written as it is sent, and --signed-... say what is signed.
A header or parameter that the request has already stays as it is.";

#[derive(Debug, Args)]
#[command(after_help = SIGN_EXAMPLES)]
pub(crate) struct SignRequestOptions {
    #[command(flatten)]
    pub(crate) signer: SignOptions,
    /// The request: HTTP text, a curl command line, or a HAR file; `-` for stdin
    #[arg(required_unless_present = "command", conflicts_with = "command")]
    pub(crate) sample: Option<PathBuf>,
    /// The request as a curl command, behind `--`
    #[arg(last = true, value_name = "CURL")]
    pub(crate) command: Vec<String>,
    /// Sign at another time than now
    #[arg(long, value_name = "MILLISECONDS", default_value_t = 0, allow_hyphen_values = true)]
    pub(crate) clock_offset: i64,
    /// Sign another method than the one that is sent
    #[arg(long, value_name = "METHOD", help_heading = "Signed otherwise")]
    pub(crate) signed_method: Option<String>,
    /// Sign another path and query than the one that is sent
    #[arg(long, value_name = "TARGET", help_heading = "Signed otherwise")]
    pub(crate) signed_target: Option<String>,
    /// Sign this header in place of those of its name that are sent; `NAME:` signs none (repeatable)
    #[arg(long, value_name = "HEADER", help_heading = "Signed otherwise")]
    pub(crate) signed_header: Vec<String>,
    /// Sign another body than the one that is sent
    #[arg(long, value_name = "BODY", help_heading = "Signed otherwise")]
    pub(crate) signed_body: Option<String>,
    /// Do not send this header or query parameter, which signing sets (repeatable)
    #[arg(long, value_name = "NAME", help_heading = "Signed otherwise")]
    pub(crate) leave_out: Vec<String>,
}

#[derive(Debug, Args)]
pub(crate) struct SignCheckOptions {
    #[command(flatten)]
    pub(crate) signer: SignOptions,
    /// The request: HTTP text, a curl command line, or a HAR file; `-` for stdin
    pub(crate) sample: PathBuf,
}

#[derive(Debug, Args)]
pub(crate) struct SignOptions {
    /// A preset, such as article, stripe or sigv4
    #[arg(long, value_name = "NAME", required_unless_present = "identity")]
    pub(crate) preset: Option<String>,
    /// The secret of the preset, as `@env:NAME` or `@file:PATH`
    #[arg(long, value_name = "SECRET", requires = "preset")]
    pub(crate) secret: Option<String>,
    /// The key id of the preset, or another one than the identity has
    #[arg(long, value_name = "ID")]
    pub(crate) key_id: Option<String>,
    /// An identity of the configuration that has `signing:`
    #[arg(long, value_name = "NAME", conflicts_with = "preset")]
    pub(crate) identity: Option<String>,
    /// The configuration
    #[arg(long, value_name = "FILE", default_value = "middlebrick.yaml")]
    pub(crate) config: PathBuf,
}

const SCAN_EXAMPLES: &str = "\
Examples:
  middlebrick scan http://127.0.0.1:5000/openapi.json
  middlebrick scan https://api.example.com/openapi.json -H 'X-API-Key: @env:API_KEY' --min-score 80
  middlebrick scan openapi.yaml --base-url http://127.0.0.1:8080 -o json=scan.json

Exit codes: 0 done and every gate held, 1 a gate failed, 2 fell short of a verdict, a gate that could not be
judged, or wrong usage, 130 interrupted.";

#[derive(Debug, Args)]
pub(crate) struct ScanOptions {
    /// URL of an API or of its description, or a description file; `target:` of middlebrick.yaml by default
    pub(crate) target: Option<String>,

    /// The description, where it is not the target
    #[arg(long, value_name = "FILE|URL", help_heading = "Target")]
    pub(crate) spec: Option<String>,
    /// Where requests go, where the description names another server
    #[arg(long, value_name = "URL", help_heading = "Target")]
    pub(crate) base_url: Option<String>,
    /// Method of a single URL that has no description
    #[arg(long, value_name = "METHOD", help_heading = "Target")]
    pub(crate) method: Option<String>,
    /// Operations to scan; `*` stands for anything, as in `GET /orders*` (repeatable)
    #[arg(long, value_name = "PATTERN", help_heading = "Target")]
    pub(crate) include: Vec<String>,
    /// Operations to leave out (repeatable)
    #[arg(long, value_name = "PATTERN", help_heading = "Target")]
    pub(crate) exclude: Vec<String>,
    /// Wait until the target answers, at most this long
    #[arg(long, value_name = "TIME", value_parser = time, help_heading = "Target")]
    pub(crate) wait_ready: Option<Duration>,

    /// A header of the one identity, such as `X-API-Key: @env:KEY` or `Authorization: Bearer @file:token`
    /// (repeatable)
    #[arg(short = 'H', long = "header", value_name = "NAME: VALUE", help_heading = "Identities")]
    pub(crate) headers: Vec<String>,
    /// An earlier key that the API must refuse by now, such as `@env:OLD_KEY` or `alice=@file:old-key`
    /// (repeatable, one for each identity)
    #[arg(long, value_name = "[IDENTITY=]KEY", help_heading = "Identities")]
    pub(crate) revoked_key: Vec<String>,
    /// When those keys were revoked, such as 2026-05-01T12:00:00Z
    #[arg(long, value_name = "TIME", requires = "revoked_key", help_heading = "Identities")]
    pub(crate) revoked_at: Option<String>,
    /// A captured signed request, where the secret is not known: HTTP text, a curl command line, or a HAR file
    #[arg(long, value_name = "FILE", help_heading = "Identities")]
    pub(crate) sample: Option<PathBuf>,
    /// Identities, values and gates. ./middlebrick.yaml is read by itself, but never takes credentials to
    /// another origin than the one it names or the one that is typed
    #[arg(long, value_name = "FILE", help_heading = "Identities")]
    pub(crate) config: Option<PathBuf>,
    /// Do not read ./middlebrick.yaml
    #[arg(long, conflicts_with = "config", help_heading = "Identities")]
    pub(crate) no_config: bool,

    /// What may be sent
    #[arg(long, value_enum, default_value_t = ModeName::Safe, help_heading = "Depth")]
    pub(crate) mode: ModeName,
    /// Only these checks or categories (repeatable)
    #[arg(long, value_name = "CHECK|CATEGORY", help_heading = "Depth")]
    pub(crate) only: Vec<String>,
    /// Not these checks or categories (repeatable)
    #[arg(long, value_name = "CHECK|CATEGORY", help_heading = "Depth")]
    pub(crate) skip: Vec<String>,
    /// What the target writes to its log: a file, a named pipe, or `-` for stdin (repeatable)
    #[arg(long, value_name = "PATH|-", help_heading = "Depth")]
    pub(crate) log_file: Vec<String>,
    /// Seed of everything random: the same seed sends the same requests
    #[arg(long, value_name = "N", help_heading = "Depth")]
    pub(crate) seed: Option<u64>,

    /// Requests a second [default: 10; on loopback without limit]
    #[arg(long, value_name = "N", help_heading = "Budget")]
    pub(crate) rate: Option<f64>,
    /// Requests at once [default: 4; on loopback 16]
    #[arg(long, value_name = "N", help_heading = "Budget")]
    pub(crate) concurrency: Option<usize>,
    /// Requests in all
    #[arg(long, value_name = "N", default_value_t = 3_000, help_heading = "Budget")]
    pub(crate) max_requests: u32,
    /// Time in all, such as 60s or 5m
    #[arg(long, value_name = "TIME", value_parser = time, default_value = "5m", help_heading = "Budget")]
    pub(crate) budget: Duration,
    /// Time for one request
    #[arg(long, value_name = "TIME", value_parser = time, default_value = "10s", help_heading = "Budget")]
    pub(crate) timeout: Duration,

    /// Trust these certificate authorities too (PEM)
    #[arg(long, value_name = "FILE", help_heading = "Network")]
    pub(crate) cacert: Option<PathBuf>,
    /// Send credentials even where the certificate is not valid
    #[arg(long, help_heading = "Network")]
    pub(crate) insecure: bool,
    /// Use this address for a host and port (repeatable)
    #[arg(long, value_name = "HOST:PORT:ADDRESS", value_parser = resolve, help_heading = "Network")]
    pub(crate) resolve: Vec<(String, u16, IpAddr)>,
    /// HTTP/1.1 only
    #[arg(long, help_heading = "Network", conflicts_with = "http2")]
    pub(crate) http1: bool,
    /// HTTP/2 only
    #[arg(long, help_heading = "Network")]
    pub(crate) http2: bool,

    /// Fail below this score
    #[arg(long, alias = "threshold", value_name = "POINTS", value_parser = clap::value_parser!(u8).range(0..=100), help_heading = "Gate")]
    pub(crate) min_score: Option<u8>,
    /// Fail above this risk, which is 100 minus the score
    #[arg(long, value_name = "POINTS", value_parser = clap::value_parser!(u8).range(0..=100), help_heading = "Gate")]
    pub(crate) max_risk: Option<u8>,
    /// Fail on a finding of this severity or worse: critical, high, medium, low
    #[arg(long, value_name = "SEVERITY", help_heading = "Gate")]
    pub(crate) fail_on: Option<Severity>,

    /// The rules of the score: 2, or 1 as in version 0.1 (docs/scoring.md)
    #[arg(long, value_name = "N", default_value = "2", help_heading = "Gate")]
    pub(crate) score_method: Method,

    /// What goes to stdout
    #[arg(long, value_enum, default_value_t = Format::Summary, help_heading = "Output")]
    pub(crate) format: Format,
    /// Evidence page in Markdown instead of the summary: owasp-api, asvs, pci-dss, soc2, nist, hipaa;
    /// `-o markdown=FILE` writes it to a file
    #[arg(long, value_name = "FRAMEWORK", help_heading = "Output")]
    pub(crate) framework: Option<Framework>,
    /// Also write a file, as `json=scan.json` or by its ending (repeatable)
    #[arg(short = 'o', long = "output", value_name = "[FORMAT=]FILE", help_heading = "Output")]
    pub(crate) output: Vec<String>,
    /// Also write the complete record: every exchange and assessment
    #[arg(long, value_name = "FILE", help_heading = "Output")]
    pub(crate) record: Option<PathBuf>,
    /// Scans that are kept in the state folder for `explain`; older ones are removed
    #[arg(long, value_name = "N", default_value_t = store::KEEP, help_heading = "Output")]
    pub(crate) keep: NonZeroUsize,
    /// No progress
    #[arg(short, long, help_heading = "Output")]
    pub(crate) quiet: bool,
    /// Tell each verdict as it comes
    #[arg(short, long, help_heading = "Output")]
    pub(crate) verbose: bool,
}

#[derive(Debug, Args)]
pub(crate) struct DemoOptions {
    /// Only serve the vulnerable API on this port, and do not scan it
    #[arg(long, value_name = "PORT")]
    pub(crate) serve: Option<u16>,
    /// What goes to stdout
    #[arg(long, value_enum, default_value_t = Format::Summary)]
    pub(crate) format: Format,
}

#[derive(Debug, Args)]
pub(crate) struct ChecksOptions {
    /// What goes to stdout
    #[arg(long, value_enum, default_value_t = ListFormat::Table)]
    pub(crate) format: ListFormat,
}

/// How lists are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum ListFormat {
    /// For people
    Table,
    /// For programs
    Json,
}

/// How a scan is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// One screen
    Summary,
    /// The whole record
    Json,
}

/// What a scan may do to its target.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum ModeName {
    /// Sends nothing: judges the description alone
    Description,
    /// Signs in, and sends each operation's own reading request
    Passive,
    /// Sends reading requests of its own
    Safe,
    /// Writes too, to objects that the scan made
    Active,
    /// Deletes, and sends heavy payloads too
    Destructive,
}

impl From<ModeName> for model::Mode {
    fn from(name: ModeName) -> Self {
        match name {
            ModeName::Description => Self::Description,
            ModeName::Passive => Self::Passive,
            ModeName::Safe => Self::Safe,
            ModeName::Active => Self::Active,
            ModeName::Destructive => Self::Destructive,
        }
    }
}

/// `500ms`, `60s`, `5m`; a bare number is seconds.
fn time(text: &str) -> Result<Duration, String> {
    let at = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let (number, unit) = text.split_at(at);
    let number: f64 = number.parse().map_err(|_| format!("`{text}` is no time such as 60s"))?;
    let seconds = match unit {
        "ms" => number / 1000.0,
        "" | "s" => number,
        "m" | "min" => number * 60.0,
        "h" => number * 3600.0,
        _ => return Err(format!("`{unit}` is none of ms, s, m, h")),
    };
    Duration::try_from_secs_f64(seconds).map_err(|e| e.to_string())
}

fn resolve(text: &str) -> Result<(String, u16, IpAddr), String> {
    let form = || format!("`{text}` is no HOST:PORT:ADDRESS");
    let (host, rest) = text.split_once(':').ok_or_else(form)?;
    let (port, address) = rest.split_once(':').ok_or_else(form)?;
    let address = address.trim_matches(['[', ']']).parse().map_err(|_| form())?;
    Ok((host.to_owned(), port.parse().map_err(|_| form())?, address))
}
