//! What errors look like: debug pages, frames, and the words of databases, cloud SDKs and languages.

use std::sync::LazyLock;

use engine::controls::{Standing, standing};
use model::{Exchange, Response};
use regex::Regex;

/// What an answer gives away, the worst first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Class {
    DebugPage,
    StackTrace,
    DatabaseError,
    CloudError,
    /// Numbers of an account without an error of the SDK.
    CloudName,
    ExceptionText,
}

/// Something that an answer gives away.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Found {
    pub(super) class: Class,
    /// Framework, language or product.
    pub(super) what: &'static str,
    /// Text that stands in the answer.
    pub(super) text: String,
    /// True for a debugger whose console asks for no PIN.
    pub(super) open_console: bool,
}

/// The worst that an answer gives away: what its baseline does not hold, and the request did not
/// bring. Answers that work are content.
pub(super) fn disclosed(exchange: &Exchange, baseline: Option<&Response>) -> Option<Found> {
    let answer = exchange.response()?;
    if let Some(found) = profiler_link(answer) {
        return Some(found);
    }
    if !is_error(answer, baseline) {
        return None;
    }
    let text = answer.body.text();
    let known = baseline.map(|b| b.body.text()).unwrap_or_default();
    let found = search(&text, &known)?;
    (!was_sent(exchange, &found.text)).then_some(found)
}

/// True for an answer that says no, and for one that is no JSON where the baseline is: PHP prints
/// errors into a 200.
fn is_error(answer: &Response, baseline: Option<&Response>) -> bool {
    standing(answer) != Standing::Works
        || baseline.is_some_and(|b| b.json().is_some() && answer.json().is_none() && !answer.body.is_empty())
}

/// True if the request brought the text itself, in whatever encoding: only letters and digits count.
fn was_sent(exchange: &Exchange, text: &str) -> bool {
    let request = &exchange.request;
    let text = plain(text);
    plain(&request.target).contains(&text)
        || plain(&request.body.text()).contains(&text)
        || request.headers.iter().any(|(_, value)| plain(value).contains(&text))
}

/// The letters and digits of a text, without what percent-encoding puts for others.
fn plain(text: &str) -> String {
    static ESCAPE: LazyLock<Regex> = LazyLock::new(|| Regex::new("%[0-9A-Fa-f]{2}").expect("the pattern is fixed"));
    ESCAPE.replace_all(text, "").chars().filter(|c| c.is_alphanumeric()).collect()
}

fn search(text: &str, known: &str) -> Option<Found> {
    debug_page(text).filter(|_| debug_page(known).is_none()).or_else(|| {
        PATTERNS.iter().find_map(|pattern| {
            let found = pattern.first(text)?;
            pattern.first(known).is_none().then(|| Found {
                class: pattern.class,
                what: pattern.what,
                text: found.to_owned(),
                open_console: false,
            })
        })
    })
}

/// Debug pages: framework, and texts that all stand in its page; the first is shown.
///
/// **Source**: templates of Werkzeug `debug/tbtools.py`, Django `technical_500.html`, Starlette
/// `middleware/errors.py`, Laravel Ignition and Whoops, Rails `rescues/layout.erb` and its JSON
/// form, ASP.NET Core `ErrorPage.cshtml`, ASP.NET "yellow screen", Symfony ErrorHandler, Rack
/// `show_exceptions.rb`, Xdebug.
const DEBUG_PAGES: &[(&str, &[&str])] = &[
    ("Werkzeug", &["EVALEX = ", "__debugger__"]),
    ("Werkzeug", &["Werkzeug Debugger", "__debugger__"]),
    ("Django", &["seeing this error because you have", "DEBUG = True"]),
    ("Starlette", &["<title>Starlette Debugger</title>"]),
    ("Laravel", &["window.ignite(window.data)"]),
    ("Whoops", &["<title>Whoops! There was an error.</title>"]),
    ("Rails", &["<title>Action Controller: Exception caught</title>"]),
    ("Rails", &["\"Application Trace\":", "\"Framework Trace\":"]),
    ("ASP.NET Core", &["rawExceptionBlock", "An unhandled exception occurred while processing the request"]),
    ("ASP.NET", &["Server Error in '", "Stack Trace:", "Version Information:"]),
    ("Symfony", &["Symfony Exception", "trace-line"]),
    ("Rack", &["seeing this error because you have enabled the <code>show_exceptions</code> setting"]),
    ("Xdebug", &["xdebug-error"]),
];

fn debug_page(text: &str) -> Option<Found> {
    let (what, texts) = DEBUG_PAGES.iter().find(|(_, texts)| texts.iter().all(|t| text.contains(t)))?;
    let compact: String = text.chars().filter(|c| !c.is_whitespace()).collect();
    let open_console = compact.contains("EVALEX=true") && compact.contains("EVALEX_TRUSTED=true");
    let shown = texts.first().copied().unwrap_or_default().to_owned();
    Some(Found { class: Class::DebugPage, what, text: shown, open_console })
}

/// The header by which Symfony's profiler points at everything it recorded.
///
/// **Source**: Symfony WebProfilerBundle, `WebDebugToolbarListener`.
fn profiler_link(answer: &Response) -> Option<Found> {
    let link = answer.headers.first("x-debug-token-link").filter(|link| link.contains("_profiler"))?;
    Some(Found { class: Class::DebugPage, what: "Symfony profiler", text: link.to_owned(), open_console: false })
}

struct Pattern {
    class: Class,
    what: &'static str,
    regex: Regex,
    /// Matches that it takes.
    least: usize,
}

impl Pattern {
    /// The first match, if there are enough.
    fn first<'t>(&self, text: &'t str) -> Option<&'t str> {
        let mut matches = self.regex.find_iter(text);
        let first = matches.next()?;
        (1 + matches.take(self.least - 1).count() == self.least).then(|| first.as_str())
    }
}

/// Quotes as they stand in text, JSON and HTML.
macro_rules! quote {
    () => {
        r#"(?:\\?"|&quot;|&\#34;)"#
    };
}

/// Frames of a trace, as each language prints them.
///
/// **Source**: CPython `traceback`, `java.lang.Throwable.printStackTrace`, .NET
/// `Exception.StackTrace`, the V8 stack trace API, PHP `Exception::getTraceAsString` and Laravel's
/// JSON form of it, Ruby `Exception#backtrace`, Go `runtime/debug.Stack`, Rust `std::backtrace`.
const FRAMES: &[(&str, &str)] = &[
    ("Python", concat!(r"File ", quote!(), r#"[^"&\\\n<]{1,300}"#, quote!(), r", line \d+")),
    (
        "Java",
        r"\bat (?:[\w.$@-]+/)?[\w$]+(?:\.[\w$<>]+)+\((?:[\w$-]+\.(?:java|kt|scala|groovy|clj):\d+|Native Method|Unknown Source)\)",
    ),
    ("Node.js", r"\bat (?:[^\n()]{1,120} \()?(?:file://)?(?:/|[A-Za-z]:[\\/]|node:|webpack:)[^\s()]{1,300}:\d+:\d+\)?"),
    (".NET", r"\bat [A-Z]\w*(?:\.[\w<>`\[\]|$]+)+\((?:[\w\[\]&`.]+ \w+(?:, )?)*\)"),
    ("PHP", r"#\d+ [^\s(]{1,300}\.php\(\d+\): "),
    ("PHP", r#""file":\s*"[^"]{1,300}\.php",\s*"line":\s*\d+"#),
    ("Ruby", r"[\w./-]+\.rb:\d+:in (?:[`']|&#39;|\\u0027)"),
    ("Go", r"[\w./@-]+\.go:\d+ \+0x[0-9a-f]+"),
    ("Rust", r"\bat [^\s\\]{1,300}\.rs:\d+(?::\d+)?"),
];

/// Words of databases and their drivers.
///
/// **Source**: SQLite `parse.y` and `tokenize.c`; PostgreSQL, appendix A and `scan.l`; MySQL error
/// message reference; SQL Server errors 102, 105, 245; Oracle database error messages; MongoDB
/// error codes and Mongoose `CastError`; Elasticsearch exceptions; Neo4j status codes; and the
/// exception names of the drivers and mappers.
const DATABASE: &[(&str, &str)] = &[
    (
        "SQLite",
        r"sqlite3\.(?:Operational|Programming|Integrity)Error|SQLITE_ERROR|SQLite3::SQLException|unrecognized token: |no such column: \w",
    ),
    (
        "PostgreSQL",
        r"syntax error at or near |unterminated quoted string at or near|invalid input syntax for (?:type )?\w+|invalid byte sequence for encoding|psycopg2?\.(?:errors|\w+Error)|\bPG::\w+|org\.postgresql\.util\.PSQLException",
    ),
    (
        "MySQL",
        r"You have an error in your SQL syntax|MySQLSyntaxErrorException|\bER_[A-Z]+_[A-Z_]+\b|pymysql\.err\.|Unknown column '",
    ),
    (
        "SQL Server",
        r"Unclosed quotation mark (?:after|before) the character string|Incorrect syntax near '|(?:System|Microsoft)\.Data\.SqlClient",
    ),
    ("Oracle", r"\b(?:ORA|PLS)-\d{5}: "),
    ("DB2", r"SQLCODE=-\d+, SQLSTATE="),
    (
        "MongoDB",
        r"\bMongo(?:Server)?Error\b|pymongo\.errors|Cast to \w+ failed for value|BSONError|unknown (?:top level )?operator: \$|E11000 duplicate key",
    ),
    ("Elasticsearch", r"search_phase_execution_exception|query_shard_exception|Failed to parse query \["),
    ("Neo4j", r"Neo\.ClientError\.\w+"),
    ("Redis", r"WRONGTYPE Operation against a key|redis\.exceptions\.\w+"),
    (
        "SQL",
        r"SQLSTATE\[\w{5}\]|sqlalchemy\.exc\.\w+|Sequelize\w*Error|PrismaClient\w+Error|QueryFailedError|JDBCException|JdbcSQL\w+Exception|SQLGrammarException|ActiveRecord::StatementInvalid",
    ),
];

/// Words of cloud SDKs.
///
/// **Source**: botocore `exceptions.py`, boto3 `dynamodb/types.py`, the Amazon DynamoDB developer
/// guide "Error handling" and the messages of its API; IAM "Troubleshoot access denied".
const CLOUD: &[(&str, &str)] = &[
    (
        "boto3",
        r"An error occurred \(\w+\) when calling the \w+ operation|botocore\.(?:exceptions|errorfactory)\.\w+|ParamValidationError|Parameter validation failed:",
    ),
    (
        "DynamoDB",
        r"Float types are not supported\. Use Decimal types instead|(?:Invalid|Bad) (?:Filter|KeyCondition|Projection|Update|Condition) ?Expression|[Rr]eserved keyword: \w|The provided key element does not match the schema|Type mismatch for key|ConditionalCheckFailedException|ProvisionedThroughputExceededException|Object of type (?:Binary|Decimal) is not JSON serializable",
    ),
    (
        "AWS",
        r"is not authorized to perform: [\w-]+:\w+|Unable to locate credentials|Could not connect to the endpoint URL|software\.amazon\.awssdk\.|com\.amazonaws\.\w+",
    ),
    ("Google Cloud", r"google\.api_core\.exceptions\.\w+|com\.google\.api\.gax\.\w+"),
    ("Azure", r"azure\.core\.exceptions\.\w+|Microsoft\.Azure\.Cosmos\.\w+"),
];

const CLOUD_NAME: &str = r"\barn:aws[\w-]*:[\w-]+:[\w-]*:\d{12}:";

/// Messages of exceptions that a language or its standard library writes.
///
/// **Source**: CPython `Objects/` and `Modules/`, V8 `message-template.h`, the Java class library,
/// .NET `Strings.resx`, Ruby `error.c`, PHP 8 "Errors", Go `strconv` and `runtime`, Rust `core`.
const EXCEPTIONS: &[(&str, &str)] = &[
    (
        "Python",
        r"invalid literal for int\(\) with base \d+|could not convert string to float|unsupported operand type\(s\) for |(?:list|string|tuple) indices must be integers|'\w+' object (?:has no attribute|is not (?:subscriptable|iterable|callable))|unhashable type: |embedded null (?:byte|character)|Object of type \w+ is not JSON serializable|\b(?:Key|Value|Type|Attribute|Index)Error: |KeyError\(|Python int too large to convert",
    ),
    (
        "JavaScript",
        r"Cannot read propert(?:y|ies) (?:of (?:undefined|null)|'?\w+'? of (?:undefined|null))|\b[\w.]{1,80} is not a function\b|\b(?:Type|Reference|Range|URI)Error: |Cannot convert undefined or null to object",
    ),
    (
        "Java",
        r"\bjava\.(?:lang|util|io|net|time|sql)(?:\.\w+)*(?:Exception|Error)\b|For input string: |org\.springframework\.[\w.]+Exception",
    ),
    (
        ".NET",
        r"Object reference not set to an instance of an object|Input string was not in a correct format|\bSystem\.(?:\w+\.)*\w+Exception\b",
    ),
    ("Ruby", r"undefined method [`'&]|no implicit conversion of \w+ into \w+|\b(?:NoMethod|Argument|Name)Error \("),
    (
        "PHP",
        r"\bUndefined (?:index|variable|array key|property)\b|Uncaught \w*(?:Error|Exception): |must be of type \w+, \w+ given",
    ),
    (
        "Go",
        r"strconv\.(?:ParseInt|Atoi|ParseUint|ParseFloat|ParseBool): parsing |runtime error: (?:index out of range|invalid memory address|slice bounds)|interface conversion: interface",
    ),
    ("Rust", r"thread '[\w-]+' (?:\(\d+\) )?panicked at|called `(?:Option|Result)::unwrap\(\)`"),
];

/// A word's boundary, also behind a line break or tab that JSON wrote as an escape.
const BOUNDARY: &str = r"(?:\b|\\[nrt])";

static PATTERNS: LazyLock<Vec<Pattern>> = LazyLock::new(|| {
    let of = |class, least, list: &[(&'static str, &'static str)]| -> Vec<Pattern> {
        let pattern = |(what, regex): &(&'static str, &'static str)| Pattern {
            class,
            what,
            regex: Regex::new(&regex.replace(r"\b", BOUNDARY)).expect("the pattern is fixed and a test runs it"),
            least,
        };
        list.iter().map(pattern).collect()
    };
    [
        of(Class::StackTrace, 2, FRAMES),
        of(Class::DatabaseError, 1, DATABASE),
        of(Class::CloudError, 1, CLOUD),
        of(Class::ExceptionText, 1, EXCEPTIONS),
        of(Class::CloudName, 1, &[("AWS", CLOUD_NAME)]),
    ]
    .into_iter()
    .flatten()
    .collect()
});

#[cfg(test)]
mod tests {
    use super::*;

    fn class(text: &str) -> Option<(Class, &'static str)> {
        search(text, "").map(|found| (found.class, found.what))
    }

    #[test]
    fn two_frames_of_each_language_are_a_trace() {
        let traces = [
            (
                "Python",
                "Traceback (most recent call last):\n  File \"/srv/app.py\", line 4, in show\n    f()\n  File \"/srv/b.py\", line 9, in f\nKeyError: 'x'",
            ),
            ("Python", r#"{"trace":"File \"/srv/app.py\", line 4, in show\n File \"/srv/b.py\", line 9"}"#),
            (
                "Java",
                "java.lang.NullPointerException\n\tat com.shop.Store.find(Store.java:17)\n\tat java.base/java.lang.Thread.run(Thread.java:833)",
            ),
            (
                "Node.js",
                "TypeError: x\n    at Layer.handle [as handle_request] (/app/node_modules/express/lib/router/layer.js:95:5)\n    at /app/index.js:10:9",
            ),
            (".NET", "   at System.Int32.Parse(String s)\n   at Shop.Orders.Get(String id) in /src/Orders.cs:line 12"),
            ("PHP", "#0 /var/www/index.php(12): App->run()\n#1 /var/www/b.php(3): f()"),
            ("PHP", r#"{"trace":[{"file":"/var/www/a.php","line":3,"x":1},{"file": "/var/www/b.php", "line": 9}]}"#),
            ("Ruby", "app/models/order.rb:5:in `find'\nconfig.ru:3\n/gems/rack-2.2/lib/rack.rb:10:in 'call'"),
            ("Go", "goroutine 7 [running]:\nmain.f()\n\t/src/main.go:12 +0x1d\nmain.g()\n\t/src/main.go:40 +0x2a"),
            (
                "Rust",
                "   0: std::panicking\n             at /rustc/abc/library/std/src/panicking.rs:665:5\n   1: shop\n             at ./src/main.rs:7",
            ),
        ];
        for (language, trace) in traces {
            assert_eq!(class(trace), Some((Class::StackTrace, language)), "{trace}");
        }
        assert_eq!(class("see File \"a.py\", line 4"), None);
    }

    #[test]
    fn words_of_databases_sdks_and_languages_are_told_apart() {
        let texts = [
            (Class::DatabaseError, "SQLite", r#"(sqlite3.OperationalError) unrecognized token: "'mb''""#),
            (Class::DatabaseError, "PostgreSQL", r#"ERROR:  unterminated quoted string at or near "'""#),
            (Class::DatabaseError, "MongoDB", r#"Cast to ObjectId failed for value "mb'""#),
            (
                Class::CloudError,
                "boto3",
                "An error occurred (ValidationException) when calling the GetItem operation: One or more parameter values were invalid",
            ),
            (Class::CloudError, "DynamoDB", "Float types are not supported. Use Decimal types instead."),
            (Class::CloudName, "AWS", "topic arn:aws:sns:eu-west-1:123456789012:orders is full"),
            (Class::ExceptionText, "Python", "invalid literal for int() with base 10: \"mb'\""),
            (Class::ExceptionText, "JavaScript", "Cannot read properties of undefined (reading 'id')"),
            (Class::ExceptionText, "Java", r#"For input string: "mb'""#),
            (Class::ExceptionText, "Go", r#"strconv.Atoi: parsing "mb'": invalid syntax"#),
        ];
        for (wanted, what, text) in texts {
            assert_eq!(class(text), Some((wanted, what)), "{text}");
        }
    }

    #[test]
    fn a_console_is_open_only_where_it_is_trusted_without_a_pin() {
        let page = |trusted| {
            format!("<script src=\"?__debugger__=yes\">EVALEX = true,\n EVALEX_TRUSTED = {trusted},</script>")
        };
        let open = |text: &str| debug_page(text).map(|found| found.open_console);
        assert_eq!(open(&page("true")), Some(true));
        assert_eq!(open(&page("false")), Some(false));
    }

    #[test]
    fn messages_that_are_meant_for_callers_are_left_alone() {
        for text in [
            r#"{"error":"invalid_request","message":"id must be an integer"}"#,
            r#"{"detail":[{"loc":["path","id"],"msg":"value is not a valid integer","type":"type_error.integer"}]}"#,
            r#"{"error":"'user_id'"}"#,
            "Invalid URL: Cannot parse `mb'` to a `u64`",
            "<h1>Whitelabel Error Page</h1><p>There was an unexpected error (type=Bad Request, status=400).</p>",
            "Whoops, looks like something went wrong.",
        ] {
            assert_eq!(class(text), None, "{text}");
        }
    }
}
