//! A PostgreSQL of a test's own, started from the binaries of the machine. Behind the feature `testing`.
//!
//! ```
//! use tapisservice_db::testing::Postgres;
//!
//! // `None` where the machine has no PostgreSQL, and the test is skipped.
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

/// The user of every database here.
pub const USER: &str = "tapis";

/// Its password, which no text may show.
pub const PASSWORD: &str = "canary-p@ss/word";

/// Where Debian, Fedora, macOS and others put the programs.
const FOLDERS: [&str; 7] = [
    "/usr/lib/postgresql/17/bin",
    "/usr/lib/postgresql/16/bin",
    "/usr/lib/postgresql/15/bin",
    "/usr/lib/postgresql/14/bin",
    "/usr/bin",
    "/usr/local/bin",
    "/opt/homebrew/bin",
];

/// A cluster in a temporary folder, on a free port of the loopback. It is stopped and deleted when it is dropped, and also
/// when the test is killed.
#[derive(Debug)]
pub struct Postgres {
    bin: PathBuf,
    folder: PathBuf,
    port: u16,
    /// Lives as long as its standard input is open, and cleans up then.
    guard: Child,
}

impl Postgres {
    /// Starts one, with an empty database `tapis`.
    ///
    /// The programs are searched in the folder that the variable `TAPIS_PG_BIN` names, else in the usual ones. Without them it
    /// says so and returns nothing, and the test is to be skipped.
    ///
    /// # Panics
    ///
    /// When PostgreSQL does not start, and when there is none while the variable `TAPIS_POSTGRES_REQUIRED` is set, as in CI.
    pub fn start() -> Option<Self> {
        let Some(bin) = programs() else {
            assert!(variable("TAPIS_POSTGRES_REQUIRED").is_none(), "no PostgreSQL: set TAPIS_PG_BIN");
            // Tests say this where they are run, not in a log.
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

    /// Makes an empty database.
    ///
    /// # Panics
    ///
    /// When it exists already.
    pub fn create_database(&self, name: &str) {
        // Names are the tests' own.
        self.sql(&format!("CREATE DATABASE {name}"));
    }

    /// Runs statements as the superuser in the database `postgres`, and returns the rows without ornaments.
    ///
    /// # Panics
    ///
    /// When that fails.
    pub fn sql(&self, sql: &str) -> String {
        self.sql_in("postgres", sql)
    }

    /// Runs statements as the superuser, and returns the rows without ornaments.
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

    /// Stops it in an orderly way: sessions are ended.
    ///
    /// # Panics
    ///
    /// When that fails.
    pub fn stop(&self) {
        self.control(&["stop", "-m", "fast"]);
    }

    /// Stops it as a crash does: everything is dropped, and the next start recovers.
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

    /// Lets it take connections over TLS, too, from its next start on, with this certificate and its key (both PEM).
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
        // The server inherits what this leaves open, and a pipe would never end.
        control.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        // Its own process group: what ends the test by Ctrl-C does not end it before the guard does.
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

/// A shell that waits until its standard input is closed, be it because the test ended or was killed, and cleans up then.
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
        None => FOLDERS.map(PathBuf::from).into_iter().find(complete),
    }
}

#[expect(clippy::disallowed_methods, reason = "tests of libraries have no configuration")]
fn variable(name: &str) -> Option<std::ffi::OsString> {
    std::env::var_os(name).filter(|value| value != OsStr::new(""))
}

fn is_root() -> bool {
    fs::metadata("/proc/self").is_ok_and(|process| process.uid() == 0)
}

/// A port that was free a moment ago, below those that the system gives to outgoing connections: the port has to stay free while
/// the server is stopped, and who connects to it then must not meet itself.
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
