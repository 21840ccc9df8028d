//! Where internals lie, and how their answers are recognized.

use std::sync::LazyLock;

use model::{Response, Variant};
use regex::Regex;
use serde_json::Value;

use super::{CONSOLE, DETAIL, METRICS, OPEN_CONSOLE, SECRETS, STATUS};

/// What an answer exposes.
pub(super) struct Exposed {
    pub(super) variant: &'static Variant,
    pub(super) cause: &'static str,
    pub(super) what: &'static str,
    /// Text that stands in the answer.
    pub(super) text: String,
}

/// Paths that are asked for at the root and below the base path, without the leading slash.
pub(super) const EVERYWHERE: [&str; 9] =
    [".git/HEAD", ".env", "actuator", "actuator/env", "console", "logs", "log", "debug", "_debug"];

/// Paths that are asked for at the root alone.
pub(super) const AT_THE_ROOT: [&str; 8] =
    ["server-status", ".DS_Store", "elmah.axd", "trace.axd", "debug/vars", "debug/pprof/", "phpinfo.php", "metrics"];

/// What an answer exposes, by its content; the path only says what to look for.
pub(super) fn exposed(path: &str, answer: &Response) -> Option<Exposed> {
    let text = answer.body.text();
    let is = |wanted: &str| path.ends_with(&format!("/{wanted}"));
    match () {
        () if is(".git/HEAD") => git_head(&text),
        () if is(".env") => environment_file(&text),
        () if is("actuator") => actuator(answer),
        () if is("actuator/env") => actuator_environment(answer),
        () if is("console") => console(&text),
        () if is("debug/vars") => {
            all_of(&text, &["\"cmdline\"", "\"memstats\""], &STATUS, "expvar", "Go's exported variables")
        }
        () if is("debug/pprof/") => all_of(&text, &["Types of profiles available"], &STATUS, "pprof", "Go's profiles"),
        () if is("logs") || is("log") => log(&text),
        () if is("debug") || is("_debug") => debug_data(answer),
        () if is("server-status") => all_of(
            &text,
            &["Apache Server Status for", "Server uptime"],
            &STATUS,
            "server-status",
            "the status page of Apache, with the requests of others",
        ),
        () if is(".DS_Store") => desktop_file(answer),
        () if is("elmah.axd") => all_of(&text, &["Error Log for", "ELMAH"], &STATUS, "elmah", "the error log of ELMAH"),
        () if is("trace.axd") => all_of(
            &text,
            &["Application Trace", "Requests to this Application"],
            &STATUS,
            "trace-axd",
            "the trace viewer of ASP.NET",
        ),
        () if is("phpinfo.php") => {
            all_of(&text, &["<title>phpinfo()", "PHP Version"], &STATUS, "phpinfo", "the settings of PHP")
        }
        () if is("metrics") => metrics(&text),
        () => None,
    }
}

fn all_of(
    text: &str,
    wanted: &[&str],
    variant: &'static Variant,
    cause: &'static str,
    what: &'static str,
) -> Option<Exposed> {
    let first = wanted.first()?;
    let found = wanted.iter().all(|word| text.contains(word));
    found.then(|| Exposed { variant, cause, what, text: (*first).to_owned() })
}

/// **Source**: gitrepository-layout(5): a symbolic ref, or an object name.
fn git_head(text: &str) -> Option<Exposed> {
    static HEAD: LazyLock<Regex> = LazyLock::new(|| pattern(r"^(?:ref: refs/heads/[^\s]+|[0-9a-f]{40})\s*$"));
    let found = HEAD.is_match(text);
    found.then(|| Exposed {
        variant: &SECRETS,
        cause: "git",
        what: "a Git repository, and so the source code",
        text: text.trim().to_owned(),
    })
}

/// Two assignments at least, and nothing else but comments.
fn environment_file(text: &str) -> Option<Exposed> {
    static LINE: LazyLock<Regex> = LazyLock::new(|| pattern(r"^(?:export )?[A-Z][A-Z0-9_]+ ?=.*$"));
    static SECRET: LazyLock<Regex> =
        LazyLock::new(|| pattern(r"(?m)^.*(?:SECRET|PASSWORD|PASSWD|TOKEN|API_?KEY|PRIVATE|DATABASE_URL|DSN)\w*"));
    let lines = || text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
    if lines().count() < 2 || !lines().all(|line| LINE.is_match(line)) {
        return None;
    }
    let secret = SECRET.find(text).map(|found| found.as_str().to_owned());
    let variant = if secret.is_some() { &SECRETS } else { &STATUS };
    let first = lines().next()?.split('=').next()?.trim().to_owned();
    let name = secret.and_then(|line| Some(line.split('=').next()?.trim().to_owned())).unwrap_or(first);
    Some(Exposed { variant, cause: "environment-file", what: "the environment file", text: name })
}

/// Endpoints of Spring Boot's actuator that show more than health.
///
/// **Source**: Spring Boot reference, "Production-ready features: Endpoints".
const TELLING: [&str; 9] =
    ["env", "heapdump", "threaddump", "logfile", "httpexchanges", "httptrace", "configprops", "beans", "loggers"];

fn actuator(answer: &Response) -> Option<Exposed> {
    let body = answer.json()?;
    let links = body.get("_links")?.as_object()?;
    let is_actuator = links.get("self")?.get("href")?.as_str()?.contains("actuator");
    let telling = TELLING.iter().find(|name| links.contains_key(**name)).filter(|_| is_actuator)?;
    let text = format!("\"{telling}\"");
    Some(Exposed { variant: &STATUS, cause: "actuator", what: "Spring Boot's actuator with more than health", text })
}

fn actuator_environment(answer: &Response) -> Option<Exposed> {
    let body = answer.json()?;
    let sources = body.get("propertySources").and_then(Value::as_array).filter(|sources| !sources.is_empty())?;
    sources.first()?.get("properties")?;
    let variant = if shows_masks(answer) { &SECRETS } else { &STATUS };
    Some(Exposed {
        variant,
        cause: "actuator-env",
        what: "the settings of a Spring Boot application",
        text: "\"propertySources\"".into(),
    })
}

fn console(text: &str) -> Option<Exposed> {
    let compact: String = text.chars().filter(|c| !c.is_whitespace()).collect();
    if compact.contains("CONSOLE_MODE=true") && compact.contains("EVALEX=true") && text.contains("__debugger__") {
        let open = compact.contains("EVALEX_TRUSTED=true");
        let (variant, what) = match open {
            true => (&OPEN_CONSOLE, "the console of the Werkzeug debugger, without a PIN"),
            false => (&CONSOLE, "the console of the Werkzeug debugger, behind a PIN"),
        };
        return Some(Exposed { variant, cause: "werkzeug-console", what, text: "CONSOLE_MODE".into() });
    }
    all_of(text, &["<title>H2 Console</title>"], &CONSOLE, "h2-console", "the console of the H2 database")
}

/// Lines of a log: an access log's, or ones with time and level.
///
/// **Source**: Apache "Log Files" (common log format); Python `logging`, Logback and Winston defaults.
fn log(text: &str) -> Option<Exposed> {
    static LINE: LazyLock<Regex> = LazyLock::new(|| {
        pattern(concat!(
            r#"\S+ \S+ \S+ \[\d{2}/\w{3}/\d{4}[: ]\d\d:\d\d:\d\d[^\]]*\] \\?"[A-Z]+ "#,
            r"|\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d\S* \S{0,40} ?\[?(?:DEBUG|INFO|WARN(?:ING)?|ERROR|CRITICAL)\b",
            r#"|"level": ?"(?:debug|info|warn|warning|error)""#,
        ))
    });
    let lines: Vec<&str> = LINE.find_iter(text).map(|found| found.as_str()).take(2).collect();
    let first = lines.first().filter(|_| lines.len() > 1)?;
    Some(Exposed { variant: &SECRETS, cause: "log", what: "a log, with what callers sent", text: (*first).to_owned() })
}

/// Names that stand in a process's environment.
const ENVIRONMENT: [&str; 8] = [
    "\"PATH\"",
    "\"HOME\"",
    "\"HOSTNAME\"",
    "\"PYTHONPATH\"",
    "\"SECRET_KEY\"",
    "\"DATABASE_URL\"",
    "\"PWD\"",
    "\"NODE_ENV\"",
];

fn debug_data(answer: &Response) -> Option<Exposed> {
    answer.json().filter(|body| body.is_object() || body.is_array())?;
    let text = answer.body.text();
    if shows_masks(answer) {
        return Some(Exposed {
            variant: &SECRETS,
            cause: "debug-data",
            what: "data for debugging, with secrets",
            text: MASK.into(),
        });
    }
    let names: Vec<&&str> = ENVIRONMENT.iter().filter(|name| text.contains(**name)).collect();
    let first = names.first().filter(|_| names.len() > 2)?;
    Some(Exposed {
        variant: &STATUS,
        cause: "debug-data",
        what: "the environment of the process",
        text: (**first).to_owned(),
    })
}

/// What recordings put in place of a secret.
const MASK: &str = "{{masked:";

fn shows_masks(answer: &Response) -> bool {
    answer.body.text().contains(MASK)
}

/// **Source**: the header of Apple's Desktop Services Store: alignment 1, magic `Bud1`.
fn desktop_file(answer: &Response) -> Option<Exposed> {
    let found = answer.body.bytes().starts_with(b"\x00\x00\x00\x01Bud1");
    found.then(|| Exposed {
        variant: &DETAIL,
        cause: "ds-store",
        what: "a folder's list of files",
        text: "Bud1".into(),
    })
}

/// **Source**: Prometheus, "Exposition formats".
fn metrics(text: &str) -> Option<Exposed> {
    static TYPE: LazyLock<Regex> =
        LazyLock::new(|| pattern(r"(?m)^# TYPE \w+ (?:counter|gauge|histogram|summary|untyped)$"));
    let found = TYPE.find(text)?;
    Some(Exposed {
        variant: &METRICS,
        cause: "metrics",
        what: "metrics for Prometheus",
        text: found.as_str().to_owned(),
    })
}

fn pattern(text: &str) -> Regex {
    Regex::new(text).expect("the pattern is fixed and an example runs it")
}
