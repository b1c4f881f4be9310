//! How fast metrics text becomes numbers, beside prometheus-parse, in one run.
//!
//! The text has the form and size of a picker at its cap of model names: 1,000 models, each with the
//! histograms and counters of two generations of names, 47 MB.

use std::{fmt::Write, hint::black_box};

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use igctl::{exposition, snapshot::Snapshot};

const BOUNDS: &str = "0.005 0.025 0.05 0.1 0.2 0.4 0.6 0.8 1 1.25 1.5 2 3 4 5 6 8 10 15 20 30 45 60 120 180 240 300 360 480 600 900 1200 1800 2700 3600 +Inf";

const HISTOGRAMS: &[&str] = &[
    "llm_d_epp_request_duration_seconds",
    "llm_d_epp_request_ttft_seconds",
    "llm_d_epp_request_ntpot_seconds",
    "llm_d_epp_request_size_bytes",
    "llm_d_epp_request_input_tokens",
    "inference_objective_request_duration_seconds",
    "inference_objective_request_sizes",
    "inference_objective_response_sizes",
    "inference_objective_input_tokens",
];

/// A scrape of so many models.
fn scrape(models: usize) -> String {
    let mut text = String::new();
    for family in [
        "llm_d_epp_request_total",
        "inference_objective_request_total",
    ] {
        let _ = writeln!(text, "# HELP {family} Requests\n# TYPE {family} counter");
        for model in 0..models {
            let _ = writeln!(text, "{family}{{{}}} {}", labels(model), model * 7);
        }
    }
    for family in HISTOGRAMS {
        let _ = writeln!(
            text,
            "# HELP {family} Distribution\n# TYPE {family} histogram"
        );
        for model in 0..models {
            let labels = labels(model);
            for (i, le) in BOUNDS.split(' ').enumerate() {
                let _ = writeln!(
                    text,
                    "{family}_bucket{{{labels},le=\"{le}\"}} {}",
                    i * model
                );
            }
            let _ = writeln!(
                text,
                "{family}_sum{{{labels}}} {}.25\n{family}_count{{{labels}}} {}",
                model,
                35 * model
            );
        }
    }
    text
}

fn labels(model: usize) -> String {
    format!(
        "fairness_id=\"default-flow\",model_name=\"model-{model:04}\",priority=\"0\",target_model_name=\"model-{model:04}\""
    )
}

fn reading(c: &mut Criterion) {
    let mut group = c.benchmark_group("1000 models");
    let text = scrape(1000);
    group
        .sample_size(10)
        .throughput(Throughput::Bytes(text.len() as u64));
    group.bench_function("every family", |b| {
        b.iter(|| {
            exposition::read(black_box(text.as_bytes()), |name| {
                !name.ends_with("_bucket") && !name.ends_with("_sum") && !name.ends_with("_count")
            })
        });
    });
    group.bench_function("one counter", |b| {
        b.iter(|| {
            exposition::read(black_box(text.as_bytes()), |name| {
                name == "llm_d_epp_request_total"
            })
        });
    });
    group.bench_function("snapshot", |b| {
        b.iter(|| Snapshot::read(black_box(text.as_bytes())))
    });
    group.finish();

    // The second reader is so much slower that it gets a tenth.
    let mut group = c.benchmark_group("100 models");
    let text = scrape(100);
    group
        .sample_size(10)
        .throughput(Throughput::Bytes(text.len() as u64));
    group.bench_function("snapshot", |b| {
        b.iter(|| Snapshot::read(black_box(text.as_bytes())))
    });
    group.bench_function("prometheus-parse", |b| {
        b.iter(|| {
            prometheus_parse::Scrape::parse(
                black_box(&text).lines().map(|line| Ok(line.to_owned())),
            )
        });
    });
    group.finish();
}

criterion_group!(benches, reading);
criterion_main!(benches);
