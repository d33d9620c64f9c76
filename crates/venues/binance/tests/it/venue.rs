//! A venue that says what a test tells it to: HTTP answers by rule, websockets by script.

use futures_util::{SinkExt, StreamExt};
use std::{future::Future, sync::Arc};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::mpsc,
    task::JoinHandle,
};
use tokio_tungstenite::{WebSocketStream, accept_async, tungstenite::Message};

/// What the venue does with a request.
#[derive(Debug, Clone)]
pub(crate) enum Reply {
    /// Answers with status, further header lines and body.
    Answer(u16, &'static str, String),
    /// Closes the connection after it has read the request.
    Hang,
}

/// A request as it arrived.
#[derive(Debug, Clone)]
pub(crate) struct Request {
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) query: String,
    pub(crate) body: String,
    pub(crate) head: String,
    /// The number of the connection it came on, from 0.
    pub(crate) connection: usize,
}

/// A listening HTTP side; ends with the test.
pub(crate) struct Http {
    pub(crate) address: String,
    pub(crate) requests: mpsc::Receiver<Request>,
    task: JoinHandle<()>,
}

impl Drop for Http {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Http {
    /// Answers every request as `rule` says.
    pub(crate) async fn start(rule: impl Fn(&Request) -> Reply + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let (sender, requests) = mpsc::channel(256);
        let rule = Arc::new(rule);
        let task = tokio::spawn(async move {
            let mut connection = 0;
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, connection, Arc::clone(&rule), sender.clone()));
                connection += 1;
            }
        });
        Self {
            address,
            requests,
            task,
        }
    }
}

async fn serve(
    mut stream: TcpStream,
    connection: usize,
    rule: Arc<impl Fn(&Request) -> Reply>,
    sender: mpsc::Sender<Request>,
) {
    while let Some(request) = read(&mut stream, connection).await {
        let reply = rule(&request);
        sender.send(request).await.ok();
        let Reply::Answer(status, headers, body) = reply else {
            return;
        };
        let length = body.len();
        let answer =
            format!("HTTP/1.1 {status} X\r\nContent-Length: {length}\r\n{headers}\r\n{body}");
        if stream.write_all(answer.as_bytes()).await.is_err() {
            return;
        }
    }
}

async fn read(stream: &mut TcpStream, connection: usize) -> Option<Request> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.ok()?);
    }
    let head = String::from_utf8(head).unwrap();
    let length = head.lines().find_map(|line| {
        let (name, value) = line.split_once(": ")?;
        name.eq_ignore_ascii_case("content-length")
            .then(|| value.parse().unwrap())
    });
    let mut body = vec![0; length.unwrap_or(0)];
    stream.read_exact(&mut body).await.ok()?;
    let mut words = head.split_whitespace();
    let method = words.next()?.to_owned();
    let target = words.next()?;
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let (path, query) = (path.to_owned(), query.to_owned());
    Some(Request {
        method,
        path,
        query,
        body: String::from_utf8(body).unwrap(),
        head,
        connection,
    })
}

/// One accepted websocket.
pub(crate) struct Peer(WebSocketStream<TcpStream>);

impl Peer {
    pub(crate) async fn send(&mut self, text: &str) {
        self.0.send(Message::text(text.to_owned())).await.unwrap();
    }

    /// The next text message of the client.
    pub(crate) async fn receive(&mut self) -> String {
        loop {
            if let Message::Text(text) = self.0.next().await.unwrap().unwrap() {
                return text.to_string();
            }
        }
    }

    /// Keeps the connection open, answering pings, until the client leaves.
    pub(crate) async fn linger(mut self) {
        while let Some(Ok(_)) = self.0.next().await {}
    }
}

/// Runs `script` with the number, from 0, and the socket of each connection.
pub(crate) async fn websocket<F>(script: impl Fn(usize, Peer) -> F + Send + 'static) -> String
where
    F: Future<Output = ()> + Send + 'static,
{
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    tokio::spawn(async move {
        let mut number = 0;
        while let Ok((stream, _)) = listener.accept().await {
            if let Ok(socket) = accept_async(stream).await {
                tokio::spawn(script(number, Peer(socket)));
                number += 1;
            }
        }
    });
    format!("ws://{address}")
}
