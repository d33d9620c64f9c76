use crate::log_owner::{Owner, event, main_account};
use ploy_chassis::{
    Clock,
    grpc::GrpcServer,
    health::{Check, Dependency, Group, HealthRegistry},
};
use ploy_testkit::eventually;
use ploy_wire::{
    api::{Actor, ApiCode, Call, ExecutionApi},
    client::{ExecutionClient, connect},
};
use std::{sync::Arc, time::Duration};
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tonic::transport::Channel;
use tonic_health::pb::{HealthCheckRequest, health_client::HealthClient};
use tonic_reflection::pb::v1::{
    ServerReflectionRequest, server_reflection_client::ServerReflectionClient,
    server_reflection_request::MessageRequest, server_reflection_response::MessageResponse,
};

const SOON: Duration = Duration::from_secs(5);
const EXECUTION: &str = "ploy.v1.ExecutionService";

struct Scene {
    channel: Channel,
    store: Check,
    stop: CancellationToken,
    task: tokio::task::JoinHandle<Result<(), ploy_chassis::grpc::GrpcError>>,
}

async fn serve(owner: Owner) -> Scene {
    let registry = HealthRegistry::new("execution", Clock::system());
    let store = registry.register(Dependency::required("store", Group::Database));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let service = ploy_wire::server::execution(Arc::new(owner), TaskTracker::new());
    let stop = CancellationToken::new();
    let server = GrpcServer::new(registry).with(service);
    let task = tokio::spawn(server.serve(listener, stop.clone()));
    Scene {
        channel: connect(&address).unwrap(),
        store,
        stop,
        task,
    }
}

fn call() -> Call {
    Call::new(Actor::RISK, Duration::from_secs(2))
}

#[tokio::test]
async fn a_service_answers_over_the_wire_and_ends_in_order() {
    let owner = Owner::with(9);
    let scene = serve(owner.clone()).await;
    let client = ExecutionClient::new(scene.channel.clone());
    let head = client.head(main_account(), call()).await.unwrap();
    assert_eq!(head.seq, 9);
    let page = client.replay(main_account(), 8, 10, call()).await.unwrap();
    assert_eq!(page, [event(8), event(9)]);
    owner.silence(true);
    let refused = client.head(main_account(), call()).await.unwrap_err();
    assert_eq!(refused.code, ApiCode::Unavailable);
    scene.stop.cancel();
    drop((client, scene.channel));
    tokio::time::timeout(SOON, scene.task)
        .await
        .unwrap()
        .unwrap()
        .unwrap();
}

#[tokio::test]
async fn the_health_of_a_service_follows_its_registry() {
    let scene = serve(Owner::default()).await;
    let status = || {
        let mut health = HealthClient::new(scene.channel.clone());
        async move {
            let request = HealthCheckRequest {
                service: EXECUTION.into(),
            };
            health.check(request).await.unwrap().into_inner().status
        }
    };
    let (serving, not_serving) = (1, 2);
    let becomes = |wanted: i32| {
        eventually(SOON, move || async move {
            (status().await == wanted).then_some(())
        })
    };
    becomes(not_serving).await.unwrap();
    scene.store.up(Duration::ZERO);
    becomes(serving).await.unwrap();
    scene.store.down("gone");
    becomes(not_serving).await.unwrap();
}

#[tokio::test]
async fn reflection_lists_the_services() {
    let scene = serve(Owner::default()).await;
    let mut client = ServerReflectionClient::new(scene.channel.clone());
    let request = ServerReflectionRequest {
        host: String::new(),
        message_request: Some(MessageRequest::ListServices(String::new())),
    };
    let requests = futures_util::stream::iter([request]);
    let mut answers = client
        .server_reflection_info(requests)
        .await
        .unwrap()
        .into_inner();
    let answer = answers.message().await.unwrap().unwrap();
    let Some(MessageResponse::ListServicesResponse(list)) = answer.message_response else {
        panic!("{answer:?}");
    };
    let names: Vec<_> = list
        .service
        .into_iter()
        .map(|service| service.name)
        .collect();
    assert!(names.iter().any(|name| name == EXECUTION), "{names:?}");
    assert!(
        names.iter().any(|name| name == "grpc.health.v1.Health"),
        "{names:?}"
    );
}
