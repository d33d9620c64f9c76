//! A program of ours under test: started with a clean environment, ended in order or killed, its
//! output kept in a file.

use crate::process::{dying_with_us, spawn_from_lasting_thread};
use anyhow::{Context, Result};
use std::{
    ffi::OsString,
    fs::OpenOptions,
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Stdio},
};

/// Variables of the test run that begin so are no business of the program.
const NOT_INHERITED: [&str; 2] = ["PLOY_", "OTEL_"];

/// How a program is started.
#[derive(Debug, Clone)]
pub struct Program {
    path: PathBuf,
    arguments: Vec<OsString>,
    variables: Vec<(String, OsString)>,
    output: PathBuf,
}

impl Program {
    /// The program at `path`, whose output is added to the file `output`.
    #[must_use]
    pub fn new(path: impl Into<PathBuf>, output: impl Into<PathBuf>) -> Self {
        Self {
            path: path.into(),
            arguments: Vec::new(),
            variables: Vec::new(),
            output: output.into(),
        }
    }

    /// With one more argument.
    #[must_use]
    pub fn argument(mut self, argument: impl Into<OsString>) -> Self {
        self.arguments.push(argument.into());
        self
    }

    /// With an environment variable.
    #[must_use]
    pub fn variable(mut self, name: &str, value: impl Into<OsString>) -> Self {
        self.variables.push((name.to_owned(), value.into()));
        self
    }

    /// Starts it. It dies with the test run, whatever happens.
    ///
    /// # Errors
    /// When it cannot be started.
    pub fn start(&self) -> Result<RunningProgram> {
        let output = OpenOptions::new()
            .create(true)
            .append(true)
            .open(&self.output)
            .with_context(|| format!("cannot write {}", self.output.display()))?;
        let mut command = dying_with_us(&self.path, None, "KILL");
        for (name, _) in std::env::vars_os() {
            let text = name.to_string_lossy();
            if NOT_INHERITED.iter().any(|prefix| text.starts_with(prefix)) {
                command.env_remove(&name);
            }
        }
        command
            .args(&self.arguments)
            .envs(self.variables.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::null())
            .stdout(output.try_clone().context("cannot share the output")?)
            .stderr(output);
        let child = spawn_from_lasting_thread(command)
            .with_context(|| format!("cannot start {}", self.path.display()))?;
        Ok(RunningProgram {
            child,
            output: self.output.clone(),
        })
    }
}

/// A program that was started; killed when it goes out of scope.
#[derive(Debug)]
pub struct RunningProgram {
    child: Child,
    output: PathBuf,
}

impl RunningProgram {
    /// How it ended; `None` while it runs.
    ///
    /// # Errors
    /// When the system does not say.
    pub fn ended(&mut self) -> Result<Option<ExitStatus>> {
        self.child.try_wait().context("cannot ask for the end")
    }

    /// Kills it as a crash would (SIGKILL) and waits until it is gone.
    ///
    /// # Errors
    /// When the system refuses.
    pub fn kill(&mut self) -> Result<()> {
        self.child.kill().context("cannot kill")?;
        self.child.wait().context("cannot wait for the end")?;
        Ok(())
    }

    /// Asks it to end in order (SIGTERM) and does not wait.
    ///
    /// # Errors
    /// When the system refuses.
    pub fn terminate(&self) -> Result<()> {
        self.signal("-TERM")
    }

    /// Stands it still (SIGSTOP) until [`Self::thaw`]: its sockets stay open and nothing answers.
    ///
    /// # Errors
    /// When the system refuses.
    pub fn freeze(&self) -> Result<()> {
        self.signal("-STOP")
    }

    /// Lets it go on as if nothing had been (SIGCONT).
    ///
    /// # Errors
    /// When the system refuses.
    pub fn thaw(&self) -> Result<()> {
        self.signal("-CONT")
    }

    fn signal(&self, signal: &str) -> Result<()> {
        let id = self.child.id().to_string();
        let status = Command::new("kill").args([signal, &id]).status()?;
        anyhow::ensure!(status.success(), "cannot send {signal} to process {id}");
        Ok(())
    }

    /// Everything it has written so far, with what was in the file before.
    #[must_use]
    pub fn said(&self) -> String {
        let bytes = std::fs::read(&self.output).unwrap_or_default();
        String::from_utf8_lossy(&bytes).into_owned()
    }

    /// Where its output is.
    #[must_use]
    pub fn output(&self) -> &Path {
        &self.output
    }
}

impl Drop for RunningProgram {
    fn drop(&mut self) {
        // Fails only when it has ended already.
        drop(self.kill());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{TempDir, eventually};
    use std::time::Duration;

    async fn end(program: &mut RunningProgram) -> ExitStatus {
        eventually(Duration::from_secs(10), || {
            let ended = program.ended().unwrap();
            async move { ended }
        })
        .await
        .unwrap()
    }

    #[tokio::test]
    async fn its_output_and_its_end_are_seen() {
        let dir = TempDir::new().unwrap();
        let shell = Program::new("/bin/sh", dir.join("out"))
            .argument("-c")
            .argument("echo $GREETING; exit 3")
            .variable("GREETING", "hello");
        let mut running = shell.start().unwrap();
        assert_eq!(end(&mut running).await.code(), Some(3));
        assert_eq!(running.said(), "hello\n");
    }

    #[tokio::test]
    async fn it_can_be_ended_in_order_and_killed() {
        let dir = TempDir::new().unwrap();
        let sleeping = Program::new("/bin/sleep", dir.join("out")).argument("100");
        let mut running = sleeping.start().unwrap();
        assert_eq!(running.ended().unwrap(), None);
        running.terminate().unwrap();
        assert!(!end(&mut running).await.success());
        let mut running = sleeping.start().unwrap();
        running.kill().unwrap();
        assert!(running.ended().unwrap().is_some());
    }
}
