//! A private PostgreSQL server, durable as in production, and a new database for each test.

use crate::{
    TempDir, binaries, free_port,
    process::{self, Launch, Server},
};
use anyhow::{Context, Result};
use std::{
    path::PathBuf,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicU32, Ordering},
    },
};

/// The database's superuser, without password on the loopback interface.
const DATABASE_USER: &str = "ploy";
/// The server refuses to run as root; Debian's package makes this user.
const SYSTEM_USER: &str = "postgres";

/// How often a killed server is started again.
const START_ATTEMPTS: u32 = 5;

/// A PostgreSQL server in a directory of its own.
#[derive(Debug)]
pub struct PostgresServer {
    // Before the directory, so that the server is gone when its files go.
    server: Server,
    directory: TempDir,
    programs: PathBuf,
    port: u16,
    databases: AtomicU32,
}

impl PostgresServer {
    /// The server that all tests of this process share; started by the first, gone with the
    /// process.
    ///
    /// # Errors
    /// As [`Self::start`].
    pub fn shared() -> Result<&'static Self> {
        static SHARED: Mutex<Option<&'static PostgresServer>> = Mutex::new(None);
        let mut shared = SHARED.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(server) = *shared {
            return Ok(server);
        }
        let server: &'static Self = Box::leak(Box::new(Self::start()?));
        *shared = Some(server);
        Ok(server)
    }

    /// Starts one on a free port, for a test that stops it.
    ///
    /// # Errors
    /// When the binaries are missing and cannot be installed, or the server does not start.
    pub fn start() -> Result<Self> {
        let programs = binaries::postgres_folder()?;
        let (directory, port) = (TempDir::new()?, free_port()?);
        if process::is_root() {
            std::process::Command::new("chown")
                .arg(SYSTEM_USER)
                .arg(directory.path())
                .status()
                .context("cannot hand the directory to the database's user")?;
        }
        let data = directory.join("data").to_string_lossy().into_owned();
        let initdb = [
            "-D",
            &data,
            "-U",
            DATABASE_USER,
            "--auth=trust",
            "--no-sync",
        ];
        let locale = ["--encoding=UTF8", "--locale=C"];
        process::run(
            &programs.join("initdb"),
            Some(SYSTEM_USER),
            &[initdb.as_slice(), locale.as_slice()].concat(),
        )?;
        let server = launch(&programs, &directory, port)?;
        Ok(Self {
            server,
            directory,
            programs,
            port,
            databases: AtomicU32::new(0),
        })
    }

    /// Makes a new database and returns its URL.
    ///
    /// # Errors
    /// When the server does not answer.
    pub fn fresh_database(&self) -> Result<String> {
        let n = self.databases.fetch_add(1, Ordering::Relaxed);
        let name = format!("test_{n}");
        self.execute("postgres", &format!("CREATE DATABASE {name}"))?;
        Ok(self.url(&name))
    }

    /// The URL of a database of this server.
    #[must_use]
    pub fn url(&self, database: &str) -> String {
        format!(
            "postgres://{DATABASE_USER}@127.0.0.1:{}/{database}",
            self.port
        )
    }

    /// Runs a statement with `psql` and returns what it printed, unaligned and without headings.
    ///
    /// # Errors
    /// When the statement fails.
    pub fn execute(&self, database: &str, statement: &str) -> Result<String> {
        let port = self.port.to_string();
        let place = [
            "-X",
            "-h",
            "127.0.0.1",
            "-p",
            &port,
            "-U",
            DATABASE_USER,
            "-d",
            database,
        ];
        let what = ["-v", "ON_ERROR_STOP=1", "-qAt", "-c", statement];
        let psql = self.programs.join("psql");
        let answer = process::run(&psql, None, &[place.as_slice(), what.as_slice()].concat())?;
        Ok(answer.trim().to_owned())
    }

    /// Kills it as a crash would (SIGKILL). Its files stay.
    pub fn kill(&mut self) {
        self.server.kill();
    }

    /// Starts it again on the same port with the same files, killing it first if it runs.
    ///
    /// # Errors
    /// When it does not start.
    pub fn restart(&mut self) -> Result<()> {
        self.server.kill();
        let mut attempt = 1;
        loop {
            // Sessions of the killed server may take a moment to notice and let go of its memory.
            match launch(&self.programs, &self.directory, self.port) {
                Ok(server) => {
                    self.server = server;
                    return Ok(());
                }
                Err(error) if attempt == START_ATTEMPTS => return Err(error),
                Err(_) => attempt += 1,
            }
        }
    }
}

fn launch(programs: &std::path::Path, directory: &TempDir, port: u16) -> Result<Server> {
    let (program, port_text) = (programs.join("postgres"), port.to_string());
    let data = directory.join("data").to_string_lossy().into_owned();
    let mut arguments: Vec<String> = ["-D", &data, "-p", &port_text].map(str::to_owned).to_vec();
    for setting in [
        "listen_addresses=127.0.0.1",
        "unix_socket_directories=",
        "max_connections=200",
        "shared_buffers=32MB",
        "log_min_messages=warning",
    ] {
        arguments.extend(["-c".to_owned(), setting.to_owned()]);
    }
    let launch = Launch {
        program: &program,
        arguments,
        user: Some(SYSTEM_USER),
        directory: directory.path(),
    };
    let is_ready = programs.join("pg_isready");
    let question = ["-q", "-h", "127.0.0.1", "-p", &port_text];
    // SIGINT ends sessions and then the server; SIGTERM would wait for the sessions.
    Server::start(&launch, "INT", || {
        process::run(&is_ready, None, &question).is_ok()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn databases_are_separate_and_survive_a_crash() {
        let mut server = PostgresServer::start().unwrap();
        let (one, two) = (
            server.fresh_database().unwrap(),
            server.fresh_database().unwrap(),
        );
        assert_ne!(one, two);
        server
            .execute("test_0", "CREATE TABLE kept (n INT)")
            .unwrap();
        server
            .execute("test_0", "INSERT INTO kept VALUES (7)")
            .unwrap();
        server.kill();
        server.restart().unwrap();
        assert_eq!(server.execute("test_0", "SELECT n FROM kept").unwrap(), "7");
        assert_eq!(server.execute("test_0", "SHOW fsync").unwrap(), "on");
    }
}
