//! A private NATS server with JetStream.

use crate::{
    TempDir, binaries, free_port,
    process::{Launch, Server},
};
use anyhow::Result;
use std::{io::Read, net::TcpStream, time::Duration};

/// A NATS server with JetStream in a directory of its own.
#[derive(Debug)]
pub struct NatsServer {
    // Before the directory, so that the server is gone when its files go.
    server: Server,
    directory: TempDir,
    port: u16,
}

impl NatsServer {
    /// Starts one on a free port.
    ///
    /// # Errors
    /// When the binary is missing and cannot be installed, or the server does not start.
    pub fn start() -> Result<Self> {
        let (directory, port) = (TempDir::new()?, free_port()?);
        let server = launch(&directory, port)?;
        Ok(Self {
            server,
            directory,
            port,
        })
    }

    /// Where it listens.
    #[must_use]
    pub fn url(&self) -> String {
        format!("nats://127.0.0.1:{}", self.port)
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
        self.server = launch(&self.directory, self.port)?;
        Ok(())
    }

    /// Starts it again on the same port with an empty store: the whole bus was lost.
    ///
    /// # Errors
    /// When it does not start.
    pub fn restart_empty(&mut self) -> Result<()> {
        self.server.kill();
        std::fs::remove_dir_all(self.directory.join("jetstream"))?;
        self.restart()
    }
}

fn launch(directory: &TempDir, port: u16) -> Result<Server> {
    let program = binaries::program("nats-server", "nats-server")?;
    let store = directory.path().to_string_lossy().into_owned();
    let port_text = port.to_string();
    let arguments = ["-js", "-a", "127.0.0.1", "-p", &port_text, "-sd", &store];
    let launch = Launch {
        program: &program,
        arguments: arguments.map(str::to_owned).to_vec(),
        user: None,
        directory: directory.path(),
    };
    Server::start(&launch, "TERM", || greets(port))
}

/// Whether it says hello: it does so once it serves.
fn greets(port: u16) -> bool {
    let Ok(mut stream) = TcpStream::connect(("127.0.0.1", port)) else {
        return false;
    };
    let mut hello = [0; 4];
    stream
        .set_read_timeout(Some(Duration::from_secs(1)))
        .is_ok()
        && stream.read_exact(&mut hello).is_ok()
        && &hello == b"INFO"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_starts_dies_and_starts_again() {
        let mut server = NatsServer::start().unwrap();
        server.kill();
        assert!(!greets(server.port));
        server.restart().unwrap();
        assert!(greets(server.port));
    }
}
