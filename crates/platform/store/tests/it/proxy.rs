//! A TCP proxy in front of the database that can swallow the answer to a commit.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};

pub(crate) struct Proxy {
    pub(crate) port: u16,
    armed: Arc<AtomicBool>,
}

impl Proxy {
    pub(crate) async fn to(server: u16) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let armed = Arc::new(AtomicBool::new(false));
        let swallow = Arc::clone(&armed);
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let server = TcpStream::connect(("127.0.0.1", server)).await.unwrap();
                tokio::spawn(forward(client, server, Arc::clone(&swallow)));
            }
        });
        Self { port, armed }
    }

    /// The next commit is delivered, and its answer is not.
    pub(crate) fn swallow_the_next_commits_answer(&self) {
        self.armed.store(true, Ordering::SeqCst);
    }

    /// Whether the fault has acted.
    pub(crate) fn has_swallowed(&self) -> bool {
        !self.armed.load(Ordering::SeqCst)
    }
}

async fn forward(mut client: TcpStream, mut server: TcpStream, swallow: Arc<AtomicBool>) {
    let (mut question, mut answer) = (vec![0; 65_536], vec![0; 65_536]);
    loop {
        tokio::select! {
            read = client.read(&mut question) => {
                let Ok(count @ 1..) = read else { return };
                // With its end, since "READ COMMITTED" begins alike.
                let is_commit = question[..count].windows(7).any(|window| window == b"COMMIT\0");
                if server.write_all(&question[..count]).await.is_err() { return }
                if is_commit && swallow.swap(false, Ordering::SeqCst) {
                    // Executed, since the server answers; the client only sees a closed door.
                    drop(server.read(&mut answer).await);
                    return;
                }
            }
            read = server.read(&mut answer) => {
                let Ok(count @ 1..) = read else { return };
                if client.write_all(&answer[..count]).await.is_err() { return }
            }
        }
    }
}
