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
    let port = free_port()?;
    let mut command = program("python")?;
    command.arg("e2e/flask_keys/vulnerable.py").arg(port.to_string());
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
    command.current_dir(root());
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
    // No byte code beside the sources.
    command.env("PYTHONDONTWRITEBYTECODE", "1");
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
