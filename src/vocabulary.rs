//! What endpoint pickers call the things that igctl shows: one table, signal by signal.
//!
//! Pickers have renamed their metrics three times, and some emit two names of one thing at once. So
//! each signal has its names newest first, and a reader takes the newest name that is present, per
//! signal and per pod; it never adds two.
//!
//! Sources: kubernetes-sigs/gateway-api-inference-extension `pkg/epp/metrics` (v0.1.0 to v1.5.0),
//! llm-d/llm-d-router `pkg/epp/metrics` and `docs/metrics.md`.

use std::{collections::HashMap, fmt, sync::LazyLock};

use crate::exposition::Kind;

/// A generation of metric names, oldest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Generation {
    /// Gateway API Inference Extension v0.1 to v1.0, and gateway-core.
    InferenceModel,
    /// Gateway API Inference Extension v1.1 to v1.5.
    InferenceObjective,
    /// llm-d-router, for a while.
    LlmDRouterEpp,
    /// llm-d-router since v0.9.
    LlmDEpp,
}

impl Generation {
    /// As people know it: what its per-model names begin with.
    pub fn name(self) -> &'static str {
        match self {
            Self::InferenceModel => "inference_model",
            Self::InferenceObjective => "inference_objective",
            Self::LlmDRouterEpp => "llm_d_router_epp",
            Self::LlmDEpp => "llm_d_epp",
        }
    }
}

impl fmt::Display for Generation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// What a picker measures, whatever it calls it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[allow(missing_docs, reason = "the table says what each is")]
pub enum Signal {
    Requests,
    Errors,
    Cancelled,
    Latency,
    InFlight,
    TimeToFirstToken,
    TimePerOutputToken,
    InterTokenLatency,
    NormalizedTimePerOutputToken,
    RequestSize,
    ResponseSize,
    InputTokens,
    OutputTokens,
    CachedTokens,
    ReadyEndpoints,
    Queue,
    KvCache,
    Running,
    EndpointQueue,
    SchedulerLatency,
    RequestOverhead,
    ResponseOverhead,
    RewriteDecisions,
    Build,
    Leader,
    QueueSpread,
    KvCacheSpread,
    RunningSpread,
    SchedulingAttempts,
    PluginLatency,
    FlowControl,
    PrefixCache,
}

/// What a value counts or measures.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    /// A number of things.
    Count,
    /// Seconds.
    Seconds,
    /// Bytes.
    Bytes,
    /// Tokens.
    Tokens,
    /// 0 to 1.
    Ratio,
}

impl Unit {
    /// For people; empty for a plain count.
    pub fn name(self) -> &'static str {
        match self {
            Self::Count => "",
            Self::Seconds => "s",
            Self::Bytes => "bytes",
            Self::Tokens => "tokens",
            Self::Ratio => "0..1",
        }
    }
}

/// What a series of the signal is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// One model: labels `model_name` and mostly `target_model_name`.
    Model,
    /// The pool, as one picker sees it.
    Pool,
    /// The picker itself.
    Picker,
    /// Inner workings that no report shows: listed by `igctl metrics catalog`, else not read. A name
    /// that ends in `*` stands for several families.
    Inner,
}

/// One name of a signal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Name {
    /// `None`: used by both generations of the Gateway API Inference Extension.
    pub generation: Option<Generation>,
    /// As samples carry it, without `_bucket`, `_sum`, `_count`.
    pub name: &'static str,
}

/// A row of the table.
#[derive(Debug)]
pub struct Entry {
    /// What it is.
    pub signal: Signal,
    /// Its name in igctl's options and output.
    pub title: &'static str,
    /// Counter, gauge or histogram.
    pub kind: Kind,
    /// Of a value, or of a histogram's bounds.
    pub unit: Unit,
    /// What a series is about.
    pub scope: Scope,
    /// Newest first.
    pub names: &'static [Name],
    /// The label beside those of the scope that tells its series apart, if any.
    pub label: Option<&'static str>,
}

/// The names of one signal, newest first. llm-d's two prefixes share their suffixes.
macro_rules! names {
    (@ llm_d $suffix:literal) => {
        [
            Name { generation: Some(Generation::LlmDEpp), name: concat!("llm_d_epp_", $suffix) },
            Name { generation: Some(Generation::LlmDRouterEpp), name: concat!("llm_d_router_epp_", $suffix) },
        ]
    };
    (llm_d $suffix:literal) => { &names!(@ llm_d $suffix) };
    ($(llm_d $suffix:literal,)? gie $($gie:literal),+) => {
        names!(@ join $(names!(@ llm_d $suffix))?; [$(Name { generation: None, name: $gie }),+])
    };
    ($(llm_d $suffix:literal,)? objective $suffix2:literal) => {
        names!(@ join $(names!(@ llm_d $suffix))?;
            [Name { generation: Some(Generation::InferenceObjective), name: concat!("inference_objective_", $suffix2) }])
    };
    ($(llm_d $suffix:literal,)? objective and model $old:literal) => {
        names!(@ join $(names!(@ llm_d $suffix))?; [
            Name { generation: Some(Generation::InferenceObjective), name: concat!("inference_objective_", $old) },
            Name { generation: Some(Generation::InferenceModel), name: concat!("inference_model_", $old) },
        ])
    };
    ($(llm_d $suffix:literal,)? model $old:literal) => {
        names!(@ join $(names!(@ llm_d $suffix))?;
            [Name { generation: Some(Generation::InferenceModel), name: concat!("inference_model_", $old) }])
    };
    (@ join $newer:expr; [$($older:expr),+ $(,)?]) => { &[$newer[0], $newer[1], $($older),+] };
    (@ join ; [$($older:expr),+ $(,)?]) => { &[$($older),+] };
}

const fn entry(
    signal: Signal,
    title: &'static str,
    scope: Scope,
    kind: Kind,
    unit: Unit,
    names: &'static [Name],
) -> Entry {
    Entry {
        signal,
        title,
        kind,
        unit,
        scope,
        names,
        label: None,
    }
}

impl Entry {
    const fn by(mut self, label: &'static str) -> Self {
        self.label = Some(label);
        self
    }
}

/// Every signal, in the order in which people are shown them.
#[rustfmt::skip] // a table
pub static TABLE: &[Entry] = {
    use Kind::{Counter, Gauge, Histogram, Other};
    use Scope::{Inner, Model, Picker, Pool};
    use Signal::*;
    use Unit::{Bytes, Count, Ratio, Seconds, Tokens};
    &[
        entry(Requests,           "requests",           Model,  Counter,   Count,   names!(llm_d "request_total", objective and model "request_total")),
        entry(Errors,             "errors",             Model,  Counter,   Count,   names!(llm_d "request_error_total", objective and model "request_error_total")).by("error_code"),
        entry(Cancelled,          "cancelled",          Model,  Counter,   Count,   names!(model "request_cancelled_total")),
        entry(Latency,            "latency",            Model,  Histogram, Seconds, names!(llm_d "request_duration_seconds", objective and model "request_duration_seconds")),
        entry(InFlight,           "in_flight",          Model,  Gauge,     Count,   names!(llm_d "request_running", objective and model "running_requests")),
        // For streaming="false" it is the whole duration: never mixed.
        entry(TimeToFirstToken,   "ttft",               Model,  Histogram, Seconds, names!(llm_d "request_ttft_seconds", model "request_ttft_seconds")).by("streaming"),
        entry(TimePerOutputToken, "tpot",               Model,  Histogram, Seconds, names!(llm_d "request_streaming_tpot_seconds", model "request_streaming_tpot_seconds")),
        entry(InterTokenLatency,  "itl",                Model,  Histogram, Seconds, names!(llm_d "request_streaming_itl_seconds")),
        entry(NormalizedTimePerOutputToken, "ntpot",    Model,  Histogram, Seconds, names!(llm_d "request_ntpot_seconds", objective and model "normalized_time_per_output_token_seconds")),
        entry(RequestSize,        "request_size",       Model,  Histogram, Bytes,   names!(llm_d "request_size_bytes", objective and model "request_sizes")),
        entry(ResponseSize,       "response_size",      Model,  Histogram, Bytes,   names!(llm_d "response_size_bytes", objective and model "response_sizes")),
        entry(InputTokens,        "input_tokens",       Model,  Histogram, Tokens,  names!(llm_d "request_input_tokens", objective and model "input_tokens")),
        entry(OutputTokens,       "output_tokens",      Model,  Histogram, Tokens,  names!(llm_d "request_output_tokens", objective and model "output_tokens")),
        entry(CachedTokens,       "cached_tokens",      Model,  Histogram, Tokens,  names!(llm_d "request_cached_tokens", objective "prompt_cached_tokens")),
        entry(ReadyEndpoints,     "ready_endpoints",    Pool,   Gauge,     Count,   names!(llm_d "ready_endpoints", gie "inference_pool_ready_pods")),
        entry(Queue,              "queue",              Pool,   Gauge,     Count,   names!(llm_d "average_queue_size", gie "inference_pool_average_queue_size")),
        entry(KvCache,            "kv_cache",           Pool,   Gauge,     Ratio,   names!(llm_d "average_kv_cache_utilization", gie "inference_pool_average_kv_cache_utilization")),
        entry(Running,            "running",            Pool,   Gauge,     Count,   names!(llm_d "average_running_requests", gie "inference_pool_average_running_requests")),
        entry(EndpointQueue,      "endpoint_queue",     Inner,  Gauge,     Count,   names!(llm_d "per_endpoint_queue_size", gie "inference_pool_per_pod_queue_size")),
        entry(SchedulerLatency,   "scheduler",          Picker, Histogram, Seconds, names!(llm_d "scheduler_e2e_duration_seconds", gie "inference_extension_scheduler_e2e_duration_seconds")),
        entry(RequestOverhead,    "request_overhead",   Picker, Histogram, Seconds, names!(llm_d "request_processing_duration_seconds", model "request_processing_duration_seconds")),
        entry(ResponseOverhead,   "response_overhead",  Picker, Histogram, Seconds, names!(llm_d "response_processing_duration_seconds")),
        entry(RewriteDecisions,   "rewrite_decisions",  Inner,  Counter,   Count,   names!(llm_d "model_rewrite_decisions_total", gie "inference_extension_model_rewrite_decisions_total")),
        entry(Build,              "build",              Picker, Gauge,     Count,   names!(llm_d "info", gie "inference_extension_info")),
        entry(Leader,             "leader",             Picker, Gauge,     Count,   names!(gie "leader_election_master_status")),
        entry(QueueSpread,        "queue_spread",       Inner,  Gauge,     Count,   names!(llm_d "std_dev_queue_size")),
        entry(KvCacheSpread,      "kv_cache_spread",    Inner,  Gauge,     Ratio,   names!(llm_d "std_dev_kv_cache_utilization")),
        entry(RunningSpread,      "running_spread",     Inner,  Gauge,     Count,   names!(llm_d "std_dev_running_requests")),
        entry(SchedulingAttempts, "scheduling_attempts", Inner, Counter,   Count,   names!(llm_d "scheduler_attempts_total", gie "inference_extension_scheduler_attempts_total")),
        entry(PluginLatency,      "plugins",            Inner,  Histogram, Seconds, names!(llm_d "plugin_duration_seconds", gie "inference_extension_plugin_duration_seconds", "inference_extension_scheduler_plugin_duration_seconds")),
        entry(FlowControl,        "flow_control",       Inner,  Other,     Count,   names!(llm_d "flow_control_*", gie "inference_extension_flow_control_*")),
        entry(PrefixCache,        "prefix_cache",       Inner,  Other,     Count,   names!(llm_d "prefix_indexer_*", gie "inference_extension_prefix_indexer_*")),
    ]
};

/// What every name of a picker begins with.
pub const PREFIXES: &[&str] = &[
    "inference_model_",
    "inference_objective_",
    "inference_pool_",
    "inference_extension_",
    "llm_d_router_epp_",
    "llm_d_epp_",
];

/// The word that pickers count models under beyond their cap.
pub const OTHER: &str = "other";

/// True for a name that only an endpoint picker has.
pub fn is_picker_name(name: &str) -> bool {
    PREFIXES.iter().any(|prefix| name.starts_with(prefix))
}

/// Whether an error code means that the picker itself refused the request before it chose an endpoint,
/// so that the request is in no request counter. Every code of the Go pickers is one, since they never
/// count a model server's own errors; gateway-core counts those too, by their HTTP status.
pub fn is_refusal(error_code: &str) -> bool {
    !error_code.bytes().all(|b| b.is_ascii_digit())
}

impl Signal {
    /// Its row of the table.
    pub fn entry(self) -> &'static Entry {
        // Rows stand in the order of the signals: a test holds them to that.
        &TABLE[self as usize]
    }
}

/// The row that has this name, and which of its names it is (0: newest). Inner workings have none.
pub fn lookup(name: &str) -> Option<(&'static Entry, usize)> {
    static NAMES: LazyLock<HashMap<&str, (&Entry, usize)>> = LazyLock::new(|| {
        TABLE
            .iter()
            .filter(|e| e.scope != Scope::Inner)
            .flat_map(|e| {
                e.names
                    .iter()
                    .enumerate()
                    .map(move |(i, n)| (n.name, (e, i)))
            })
            .collect()
    });
    NAMES.get(name).copied()
}

/// What else the thing that has this name is called, newest first: of inner workings, too.
pub fn other_names(name: &str) -> Vec<String> {
    let names = TABLE.iter().flat_map(|entry| {
        let alike = entry.names.iter().map(move |alike| (entry, alike.name));
        alike.filter_map(|(entry, alike)| Some((entry, alike, rest(name, alike)?)))
    });
    names
        .flat_map(|(entry, alike, rest)| {
            let others = entry.names.iter().filter(move |other| other.name != alike);
            others.map(move |other| match other.name.strip_suffix('*') {
                Some(stem) => format!("{stem}{rest}"),
                None => other.name.to_owned(),
            })
        })
        .collect()
}

/// What stands for the `*` of a name in the table, or nothing where it has none.
fn rest<'a>(name: &'a str, in_table: &str) -> Option<&'a str> {
    match in_table.strip_suffix('*') {
        Some(stem) => name.strip_prefix(stem),
        None => (name == in_table).then_some(""),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn every_name_stands_once_and_newest_first() {
        let names: Vec<&str> = TABLE.iter().flat_map(|e| e.names).map(|n| n.name).collect();
        let distinct: HashSet<&str> = names.iter().copied().collect();
        assert_eq!(names.len(), distinct.len(), "{names:?}");
        for e in TABLE {
            let generations: Vec<_> = e.names.iter().filter_map(|n| n.generation).collect();
            assert!(
                generations.is_sorted_by(|a, b| a > b),
                "{}: {generations:?}",
                e.title
            );
        }
    }

    #[test]
    fn other_names_are_those_of_the_row_also_for_many_at_once() {
        let others = [
            "inference_extension_scheduler_plugin_duration_seconds",
            "inference_extension_flow_control_queue_size",
            "inference_extension_nobody_knows",
        ]
        .map(other_names);
        assert_eq!(
            others,
            [
                vec![
                    "llm_d_epp_plugin_duration_seconds",
                    "llm_d_router_epp_plugin_duration_seconds",
                    "inference_extension_plugin_duration_seconds",
                ],
                vec![
                    "llm_d_epp_flow_control_queue_size",
                    "llm_d_router_epp_flow_control_queue_size",
                ],
                vec![],
            ]
        );
    }

    #[test]
    fn every_signal_has_its_row() {
        let places: Vec<usize> = TABLE.iter().map(|e| e.signal as usize).collect();
        let signals: Vec<usize> = (0..=Signal::PrefixCache as usize).collect();
        assert_eq!(places, signals);
    }
}
