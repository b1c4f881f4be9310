//! How fast metrics text becomes numbers, in one run beside prometheus-parse and, where Go is present,
//! Prometheus' own parser; and that time grows as the text does, whatever stands in it.
//!
//! The text has the form and size of a picker at its cap of model names: 1,000 models, each with the
//! histograms and counters of two generations of names, 47 MB.

use std::{
    fmt::Write as _,
    hint::black_box,
    io::Write as _,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::Duration,
};

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
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
    if let Some(program) = textparse() {
        group.bench_function("Prometheus' textparse", |b| {
            b.iter_custom(|times| read_by(&program, times, &text));
        });
    }
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

/// Builds the program around Prometheus' parser; `None` where there is no Go.
fn textparse() -> Option<PathBuf> {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/textparse");
    let program = Path::new(env!("CARGO_TARGET_TMPDIR")).join("textparse");
    let mut go = Command::new("go");
    go.arg("build").arg("-o").arg(&program).current_dir(source);
    match go.status() {
        Ok(status) => {
            assert!(status.success(), "{go:?}: {status}");
            Some(program)
        }
        Err(_) => None,
    }
}

/// How long the program takes to read the text so many times.
fn read_by(program: &Path, times: u64, text: &str) -> Duration {
    let mut reader = Command::new(program)
        .arg(times.to_string())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("it was built");
    let mut stdin = reader.stdin.take().expect("it is piped");
    stdin.write_all(text.as_bytes()).expect("it reads all");
    drop(stdin);
    let output = reader.wait_with_output().expect("it ends");
    let said = String::from_utf8(output.stdout).expect("numbers");
    let (nanoseconds, _samples) = said.trim().split_once(' ').expect("two numbers");
    Duration::from_nanos(nanoseconds.parse().expect("nanoseconds"))
}

/// What stands on the `i`th line of a text.
type Line = fn(usize) -> String;

/// Texts made to be slow to read.
const HOSTILE: &[(&str, Line)] = &[
    ("a bound on every line, falling", |i| {
        format!(
            "{LATENCY}_bucket{{model_name=\"a\",le=\"{}\"}} 1",
            1e9 - i as f64
        )
    }),
    ("the same bucket again and again", |_| {
        format!("{LATENCY}_bucket{{model_name=\"a\",le=\"1\"}} 1")
    }),
    ("the same series again and again", |_| {
        "inference_model_request_total{model_name=\"a\"} 1".to_owned()
    }),
    ("a model on every line", |i| {
        format!("inference_model_request_total{{model_name=\"{i}\"}} 1")
    }),
    ("a name on every line", |i| format!("x{i} 1")),
    ("a type on every line", |i| format!("# TYPE x{i} counter")),
    ("more labels than any picker has", |i| {
        let labels: Vec<_> = (0..200).map(|n| format!("l{}=\"\"", n * 7 % 200)).collect();
        format!(
            "inference_model_request_total{{{},i=\"{i}\"}} 1",
            labels.join(",")
        )
    }),
    ("values full of escapes", |i| {
        format!(
            "inference_model_request_total{{model_name=\"{i}{}\"}} 1",
            r#"\""#.repeat(2000)
        )
    }),
    ("quotes that never close", |i| {
        format!(
            "inference_model_request_total{{model_name=\"{i}{}",
            ",a=".repeat(500)
        )
    }),
];

const LATENCY: &str = "inference_model_request_duration_seconds";

/// The same throughput at ten times the size is linear time.
fn growing(c: &mut Criterion) {
    for (name, line) in HOSTILE {
        let mut group = c.benchmark_group(*name);
        group
            .sample_size(10)
            .measurement_time(Duration::from_secs(2));
        for size in [1 << 20, 10 << 20] {
            let mut text = String::with_capacity(size);
            for i in 0.. {
                text.push_str(&line(i));
                text.push('\n');
                if text.len() >= size {
                    break;
                }
            }
            group.throughput(Throughput::Bytes(text.len() as u64));
            group.bench_with_input(BenchmarkId::from_parameter(size), &text, |b, text| {
                b.iter(|| {
                    let read = Snapshot::read(black_box(text.as_bytes()));
                    black_box(read).is_ok()
                });
            });
        }
        group.finish();
    }
}

criterion_group!(benches, reading, growing);
criterion_main!(benches);
