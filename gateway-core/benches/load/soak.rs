//! Everything that can happen to a request, for minutes: then nothing may be
//! running, every count must be exact, and memory must not have grown.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::time::Duration;

use futures::future::{join, join_all};
use tokio::time::{Instant, sleep};

use crate::exchange::{Answer, Exchange, Stop, chat};
use crate::server::Server;
use crate::support::get;

/// How much more memory than after the first sixth is still none, in MiB: what
/// an allocator keeps is not the same at every moment.
const SLACK: f64 = 1.0;

/// Longest body in bytes; [`chat`] has half of it.
const MAX_BODY: usize = 8 << 10;

/// One kind of request, and what must have been counted for each.
struct Kind {
    exchange: Exchange,
    stop: Stop,
    counted: &'static [&'static str],
    times: Cell<u64>,
}

/// Plays them all in turn, from sixteen clients, and checks the end.
///
/// # Panics
/// A count is wrong, a request is left running, or memory has grown.
pub(crate) async fn run(minutes: f64) {
    let server = Server::gateway_core(
        "10.0.0.7:8000",
        &["--rewrite=m-r=m-a:1", &format!("--max-body={MAX_BODY}")],
    );
    let span = Duration::from_secs_f64(minutes * 60.0);
    let deadline = Instant::now() + span;
    let kinds = kinds();
    let clients = (0..16).map(|first| play(&server, &kinds, first, deadline));
    let watch = async {
        let mut memory = Vec::new();
        while Instant::now() < deadline {
            sleep(span / 12).await;
            // Readers come at all times too.
            page(&server).await;
            memory.push(server.memory().0);
        }
        memory
    };
    let (_, memory) = join(join_all(clients), watch).await;

    let mut expected = BTreeMap::<_, u64>::new();
    for kind in &kinds {
        for series in kind.counted {
            *expected.entry(series.to_string()).or_default() += kind.times.get();
        }
    }
    expected.extend(RUNNING.map(|series| (series.to_owned(), 0)));
    let counts = settled(&server, &expected).await;
    let requests: u64 = kinds.iter().map(|kind| kind.times.get()).sum();
    println!("{requests} requests; memory over time in MiB: {memory:.1?}");
    for (series, count) in &counts {
        println!("{count:>9} {series}");
    }
    assert_eq!(counts, expected, "what was counted, and what happened");
    assert!(
        memory.last() <= memory.get(1).map(|early| early + SLACK).as_ref(),
        "memory grows: {memory:?}"
    );
}

const SENT: &str = r#"request_total{model_name="m-a",target_model_name="m-a"}"#;
const ANSWERED: &str =
    r#"request_duration_seconds_count{model_name="m-a",target_model_name="m-a"}"#;
const FAILED: &str =
    r#"request_error_total{error_code="503",model_name="m-a",target_model_name="m-a"}"#;
const NAMELESS: &str =
    r#"request_error_total{error_code="BadRequest",model_name="",target_model_name=""}"#;
const TOO_LONG: &str =
    r#"request_error_total{error_code="PayloadTooLarge",model_name="",target_model_name=""}"#;
const REWRITTEN: &str = r#"request_total{model_name="m-r",target_model_name="m-a"}"#;
const REWRITTEN_TOKENS: &str = r#"output_tokens_count{model_name="m-r",target_model_name="m-a"}"#;
const CANCELLED: &str = r#"request_cancelled_total{model_name="m-a",target_model_name="m-a"}"#;
const TOKENS: &str = r#"output_tokens_count{model_name="m-a",target_model_name="m-a"}"#;
const RUNNING: [&str; 2] = [
    r#"running_requests{model_name="m-a"}"#,
    r#"running_requests{model_name="m-r"}"#,
];

fn kinds() -> Vec<Kind> {
    let kind = |body: &[u8], answer: Answer, stop, counted| Kind {
        exchange: Exchange::completion(body, &answer),
        stop,
        counted,
        times: Cell::new(0),
    };
    let chat = chat("m-a");
    let list = kind(b"", Answer::error(200), Stop::Never, &[]);
    vec![
        kind(
            &chat,
            Answer::whole(),
            Stop::Never,
            &[SENT, ANSWERED, TOKENS],
        ),
        kind(
            &chat,
            Answer::stream(),
            Stop::Never,
            &[SENT, ANSWERED, TOKENS],
        ),
        kind(
            &chat,
            Answer::error(503),
            Stop::Never,
            &[SENT, ANSWERED, FAILED],
        ),
        kind(b"no JSON", Answer::whole(), Stop::Never, &[NAMELESS]),
        kind(
            &[b'x'; MAX_BODY + 1],
            Answer::whole(),
            Stop::Never,
            &[TOO_LONG],
        ),
        kind(
            &self::chat("m-r"),
            Answer::stream(),
            Stop::Never,
            &[REWRITTEN, REWRITTEN_TOKENS],
        ),
        kind(&chat, Answer::whole(), Stop::InRequest, &[]),
        kind(
            &chat,
            Answer::whole(),
            Stop::BeforeResponse,
            &[SENT, CANCELLED],
        ),
        kind(
            &chat,
            Answer::stream(),
            Stop::InResponse,
            &[SENT, CANCELLED],
        ),
        Kind {
            exchange: list.exchange.without_body(),
            ..list
        },
    ]
}

/// One client, which begins with the kind of its own number.
async fn play(server: &Server, kinds: &[Kind], first: usize, deadline: Instant) {
    let mut client = server.connect().await;
    for kind in kinds.iter().cycle().skip(first % kinds.len()) {
        if Instant::now() >= deadline {
            return;
        }
        let played = kind.exchange.play(&mut client, kind.stop).await;
        played.expect("an exchange without an error");
        kind.times.set(kind.times.get() + 1);
    }
}

/// The counts of these series, once they are as expected, or what they are
/// after five seconds: cancellations take their time.
async fn settled(server: &Server, expected: &BTreeMap<String, u64>) -> BTreeMap<String, u64> {
    let deadline = Instant::now() + Duration::from_secs(5);
    loop {
        let page = page(server).await;
        let counts = page.lines().filter_map(|line| {
            let (series, count) = line.strip_prefix("inference_model_")?.rsplit_once(' ')?;
            Some((series.to_owned(), count.parse().ok()?))
        });
        let counts = counts
            .filter(|(series, _)| expected.contains_key(series))
            .collect();
        if counts == *expected || Instant::now() > deadline {
            return counts;
        }
        sleep(Duration::from_millis(50)).await;
    }
}

async fn page(server: &Server) -> String {
    let address = server.metrics.expect("gateway-core shows metrics");
    let page = get(address, "/metrics").await.into_body();
    String::from_utf8(page.into()).expect("UTF-8")
}
