//! What is counted, under which names, and the guard that counts each request
//! exactly once.

use std::fmt;
use std::sync::Arc;

use prometheus_client::encoding::{
    EncodeLabelSet, EncodeLabelValue, LabelValueEncoder, prometheus_text,
};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Metric, Registry};
use tokio::time::{Duration, Instant};

use crate::buckets::{self, Bounds};
use crate::names::ModelNames;
use crate::process::ProcessCollector;
use crate::usage::Usage;

/// The model that a client named and the one that its request goes to.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(crate) struct Models {
    pub(crate) model_name: Arc<str>,
    pub(crate) target_model_name: Arc<str>,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct PerModel {
    model_name: Arc<str>,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Failure {
    error_code: ErrorCode,
    model_name: Arc<str>,
    target_model_name: Arc<str>,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum ErrorCode {
    /// The picker's own word.
    Refused(&'static str),
    /// The model server's status.
    Answered(u16),
}

impl EncodeLabelValue for ErrorCode {
    fn encode(&self, encoder: &mut LabelValueEncoder<'_>) -> fmt::Result {
        match self {
            Self::Refused(word) => word.encode(encoder),
            Self::Answered(status) => status.encode(encoder),
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct PerPool {
    name: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Build {
    build_ref: &'static str,
    commit: &'static str,
}

type Histograms = Family<Models, Histogram, Bounds>;

/// All series of the process.
#[derive(Debug)]
pub(crate) struct Metrics {
    registry: Registry,
    names: ModelNames,
    input_tokens: Histograms,
    output_tokens: Histograms,
    cancelled: Family<Models, Counter>,
    durations: Histograms,
    errors: Family<Failure, Counter>,
    processing: Histograms,
    request_bytes: Histograms,
    per_token: Histograms,
    requests: Family<Models, Counter>,
    first_token: Histograms,
    response_bytes: Histograms,
    running: Family<PerModel, Gauge>,
    ready: Family<PerPool, Gauge>,
    pool: PerPool,
}

impl Metrics {
    /// Registers everything, in the order of names. `pool` is the label of the
    /// pool's own series.
    ///
    /// Counters are registered without `_total` and help texts without their
    /// full stop: the encoder adds both. A family without a series is left out
    /// of the page: absent means "not yet".
    pub(crate) fn new(names: ModelNames, pool: &str) -> Self {
        let mut registry = Registry::default();
        let r = &mut registry;
        // What is collected comes after what is registered, whenever that is.
        r.register_collector(Box::new(ProcessCollector::new()));

        let info = Family::<Build, Gauge>::default();
        info.get_or_create(&Build {
            build_ref: concat!("v", env!("CARGO_PKG_VERSION")),
            commit: option_env!("IGW_BUILD_COMMIT").unwrap_or_default(),
        })
        .set(1);
        register(
            r,
            "inference_extension_info",
            "The build that runs here, always 1",
            info,
        );

        Self {
            input_tokens: histograms(
                r,
                "inference_model_input_tokens",
                "Tokens of the prompt, as the model server reports them",
                buckets::INPUT_TOKENS,
            ),
            output_tokens: histograms(
                r,
                "inference_model_output_tokens",
                "Tokens of the answer, as the model server reports them",
                buckets::OUTPUT_TOKENS,
            ),
            cancelled: register(
                r,
                "inference_model_request_cancelled",
                "Requests whose client left, or whose response broke off, before the end",
                Family::default(),
            ),
            durations: histograms(
                r,
                "inference_model_request_duration_seconds",
                "Seconds from the request's headers to the end of the response",
                buckets::DURATION,
            ),
            errors: register(
                r,
                "inference_model_request_error",
                "Requests that the picker refused or that the model server answered with 4xx or 5xx",
                Family::default(),
            ),
            processing: histograms(
                r,
                "inference_model_request_processing_duration_seconds",
                "Seconds that the picker takes from the end of the request to its decision",
                buckets::PROCESSING,
            ),
            request_bytes: histograms(
                r,
                "inference_model_request_sizes",
                "Bytes of the request body as the client sent it",
                buckets::REQUEST_BYTES,
            ),
            per_token: histograms(
                r,
                "inference_model_request_streaming_tpot_seconds",
                "Mean seconds per token of a stream, from its first piece to its last",
                buckets::PER_TOKEN,
            ),
            requests: register(
                r,
                "inference_model_request",
                "Requests that were sent on to an endpoint",
                Family::default(),
            ),
            first_token: histograms(
                r,
                "inference_model_request_ttft_seconds",
                "Seconds from the request's headers to the first of several pieces of a stream",
                buckets::FIRST_TOKEN,
            ),
            response_bytes: histograms(
                r,
                "inference_model_response_sizes",
                "Bytes of the response body as the model server sent it",
                buckets::RESPONSE_BYTES,
            ),
            running: register(
                r,
                "inference_model_running_requests",
                "Requests that are under way now",
                Family::default(),
            ),
            ready: register(
                r,
                "inference_pool_ready_pods",
                "Endpoints that can take requests now",
                Family::default(),
            ),
            pool: PerPool {
                name: pool.to_owned(),
            },
            names,
            registry,
        }
    }

    /// The label values for a model and its target: the names themselves, or
    /// the shared one (see [`ModelNames`]).
    pub(crate) fn models(&self, model: &str, target: Option<&str>) -> Models {
        let model_name = self.names.label(model);
        let target_model_name =
            target.map_or_else(|| model_name.clone(), |to| self.names.label(to));
        Models {
            model_name,
            target_model_name,
        }
    }

    /// Counts these models under their own names from now on.
    pub(crate) fn keep_names(&self, names: impl IntoIterator<Item = Arc<str>>) {
        self.names.keep(names);
    }

    /// The labels of a request whose model is not known: both empty.
    pub(crate) fn nameless() -> Models {
        let empty: Arc<str> = "".into();
        Models {
            model_name: empty.clone(),
            target_model_name: empty,
        }
    }

    /// Counts a request that the picker refused, and nothing else.
    pub(crate) fn refused(&self, models: Models, word: &'static str) {
        self.failed(models, ErrorCode::Refused(word));
    }

    /// Counts a request that is sent on, with the bytes of its body where all of
    /// it came in. Its end is counted by the guard.
    pub(crate) fn begin(
        self: &Arc<Self>,
        models: Models,
        started: Instant,
        body: Option<usize>,
    ) -> InFlight {
        self.requests.get_or_create(&models).inc();
        if let Some(bytes) = body {
            self.request_bytes
                .get_or_create(&models)
                .observe(bytes as f64);
        }
        let running = self.running.get_or_create_owned(&PerModel {
            model_name: models.model_name.clone(),
        });
        running.inc();
        InFlight {
            metrics: self.clone(),
            models,
            running,
            started,
            answered: false,
        }
    }

    /// Observes what the picker itself took for a request.
    pub(crate) fn processed(&self, models: &Models, took: Duration) {
        self.processing
            .get_or_create(models)
            .observe(took.as_secs_f64());
    }

    /// Sets how many endpoints are ready, once that is known.
    pub(crate) fn endpoints(&self, ready: usize) {
        self.ready.get_or_create(&self.pool).set(ready as i64);
    }

    /// The page: Prometheus' text format 0.0.4.
    pub(crate) fn page(&self) -> String {
        let mut page = String::new();
        prometheus_text::encode(&mut page, &self.registry)
            .expect("writing to a string cannot fail");
        page
    }

    fn failed(&self, models: Models, error_code: ErrorCode) {
        let Models {
            model_name,
            target_model_name,
        } = models;
        let failure = Failure {
            error_code,
            model_name,
            target_model_name,
        };
        self.errors.get_or_create(&failure).inc();
    }
}

fn register<M: Metric + Clone>(registry: &mut Registry, name: &str, help: &str, metric: M) -> M {
    registry.register(name, help, metric.clone());
    metric
}

fn histograms(registry: &mut Registry, name: &str, help: &str, bounds: Bounds) -> Histograms {
    register(registry, name, help, Family::new_with_constructor(bounds))
}

/// How a request was answered.
#[derive(Debug, Default)]
pub(crate) struct Answer {
    /// HTTP status.
    pub(crate) status: u16,
    /// Bytes of the body, if the gateway shows bodies. Where it does not, the end
    /// of the response is not known either.
    pub(crate) bytes: Option<u64>,
    /// When the first piece of a stream came, if it is one.
    pub(crate) first_piece: Option<Instant>,
    /// When the last one came, if there were more.
    pub(crate) last_piece: Option<Instant>,
    pub(crate) usage: Usage,
}

/// A request under way: counted as answered by [`InFlight::answered`], or as
/// cancelled when dropped before, whatever the reason.
#[derive(Debug)]
pub(crate) struct InFlight {
    metrics: Arc<Metrics>,
    models: Models,
    running: Gauge,
    started: Instant,
    answered: bool,
}

impl InFlight {
    /// Counts the end of the response.
    pub(crate) fn answered(mut self, answer: &Answer) {
        self.answered = true;
        let (metrics, models) = (&self.metrics, &self.models);
        let observe = |histograms: &Histograms, value: f64| {
            histograms.get_or_create(models).observe(value);
        };
        if let Some(bytes) = answer.bytes {
            observe(&metrics.durations, self.started.elapsed().as_secs_f64());
            observe(&metrics.response_bytes, bytes as f64);
        }
        if let Some(tokens) = answer.usage.input {
            observe(&metrics.input_tokens, tokens as f64);
        }
        if let Some(tokens) = answer.usage.output {
            observe(&metrics.output_tokens, tokens as f64);
        }
        // A stream that came in one piece, as it does where the gateway buffers,
        // tells nothing of when its tokens came.
        if let (Some(first), Some(last)) = (answer.first_piece, answer.last_piece) {
            observe(&metrics.first_token, (first - self.started).as_secs_f64());
            if let Some(gaps @ 1..) = answer.usage.output.map(|tokens| tokens.saturating_sub(1)) {
                observe(
                    &metrics.per_token,
                    (last - first).as_secs_f64() / gaps as f64,
                );
            }
        }
        if answer.status >= 400 {
            metrics.failed(models.clone(), ErrorCode::Answered(answer.status));
        }
    }
}

impl Drop for InFlight {
    fn drop(&mut self) {
        self.running.dec();
        if !self.answered {
            self.metrics.cancelled.get_or_create(&self.models).inc();
        }
    }
}
