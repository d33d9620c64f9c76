//! A websocket with a deadline on everything but waiting for the next message. Answers pings and
//! tells signs of life from content; reconnecting is the supervisor's business.

use crate::tls;
use futures_util::{SinkExt, StreamExt};
use std::{sync::Arc, time::Duration};
use tokio::{net::TcpStream, time::timeout};
use tokio_tungstenite::{
    Connector, MaybeTlsStream, WebSocketStream, connect_async_tls_with_config,
    tungstenite::{Message, Utf8Bytes, protocol::WebSocketConfig},
};

/// Name, TCP, TLS and upgrade together.
const CONNECT_DEADLINE: Duration = Duration::from_secs(5);
/// Handing a frame to the system.
const SEND_DEADLINE: Duration = Duration::from_secs(2);
/// A depth difference of a wild minute has some hundred kilobytes.
const MESSAGE_MAX: usize = 4 << 20;

/// What came in.
#[derive(Debug)]
pub(crate) enum Inbound {
    /// A message.
    Text(Utf8Bytes),
    /// A ping, a pong or a binary frame: alive, and nothing to read.
    Life,
}

/// An open websocket.
#[derive(Debug)]
pub(crate) struct Socket(WebSocketStream<MaybeTlsStream<TcpStream>>);

/// Whether a URL needs TLS decides the scheme; the connector is only used for `wss`.
fn connector() -> Result<Connector, String> {
    let config = tls::client_config().map_err(|error| error.to_string())?;
    Ok(Connector::Rustls(Arc::new(config)))
}

impl Socket {
    /// Connects to `url`. Errors are texts: there is one thing to do about them, connect again.
    pub(crate) async fn connect(url: &str) -> Result<Self, String> {
        let config = WebSocketConfig::default()
            .max_message_size(Some(MESSAGE_MAX))
            .max_frame_size(Some(MESSAGE_MAX));
        let connector = Some(connector()?);
        let connecting = connect_async_tls_with_config(url, Some(config), true, connector);
        match timeout(CONNECT_DEADLINE, connecting).await {
            Ok(Ok((stream, _))) => Ok(Self(stream)),
            Ok(Err(error)) => Err(format!("cannot connect: {error}")),
            Err(_) => Err(format!(
                "no connection within {} ms",
                CONNECT_DEADLINE.as_millis()
            )),
        }
    }

    /// Waits for the next frame. Cancel-safe: a partly read frame stays in the stream's buffer.
    pub(crate) async fn next(&mut self) -> Result<Inbound, String> {
        match self.0.next().await {
            Some(Ok(Message::Text(text))) => Ok(Inbound::Text(text)),
            Some(Ok(Message::Close(Some(frame)))) => Err(format!(
                "closed by the venue: {} {}",
                frame.code, frame.reason
            )),
            Some(Ok(Message::Close(None))) | None => Err("closed by the venue".to_owned()),
            Some(Ok(
                Message::Ping(_) | Message::Pong(_) | Message::Binary(_) | Message::Frame(_),
            )) => Ok(Inbound::Life),
            Some(Err(error)) => Err(error.to_string()),
        }
    }

    /// Sends a text message.
    pub(crate) async fn send(&mut self, text: String) -> Result<(), String> {
        self.hand_over(Message::text(text)).await
    }

    /// Asks for a sign of life.
    pub(crate) async fn ping(&mut self) -> Result<(), String> {
        self.hand_over(Message::Ping(Default::default())).await
    }

    async fn hand_over(&mut self, message: Message) -> Result<(), String> {
        match timeout(SEND_DEADLINE, self.0.send(message)).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(error)) => Err(error.to_string()),
            Err(_) => Err(format!(
                "cannot write within {} ms",
                SEND_DEADLINE.as_millis()
            )),
        }
    }
}
