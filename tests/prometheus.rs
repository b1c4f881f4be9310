//! Real Prometheus is the judge: it scrapes what igctl reads, and every per-model number of ours equals
//! its answer. Needs Prometheus (Debian's package) on the PATH.

use std::{
    collections::{BTreeMap, BTreeSet},
    convert::Infallible,
    fmt::Write as _,
    fs,
    io::Read,
    path::PathBuf,
    process::{Child, Command, Stdio},
    sync::Arc,
    time::{Duration, Instant},
};

use bytes::Bytes;
use http_body_util::Full;
use hyper::{Response, body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use igctl::{
    discover::Pod,
    exposition,
    histogram::Quantile,
    recording::{Piece, Recorded, Recorder},
    report::{Ask, Dimension, Order, PodSample, Row, report},
    scrape::Page,
    snapshot::Snapshot,
    vocabulary::Signal,
};
use tokio::net::TcpListener;

const QUANTILES: [f64; 5] = [0.0, 0.5, 0.9, 0.99, 1.0];

/// Scrapes made up for this test; the seed is fixed, so that a failure comes again.
const GENERATED: usize = 1000;
const SEED: u64 = 20_261_125;

/// Name of a scrape → its text.
type Scrapes = BTreeMap<String, Bytes>;

/// (scrape, model, target) → a number; `None` for NaN.
type Numbers = BTreeMap<(String, String, String), Option<f64>>;

fn captured() -> Scrapes {
    let folder = PathBuf::from(concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/tests/fixtures/scrapes"
    ));
    let mut scrapes = Scrapes::new();
    for picker in fs::read_dir(&folder)
        .expect("the fixtures")
        .filter_map(|entry| fs::read_dir(entry.ok()?.path()).ok())
    {
        for file in picker.map(|entry| entry.expect("a readable folder").path()) {
            let name = file
                .strip_prefix(&folder)
                .expect("inside")
                .display()
                .to_string();
            let Some(name) = name.strip_suffix(".prom.gz") else {
                continue;
            };
            let mut text = Vec::new();
            let packed = fs::read(&file).expect("a readable file");
            flate2::read::GzDecoder::new(&packed[..])
                .read_to_end(&mut text)
                .expect("fixtures are whole");
            scrapes.insert(name.replace('/', "-"), text.into());
        }
    }
    scrapes
}

fn generated() -> Scrapes {
    let mut random = fastrand::Rng::with_seed(SEED);
    (0..GENERATED)
        .map(|i| (format!("generated-{i:04}"), one(&mut random).into()))
        .collect()
}

/// A scrape with everything that text 0.0.4 allows and a picker could write.
fn one(random: &mut fastrand::Rng) -> String {
    const MODELS: &[&str] = &[
        "a",
        "b/c:d",
        "x,y=z",
        "}{",
        " lead{x=\\\"y\\\"} 1",
        "q\\\"uote\\\\",
        "l1\\nl2",
        "模型",
        "",
        "#",
        "a} 9 b",
    ];
    const LAYOUTS: &[&[&str]] = &[
        &["0.1", "0.5", "1", "2.5", "+Inf"],
        &["-1", "0", "1", "+Inf"],
        &["0", "10", "+Inf"],
        &["1e-05", "1e+06", "+Inf"],
        &["+Inf"],
        &["1", "2"],
    ];
    let prefix = *random
        .choice(&["inference_model", "inference_objective"])
        .expect("not empty");
    let mut series: Vec<(String, &str)> = Vec::new();
    for _ in 0..random.usize(1..6) {
        let model = random.choice(MODELS).expect("not empty");
        let target = random.choice(MODELS).expect("not empty");
        let mut labels = vec![
            format!("model_name=\"{model}\""),
            format!("target_model_name=\"{target}\""),
        ];
        if prefix == "inference_objective" {
            labels.push(format!("priority=\"{}\"", random.i8(-1..2)));
        }
        random.shuffle(&mut labels);
        let separator = *random.choice(&[",", ", ", " ,"]).expect("not empty");
        series.push((
            labels.join(separator),
            random.choice(&["", ",", " "]).expect("not empty"),
        ));
    }
    let mut text = String::from("# a remark\n\nprocess_start_time_seconds 1.7e9\n");
    let _ = writeln!(
        text,
        "# HELP {prefix}_request_total Requests \\n and so on\n# TYPE {prefix}_request_total counter"
    );
    for (labels, tail) in &series {
        let _ = writeln!(
            text,
            "{prefix}_request_total{{{labels}{tail}}} {}",
            random.u32(0..5000)
        );
    }
    for (labels, tail) in series.iter().filter(|_| random.bool()).collect::<Vec<_>>() {
        let _ = writeln!(
            text,
            "{prefix}_request_error_total{{{labels},error_code=\"BadRequest\"{tail}}} {}e0",
            random.u32(0..50)
        );
    }
    let layout = random.choice(LAYOUTS).expect("not empty");
    if random.bool() {
        let _ = writeln!(text, "# TYPE {prefix}_request_duration_seconds histogram");
    }
    let falls = random.u8(0..8) == 0;
    for (labels, tail) in &series {
        let mut lines = Vec::new();
        let mut count = 0_u32;
        for le in *layout {
            count += if random.bool() { random.u32(0..100) } else { 0 };
            let shown = if falls && random.bool() {
                count / 2
            } else {
                count
            };
            lines.push(format!(
                "{prefix}_request_duration_seconds_bucket{{{labels},le=\"{le}\"{tail}}} {shown}\n"
            ));
        }
        if random.u8(0..4) == 0 {
            random.shuffle(&mut lines);
        }
        text.extend(lines);
        let _ = writeln!(
            text,
            "{prefix}_request_duration_seconds_sum{{{labels}{tail}}} {}",
            f64::from(count) * 1.25
        );
        let _ = writeln!(
            text,
            "{prefix}_request_duration_seconds_count{{{labels}{tail}}} {count}"
        );
    }
    text
}

/// Serves each scrape under its name.
async fn serve(scrapes: Arc<Scrapes>) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let port = listener.local_addr().expect("a bound socket").port();
    tokio::spawn(async move {
        loop {
            let (socket, _) = listener.accept().await.expect("a connection");
            let scrapes = scrapes.clone();
            let answer = service_fn(move |request: hyper::Request<Incoming>| {
                let text = scrapes
                    .get(&request.uri().path()[1..])
                    .cloned()
                    .unwrap_or_default();
                let response = Response::builder()
                    .header("content-type", "text/plain; version=0.0.4")
                    .body(Full::new(text));
                async { Ok::<_, Infallible>(response.expect("a response")) }
            });
            tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(socket), answer));
        }
    });
    port
}

/// A running Prometheus; it ends with this.
struct Prometheus {
    process: Child,
    address: String,
    http: reqwest::Client,
    _folder: tempfile::TempDir,
}

impl Drop for Prometheus {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

impl Prometheus {
    async fn scraping(port: u16, names: impl Iterator<Item = &String>) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let mut config = String::from(
            "global: {scrape_interval: 10s, scrape_timeout: 9s}\nscrape_configs:\n- job_name: scrapes\n  metric_relabel_configs:\n  - {source_labels: [__name__], regex: '.*(request_total|request_error_total|request_duration_seconds_.*)', action: keep}\n  static_configs:\n",
        );
        for name in names {
            let _ = writeln!(
                config,
                "  - {{targets: ['127.0.0.1:{port}'], labels: {{scrape: '{name}', __metrics_path__: '/{name}'}}}}"
            );
        }
        let file = folder.path().join("prometheus.yml");
        fs::write(&file, config).expect("a writable folder");
        // Free when asked; Prometheus cannot tell which port it took.
        let own = std::net::TcpListener::bind("127.0.0.1:0")
            .and_then(|l| l.local_addr())
            .expect("a free port");
        let process = Command::new("prometheus")
            .arg(format!("--config.file={}", file.display()))
            .arg(format!(
                "--storage.tsdb.path={}",
                folder.path().join("data").display()
            ))
            .arg(format!("--web.listen-address={own}"))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("prometheus is on the PATH (Debian's package prometheus)");
        let _ = rustls::crypto::ring::default_provider().install_default();
        Self {
            process,
            address: format!("http://{own}"),
            http: reqwest::Client::new(),
            _folder: folder,
        }
    }

    /// The answer to an instant query: labels and value.
    async fn query(&self, expression: &str) -> Option<Vec<(BTreeMap<String, String>, f64)>> {
        let mut url =
            reqwest::Url::parse(&format!("{}/api/v1/query", self.address)).expect("an address");
        url.query_pairs_mut().append_pair("query", expression);
        let body = self.http.get(url).send().await.ok()?.bytes().await.ok()?;
        let json: serde_json::Value = serde_json::from_slice(&body).ok()?;
        let result = json["data"]["result"]
            .as_array()
            .unwrap_or_else(|| panic!("{expression}: {json}"));
        let entry = |e: &serde_json::Value| {
            let labels = serde_json::from_value(e["metric"].clone()).expect("labels");
            let value = e["value"][1]
                .as_str()
                .and_then(|v| v.parse().ok())
                .expect("a number");
            (labels, value)
        };
        Some(result.iter().map(entry).collect())
    }

    /// Waits until every scrape was taken.
    async fn await_scrapes(&self, wanted: usize) {
        let deadline = Instant::now() + Duration::from_secs(120);
        let mut up = None;
        while up != Some(wanted as f64) {
            assert!(
                Instant::now() < deadline,
                "{up:?} of {wanted} scrapes were taken"
            );
            tokio::time::sleep(Duration::from_millis(500)).await;
            up = self
                .query("sum(up)")
                .await
                .and_then(|r| r.first().map(|(_, n)| *n));
        }
    }

    async fn numbers(&self, expression: &str) -> Numbers {
        let label = |labels: &BTreeMap<String, String>, name: &str| {
            labels.get(name).cloned().unwrap_or_default()
        };
        self.query(expression)
            .await
            .expect("Prometheus answers")
            .into_iter()
            .map(|(labels, n)| {
                let key = (
                    label(&labels, "scrape"),
                    label(&labels, "model_name"),
                    label(&labels, "target_model_name"),
                );
                (key, Some(n).filter(|n| !n.is_nan()))
            })
            .collect()
    }
}

/// Every row of every scrape that was read from names that begin so.
fn rows<'a>(
    scrapes: &'a Scrapes,
    generation: &'a str,
) -> impl Iterator<Item = (&'a String, Row)> + 'a {
    let ask = Ask {
        by: vec![Dimension::Model, Dimension::Target],
        quantiles: QUANTILES.to_vec(),
        models: None,
        order: Order::Name,
        latency: Signal::Latency,
        limit: None,
    };
    scrapes
        .iter()
        .filter_map(|(name, text)| Some((name, Snapshot::read(text).ok()?)))
        .filter(move |(_, snapshot)| {
            snapshot
                .generation()
                .is_some_and(|g| g.name() == generation)
        })
        .flat_map(move |(name, snapshot)| {
            let sample = PodSample {
                name: name.clone(),
                id: name.clone(),
                pool: None,
                picker: None,
                ready: None,
                holds_lease: None,
                at: jiff::Timestamp::now(),
                dated: true,
                outcome: Ok(snapshot),
            };
            report(&[sample], None, &ask)
                .rows
                .into_iter()
                .map(move |row| (name, row))
        })
}

/// One number of each row; rows without it are left out, as PromQL does.
fn ours(
    scrapes: &Scrapes,
    generation: &str,
    number: impl Fn(&Row) -> Option<Option<f64>>,
) -> Numbers {
    rows(scrapes, generation)
        .filter_map(|(name, row)| {
            let part = |i: usize| row.key[i].clone().unwrap_or_default();
            Some(((name.clone(), part(0), part(1)), number(&row)?))
        })
        .collect()
}

fn assert_same(what: &str, ours: &Numbers, theirs: &Numbers) {
    let close = |a: f64, b: f64| a == b || (a - b).abs() <= 1e-9 * a.abs().max(b.abs());
    let keys: BTreeSet<_> = ours.keys().chain(theirs.keys()).collect();
    let differ: Vec<_> = keys
        .into_iter()
        .map(|key| (key, ours.get(key).copied(), theirs.get(key).copied()))
        .filter(|(_, ours, theirs)| match (ours, theirs) {
            (Some(Some(a)), Some(Some(b))) => !close(*a, *b),
            // A counter without a series is 0 to us where the picker counts such things.
            (Some(Some(0.0)), None) => false,
            (ours, theirs) => ours != theirs,
        })
        .collect();
    assert!(
        differ.is_empty(),
        "{what}: {} differ (ours, Prometheus'): {:#?}",
        differ.len(),
        &differ[..differ.len().min(5)]
    );
    assert!(!theirs.is_empty(), "{what}: Prometheus has none");
}

#[tokio::test(flavor = "multi_thread")]
async fn every_number_equals_what_prometheus_says() {
    let scrapes: Scrapes = captured().into_iter().chain(generated()).collect();
    let scrapes = Arc::new(scrapes);
    let port = serve(scrapes.clone()).await;
    let prometheus = Prometheus::scraping(port, scrapes.keys()).await;
    prometheus.await_scrapes(scrapes.len()).await;

    for generation in ["inference_model", "inference_objective", "llm_d_epp"] {
        let by = "scrape, model_name, target_model_name";
        let sum = |suffix: &str| format!("sum by ({by}) ({generation}_{suffix})");
        let check_counter = async |suffix: &str, number: fn(&Row) -> Option<f64>| {
            let ours = ours(&scrapes, generation, |row| number(row).map(Some));
            let theirs = of_scrapes(prometheus.numbers(&sum(suffix)).await, &ours);
            assert_same(&format!("{generation}_{suffix}"), &ours, &theirs);
        };
        check_counter("request_total", |row| row.requests).await;
        check_counter("request_error_total", |row| row.errors).await;
        let mean = format!(
            "{} / {}",
            sum("request_duration_seconds_sum"),
            sum("request_duration_seconds_count")
        );
        let means = ours(&scrapes, generation, |r| {
            r.distributions.get(&Signal::Latency).map(|d| d.mean)
        });
        assert_same(
            &format!("{generation} mean"),
            &means,
            &of_scrapes(prometheus.numbers(&mean).await, &means),
        );
        for (i, q) in QUANTILES.iter().enumerate() {
            let buckets =
                format!("sum by (le, {by}) ({generation}_request_duration_seconds_bucket)");
            let theirs = prometheus
                .numbers(&format!("histogram_quantile({q}, {buckets})"))
                .await;
            let ours = ours(&scrapes, generation, |r| {
                r.distributions
                    .get(&Signal::Latency)
                    .map(|d| Quantile::value(d.quantiles[i]))
            });
            assert_same(
                &format!("{generation} p{q}"),
                &ours,
                &of_scrapes(theirs, &ours),
            );
        }
    }
}

#[test]
fn promtool_makes_blocks_of_a_recording() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let (recording, exported) = (folder.path().join("r.igr"), folder.path().join("r.om"));
    let mut recorder = Recorder::open(&recording).expect("a new file");
    let begun: jiff::Timestamp = "2026-11-25T10:00:00Z".parse().expect("a time");
    let captured = captured();
    let looks = ["llm-d-router-main-t0", "llm-d-router-main-t1"];
    for (n, scrape) in looks.iter().enumerate() {
        let at = begun + jiff::SignedDuration::from_secs(30 * n as i64);
        let page = Page {
            body: captured[*scrape].to_vec(),
            taken: at,
            elapsed: Duration::ZERO,
            wire_bytes: 0,
        };
        let pod = Pod {
            name: "epp-0".to_owned(),
            namespace: Some("llm".to_owned()),
            ..Pod::default()
        };
        let pods = vec![Recorded {
            pod,
            page: Ok(page),
        }];
        recorder
            .append(&Piece { at, pods })
            .expect("the disk is not full");
    }

    let export = Command::new(env!("CARGO_BIN_EXE_igctl"))
        .args(["metrics", "dump", "--export", "openmetrics", "-f"])
        .arg(&recording)
        .stdout(fs::File::create(&exported).expect("a writable folder"))
        .status();
    let blocks = Command::new("promtool")
        .args(["tsdb", "create-blocks-from", "openmetrics"])
        .args([&exported, &folder.path().join("data")])
        .output()
        .expect("promtool runs");
    // This is where a server would have its log, without which there is no dump.
    fs::create_dir(folder.path().join("data/wal")).expect("a folder of blocks");
    let dump = Command::new("promtool")
        .args(["tsdb", "dump"])
        .arg(folder.path().join("data"))
        .output()
        .expect("promtool runs");

    let stored = String::from_utf8_lossy(&dump.stdout);
    let stored: BTreeSet<String> = stored
        .lines()
        .filter(|line| line.contains("__name__=\"llm_d_epp_request_total\""))
        .map(str::to_owned)
        .collect();
    let expected: BTreeSet<String> = looks
        .iter()
        .enumerate()
        .flat_map(|(n, scrape)| {
            let taken = begun.as_millisecond() + 30_000 * n as i64;
            exposition::read(&captured[*scrape], |name| name == "llm_d_epp_request_total")
                .families
                .iter()
                .flat_map(|family| &family.series)
                .map(|(labels, value)| stored_line(labels, value, taken))
                .collect::<Vec<_>>()
        })
        .collect();
    assert!(
        export.is_ok_and(|status| status.success()) && blocks.status.success(),
        "{}",
        String::from_utf8_lossy(&blocks.stderr)
    );
    assert!(!expected.is_empty());
    assert_eq!(stored, expected);
}

/// A sample as `promtool tsdb dump` prints it.
fn stored_line(labels: &exposition::Labels<'_>, value: &exposition::Value, taken: i64) -> String {
    let ours = [
        ("__name__", "llm_d_epp_request_total"),
        ("namespace", "llm"),
        ("pod", "epp-0"),
    ];
    let labels: BTreeMap<&str, &str> = labels.iter().chain(ours).collect();
    let labels: Vec<String> = labels
        .iter()
        .map(|(name, value)| format!("{name}={value:?}"))
        .collect();
    let exposition::Value::Number(value) = value else {
        panic!("a counter");
    };
    format!("{{{}}} {value} {taken}", labels.join(", "))
}

/// What Prometheus says of the scrapes that we have read by the names in question.
fn of_scrapes(theirs: Numbers, ours: &Numbers) -> Numbers {
    let read: BTreeSet<&String> = ours.keys().map(|(scrape, ..)| scrape).collect();
    theirs
        .into_iter()
        .filter(|((scrape, ..), _)| read.contains(scrape))
        .collect()
}
