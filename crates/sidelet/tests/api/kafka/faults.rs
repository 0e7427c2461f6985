//! Whatever breaks, nothing that was acknowledged is lost and each key keeps its order; repeats are counted.

use std::{
    collections::{HashMap, HashSet},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use axum::response::IntoResponse;
use backends::Kafka;
use serde_json::json;
use tokio::task::JoinSet;

use super::{component, subscribed};
use crate::harness::{Api, App, DEADLINE, Place, Process, app::answer, eventually, resiliency};

/// Keys, each with a writer that waits for each answer.
const KEYS: usize = 20;
/// Messages of each key.
const COUNT: usize = 500;

/// What is written, and by which sidecar now.
#[derive(Clone)]
struct Load {
    api: Arc<Mutex<Api>>,
    acknowledged: Arc<AtomicUsize>,
    /// Answers that were not 204.
    refused: Arc<AtomicUsize>,
}

impl Load {
    fn new(api: &Api) -> Self {
        Self { api: Arc::new(Mutex::new(api.clone())), acknowledged: Arc::default(), refused: Arc::default() }
    }

    fn acknowledged(&self) -> usize {
        self.acknowledged.load(Ordering::SeqCst)
    }

    /// Publishes everything, each message until it is acknowledged.
    fn begin(&self, topic: &str) -> JoinSet<()> {
        (0..KEYS).map(|key| self.clone().write(format!("{topic}?metadata.partitionKey=k{key}"), key)).collect()
    }

    async fn write(self, target: String, key: usize) {
        for number in 0..COUNT {
            let body = json!({"key": format!("k{key}"), "number": number}).to_string();
            let begin = Instant::now();
            while !self.publish(&target, body.clone()).await {
                assert!(begin.elapsed() < DEADLINE * 2, "no acknowledgement");
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
            self.acknowledged.fetch_add(1, Ordering::SeqCst);
        }
    }

    /// Whether it was acknowledged.
    async fn publish(&self, target: &str, body: String) -> bool {
        let api = self.api.lock().unwrap().clone();
        let request = api.client.post(format!("{}/v1.0/publish/pubsub/{target}", api.address)).body(body);
        let Ok(answer) = request.header("content-type", "application/json").send().await else { return false };
        if answer.status() == 204 {
            return true;
        }
        assert_eq!(answer.status(), 503, "what is away says so");
        assert!(answer.headers().contains_key("retry-after"));
        self.refused.fetch_add(1, Ordering::SeqCst);
        false
    }

    /// Waits until so many are acknowledged.
    async fn reach(&self, count: usize) {
        eventually("some acknowledgements", async || (self.acknowledged() >= count).then_some(())).await;
    }
}

/// The numbers that came, in the order in which each came first, and how often one came again.
fn history(app: &App) -> (HashMap<String, Vec<i64>>, usize) {
    let (mut first, mut repeats) = (HashMap::<String, Vec<i64>>::new(), 0);
    let mut seen = HashSet::new();
    for delivered in app.delivered() {
        let data = delivered.data();
        let (key, number) = (data["key"].as_str().unwrap().to_owned(), data["number"].as_i64().unwrap());
        if seen.insert((key.clone(), number)) {
            first.entry(key).or_default().push(number);
        } else {
            repeats += 1;
        }
    }
    (first, repeats)
}

/// Waits until all has come, and checks it. Gives how many repeats there were.
async fn check(app: &App, what: &str) -> usize {
    let all = KEYS * COUNT;
    eventually("every message", async || {
        if app.delivered().len() < all {
            return None;
        }
        (history(app).0.values().map(Vec::len).sum::<usize>() == all).then_some(())
    })
    .await;
    let (first, repeats) = history(app);
    assert_eq!(first.len(), KEYS);
    let wanted: Vec<i64> = (0..i64::try_from(COUNT).unwrap()).collect();
    for (key, numbers) in first {
        assert_eq!(numbers, wanted, "{key}: each in order, none lost");
    }
    println!("{what}: {all} messages, none lost, in order; {repeats} repeats");
    repeats
}

fn place(brokers: &str, topic: &str, app: &App) -> Place {
    let mut place = Place::new(&format!("{}{}", component(brokers, &[]), subscribed(topic, "")));
    place.serve(app);
    place
}

/// Waits until one more delivery comes than there were, and gives how long that took.
async fn recovery(app: &App, since: Instant) -> Duration {
    let before = app.delivered().len();
    app.wait_for(before + 1).await;
    since.elapsed()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broker_that_is_killed_and_comes_back_loses_nothing() {
    let mut kafka = Kafka::start().await.unwrap();
    let app = App::start().await;
    let sidecar = place(&kafka.brokers(), "killed", &app).start().await;
    let load = Load::new(&sidecar.api);
    let writers = load.begin("killed");
    for round in 1..=2 {
        load.reach(round * 2500).await;
        kafka.kill();
        let refused = load.refused.load(Ordering::SeqCst);
        eventually("a refusal", async || (load.refused.load(Ordering::SeqCst) > refused).then_some(())).await;
        kafka.start_again().await.unwrap();
        let took = recovery(&app, Instant::now()).await;
        println!("broker killed: deliveries go on {took:?} after it is back");
        assert!(took < Duration::from_secs(10), "{took:?}");
    }
    writers.join_all().await;
    check(&app, "broker killed twice").await;
    sidecar.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broker_that_does_not_answer_for_a_while_loses_nothing() {
    let kafka = Kafka::start().await.unwrap();
    let app = App::start().await;
    let sidecar = place(&kafka.brokers(), "paused", &app).start().await;
    let load = Load::new(&sidecar.api);
    let writers = load.begin("paused");
    load.reach(3000).await;
    let since = Instant::now();
    kafka.pause().unwrap();
    eventually("a refusal", async || (load.refused.load(Ordering::SeqCst) > 0).then_some(())).await;
    println!("broker paused: a publish is refused after {:?}", since.elapsed());
    // Longer than a request waits, and than a session lasts.
    eventually("a longer pause", async || (since.elapsed() > Duration::from_secs(15)).then_some(())).await;
    kafka.resume().unwrap();
    let took = recovery(&app, Instant::now()).await;
    println!("broker paused: deliveries go on {took:?} after it goes on");
    assert!(took < Duration::from_secs(10), "{took:?}");
    writers.join_all().await;
    check(&app, "broker paused").await;
    sidecar.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_publish_that_is_tried_again_while_the_broker_is_away_does_not_come_as_often() {
    let kafka = Kafka::start().await.unwrap();
    let app = App::start().await;
    let policy = "{policies: {timeouts: {short: 500ms}, retries: {few: {duration: 100ms, maxRetries: 8}}},
        targets: {components: {pubsub: {outbound: {timeout: short, retry: few}}}}}";
    let documents = format!("{}{}{}", component(&kafka.brokers(), &[]), subscribed("copies", ""), resiliency(policy));
    let mut place = Place::new(&documents);
    place.serve(&app);
    let sidecar = place.start().await;
    sidecar.api.publish("copies", "k", 0).await;
    app.wait_for(1).await;
    kafka.pause().unwrap();
    let body = json!({"key": "k", "number": 1}).to_string();
    let refused = sidecar.api.post("/v1.0/publish/pubsub/copies?metadata.partitionKey=k", body).await;
    assert_eq!(refused.status, 503, "{refused:?}");
    kafka.resume().unwrap();
    let last = json!({"key": "k", "number": 2}).to_string();
    eventually("the broker takes messages again", async || {
        let path = "/v1.0/publish/pubsub/copies?metadata.partitionKey=k";
        (sidecar.api.post(path, last.clone()).await.status == 204).then_some(())
    })
    .await;
    let count = |number: i64| app.delivered().iter().filter(|delivered| delivered.data()["number"] == number).count();
    eventually("the last message", async || (count(2) > 0).then_some(())).await;
    assert!((1..=3).contains(&count(1)), "{} copies", count(1));
    sidecar.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sidecar_that_is_killed_again_and_again_loses_nothing() {
    let kafka = Kafka::shared().await.unwrap();
    let app = App::start().await;
    let place = place(&kafka.brokers(), "kafka-kills", &app);
    let mut process = Process::start(&place);
    let load = Load::new(&process.api);
    let writers = load.begin("kafka-kills");
    for round in 1..=5 {
        load.reach(round * 1500).await;
        let before = app.delivered().len();
        app.wait_for(before + 200).await;
        process.kill();
        let since = Instant::now();
        process = Process::start(&place);
        *load.api.lock().unwrap() = process.api.clone();
        let took = recovery(&app, since).await;
        println!("sidecar killed: deliveries go on {took:?} after the next one was started");
        assert!(took < Duration::from_secs(15), "{took:?}");
    }
    writers.join_all().await;
    // What was answered in the last 100 ms before a kill, and what was on its way, comes again.
    let repeats = check(&app, "sidecar killed 5 times").await;
    assert!(repeats < KEYS * COUNT / 2, "{repeats} repeats");
    process.kill();
}

#[tokio::test(flavor = "multi_thread")]
async fn sidecars_that_come_and_go_hand_partitions_over_without_loss_or_repeats() {
    let kafka = Kafka::shared().await.unwrap();
    let app = App::start().await;
    let place = place(&kafka.brokers(), "kafka-storm", &app);
    let first = place.start().await;
    let load = Load::new(&first.api);
    let writers = load.begin("kafka-storm");
    for round in 1..=6 {
        load.reach(round * 1000).await;
        let second = place.start().await;
        // On a quick machine the last of them come before the last round.
        let more = (app.delivered().len() + 300).min(KEYS * COUNT);
        app.wait_for(more).await;
        second.stop().await;
    }
    writers.join_all().await;
    let repeats = check(&app, "a second sidecar came and went 6 times").await;
    // Whoever gives a partition up has answered and committed everything of it.
    assert_eq!(repeats, 0);
    first.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_app_that_is_slow_fails_and_goes_away_gets_everything_in_order() {
    let tried = Arc::new(Mutex::new(HashSet::new()));
    let taken = Arc::new(Mutex::new(HashMap::<String, Vec<i64>>::new()));
    let (calls, slow) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicBool::new(true)));
    let mut app = App::answering({
        let (slow, taken) = (slow.clone(), taken.clone());
        move |delivered| {
            let call = calls.fetch_add(1, Ordering::SeqCst);
            if slow.load(Ordering::SeqCst) && call % 50 == 0 {
                std::thread::sleep(Duration::from_millis(20));
            }
            let data = delivered.data();
            let number = data["number"].as_i64().unwrap();
            let first = tried.lock().unwrap().insert((data["key"].to_string(), number));
            match number % 97 {
                7 if first => answer(500, "").into_response(),
                19 if first => answer(200, r#"{"status":"RETRY"}"#).into_response(),
                _ => {
                    taken.lock().unwrap().entry(data["key"].to_string()).or_default().push(number);
                    answer(200, "").into_response()
                }
            }
        }
    })
    .await;
    let kafka = Kafka::shared().await.unwrap();
    let sidecar = place(&kafka.brokers(), "kafka-moody", &app).start().await;
    let load = Load::new(&sidecar.api);
    let writers = load.begin("kafka-moody");
    for round in 1..=3 {
        load.reach(round * 2500).await;
        app.leave().await;
        let came = app.delivered().len();
        load.reach(round * 2500 + 300).await;
        assert!(app.delivered().len() <= came + 64, "nobody listens");
        app.listen().await;
        let took = recovery(&app, Instant::now()).await;
        println!("app away: deliveries go on {took:?} after it is back");
    }
    slow.store(false, Ordering::SeqCst);
    writers.join_all().await;
    check(&app, "app slow, failing and away").await;
    for numbers in taken.lock().unwrap().values_mut() {
        // A call that broke off when the app left was taken, and comes again.
        let mut last = -1;
        numbers.retain(|number| {
            let new = *number > last;
            last = last.max(*number);
            new
        });
        assert_eq!(*numbers, (0..i64::try_from(COUNT).unwrap()).collect::<Vec<_>>(), "none overtakes one that failed");
    }
    sidecar.stop().await;
}
