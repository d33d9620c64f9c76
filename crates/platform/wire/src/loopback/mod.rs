//! Every trait through a real server and client on a port of this machine: values, errors and
//! deadlines arrive as they were sent.

mod calls;
mod double;
mod terms;

use crate::{
    api::{Actor, Call},
    client, server,
};
use double::Double;
use std::{sync::Arc, time::Duration};
use tokio::{net::TcpListener, task::JoinHandle};
use tokio_util::task::TaskTracker;
use tonic::transport::{Channel, Server, server::TcpIncoming};

/// A server with a [`Double`] behind each service, and a channel to it.
struct Loopback {
    double: Arc<Double>,
    tasks: TaskTracker,
    channel: Channel,
    server: JoinHandle<Result<(), tonic::transport::Error>>,
}

impl Drop for Loopback {
    fn drop(&mut self) {
        self.server.abort();
    }
}

async fn loopback(double: Double) -> Loopback {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let (double, tasks) = (Arc::new(double), TaskTracker::new());
    let router = Server::builder()
        .add_service(server::risk(double.clone(), tasks.clone()))
        .add_service(server::execution(double.clone(), tasks.clone()))
        .add_service(server::strategy(double.clone(), tasks.clone()))
        .add_service(server::ingestion(double.clone(), tasks.clone()));
    let server = tokio::spawn(router.serve_with_incoming(TcpIncoming::from(listener)));
    Loopback {
        double,
        tasks,
        channel: client::connect(&address).unwrap(),
        server,
    }
}

fn call() -> Call {
    Call::new(Actor::GATEWAY, Duration::from_secs(4))
}
