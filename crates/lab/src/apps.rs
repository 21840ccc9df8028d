//! The end-to-end applications of `e2e/` as real processes on loopback, each ended when it is dropped.

use std::collections::BTreeMap;
use std::fs::File;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

/// How long an application may take until it accepts connections.
const PATIENCE: Duration = Duration::from_secs(30);

/// A running application.
pub struct App {
    child: Child,
    /// Such as `http://127.0.0.1:43127`.
    pub base: String,
    /// Credentials that it was started with, by name.
    pub credentials: BTreeMap<String, String>,
    /// What it writes to stdout and stderr.
    pub log: PathBuf,
}

impl Drop for App {
    fn drop(&mut self) {
        // It may have ended by itself; either way nothing is left running.
        _ = self.child.kill();
        _ = self.child.wait();
        _ = std::fs::remove_file(&self.log);
    }
}

/// Where `cargo xtask test` puts the applications' own dependencies.
pub fn environment() -> PathBuf {
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), PathBuf::from);
    target.join("e2e").join("venv")
}

/// The repository's folder.
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// The orders API with its defects, under Werkzeug's development server with the debugger on.
///
/// # Errors
/// It does not start.
pub fn flask_vulnerable_werkzeug() -> Result<App, String> {
    werkzeug("e2e/flask_keys/vulnerable.py")
}

/// The same, with a log that keeps credentials out.
///
/// # Errors
/// It does not start.
pub fn flask_vulnerable_quiet() -> Result<App, String> {
    werkzeug("e2e/flask_keys/quiet.py")
}

fn werkzeug(path: &str) -> Result<App, String> {
    let port = free_port()?;
    let mut command = program("python")?;
    command.arg(path).arg(port.to_string());
    start(command, port, BTreeMap::new())
}

/// The orders API with its defects, under gunicorn.
///
/// # Errors
/// It does not start.
pub fn flask_vulnerable_gunicorn() -> Result<App, String> {
    let port = free_port()?;
    start(gunicorn("flask_keys", "vulnerable:app", port)?, port, BTreeMap::new())
}

/// The orders API with its defects, under gunicorn with its access log.
///
/// # Errors
/// It does not start.
pub fn flask_vulnerable_gunicorn_with_access_log() -> Result<App, String> {
    let port = free_port()?;
    let mut command = gunicorn("flask_keys", "vulnerable:app", port)?;
    command.args(["--access-logfile", "-"]);
    start(command, port, BTreeMap::new())
}

/// The orders API with every defect fixed, under gunicorn.
///
/// # Errors
/// It does not start.
pub fn flask_remediated() -> Result<App, String> {
    let port = free_port()?;
    let made = random_credentials("flask_keys")?;
    let mut command = gunicorn("flask_keys", "remediated:app", port)?;
    // As e2e/README.md says: the path without its query.
    command.args(["--access-logfile", "-", "--access-logformat", "%(h)s %(m)s %(U)s %(s)s"]);
    command.envs(made.environment);
    start(command, port, made.credentials)
}

/// The records API on DynamoDB with its defects, under Werkzeug's development server.
///
/// # Errors
/// It does not start.
pub fn dynamodb_vulnerable() -> Result<App, String> {
    let port = free_port()?;
    let mut command = program("python")?;
    command.arg("e2e/dynamodb/vulnerable.py").arg(port.to_string());
    let key = |name: &str, key: &str| (format!("{name}_key"), key.to_owned());
    let keys = [key("alice", "rk_alice_5f0c2e9d7b"), key("bob", "rk_bob_81d4a6c3f2")];
    start(command, port, BTreeMap::from(keys))
}

/// The records API on DynamoDB with every defect fixed, under gunicorn.
///
/// # Errors
/// It does not start.
pub fn dynamodb_remediated() -> Result<App, String> {
    let port = free_port()?;
    let made = random_credentials("dynamodb")?;
    let mut command = gunicorn("dynamodb", "remediated:app", port)?;
    // It listens only when its tables are filled.
    command.arg("--preload").envs(made.environment);
    start(command, port, made.credentials)
}

/// A verifier of signed requests of `e2e/signing`, written in `python` or `node`.
///
/// # Errors
/// It does not start.
pub fn signed(language: &str, name: &str) -> Result<App, String> {
    let port = free_port()?;
    let mut command = signed_command(language)?;
    command.arg(name).arg(port.to_string());
    let folder = signed_folder(language);
    start_in(command, &folder, port, BTreeMap::new())
}

/// The program that starts the verifiers of a language, without arguments.
pub(crate) fn signed_command(language: &str) -> Result<Command, String> {
    let mut command = match language {
        "python" => program("python")?,
        _ => Command::new("node"),
    };
    match language {
        "python" => command.args(["-m", "signing_lab"]),
        _ => command.arg("main.mjs"),
    };
    command.current_dir(signed_folder(language)).env("PYTHONDONTWRITEBYTECODE", "1");
    Ok(command)
}

fn signed_folder(language: &str) -> PathBuf {
    root().join("e2e/signing").join(language)
}

/// Frameworks in which `e2e/mended` has the orders API.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Framework {
    /// Flask under waitress.
    Flask,
    /// FastAPI under uvicorn.
    FastApi,
    /// Django under waitress.
    Django,
    /// Express on Node.js.
    Express,
}

impl Framework {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Flask, Self::FastApi, Self::Django, Self::Express];

    fn program(self) -> &'static str {
        match self {
            Self::Flask => "e2e/mended/flask_orders.py",
            Self::FastApi => "e2e/mended/fastapi_orders.py",
            Self::Django => "e2e/mended/django_orders.py",
            Self::Express => "e2e/mended/express_orders.mjs",
        }
    }
}

/// How the orders API of `e2e/mended` knows its callers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Guard {
    /// By API keys.
    Keyed,
    /// By signatures.
    Signed,
}

/// The orders API of `e2e/mended`: careless, or with these remedies.
///
/// # Errors
/// It does not start.
pub fn mended(framework: Framework, guard: Guard, remedies: &[&str]) -> Result<App, String> {
    let port = free_port()?;
    let mut command = match framework {
        Framework::Express => node()?,
        Framework::Flask | Framework::FastApi | Framework::Django => program("python")?,
    };
    let word = match guard {
        Guard::Keyed => "keyed",
        Guard::Signed => "signed",
    };
    command.args([framework.program(), &port.to_string(), word]).args(remedies);
    command.envs(MENDED_CREDENTIALS);
    let credentials = MENDED_CREDENTIALS.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    start(command, port, credentials.collect())
}

/// Credentials of the callers of `e2e/mended`, random and of no use elsewhere.
pub const MENDED_CREDENTIALS: [(&str, &str); 3] = [
    ("ACME_KEY", "sk_live_9f2c7be1a04d5583c6e0b7d41f29aa8c3d75e6104b8f92cd"),
    ("GLOBEX_KEY", "sk_live_1d84a7f3c05be26990ff4ab37c61d8e25a09b3c7f4d216e8"),
    ("ACME_SECRET", "kR7v0mXqLz3uYp9TnB2sWc6JhE1aGd8f"),
];

/// Runs the tests in Python and JavaScript of what no scan reaches in `remedies/`.
///
/// # Errors
/// One of them fails, with what they wrote.
pub fn remedies_by_call() -> Result<(), String> {
    let (mut python, mut node) = (program("python")?, node()?);
    python.args(["-B", "e2e/remedies_test.py"]);
    node.args(["--test", "e2e/remedies.test.mjs"]);
    for mut command in [python, node] {
        let ended = command.output().map_err(|e| format!("{command:?}: {e}"))?;
        if !ended.status.success() {
            let written = [ended.stdout, ended.stderr].concat();
            return Err(String::from_utf8_lossy(&written).into_owned());
        }
    }
    Ok(())
}

/// A verifier that others wrote, of `e2e/verifiers`, mounted in `python` or `node`.
///
/// # Errors
/// It does not start.
pub fn verifier(language: &str, name: &str) -> Result<App, String> {
    let port = free_port()?;
    let mut command = verifier_command(language)?;
    command.arg(name).arg(port.to_string());
    start_in(command, &verifier_folder(language), port, BTreeMap::new())
}

/// The program that starts the verifiers of a language that others wrote, without arguments.
pub(crate) fn verifier_command(language: &str) -> Result<Command, String> {
    let folder = verifier_folder(language);
    let mut command = match language {
        "python" => program("python")?,
        _ if !folder.join("node_modules").exists() => {
            return Err(format!("{}/node_modules is missing: `cargo xtask test` installs it", folder.display()));
        }
        _ => Command::new("node"),
    };
    match language {
        "python" => command.args(["-m", "verifiers"]),
        // The sources are linked to beside their packages, which are looked for from the link on.
        _ => command.args(["--preserve-symlinks", "--preserve-symlinks-main", "src/main.mjs"]),
    };
    command.current_dir(folder);
    Ok(command)
}

fn verifier_folder(language: &str) -> PathBuf {
    match language {
        "python" => root().join("e2e/verifiers/python"),
        _ => environment().with_file_name("verifiers"),
    }
}

/// Kinto, an API that others wrote, as released.
///
/// # Errors
/// It does not start.
pub fn kinto() -> Result<App, String> {
    let port = free_port()?;
    let mut command = program("kinto")?;
    command.args(["start", "--ini", "e2e/kinto/kinto.ini", "--port", &port.to_string()]);
    start(command, port, BTreeMap::new())
}

/// VAmPI, which the user has set up in a folder as e2e/README.md says, in one of its two forms.
///
/// # Errors
/// It does not start.
pub fn vampi(folder: &Path, vulnerable: bool) -> Result<App, String> {
    let port = free_port()?;
    let (copy, switch) = if vulnerable { ("vulnerable", "1") } else { ("secure", "0") };
    let python = folder.canonicalize().map_err(|e| format!("{}: {e}", folder.display()))?.join("venv/bin/python");
    let mut command = Command::new(python);
    let serve = format!(
        "from config import vuln_app; vuln_app.run(host='127.0.0.1', port={port}, debug=True, use_reloader=False)"
    );
    command.args(["-c", &serve]).env("vulnerable", switch).env("tokentimetolive", "60");
    start_in(command, &folder.join(copy), port, BTreeMap::new())
}

/// What `environment.py` of an application makes afresh.
struct Made {
    environment: BTreeMap<String, String>,
    credentials: BTreeMap<String, String>,
}

fn random_credentials(folder: &str) -> Result<Made, String> {
    let made = program("python")?.arg(format!("e2e/{folder}/environment.py")).output().map_err(|e| e.to_string())?;
    let made: Value = serde_json::from_slice(&made.stdout).map_err(|e| format!("environment.py: {e}"))?;
    let strings = |name: &str| -> BTreeMap<String, String> {
        let fields = made[name].as_object().into_iter().flatten();
        fields.filter_map(|(k, v)| Some((k.clone(), v.as_str()?.to_owned()))).collect()
    };
    Ok(Made { environment: strings("environment"), credentials: strings("credentials") })
}

fn gunicorn(folder: &str, app: &str, port: u16) -> Result<Command, String> {
    let mut command = program("gunicorn")?;
    command.args(["--chdir", &format!("e2e/{folder}"), "-b", &format!("127.0.0.1:{port}")]);
    command.args(["--no-control-socket", "--threads", "4", app]);
    Ok(command)
}

/// A program of the applications' environment.
fn program(name: &str) -> Result<Command, String> {
    let path = environment().join("bin").join(name);
    if !path.exists() {
        return Err(format!("{} is missing: `cargo xtask test` installs it", path.display()));
    }
    let mut command = Command::new(path);
    // No byte code beside the sources.
    command.current_dir(root()).env("PYTHONDONTWRITEBYTECODE", "1");
    Ok(command)
}

/// Node.js, with what `cargo xtask test` puts beside the environment.
fn node() -> Result<Command, String> {
    let packages = environment().with_file_name("node").join("node_modules");
    if !packages.exists() {
        return Err(format!("{} is missing: `cargo xtask test` installs it", packages.display()));
    }
    let mut command = Command::new("node");
    command.current_dir(root()).env("NODE_PATH", packages);
    Ok(command)
}

fn free_port() -> Result<u16, String> {
    let listener = TcpListener::bind(("127.0.0.1", 0)).map_err(|e| e.to_string())?;
    Ok(listener.local_addr().map_err(|e| e.to_string())?.port())
}

fn start(command: Command, port: u16, credentials: BTreeMap<String, String>) -> Result<App, String> {
    start_in(command, &root(), port, credentials)
}

fn start_in(
    mut command: Command,
    folder: &Path,
    port: u16,
    credentials: BTreeMap<String, String>,
) -> Result<App, String> {
    let log = std::env::temp_dir().join(format!("middlebrick-lab-{}-{port}.log", std::process::id()));
    let written =
        File::options().create(true).append(true).open(&log).map_err(|e| format!("{}: {e}", log.display()))?;
    let also_written = written.try_clone().map_err(|e| e.to_string())?;
    command.current_dir(folder).stdin(Stdio::null()).stdout(written).stderr(also_written);
    let child = command.spawn().map_err(|e| e.to_string())?;
    let mut app = App { child, base: format!("http://127.0.0.1:{port}"), credentials, log };
    let until = Instant::now() + PATIENCE;
    while Instant::now() < until {
        if TcpStream::connect_timeout(&SocketAddr::from(([127, 0, 0, 1], port)), Duration::from_millis(200)).is_ok() {
            return Ok(app);
        }
        if let Ok(Some(status)) = app.child.try_wait() {
            return Err(format!("{command:?} ended with {status}"));
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    Err(format!("{command:?} did not accept connections within {PATIENCE:?}"))
}
