//! A private Redis server without persistence.

use crate::{
    TempDir, binaries, free_port,
    process::{Launch, Server},
};
use anyhow::Result;
use std::{
    io::{Read, Write},
    net::TcpStream,
    time::Duration,
};

/// A Redis server that keeps nothing on disk.
#[derive(Debug)]
pub struct RedisServer {
    server: Server,
    directory: TempDir,
    port: u16,
}

impl RedisServer {
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
        format!("redis://127.0.0.1:{}/", self.port)
    }

    /// Kills it as a crash would (SIGKILL).
    pub fn kill(&mut self) {
        self.server.kill();
    }

    /// Starts it again on the same port, empty, killing it first if it runs.
    ///
    /// # Errors
    /// When it does not start.
    pub fn restart(&mut self) -> Result<()> {
        self.server.kill();
        self.server = launch(&self.directory, self.port)?;
        Ok(())
    }
}

fn launch(directory: &TempDir, port: u16) -> Result<Server> {
    let program = binaries::program("redis-server", "redis-server")?;
    let port_text = port.to_string();
    let arguments = [
        "--port",
        &port_text,
        "--bind",
        "127.0.0.1",
        "--save",
        "",
        "--appendonly",
        "no",
    ];
    let launch = Launch {
        program: &program,
        arguments: arguments.map(str::to_owned).to_vec(),
        user: None,
        directory: directory.path(),
    };
    Server::start(&launch, "TERM", || answers(port))
}

fn answers(port: u16) -> bool {
    let Ok(mut stream) = TcpStream::connect(("127.0.0.1", port)) else {
        return false;
    };
    let mut pong = [0; 5];
    stream
        .set_read_timeout(Some(Duration::from_secs(1)))
        .is_ok()
        && stream.write_all(b"PING\r\n").is_ok()
        && stream.read_exact(&mut pong).is_ok()
        && &pong == b"+PONG"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_starts_dies_and_starts_again() {
        let mut server = RedisServer::start().unwrap();
        server.kill();
        assert!(!answers(server.port));
        server.restart().unwrap();
        assert!(answers(server.port));
    }
}
