//! A PostgreSQL server for tests, started from the binaries of the machine (feature `testing`).
//!
//! ```
//! use tapisservice_db::testing::Postgres;
//!
//! // `None` if the machine has no PostgreSQL: skip the test.
//! let Some(postgres) = Postgres::start() else { return };
//! let settings = postgres.settings("bookmarks");
//! ```

use std::ffi::OsStr;
use std::fs::{self, OpenOptions};
use std::hash::{BuildHasher as _, Hasher as _, RandomState};
use std::io::Write as _;
use std::net::TcpListener;
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _, fchown};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

use tempfile::TempDir;

use crate::DatabaseSettings;

/// The user of every database.
pub const USER: &str = "tapis";

/// Its password, which no output may contain.
pub const PASSWORD: &str = "canary-p@ss/word";

/// Where Debian, Fedora, macOS and others install the programs.
const INSTALL_FOLDERS: [&str; 7] = [
    "/usr/lib/postgresql/17/bin",
    "/usr/lib/postgresql/16/bin",
    "/usr/lib/postgresql/15/bin",
    "/usr/lib/postgresql/14/bin",
    "/usr/bin",
    "/usr/local/bin",
    "/opt/homebrew/bin",
];

/// A cluster in a temporary folder, on a free loopback port. It is stopped and deleted when it is dropped, even
/// if the test is killed.
#[derive(Debug)]
pub struct Postgres {
    bin: PathBuf,
    folder: PathBuf,
    port: u16,
    /// Runs until its standard input closes, then cleans up.
    guard: Child,
}

impl Postgres {
    /// Starts a cluster with an empty database `tapis`.
    ///
    /// Looks for the programs in the folder named by the variable `TAPIS_PG_BIN`, otherwise in the usual ones. Without them it
    /// prints so and returns `None`: skip the test.
    ///
    /// # Panics
    ///
    /// When PostgreSQL does not start, and when there is none while the variable `TAPIS_POSTGRES_REQUIRED` is set, as in CI.
    pub fn start() -> Option<Self> {
        let Some(bin) = programs() else {
            assert!(variable("TAPIS_POSTGRES_REQUIRED").is_none(), "no PostgreSQL: set TAPIS_PG_BIN");
            // For the developer who runs the tests: they have no log.
            let _ = writeln!(std::io::stderr(), "no PostgreSQL on this machine, the test is skipped");
            return None;
        };
        let folder = TempDir::with_prefix("tapis-pg-").expect("a temporary folder").keep();
        let port = free_port();
        let cluster = Self { guard: guard(&bin, &folder), bin, folder, port };
        cluster.initialize();
        cluster.restart();
        cluster.create_database(USER);
        Some(cluster)
    }

    /// The settings for one of its databases.
    pub fn settings(&self, database: &str) -> DatabaseSettings {
        DatabaseSettings::new(format!("127.0.0.1:{}/{database}", self.port)).with_credentials(USER, PASSWORD)
    }

    /// The same as a URL.
    pub fn url(&self, database: &str) -> String {
        let password = PASSWORD.replace('@', "%40").replace('/', "%2F");
        format!("postgres://{USER}:{password}@127.0.0.1:{}/{database}", self.port)
    }

    /// The port it listens on, stopped or not.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The folder of its socket.
    pub fn socket_folder(&self) -> &Path {
        &self.folder
    }

    /// Creates an empty database.
    ///
    /// # Panics
    ///
    /// When it already exists.
    pub fn create_database(&self, name: &str) {
        // The names come from tests, so they are safe.
        self.sql(&format!("CREATE DATABASE {name}"));
    }

    /// Runs statements as the superuser in the database `postgres`, and returns the rows without headers.
    ///
    /// # Panics
    ///
    /// When that fails.
    pub fn sql(&self, sql: &str) -> String {
        self.sql_in("postgres", sql)
    }

    /// Runs statements as the superuser, and returns the rows without headers.
    ///
    /// # Panics
    ///
    /// When that fails.
    pub fn sql_in(&self, database: &str, sql: &str) -> String {
        let mut psql = self.program("psql");
        psql.arg("-h").arg(&self.folder).args(["-p", &self.port.to_string(), "-U", USER, "-d", database]);
        psql.args(["-XAtq", "-v", "ON_ERROR_STOP=1", "-c", sql]).env("PGPASSWORD", PASSWORD);
        String::from_utf8_lossy(&run(psql).stdout).trim().to_owned()
    }

    /// Shuts it down (mode `fast`): sessions are terminated.
    ///
    /// # Panics
    ///
    /// When that fails.
    pub fn stop(&self) {
        self.control(&["stop", "-m", "fast"]);
    }

    /// Stops it as in a crash (mode `immediate`): the next start recovers.
    ///
    /// # Panics
    ///
    /// When that fails.
    pub fn kill(&self) {
        self.control(&["stop", "-m", "immediate"]);
    }

    /// Starts it again after [`stop`](Self::stop) or [`kill`](Self::kill), on the same port.
    ///
    /// # Panics
    ///
    /// When that fails.
    pub fn restart(&self) {
        let log = self.folder.join("log");
        let options = format!(
            "-p {} -k {} -c listen_addresses=127.0.0.1 -c fsync=off -c max_connections=60",
            self.port,
            self.folder.display()
        );
        self.control(&["start", "-l", &log.to_string_lossy(), "-o", &options]);
    }

    /// Enables TLS from its next start on, with this certificate and its key (both PEM).
    ///
    /// # Panics
    ///
    /// When that fails.
    pub fn use_certificate(&self, certificate: &str, key: &str) {
        let owner = fs::metadata(self.data()).expect("the cluster is there").uid();
        for (name, text) in [("server.crt", certificate), ("server.key", key)] {
            let mut file = OpenOptions::new();
            let file = file.write(true).create(true).truncate(true).mode(0o600).open(self.data().join(name));
            let mut file = file.expect("the folder of the cluster is writable");
            file.write_all(text.as_bytes()).expect("the disk has room");
            fchown(&file, Some(owner), None).expect("the file can be given to the server");
        }
        self.sql("ALTER SYSTEM SET ssl = on");
    }

    fn initialize(&self) {
        if is_root() {
            // PostgreSQL refuses to run as root.
            let mut chown = Command::new("chown");
            run_quietly(chown.arg("postgres").arg(&self.folder));
        }
        let password = self.folder.join("password");
        fs::write(&password, PASSWORD).expect("the temporary folder is writable");
        if is_root() {
            run_quietly(Command::new("chown").arg("postgres").arg(&password));
        }
        let mut initdb = self.program("initdb");
        initdb.arg("-D").arg(self.data()).args([
            "-U",
            USER,
            "-A",
            "scram-sha-256",
            "-E",
            "UTF8",
            "--no-sync",
        ]);
        initdb.args(["--locale", "C"]).arg("--pwfile").arg(&password);
        run(initdb);
    }

    fn control(&self, arguments: &[&str]) {
        let mut control = self.program("pg_ctl");
        control.arg("-D").arg(self.data()).args(["-w", "-s", "-t", "60"]).args(arguments);
        // The server inherits open descriptors, and would keep a pipe open.
        control.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        // Its own process group, so that Ctrl-C stops the test and the guard, which then stops the server.
        control.process_group(0);
        let status = control.status().expect("pg_ctl can be run");
        let log = fs::read_to_string(self.folder.join("log")).unwrap_or_default();
        assert!(status.success(), "pg_ctl {arguments:?} failed:\n{log}");
    }

    fn data(&self) -> PathBuf {
        self.folder.join("data")
    }

    fn program(&self, name: &str) -> Command {
        as_unprivileged(&self.bin.join(name))
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        drop(self.guard.stdin.take());
        let _ = self.guard.wait();
    }
}

/// A shell that waits until its standard input closes, because the test ended or was killed, and then cleans up.
fn guard(bin: &Path, folder: &Path) -> Child {
    const SCRIPT: &str = r#"
        trap '' INT TERM HUP
        read -r _
        "$@" >/dev/null 2>&1
        rm -rf "$TAPIS_FOLDER"
    "#;
    let stop = as_unprivileged(&bin.join("pg_ctl"));
    let mut shell = Command::new("sh");
    shell.args(["-c", SCRIPT, "guard"]).arg(stop.get_program()).args(stop.get_args());
    shell.arg("-D").arg(folder.join("data")).args(["-m", "immediate", "-w", "stop"]);
    shell.env("TAPIS_FOLDER", folder).current_dir("/").process_group(0);
    shell.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
    shell.spawn().expect("a shell can be run")
}

fn as_unprivileged(program: &Path) -> Command {
    let mut command = if is_root() {
        let mut runuser = Command::new("runuser");
        runuser.args(["-u", "postgres", "--"]).arg(program);
        runuser
    } else {
        Command::new(program)
    };
    command.current_dir("/");
    command
}

fn programs() -> Option<PathBuf> {
    let complete = |folder: &PathBuf| ["initdb", "pg_ctl", "psql"].iter().all(|p| folder.join(p).exists());
    match variable("TAPIS_PG_BIN") {
        Some(folder) => Some(PathBuf::from(folder)).filter(complete),
        None => INSTALL_FOLDERS.map(PathBuf::from).into_iter().find(complete),
    }
}

#[expect(clippy::disallowed_methods, reason = "tests of libraries have no configuration")]
fn variable(name: &str) -> Option<std::ffi::OsString> {
    std::env::var_os(name).filter(|value| value != OsStr::new(""))
}

fn is_root() -> bool {
    fs::metadata("/proc/self").is_ok_and(|process| process.uid() == 0)
}

/// A free port below the ephemeral range: the port has to stay free while
/// the server is stopped, and a client must not connect to itself.
fn free_port() -> u16 {
    let random = || RandomState::new().build_hasher().finish();
    let mut ports = std::iter::repeat_with(|| 20_000 + (random() % 12_000) as u16).take(100);
    ports.find(|port| TcpListener::bind(("127.0.0.1", *port)).is_ok()).expect("the loopback has a free port")
}

fn run(mut command: Command) -> Output {
    let output = command.stdin(Stdio::null()).output().expect("the program can be run");
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{} failed: {error}", command.get_program().display());
    output
}

fn run_quietly(command: &mut Command) {
    let status = command.status().expect("the program can be run");
    assert!(status.success(), "{} failed", command.get_program().display());
}
