//! The contract between the two programs is text: gateway-core in process counts, igctl reads it over
//! HTTP, and so does an independent reader.

#![cfg(feature = "demo")]

use std::{collections::BTreeMap, future::pending};

use gateway_core::{
    Config, Rewrites, Sockets,
    proto::envoy::{
        config::core::v3::{HeaderMap, HeaderValue},
        extensions::filters::http::ext_proc::v3::processing_mode::BodySendMode,
        service::ext_proc::v3::{
            HttpBody, HttpHeaders, ProcessingRequest, ProtocolConfiguration,
            external_processor_client::ExternalProcessorClient, processing_request::Request,
        },
    },
};
use igctl::{
    collect::Collector,
    config::{MaxScrape, Source, Tls, TokenSource, UrlSource},
    report::{Ask, Dimension, Order, PodSample, Report, report},
    snapshot::Snapshot,
    vocabulary::Signal,
};
use tokio::net::TcpListener;

/// A running gateway-core: the addresses of its gRPC and of its metrics.
async fn gateway() -> (String, String) {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let port = async || TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let sockets = Sockets {
        grpc: port().await,
        health: port().await,
        metrics: port().await,
    };
    let address = |l: &TcpListener| l.local_addr().expect("a bound socket").to_string();
    let addresses = (
        format!("http://{}", address(&sockets.grpc)),
        format!("http://{}/metrics", address(&sockets.metrics)),
    );
    let rewrite = r#"{"tweets": [{"target": "tweets-0", "weight": 1}]}"#;
    let config = Config {
        endpoints: vec!["127.0.0.1:8000".parse().expect("an endpoint")],
        rewrites: Rewrites::read(rewrite)
            .and_then(Rewrites::new)
            .expect("a rewrite"),
        metrics_auth: false,
        ..Config::default()
    };
    tokio::spawn(gateway_core::run(sockets, config, pending()));
    addresses
}

/// One request with its answer, as Envoy in FULL_DUPLEX_STREAMED tells it.
async fn request(grpc: &str, body: &str, status: &str) {
    let header = |key: &str, value: &str| HeaderValue {
        key: key.to_owned(),
        raw_value: value.as_bytes().to_vec().into(),
        ..HeaderValue::default()
    };
    let headers = |headers| HttpHeaders {
        headers: Some(HeaderMap { headers }),
        end_of_stream: false,
    };
    let message = |request| ProcessingRequest {
        request: Some(request),
        ..ProcessingRequest::default()
    };
    let whole = |body: &str| HttpBody {
        body: body.as_bytes().to_vec().into(),
        end_of_stream: true,
    };
    let mode = BodySendMode::FullDuplexStreamed.into();
    let messages = [
        ProcessingRequest {
            protocol_config: Some(ProtocolConfiguration {
                request_body_mode: mode,
                response_body_mode: mode,
                ..ProtocolConfiguration::default()
            }),
            ..message(Request::RequestHeaders(headers(vec![
                header(":method", "POST"),
                header(":path", "/v1/completions"),
            ])))
        },
        message(Request::RequestBody(whole(body))),
        message(Request::ResponseHeaders(headers(vec![
            header(":status", status),
            header("content-type", "application/json"),
        ]))),
        message(Request::ResponseBody(whole("{}"))),
    ];
    let mut client = ExternalProcessorClient::connect(grpc.to_owned())
        .await
        .expect("gateway-core accepts");
    let mut replies = client
        .process(futures::stream::iter(messages))
        .await
        .expect("a stream")
        .into_inner();
    while replies.message().await.expect("no gRPC error").is_some() {}
}

async fn read(metrics: &str) -> (Report, String) {
    let url = reqwest::Url::parse(metrics).expect("an address");
    let source = Source::Url(UrlSource {
        url,
        token: TokenSource::None,
        tls: Tls::default(),
        request_timeout: None,
        max_scrape: MaxScrape::default(),
    });
    let mut collector = Collector::open(&source).await.expect("a collector");
    let page = collector
        .collect()
        .await
        .pods
        .remove(0)
        .page
        .expect("a page");
    let sample = PodSample {
        name: "gateway-core".to_owned(),
        id: "gateway-core".to_owned(),
        pool: None,
        picker: None,
        ready: None,
        holds_lease: None,
        at: page.taken,
        dated: true,
        outcome: Snapshot::read(&page.body).map_err(|e| e.to_string()),
    };
    let ask = Ask {
        by: vec![Dimension::Model, Dimension::Target],
        quantiles: vec![0.5],
        models: None,
        order: Order::Name,
        latency: Signal::Latency,
        limit: None,
    };
    (
        report(&[sample], None, &ask),
        String::from_utf8(page.body).expect("text"),
    )
}

#[tokio::test]
async fn igctl_shows_what_gateway_core_counted() {
    let (grpc, metrics) = gateway().await;
    for _ in 0..3 {
        request(&grpc, r#"{"model": "tweets", "prompt": "x"}"#, "200").await;
    }
    request(
        &grpc,
        r#"{"model": "odd,name=\"}\\", "prompt": "x"}"#,
        "200",
    )
    .await;
    request(&grpc, r#"{"model": "tweets", "prompt": "x"}"#, "503").await;
    request(&grpc, "{", "200").await;

    let (report, _) = read(&metrics).await;

    let rows: Vec<String> = report
        .rows
        .iter()
        .map(|r| {
            let names: Vec<&str> = r.key.iter().map(|k| k.as_deref().unwrap_or("-")).collect();
            let observed = r.distributions.get(&Signal::Latency).and_then(|d| d.count);
            format!(
                "{}: {:?} requests, {:?} errors, {observed:?} durations",
                names.join(" "),
                r.requests,
                r.error_codes
            )
        })
        .collect();
    let want = [
        r#" : Some(0.0) requests, {"BadRequest": 1.0} errors, None durations"#,
        r#"odd,name="}\ odd,name="}\: Some(1.0) requests, {} errors, Some(1.0) durations"#,
        r#"tweets tweets-0: Some(4.0) requests, {"503": 1.0} errors, Some(4.0) durations"#,
    ];
    assert_eq!(rows, want);
    assert_eq!(
        (report.total.error_rate, report.pods[0].up.is_some()),
        (Some(2.0 / 6.0), true)
    );
}

#[tokio::test]
async fn an_independent_reader_sees_the_same() {
    let (grpc, metrics) = gateway().await;
    for model in ["a", "b", "b"] {
        request(&grpc, &format!(r#"{{"model": "{model}"}}"#), "200").await;
    }

    let (report, text) = read(&metrics).await;

    let ours: BTreeMap<String, f64> = report
        .rows
        .iter()
        .map(|r| {
            (
                r.key[0].clone().expect("a model"),
                r.requests.expect("counted"),
            )
        })
        .collect();
    let scrape =
        prometheus_parse::Scrape::parse(text.lines().map(|l| Ok(l.to_owned()))).expect("lines");
    let theirs: BTreeMap<String, f64> = scrape
        .samples
        .iter()
        .filter(|s| s.metric == "inference_model_request_total")
        .map(|s| match s.value {
            prometheus_parse::Value::Counter(n) => (s.labels["model_name"].clone(), n),
            ref other => panic!("a counter, not {other:?}"),
        })
        .collect();
    assert_eq!(
        (ours.clone(), ours),
        (
            theirs,
            BTreeMap::from([("a".to_owned(), 1.0), ("b".to_owned(), 2.0)])
        )
    );
}
