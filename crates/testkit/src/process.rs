//! Server processes: started so that they die with the test run, stopped by their exact id.

use anyhow::{Context, Result, bail};
use std::{
    fs::{self, File},
    net::TcpListener,
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::{
        OnceLock,
        atomic::{AtomicU32, Ordering},
        mpsc,
    },
    time::Duration,
};

/// How long a server may take to start.
pub(crate) const START_DEADLINE: Duration = Duration::from_secs(30);
/// How long a server may take to stop in order before it is killed.
const STOP_DEADLINE: Duration = Duration::from_secs(10);
/// Ports below the range that the kernel gives to outgoing connections.
const PORTS: std::ops::Range<u32> = 15_000..32_000;

/// A port of the loopback interface that nobody listens on now. Different for each call.
///
/// # Errors
/// When a thousand tries found none.
pub fn free_port() -> Result<u16> {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let count = PORTS.end - PORTS.start;
    for _ in 0..1_000 {
        // Test processes that run side by side start far apart.
        let step = NEXT.fetch_add(1, Ordering::Relaxed);
        let offset = std::process::id().wrapping_mul(7_919).wrapping_add(step) % count;
        let port = u16::try_from(PORTS.start + offset).context("ports have sixteen bits")?;
        if TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return Ok(port);
        }
    }
    bail!("no free port found")
}

/// Whether this process may do everything. Its own entry in `/proc` belongs to its user.
pub(crate) fn is_root() -> bool {
    fs::metadata("/proc/self").is_ok_and(|entry| entry.uid() == 0)
}

/// How a server is started.
pub(crate) struct Launch<'a> {
    pub(crate) program: &'a Path,
    pub(crate) arguments: Vec<String>,
    /// The user to run as when this process is root.
    pub(crate) user: Option<&'a str>,
    pub(crate) directory: &'a Path,
}

/// A running server.
#[derive(Debug)]
pub(crate) struct Server {
    child: Child,
    log: PathBuf,
    /// The signal that stops it in order.
    stop_signal: &'static str,
}

impl Server {
    /// Starts it and waits until `ready`.
    pub(crate) fn start(
        launch: &Launch<'_>,
        stop_signal: &'static str,
        ready: impl Fn() -> bool,
    ) -> Result<Self> {
        let log = launch.directory.join("server.log");
        let output = File::create(&log).with_context(|| format!("cannot write {log:?}"))?;
        let mut command = dying_with_us(launch.program, launch.user, stop_signal);
        command
            .args(&launch.arguments)
            .current_dir(launch.directory)
            .stdin(Stdio::null())
            .stdout(output.try_clone().context("cannot share the log")?)
            .stderr(output);
        let child = spawn_from_lasting_thread(command)
            .with_context(|| format!("cannot start {}", launch.program.display()))?;
        let mut server = Self {
            child,
            log,
            stop_signal,
        };
        let up = crate::wait::blocking_until(START_DEADLINE, || ready() || !server.is_running());
        if up && server.is_running() {
            return Ok(server);
        }
        bail!(
            "{} did not start:\n{}",
            launch.program.display(),
            server.last_words()
        )
    }

    /// Whether it runs.
    pub(crate) fn is_running(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(None))
    }

    /// Kills it as a crash would.
    pub(crate) fn kill(&mut self) {
        // Both fail only when it has ended already.
        drop(self.child.kill());
        drop(self.child.wait());
    }

    /// Stops it in order, or kills it if it does not.
    pub(crate) fn stop(&mut self) {
        let signal = format!("-{}", self.stop_signal);
        let asked = Command::new("kill")
            .arg(signal)
            .arg(self.child.id().to_string())
            .status();
        let obeyed =
            asked.is_ok() && crate::wait::blocking_until(STOP_DEADLINE, || !self.is_running());
        if !obeyed {
            self.kill();
        }
    }

    fn last_words(&self) -> String {
        let text = fs::read_to_string(&self.log).unwrap_or_default();
        let lines: Vec<&str> = text.lines().rev().take(20).collect();
        lines.into_iter().rev().collect::<Vec<_>>().join("\n")
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if self.is_running() {
            self.stop();
        }
    }
}

/// Runs a helper program to its end and returns its output.
pub(crate) fn run(program: &Path, user: Option<&str>, arguments: &[&str]) -> Result<String> {
    let output = dying_with_us(program, user, "KILL")
        .args(arguments)
        .current_dir("/")
        .output()
        .with_context(|| format!("cannot run {}", program.display()))?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    bail!(
        "{} failed: {}",
        program.display(),
        String::from_utf8_lossy(&output.stderr)
    )
}

/// A command whose process gets `signal` when the thread that starts it ends.
pub(crate) fn dying_with_us(program: &Path, user: Option<&str>, signal: &str) -> Command {
    let mut command = Command::new("setpriv");
    command.arg(format!("--pdeathsig={signal}"));
    if let Some(user) = user.filter(|_| is_root()) {
        command.args(["--reuid", user, "--regid", user, "--clear-groups"]);
    }
    command.arg("--").arg(program);
    command
}

type Order = (Command, mpsc::Sender<std::io::Result<Child>>);

/// Starts a process from a thread that lasts as long as this process. The kernel's signal at the
/// parent's death is bound to the parent *thread*, and a test's thread ends before the run does.
pub(crate) fn spawn_from_lasting_thread(command: Command) -> Result<Child> {
    static SPAWNER: OnceLock<mpsc::Sender<Order>> = OnceLock::new();
    let spawner = SPAWNER.get_or_init(|| {
        let (sender, orders) = mpsc::channel::<Order>();
        std::thread::spawn(move || {
            for (mut command, answer) in orders {
                // The one who asked may have given up; its process ends with ours.
                drop(answer.send(command.spawn()));
            }
        });
        sender
    });
    let (answer, answered) = mpsc::channel();
    spawner
        .send((command, answer))
        .context("the spawning thread has ended")?;
    answered
        .recv()
        .context("the spawning thread has ended")?
        .context("spawning failed")
}
