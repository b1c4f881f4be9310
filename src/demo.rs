//! `--demo`: gateway-core in this process on loopback, and traffic for it such as a gateway has.
//!
//! Nothing behind the table is made up but the clients and the model servers: each request is a gRPC
//! stream of external processing, as Envoy would open it, and what is shown was scraped over HTTP.

use std::{io, time::Duration};

use gateway_core::{
    Config, Rewrites, Sockets,
    proto::envoy::{
        config::core::v3::{HeaderMap, HeaderValue},
        extensions::filters::http::ext_proc::v3::processing_mode::BodySendMode,
        service::ext_proc::v3::{
            HttpBody, HttpHeaders, HttpTrailers, ProcessingRequest, ProtocolConfiguration,
            external_processor_client::ExternalProcessorClient, processing_request::Request,
        },
    },
};
use tokio::{
    net::TcpListener,
    sync::{mpsc, oneshot},
    task::{JoinHandle, JoinSet},
    time::sleep,
};
use tonic::transport::Channel;

/// How long traffic runs before a single look at it.
pub const WARM_UP: Duration = Duration::from_secs(5);

/// Requests that begin per second, on average.
const REQUESTS_PER_SECOND: f64 = 40.0;

/// Requests that run when the demo ends are not waited for.
const GRACE_PERIOD: Duration = Duration::ZERO;

/// A picker with traffic; both end when this is dropped.
#[derive(Debug)]
pub struct Demo {
    /// Where the picker's metrics are.
    pub metrics: reqwest::Url,
    picker: JoinHandle<()>,
    traffic: JoinHandle<()>,
    _stop: oneshot::Sender<()>,
}

/// Why there is no demo.
#[derive(Debug, thiserror::Error)]
pub enum DemoError {
    /// No port on loopback.
    #[error("listening on 127.0.0.1")]
    Listen(#[source] io::Error),
    /// The picker's gRPC port does not answer.
    #[error("connecting to gateway-core, which should run in this process")]
    Connect(#[source] tonic::transport::Error),
}

/// A model as clients know it, and how its servers answer.
struct Model {
    name: &'static str,
    /// Share of the requests.
    weight: u32,
    /// Half of the answers take less than this, in seconds.
    median: f64,
    /// How much longer the slow ones take: 1 is hardly.
    spread: f64,
    streams: bool,
    /// Of 1000 answers, so many are errors of the model server.
    failures: u32,
}

const MODELS: &[Model] = &[
    Model {
        name: "qwen3-32b",
        weight: 45,
        median: 0.42,
        spread: 2.2,
        streams: true,
        failures: 6,
    },
    Model {
        name: "tweet-summary",
        weight: 30,
        median: 0.09,
        spread: 1.6,
        streams: false,
        failures: 0,
    },
    Model {
        name: "meta-llama/Llama-3.1-8B-Instruct",
        weight: 17,
        median: 0.16,
        spread: 1.8,
        streams: true,
        failures: 2,
    },
    Model {
        name: "sql-lora",
        weight: 5,
        median: 0.06,
        spread: 1.4,
        streams: false,
        failures: 60,
    },
    // The one that somebody will ask about.
    Model {
        name: "deepseek-r1-671b",
        weight: 3,
        median: 1.9,
        spread: 1.7,
        streams: true,
        failures: 0,
    },
];

const REWRITES: &str = r#"{"tweet-summary": [
    {"target": "tweet-summary-0", "weight": 50},
    {"target": "tweet-summary-1", "weight": 50}
]}"#;

impl Demo {
    /// Starts the picker and its traffic.
    ///
    /// # Errors
    /// Where loopback has no free port, or the picker does not come up.
    pub async fn start() -> Result<Self, DemoError> {
        let listen = || TcpListener::bind(("127.0.0.1", 0));
        let sockets = Sockets {
            grpc: listen().await.map_err(DemoError::Listen)?,
            health: listen().await.map_err(DemoError::Listen)?,
            metrics: listen().await.map_err(DemoError::Listen)?,
        };
        let port = |listener: &TcpListener| {
            listener
                .local_addr()
                .map(|a| a.port())
                .map_err(DemoError::Listen)
        };
        let (grpc, metrics) = (port(&sockets.grpc)?, port(&sockets.metrics)?);
        let rewrites = Rewrites::read(REWRITES)
            .and_then(Rewrites::new)
            .unwrap_or_default();
        let config = Config {
            endpoints: ["10.0.0.11:8000", "10.0.0.12:8000", "10.0.0.13:8000"]
                .iter()
                .filter_map(|e| e.parse().ok())
                .collect(),
            rewrites,
            metrics_auth: false,
            grace_period: GRACE_PERIOD,
            ..Config::default()
        };
        let (stop, stopped) = oneshot::channel();
        let picker = tokio::spawn(async move {
            let stopped = async {
                let _ = stopped.await;
            };
            if let Err(e) = gateway_core::run(sockets, config, stopped).await {
                tracing::error!("gateway-core ended: {e}");
            }
        });
        let channel = Channel::builder(
            format!("http://127.0.0.1:{grpc}")
                .parse()
                .unwrap_or_default(),
        )
        .connect()
        .await
        .map_err(DemoError::Connect)?;
        let mut url = reqwest::Url::parse("http://127.0.0.1/metrics")
            .unwrap_or_else(|_| unreachable!("a fixed text"));
        let _ = url.set_port(Some(metrics));
        Ok(Self {
            metrics: url,
            picker,
            traffic: tokio::spawn(traffic(channel)),
            _stop: stop,
        })
    }
}

impl Drop for Demo {
    fn drop(&mut self) {
        self.traffic.abort();
        self.picker.abort();
    }
}

/// Clients without end; aborting it gives up their requests.
async fn traffic(channel: Channel) {
    let mut clients = JoinSet::new();
    loop {
        clients.spawn(client(ExternalProcessorClient::new(channel.clone())));
        while clients.try_join_next().is_some() {}
        // Arrivals that know nothing of each other: a Poisson process.
        sleep(Duration::from_secs_f64(
            -(1.0 - fastrand::f64()).ln() / REQUESTS_PER_SECOND,
        ))
        .await;
    }
}

/// One client's request. What goes wrong with it goes wrong for that client; the picker counts it.
async fn client(gateway: ExternalProcessorClient<Channel>) {
    let model = any_model();
    match fastrand::u32(0..1000) {
        0..8 => exchange(gateway, br#"{"model": "#, model, End::Refused).await,
        8..14 => exchange(gateway, request_body(model).as_bytes(), model, End::Gone).await,
        _ => {
            exchange(
                gateway,
                request_body(model).as_bytes(),
                model,
                End::Answered,
            )
            .await
        }
    };
}

enum End {
    Answered,
    /// The picker refuses the request.
    Refused,
    /// The client gives up in the middle of the answer.
    Gone,
}

/// What Envoy tells the picker about one request and its answer. `None` when the picker ended it.
async fn exchange(
    mut gateway: ExternalProcessorClient<Channel>,
    body: &[u8],
    model: &Model,
    end: End,
) -> Option<()> {
    let (to_picker, messages) = mpsc::channel(8);
    let send = async |request| to_picker.send(message(request)).await.ok();
    let path = if model.streams {
        "/v1/chat/completions"
    } else {
        "/v1/completions"
    };
    let headers = headers(&[
        (":method", "POST"),
        (":path", path),
        ("content-type", "application/json"),
    ]);
    let first = ProcessingRequest {
        protocol_config: Some(ProtocolConfiguration {
            request_body_mode: BodySendMode::FullDuplexStreamed.into(),
            response_body_mode: BodySendMode::FullDuplexStreamed.into(),
            ..ProtocolConfiguration::default()
        }),
        ..message(Request::RequestHeaders(headers))
    };
    to_picker.send(first).await.ok()?;
    send(Request::RequestBody(HttpBody {
        body: body.to_vec().into(),
        end_of_stream: true,
    }))
    .await?;
    let mut replies = gateway
        .process(tokio_stream(messages))
        .await
        .ok()?
        .into_inner();
    // The answers to the headers and to the body, or a refusal; then the model server works.
    replies.message().await.ok()??;
    if matches!(end, End::Refused) {
        return None;
    }
    replies.message().await.ok()??;

    let duration = model.duration();
    let failed = fastrand::u32(0..1000) < model.failures;
    let status = if failed { "503" } else { "200" };
    let first_piece = if model.streams {
        duration.mul_f64(0.2)
    } else {
        duration
    };
    sleep(first_piece).await;
    let kind = if model.streams {
        "text/event-stream"
    } else {
        "application/json"
    };
    send(Request::ResponseHeaders(self::headers(&[
        (":status", status),
        ("content-type", kind),
    ])))
    .await?;
    if matches!(end, End::Gone) {
        return None; // with which the stream is dropped
    }
    for (i, piece) in response_body(model, failed).iter().enumerate() {
        if i > 0 {
            sleep(duration.mul_f64(0.8 / 20.0)).await;
        }
        send(Request::ResponseBody(HttpBody {
            body: piece.clone().into(),
            end_of_stream: false,
        }))
        .await?;
    }
    send(Request::ResponseTrailers(HttpTrailers::default())).await?;
    drop(to_picker);
    while replies.message().await.ok()?.is_some() {}
    Some(())
}

fn any_model() -> &'static Model {
    let mut at = fastrand::u32(0..MODELS.iter().map(|m| m.weight).sum());
    MODELS
        .iter()
        .find(|m| {
            at < m.weight || {
                at -= m.weight;
                false
            }
        })
        .unwrap_or(&MODELS[0])
}

impl Model {
    /// Log-normal, as measured durations mostly are.
    fn duration(&self) -> Duration {
        let normal: f64 = (0..12).map(|_| fastrand::f64()).sum::<f64>() - 6.0;
        Duration::from_secs_f64(self.median * self.spread.powf(normal)).min(Duration::from_secs(30))
    }
}

fn request_body(model: &Model) -> String {
    let stream = if model.streams {
        r#","stream":true,"stream_options":{"include_usage":true}"#
    } else {
        ""
    };
    format!(
        r#"{{"model":"{}","prompt":"{}"{stream}}}"#,
        model.name,
        "word ".repeat(fastrand::usize(5..400))
    )
}

/// The answer in the pieces in which it comes.
fn response_body(model: &Model, failed: bool) -> Vec<Vec<u8>> {
    if failed {
        return vec![br#"{"error":{"message":"overloaded"}}"#.to_vec()];
    }
    let (prompt, completion) = (fastrand::u32(5..400), fastrand::u32(20..600));
    let usage = format!(r#""usage":{{"prompt_tokens":{prompt},"completion_tokens":{completion}}}"#);
    if model.streams {
        let piece =
            |i| format!("data: {{\"choices\":[{{\"delta\":{{\"content\":\"word {i}\"}}}}]}}\n\n");
        let end = format!("data: {{\"choices\":[],{usage}}}\n\ndata: [DONE]\n\n");
        (0..20)
            .map(piece)
            .chain([end])
            .map(String::into_bytes)
            .collect()
    } else {
        vec![format!(r#"{{"choices":[{{"text":"words"}}],{usage}}}"#).into_bytes()]
    }
}

fn message(request: Request) -> ProcessingRequest {
    ProcessingRequest {
        request: Some(request),
        ..ProcessingRequest::default()
    }
}

fn headers(list: &[(&str, &str)]) -> HttpHeaders {
    let header = |(key, value): &(&str, &str)| HeaderValue {
        key: (*key).to_owned(),
        raw_value: value.as_bytes().to_vec().into(),
        ..HeaderValue::default()
    };
    HttpHeaders {
        headers: Some(HeaderMap {
            headers: list.iter().map(header).collect(),
        }),
        end_of_stream: false,
    }
}

/// The receiver as a stream, without one more crate for it.
fn tokio_stream(
    mut messages: mpsc::Receiver<ProcessingRequest>,
) -> impl futures::Stream<Item = ProcessingRequest> {
    futures::stream::poll_fn(move |cx| messages.poll_recv(cx))
}
