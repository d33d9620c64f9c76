use ploy_chassis::{Clock, cache::Cache};
use ploy_testkit::{RedisServer, eventually};
use std::time::{Duration, Instant};

const HOUR: Duration = Duration::from_secs(3_600);

#[tokio::test]
async fn instances_share_their_counters_in_redis_and_are_stricter_without_it() {
    let mut redis = tokio::task::spawn_blocking(|| RedisServer::start().unwrap())
        .await
        .unwrap();
    let url = redis.url();
    let [one, other] = [(); 2].map(|()| Cache::open(&url, Clock::system()).unwrap());
    connected(&one).await;
    connected(&other).await;
    assert_eq!(one.incr_window("ann", HOUR, 2).await.count, 1);
    assert_eq!(other.incr_window("ann", HOUR, 2).await.count, 2);
    assert!(!one.incr_window("ann", HOUR, 2).await.allowed);

    redis.kill();
    let mut allowed = 0;
    for _ in 0..20 {
        let began = Instant::now();
        let rate = one.incr_window("bob", HOUR, 12).await;
        assert!(
            began.elapsed() < Duration::from_millis(400),
            "{:?}",
            began.elapsed()
        );
        assert!(rate.degraded);
        allowed += u32::from(rate.allowed);
    }
    assert_eq!(allowed, 3, "a quarter of the limit");
    assert!(one.ping().await.is_err());

    redis.restart().unwrap();
    connected(&one).await;
    assert!(!one.incr_window("bob", HOUR, 12).await.degraded);
}

async fn connected(cache: &Cache) {
    let answers = eventually(Duration::from_secs(10), || async {
        cache.ping().await.ok()
    });
    answers.await.unwrap();
}
