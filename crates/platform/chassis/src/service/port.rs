//! A port that is taken at once and listened on later: that it is somebody else's shows at the start,
//! and nobody waits for an answer of a service that is not built yet.

use std::{io, net::SocketAddr};
use tokio::net::{TcpListener, TcpSocket};

/// Connections that may wait to be accepted.
const BACKLOG: u32 = 1_024;

/// An address that this process has to itself.
#[derive(Debug)]
pub struct Port {
    socket: TcpSocket,
    key: &'static str,
    address: SocketAddr,
}

/// An address cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum PortError {
    /// Another program has it.
    #[error("port {} of {} is taken; choose another with {key}", address.port(), address.ip())]
    Taken {
        /// What the configuration calls it.
        key: &'static str,
        /// The address.
        address: SocketAddr,
    },
    /// The system refuses.
    #[error("cannot listen on {address}; change {key}")]
    Refused {
        /// What the configuration calls it.
        key: &'static str,
        /// The address.
        address: SocketAddr,
        /// Why.
        #[source]
        source: io::Error,
    },
}

impl Port {
    /// Takes `address`, which the configuration calls `key`.
    ///
    /// # Errors
    /// [`PortError`].
    pub fn take(key: &'static str, address: SocketAddr) -> Result<Self, PortError> {
        let bind = || {
            let socket = match address {
                SocketAddr::V4(_) => TcpSocket::new_v4(),
                SocketAddr::V6(_) => TcpSocket::new_v6(),
            }?;
            // Connections of an earlier process may still be closing.
            socket.set_reuseaddr(true)?;
            socket.bind(address)?;
            Ok(socket)
        };
        let socket = bind().map_err(|source| PortError::of(key, address, source))?;
        Ok(Self {
            socket,
            key,
            address,
        })
    }

    /// Begins to listen.
    ///
    /// # Errors
    /// [`PortError`].
    pub fn listen(self) -> Result<TcpListener, PortError> {
        let (key, address) = (self.key, self.address);
        let listening = self.socket.listen(BACKLOG).and_then(|listener| {
            let address = listener.local_addr()?;
            tracing::info!(%address, key, "listening");
            Ok(listener)
        });
        listening.map_err(|source| PortError::of(key, address, source))
    }
}

impl PortError {
    fn of(key: &'static str, address: SocketAddr, source: io::Error) -> Self {
        match source.kind() {
            io::ErrorKind::AddrInUse => Self::Taken { key, address },
            _ => Self::Refused {
                key,
                address,
                source,
            },
        }
    }
}
