//! Real scrapes of real pickers, and the inputs of public bug reports: what is shown equals what was sent.

use std::{collections::BTreeMap, fs, io::Read, path::PathBuf};

use igctl::{
    histogram::Quantile,
    render::table::{self, Layout},
    report::{Ask, Dimension, Order, PodSample, Report, Row, Span, report},
    snapshot::{Snapshot, SnapshotError},
    vocabulary::Signal,
};
use jiff::{SignedDuration, Timestamp};

const PICKERS: [&str; 9] = [
    "gie-v0.1.0",
    "gie-v0.5.1",
    "gie-v1.0.0",
    "gie-v1.2.1",
    "gie-v1.5.0",
    "llm-d-router-v0.10.0",
    "llm-d-router-main",
    "llm-d-router-main-nok8s",
    "llm-d-router-main-sim",
];

fn fixture(path: &str) -> Vec<u8> {
    let file = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures")).join(path);
    let bytes = fs::read(&file).unwrap_or_else(|e| panic!("{}: {e}", file.display()));
    if !path.ends_with(".gz") {
        return bytes;
    }
    let mut text = Vec::new();
    flate2::read::GzDecoder::new(&bytes[..])
        .read_to_end(&mut text)
        .expect("fixtures are whole");
    text
}

/// One pod that said what the file says, so many seconds after 2026-11-25T00:00.
fn pod(path: &str, at: i64) -> PodSample {
    PodSample {
        name: path.to_owned(),
        id: path.to_owned(),
        pool: None,
        picker: None,
        ready: None,
        holds_lease: None,
        at: "2026-11-25T00:00:00Z".parse::<Timestamp>().expect("a time")
            + SignedDuration::from_secs(at),
        dated: true,
        outcome: Snapshot::read(&fixture(path)).map_err(|e| e.to_string()),
    }
}

fn ask() -> Ask {
    Ask {
        by: vec![Dimension::Model, Dimension::Target],
        quantiles: vec![0.5, 0.9, 0.95, 0.99],
        models: None,
        order: Order::Requests,
        latency: Signal::Latency,
        limit: None,
    }
}

fn by_model() -> Ask {
    Ask {
        by: vec![Dimension::Model],
        ..ask()
    }
}

fn since_start(pods: &[PodSample]) -> Report {
    report(pods, None, &ask())
}

fn row<'a>(report: &'a Report, model: &str) -> &'a Row {
    let is = |r: &&Row| r.key[0].as_deref() == Some(model);
    report
        .rows
        .iter()
        .find(is)
        .unwrap_or_else(|| panic!("no row {model:?} in {:?}", report.rows))
}

/// Quantiles as a person would note them: `>2` beyond the last bound, `-` unknown.
fn quantiles(row: &Row) -> String {
    let Some(latency) = row.distributions.get(&Signal::Latency) else {
        return "no histogram".to_owned();
    };
    let text = |q: &Quantile| match q {
        Quantile::Unknown => "-".to_owned(),
        Quantile::Within { value, .. } => format!("{}", (value * 1e6).round() / 1e6),
        Quantile::Above(bound) => format!(">{bound}"),
    };
    latency
        .quantiles
        .iter()
        .map(text)
        .collect::<Vec<_>>()
        .join(" ")
}

#[derive(serde::Deserialize)]
struct Counted {
    picker: String,
    scrape: String,
    names: String,
    models: Vec<CountedModel>,
}

#[derive(serde::Deserialize)]
struct CountedModel {
    model: String,
    requests: f64,
    durations: f64,
    errors: f64,
}

/// Model → requests, durations, errors. `model-*` are 200 models, added up.
type Counts = BTreeMap<String, (f64, f64, f64)>;

#[test]
fn every_scrape_counts_what_was_sent() {
    let counts: Vec<Counted> =
        serde_json::from_slice(&fixture("scrapes/counts.json")).expect("counts.json");
    for scrape in counts {
        let path = format!("scrapes/{}/{}.prom.gz", scrape.picker, scrape.scrape);
        let report = report(&[pod(&path, 0)], None, &by_model());
        let mut got = Counts::new();
        for row in &report.rows {
            let model = row.key[0].clone().expect("rows are by model");
            let model = if model.starts_with("model-") {
                "model-*".to_owned()
            } else {
                model
            };
            let durations = row
                .distributions
                .get(&Signal::Latency)
                .and_then(|d| d.count)
                .unwrap_or(0.0);
            let sum = got.entry(model).or_default();
            sum.0 += row.requests.expect("every picker counts requests");
            sum.1 += durations;
            sum.2 += row.errors.unwrap_or(0.0);
        }
        let want: Counts = scrape
            .models
            .iter()
            .map(|m| (m.model.clone(), (m.requests, m.durations, m.errors)))
            .filter(|(_, counts)| *counts != (0.0, 0.0, 0.0))
            .collect();
        got.retain(|_, counts| *counts != (0.0, 0.0, 0.0));
        assert_eq!(
            (&got, report.generations[0].name()),
            (&want, scrape.names.as_str()),
            "{path}"
        );
    }
}

#[derive(serde::Deserialize)]
struct Sent {
    outcomes: Vec<SentOutcome>,
}

#[derive(serde::Deserialize)]
struct SentOutcome {
    model: Option<String>,
    count: f64,
}

#[test]
fn a_window_counts_what_was_sent_within_it() {
    for picker in PICKERS {
        let before = [PodSample {
            id: "pod".to_owned(),
            ..pod(&format!("scrapes/{picker}/t0.prom.gz"), 0)
        }];
        let now = [PodSample {
            id: "pod".to_owned(),
            ..pod(&format!("scrapes/{picker}/t1.prom.gz"), 6)
        }];
        let report = report(&now, Some(&before.each_ref()), &by_model());
        let got: BTreeMap<&str, f64> = report
            .rows
            .iter()
            .filter_map(|r| Some((r.key[0].as_deref()?, r.requests?)))
            .filter(|(_, n)| *n > 0.0)
            .collect();
        let sent: Sent =
            serde_json::from_slice(&fixture(&format!("scrapes/{picker}/t1.sent.json")))
                .expect("sent.json");
        let mut want: BTreeMap<&str, f64> = BTreeMap::new();
        for outcome in &sent.outcomes {
            if let Some(model) = &outcome.model {
                *want.entry(model).or_default() += outcome.count;
            }
        }
        assert_eq!((got, report.pods[0].restarted), (want, false), "{picker}");
    }
}

#[test]
fn errors_that_a_picker_cannot_count_are_unknown() {
    let first = since_start(&[pod("scrapes/gie-v0.1.0/t0.prom.gz", 0)]);
    let later = since_start(&[pod("scrapes/gie-v0.5.1/t0.prom.gz", 0)]);
    assert_eq!(
        (
            row(&first, "sql-lora").errors,
            row(&later, "sql-lora").errors
        ),
        (None, Some(0.0)),
        "the first release counts no errors; the others count none here"
    );
}

#[test]
fn refused_requests_are_part_of_the_error_rate() {
    // 15 requests, 5 more were shed before an endpoint was chosen.
    let report = report(
        &[pod("scrapes/gie-v1.5.0/priority.prom.gz", 0)],
        None,
        &by_model(),
    );
    let row = row(&report, "sql-lora");
    assert_eq!(
        (row.requests, row.errors, row.error_rate),
        (Some(15.0), Some(5.0), Some(0.25))
    );
}

#[test]
fn in_flight_counts_stand_once() {
    let report = since_start(&[pod("scrapes/gie-v1.5.0/inflight.prom.gz", 0)]);
    let tweets: Vec<Option<f64>> = report
        .rows
        .iter()
        .filter(|r| r.key[0].as_deref() == Some("tweet-summary"))
        .map(|r| r.in_flight)
        .collect();
    assert_eq!(
        (tweets, report.total.in_flight),
        (vec![Some(5.0), None], Some(7.0))
    );
}

#[test]
fn in_flight_counts_that_name_no_target_are_of_none() {
    let ask = Ask {
        by: vec![Dimension::Target],
        ..ask()
    };
    let report = report(&[pod("scrapes/gie-v1.5.0/inflight.prom.gz", 0)], None, &ask);
    let running: Vec<(Option<&str>, f64)> = report
        .rows
        .iter()
        .filter_map(|row| Some((row.key[0].as_deref(), row.in_flight?)))
        .collect();
    assert_eq!(
        (running, report.total.in_flight),
        (vec![(None, 7.0)], Some(7.0))
    );
}

#[test]
fn errors_that_name_no_priority_may_be_of_any() {
    let ask = Ask {
        by: vec![Dimension::Priority],
        ..ask()
    };
    let report = report(&[pod("scrapes/gie-v1.5.0/priority.prom.gz", 0)], None, &ask);

    let with_requests = report.rows.iter().filter(|row| row.requests > Some(0.0));
    let errors: Vec<Option<f64>> = with_requests.map(|row| row.errors).collect();
    assert_eq!((errors, report.total.errors), (vec![None; 3], Some(5.0)));
}

#[test]
fn pods_of_unlike_versions_count_the_same_in_either_order() {
    let pods = [
        "scrapes/gie-v1.2.1/t0.prom.gz",
        "scrapes/gie-v1.5.0/t0.prom.gz",
    ];
    let mut pods = pods.map(|path| pod(path, 0));
    let ask = Ask {
        by: vec![Dimension::Model, Dimension::Priority],
        order: Order::Name,
        ..ask()
    };

    let one_way = report(&pods, None, &ask).rows;
    pods.reverse();
    assert_eq!(report(&pods, None, &ask).rows, one_way);
}

#[test]
fn in_flight_counts_of_several_pools_are_told_apart() {
    let in_pool = |name: &str| PodSample {
        pool: Some(name.to_owned()),
        ..pod("scrapes/gie-v1.2.1/t0.prom.gz", 0)
    };
    let pods = [in_pool("llm/a"), in_pool("llm/b")];
    let ask = Ask {
        by: vec![Dimension::Pool, Dimension::Model, Dimension::Target],
        ..ask()
    };

    let running = |pods: &[PodSample]| -> BTreeMap<Vec<Option<String>>, f64> {
        let rows = report(pods, None, &ask).rows.into_iter();
        rows.filter_map(|row| Some((row.key, row.in_flight?)))
            .collect()
    };
    let mut each = running(&pods[..1]);
    each.extend(running(&pods[1..]));
    assert_eq!(running(&pods), each);
}

#[test]
fn pools_elect_their_leaders_by_themselves() {
    let of = |pool: &str, id: &str, ready| PodSample {
        pool: Some(pool.to_owned()),
        id: id.to_owned(),
        name: id.to_owned(),
        ready: Some(ready),
        ..pod("scrapes/gie-v1.5.0/t0.prom.gz", 0)
    };
    let leaders = |pods: &[PodSample]| {
        let report = since_start(pods);
        report.pods.iter().map(|pod| pod.leader).collect::<Vec<_>>()
    };

    // Of replicas the only one that is ready leads; of unrelated pickers nobody.
    assert_eq!(
        [
            leaders(&[of("a", "a-0", true), of("a", "a-1", false)]),
            leaders(&[of("a", "a-0", true), of("b", "b-0", false)]),
        ],
        [vec![Some(true), Some(false)], vec![None, None]]
    );
}

#[test]
fn without_response_bodies_the_latency_is_unknown_and_that_is_said() {
    let report = since_start(&[pod("scrapes/gie-v0.1.0-no-response-body/t0.prom.gz", 0)]);
    let row = row(&report, "tweet-summary");
    assert!(
        row.requests > Some(0.0) && quantiles(row) == "no histogram",
        "{row:?}"
    );
    assert!(
        report.notes.iter().any(|n| n.contains("response bodies")),
        "{:?}",
        report.notes
    );
}

#[test]
fn a_picker_without_traffic_is_one_and_a_stranger_is_none() {
    let picker = since_start(&[pod("scrapes/gie-v1.5.0/idle.prom.gz", 0)]);
    assert_eq!(
        (
            picker.rows.len(),
            picker.pods[0].has_traffic,
            picker.pods[0].failure.clone()
        ),
        (0, false, None)
    );
    // The light picker and the first release before its first request have no name of their own.
    for stranger in [
        "scrapes/gie-lwepp-main/t0.prom.gz",
        "scrapes/gie-v0.1.0/idle.prom.gz",
    ] {
        let error = Snapshot::read(&fixture(stranger)).expect_err(stranger);
        assert!(matches!(error, SnapshotError::NotAPicker { .. }), "{error}");
    }
}

#[test]
fn the_leader_is_found_and_speaks_for_the_pool() {
    let pods = [
        pod("scrapes/gie-v1.0.0-ha/idle-B.prom.gz", 0),
        pod("scrapes/gie-v1.0.0-ha/idle-A.prom.gz", 0),
    ];
    let report = since_start(&pods);
    let leaders: Vec<Option<bool>> = report.pods.iter().map(|p| p.leader).collect();
    assert_eq!(
        (leaders, report.pool.from.as_deref()),
        (
            vec![Some(false), Some(true)],
            Some("scrapes/gie-v1.0.0-ha/idle-A.prom.gz")
        )
    );
}

#[test]
fn openmetrics_says_the_same_as_text() {
    let text = since_start(&[pod("scrapes/llm-d-router-main-nok8s/t0.prom.gz", 0)]);
    let open = since_start(&[pod("scrapes/llm-d-router-main-nok8s/t0.openmetrics.gz", 0)]);
    assert_eq!(open.rows, text.rows);
}

#[test]
fn models_beyond_the_cap_are_other() {
    let report = since_start(&[pod(
        "scrapes/llm-d-router-main-nok8s/cap-request_total-only.prom.gz",
        0,
    )]);
    assert_eq!(
        (row(&report, "other").requests, report.total.requests),
        (Some(300.0), Some(3300.0))
    );
}

/// `histogram_quantile` written down a second time, over buckets as prometheus-parse reads them.
fn reference_quantile(q: f64, buckets: &[(f64, f64)]) -> f64 {
    let total = buckets[buckets.len() - 1].1;
    let rank = q * total;
    let b = buckets
        .iter()
        .position(|(_, count)| *count >= rank)
        .unwrap_or(buckets.len() - 1);
    if b == buckets.len() - 1 {
        return buckets[b - 1].0;
    }
    let (start, below) = if b == 0 { (0.0, 0.0) } else { buckets[b - 1] };
    start + (buckets[b].0 - start) * (rank - below) / (buckets[b].1 - below)
}

#[test]
fn quantiles_equal_those_of_an_independent_reader_and_calculation() {
    for picker in PICKERS {
        let path = format!("scrapes/{picker}/t0.prom.gz");
        let report = report(&[pod(&path, 0)], None, &by_model());
        let text = String::from_utf8(fixture(&path)).expect("text");
        let scrape =
            prometheus_parse::Scrape::parse(text.lines().map(|l| Ok(l.to_owned()))).expect("lines");
        let family = match report.generations[0].name() {
            "llm_d_epp" => "llm_d_epp_request_duration_seconds".to_owned(),
            names => format!("{names}_request_duration_seconds"),
        };
        let mut by_model: BTreeMap<String, BTreeMap<u64, f64>> = BTreeMap::new();
        for sample in scrape.samples.iter().filter(|s| s.metric == family) {
            let prometheus_parse::Value::Histogram(buckets) = &sample.value else {
                panic!("{sample:?}")
            };
            let sums = by_model
                .entry(
                    sample
                        .labels
                        .get("model_name")
                        .unwrap_or_default()
                        .to_owned(),
                )
                .or_default();
            for b in buckets {
                // Bounds are not negative, so their bits are in their order.
                *sums.entry(b.less_than.to_bits()).or_default() += b.count;
            }
        }
        assert!(by_model.len() > 3, "{path}");
        for (model, buckets) in by_model {
            let buckets: Vec<(f64, f64)> = buckets
                .into_iter()
                .map(|(le, n)| (f64::from_bits(le), n))
                .collect();
            let want: Vec<f64> = [0.5, 0.9, 0.95, 0.99]
                .iter()
                .map(|q| reference_quantile(*q, &buckets))
                .collect();
            let got: Vec<Option<f64>> = row(&report, &model).distributions[&Signal::Latency]
                .quantiles
                .iter()
                .map(|q| q.value())
                .collect();
            let close = |(got, want): (&Option<f64>, &f64)| {
                got.is_some_and(|got| (got - want).abs() <= want * 1e-12)
            };
            assert!(
                got.iter().zip(&want).all(close),
                "{path} {model}: {got:?}, not {want:?}"
            );
        }
    }
}

// The inputs of public bug reports, each with its right answer.

#[test]
fn separators_inside_label_values_are_no_separators() {
    let report = since_start(&[pod("cases/structured-label-values/scrape.prom", 0)]);
    let rows: BTreeMap<&str, f64> = report
        .rows
        .iter()
        .filter_map(|r| Some((r.key[0].as_deref()?, r.requests?)))
        .collect();
    let want = BTreeMap::from([
        ("team=a,env=b", 3.0),
        ("{draft}", 5.0),
        (r"D:\models\", 7.0),
        ("say \"hi\" # 9", 11.0),
        ("spaced/name:v1", 13.0),
    ]);
    assert_eq!((rows, report.total.requests), (want, Some(39.0)));
}

#[test]
fn carriage_returns_do_not_matter() {
    let report = since_start(&[pod("cases/crlf-line-ends/crlf.prom", 0)]);
    let row = row(&report, "m-a");
    let mean = row.distributions[&Signal::Latency].mean;
    assert_eq!(
        (row.requests, quantiles(row).as_str(), mean),
        (Some(21.0), "1 1.8 1.9 1.98", Some(1.375))
    );
}

#[test]
fn exemplars_and_created_series_are_passed_over() {
    let report = since_start(&[pod("cases/exemplar-after-bucket/om.prom", 0)]);
    let row = row(&report, "m-a");
    assert_eq!(
        (row.requests, quantiles(row).as_str(), report.rows.len()),
        (Some(9.0), "0.375 >2 >2 >2", 1)
    );
}

#[test]
fn a_family_in_two_blocks_is_one() {
    let report = since_start(&[pod("cases/type-block-repeated/split.prom", 0)]);
    assert_eq!(
        (
            row(&report, "m-a").requests,
            row(&report, "m-b").requests,
            quantiles(row(&report, "m-a")).as_str()
        ),
        (Some(5.0), Some(7.0), "0.625 1.5 1.75 1.95")
    );
}

#[test]
fn no_observation_is_no_quantile() {
    let report = since_start(&[pod("cases/zero-observations/zero.prom", 0)]);
    let idle = row(&report, "idle");
    assert_eq!(
        (
            quantiles(idle).as_str(),
            idle.distributions[&Signal::Latency].mean
        ),
        ("- - - -", None)
    );
    assert_eq!(quantiles(row(&report, "busy")), "0.5 0.9 0.95 0.99");
}

#[test]
fn falling_counts_are_raised_and_it_is_said() {
    let report = since_start(&[pod("cases/counts-that-fall/fall.prom", 0)]);
    assert_eq!(
        (
            quantiles(row(&report, "m-a")).as_str(),
            quantiles(row(&report, "m-b")).as_str()
        ),
        ("0.75 >2 >2 >2", "1.1 1.82 1.91 1.982")
    );
    let falls = report.notes.iter().find(|note| note.contains("falls"));
    assert_eq!(
        falls.map(String::as_str),
        Some(
            "latency of \"m-a\" \"m-a\", \"m-b\" \"m-b\" is inconsistent: a cumulative count falls; raised to the one before it"
        )
    );
}

/// One pod that said this text, so many seconds after 2026-11-25T00:00.
fn saying(text: &str, at: i64) -> PodSample {
    PodSample {
        outcome: Snapshot::read(text.as_bytes()).map_err(|e| e.to_string()),
        ..pod("scrapes/gie-v0.1.0/t0.prom.gz", at)
    }
}

#[test]
fn what_no_count_can_be_is_unknown_and_it_is_said() {
    let text = |requests: &str, bucket: &str| {
        format!(
            "inference_model_request_total{{model_name=\"a\"}} {requests}\n\
             inference_model_request_total{{model_name=\"b\"}} 7\n\
             inference_model_request_duration_seconds_bucket{{model_name=\"a\",le=\"1\"}} {bucket}\n\
             inference_model_request_duration_seconds_bucket{{model_name=\"a\",le=\"+Inf\"}} 9\n\
             inference_model_request_duration_seconds_sum{{model_name=\"a\"}} 4\n\
             inference_model_request_duration_seconds_count{{model_name=\"a\"}} 9\n"
        )
    };
    let seen = |report: &Report| {
        let a = row(report, "a");
        let latency = &a.distributions[&Signal::Latency];
        let [b, total] = [row(report, "b"), &report.total].map(|row| row.requests);
        (
            [a.requests, b, total, latency.count, latency.mean],
            quantiles(a),
        )
    };
    let broken = saying(&text("-5", "NaN"), 0);
    let whole = saying(&text("12", "9"), 10);

    let since_start = report(std::slice::from_ref(&broken), None, &by_model());
    let window = report(&[whole], Some(&[&broken]), &by_model());

    let unknown = |b| ([None, Some(b), None, None, None], "- - - -".to_owned());
    assert_eq!(
        (seen(&since_start), seen(&window)),
        (unknown(7.0), unknown(0.0))
    );
    assert_eq!(
        since_start.notes[0],
        format!(
            "{}: 2 doubtful lines, first: inference_model_request_total of \"a\": -5 is no count",
            broken.name
        )
    );
}

#[test]
fn a_histogram_that_contradicts_itself_is_told() {
    let name = "inference_model_request_duration_seconds";
    let text = format!(
        "{name}_bucket{{model_name=\"m\",le=\"1\"}} 3\n{name}_bucket{{model_name=\"m\",le=\"+Inf\"}} 4\n\
         {name}_count{{model_name=\"m\"}} 90\n"
    );
    let pod = saying(&text, 0);

    let report = report(std::slice::from_ref(&pod), None, &by_model());

    assert_eq!(
        report.notes[0],
        format!(
            "{}: 1 doubtful lines, first: {name} of \"m\": its count is 90, and its +Inf bucket 4, which quantiles are of",
            pod.name
        )
    );
}

#[test]
fn bounds_are_numbers_not_texts() {
    let report = since_start(&[
        pod("cases/le-1-and-le-1.0/pod-1.prom", 0),
        pod("cases/le-1-and-le-1.0/pod-2.prom", 0),
    ]);
    let row = &report.rows[0];
    assert_eq!(
        (
            quantiles(row).as_str(),
            row.distributions[&Signal::Latency].count
        ),
        ("0.75 >2 >2 >2", Some(60.0))
    );
    assert!(
        !report.notes.iter().any(|n| n.contains("unlike")),
        "{:?}",
        report.notes
    );
}

#[test]
fn a_restart_within_a_window_is_no_loss_and_no_negative_rate() {
    // Half a minute before the new process.
    let begun = Timestamp::from_second(1_700_000_000).expect("within all years");
    let at = |file: &str, seconds: i64| PodSample {
        id: "pod".to_owned(),
        at: begun + SignedDuration::from_secs(seconds),
        ..pod(&format!("cases/restart-between-scrapes/{file}"), 0)
    };
    let before = [at("t0.prom", 0)];
    let now = [at("t1-after-60s.prom", 60)];
    let report = report(&now, Some(&before.each_ref()), &ask());
    let (a, b) = (row(&report, "m-a"), row(&report, "m-b"));
    assert_eq!(
        (a.requests, a.rate, b.requests, b.rate),
        (Some(40.0), Some(40.0 / 60.0), Some(9.0), Some(0.15))
    );
    assert_eq!(
        (quantiles(a).as_str(), report.pods[0].restarted),
        ("0.666667 >2 >2 >2", true)
    );
}

#[test]
fn what_was_not_read_whole_begins_and_ends_no_window() {
    let t1 = fixture("scrapes/gie-v1.5.0/t1.prom.gz");
    let text = String::from_utf8(t1).expect("a fixture is UTF-8");
    let in_buckets = text
        .rfind("response_sizes_bucket")
        .expect("its last family")
        + 60;
    let line_end = text[..in_buckets].rfind('\n').expect("lines") + 1;
    let damaged = text.replacen("request_total{", "request_total{{", 1);
    let year = 365 * 86400; // later than its process started
    let window = |before: &str, now: &str| {
        let (before, now) = (saying(before, year), saying(now, year + 10));
        let report = report(&[now], Some(&[&before]), &by_model());
        let pod = &report.pods[0];
        let numbers = (report.total.requests, report.span, pod.restarted);
        (numbers, pod.failure.clone())
    };

    let parts = [&text, &text[..in_buckets], &text[..line_end], &damaged];
    let begun = parts.map(|part| window(part, &text));
    let ended = parts.map(|part| window(&text, part));
    let not_whole = |when: &str| {
        let why = format!("not part of this window: what was read {when} was not whole");
        let span = Span::Window(10.0);
        let unknown = ((None, span, false), Some(why));
        let whole = ((Some(0.0), span, false), None);
        [whole, unknown.clone(), unknown.clone(), unknown]
    };
    assert_eq!([begun, ended], [not_whole("before"), not_whole("now")]);
}

#[test]
fn requests_that_were_measured_and_not_counted_are_unknown() {
    let path = "scrapes/gie-v1.5.0/t1.prom.gz";
    let text = String::from_utf8(fixture(path)).expect("a fixture is UTF-8");
    let before_requests = text.find("# HELP inference_objective_request_total");
    let cut_off = saying(&text[..before_requests.expect("requests")], 0);
    let whole = PodSample {
        id: "whole".to_owned(),
        ..saying(&text, 0)
    };
    let seen = |pods: &[PodSample], by: Dimension| {
        let ask = Ask {
            by: vec![by],
            ..ask()
        };
        let report = report(pods, None, &ask);
        let is_told = |note: &String| note.contains("requests are not: is the text cut off?");
        let total = report.total;
        let rows_known = report.rows.iter().any(|row| row.requests.is_some());
        (
            rows_known,
            total.requests.is_some(),
            total.error_rate.is_some(),
            report.notes.iter().any(is_told),
        )
    };

    assert_eq!(
        [
            seen(std::slice::from_ref(&whole), Dimension::Model),
            // Durations name no priority.
            seen(std::slice::from_ref(&whole), Dimension::Priority),
            seen(std::slice::from_ref(&cut_off), Dimension::Model),
            seen(&[cut_off, whole], Dimension::Model),
        ],
        [
            (true, true, true, false),
            (true, true, true, false),
            (false, false, false, true),
            (true, false, false, true),
        ]
    );
}

#[test]
fn several_views_of_one_pool_in_a_text_are_no_sum_and_unlike_buckets_are_told() {
    let gauges = ["a", "b"].map(|instance| {
        format!(
            "inference_pool_ready_pods{{name=\"qwen\",instance=\"{instance}\"}} 8\n\
             inference_pool_average_kv_cache_utilization{{name=\"qwen\",instance=\"a\"}} 0.7\n"
        )
    });
    let buckets = [("a", "1"), ("b", "2")].map(|(instance, le)| {
        let series = format!("model_name=\"m\",instance=\"{instance}\",le=");
        let name = "inference_model_request_duration_seconds_bucket";
        format!("{name}{{{series}\"{le}\"}} 1\n{name}{{{series}\"+Inf\"}} 3\n")
    });
    let text = format!("{}{}", gauges[0], buckets.concat());
    let pods = [
        text.clone(),
        format!("{text}{}", gauges[1].lines().next().unwrap_or_default()),
    ]
    .map(|text| saying(&format!("{text}\n"), 0));

    let views = pods.each_ref().map(|pod| {
        let gauges = since_start(std::slice::from_ref(pod)).pool.gauges;
        [Signal::ReadyEndpoints, Signal::KvCache].map(|signal| gauges.get(&signal).copied())
    });
    assert_eq!(views, [[Some(8.0), Some(0.7)], [None, Some(0.7)]]);

    let notes = since_start(&pods[..1]).notes;
    assert!(
        notes[0].ends_with(
            "request_duration_seconds: unlike buckets: added only where their bounds agree"
        ),
        "{notes:?}"
    );
}

#[test]
fn of_a_series_that_may_have_been_cut_off_it_is_not_known_that_it_began_at_0() {
    let text = "inference_model_request_total{model_name=\"a\"} 40\n\
                inference_model_request_total{model_name=\"b\"} 50";
    let before = saying(text.lines().next().expect("two lines"), 0);
    let now = saying(text, 10);

    let report = report(&[now], Some(&[&before]), &by_model());

    let requests = ["a", "b"].map(|model| row(&report, model).requests);
    assert_eq!(requests, [Some(0.0), None]);
}

#[test]
fn the_counts_of_another_process_behind_the_address_are_no_part_of_the_window() {
    let begun = Timestamp::from_second(1_800_000_000).expect("within all years");
    let said = |dated: bool, second: i64, start: i64| {
        let text = format!(
            "inference_model_request_total{{model_name=\"a\"}} 101000\n\
             process_start_time_seconds {}\n",
            begun.as_second() + start
        );
        PodSample {
            at: begun + SignedDuration::from_secs(second),
            dated,
            ..saying(&text, 0)
        }
    };
    let window = |dated: bool, [then, now]: [i64; 2]| {
        let (before, now) = (said(dated, 0, then), said(dated, 10, now));
        let report = report(&[now], Some(&[&before]), &by_model());
        let another = |why: &String| why.contains("another process answered");
        let pod = &report.pods[0];
        (
            report.total.requests,
            pod.restarted,
            pod.failure.as_ref().is_some_and(another),
        )
    };

    let another = (None, false, true);
    let restarted = (Some(101_000.0), true, false);
    assert_eq!(
        [
            window(true, [-60, -60]),
            window(true, [-60, 4]),
            window(true, [-60, -40]),
            window(true, [-60, -80]),
            window(false, [-60, -40]),
        ],
        [
            (Some(0.0), false, false),
            restarted,
            another,
            another,
            restarted,
        ]
    );
}

#[test]
fn errors_that_some_pods_do_not_count_are_no_share_of_all_requests() {
    let report = since_start(&[
        pod("scrapes/gie-v0.1.0/t0.prom.gz", 0),
        pod("scrapes/gie-v0.5.1/t0.prom.gz", 0),
    ]);

    assert_eq!(
        (report.total.errors, report.total.error_rate),
        (Some(4.0), None)
    );
}

#[test]
fn requests_in_flight_need_no_duration_yet() {
    let doubts = |in_flight: u32| {
        let text = format!(
            "inference_model_request_total{{model_name=\"a\"}} 2\n\
             inference_model_running_requests{{model_name=\"a\"}} {in_flight}\n"
        );
        let notes = since_start(&[saying(&text, 0)]).notes;
        notes
            .iter()
            .any(|note| note.contains("their duration is not"))
    };

    assert_eq!([doubts(2), doubts(1)], [false, true]);
}

#[test]
fn quantiles_of_those_who_waited_for_the_answer_alone_are_told() {
    let name = "inference_model_request";
    let told = |requests: u32, in_flight: u32| {
        let text = format!(
            "{name}_total{{model_name=\"a\"}} {requests}\n\
             inference_model_running_requests{{model_name=\"a\"}} {in_flight}\n\
             {name}_duration_seconds_bucket{{model_name=\"a\",le=\"+Inf\"}} 99\n\
             {name}_duration_seconds_count{{model_name=\"a\"}} 99\n"
        );
        let notes = since_start(&[saying(&text, 0)]).notes;
        notes
            .into_iter()
            .find(|note| note.contains("without a duration"))
    };

    let note = "requests ended without a duration, so quantiles are of the others alone: \"a\" (99 of 101)";
    assert_eq!(
        [told(99, 0), told(100, 0), told(109, 10), told(101, 0)],
        [None, None, None, Some(note.to_owned())]
    );
}

#[test]
fn what_is_no_number_is_not_known() {
    let name = "inference_model_request_duration_seconds";
    let report = since_start(&[saying(
        &format!(
            "inference_model_request_total{{model_name=\"a\"}} +Inf\n\
             {name}_bucket{{model_name=\"a\",le=\"1\"}} NaN\n\
             {name}_bucket{{model_name=\"a\",le=\"2\"}} 3\n\
             {name}_bucket{{model_name=\"a\",le=\"+Inf\"}} 4\n"
        ),
        0,
    )]);
    let row = row(&report, "a");

    assert_eq!((row.requests, quantiles(row).as_str()), (None, "- - - -"));
}

#[test]
fn a_process_that_does_not_say_when_it_started_is_new_where_a_count_fell() {
    let said = |at: i64, a: u32, b: u32| {
        let name = "inference_model_request_total";
        let text = format!("{name}{{model_name=\"a\"}} {a}\n{name}{{model_name=\"b\"}} {b}\n");
        PodSample {
            outcome: Snapshot::read(text.as_bytes()).map_err(|e| e.to_string()),
            ..pod("scrapes/gie-v0.5.1/t0.prom.gz", at)
        }
    };
    let (before, now) = (said(0, 1000, 5), said(10, 10, 50));

    let report = report(&[now], Some(&[&before]), &by_model());

    let requests = ["a", "b"].map(|model| row(&report, model).requests);
    assert_eq!(requests, [Some(10.0), Some(50.0)]);
}

#[test]
fn a_lowest_bound_at_or_below_zero_is_the_answer_in_its_bucket() {
    let report = since_start(&[pod("cases/zero-or-negative-first-bound/low.prom", 0)]);
    assert_eq!(
        (
            quantiles(row(&report, "m-zero")).as_str(),
            quantiles(row(&report, "m-neg")).as_str()
        ),
        ("0 3.75 4.375 4.875", "-1 0.75 0.875 0.975")
    );
}

#[test]
fn every_generation_of_names_is_read_and_told() {
    let new = since_start(&[pod("cases/names-no-longer-emitted/new-only.prom", 0)]);
    let interim = since_start(&[pod("cases/names-no-longer-emitted/interim.prom", 0)]);
    assert_eq!(
        (
            row(&new, "m-a").requests,
            row(&new, "m-a").in_flight,
            new.generations[0].name()
        ),
        (Some(14.0), Some(2.0), "llm_d_epp")
    );
    assert_eq!(
        (row(&interim, "m-a").requests, interim.generations[0].name()),
        (Some(15.0), "llm_d_router_epp")
    );
    let none = Snapshot::read(&fixture("cases/names-no-longer-emitted/none.prom"))
        .expect_err("no picker's names");
    assert!(matches!(none, SnapshotError::NotAPicker { .. }), "{none}");
}

#[test]
fn tenants_add_up_in_their_buckets() {
    let report = since_start(&[pod("cases/extra-tenant-labels/tenants.prom", 0)]);
    let row = row(&report, "m-a");
    assert_eq!(
        (
            report.rows.len(),
            quantiles(row).as_str(),
            row.distributions[&Signal::Latency].mean
        ),
        (1, "0.555556 1 5.5 9.1", Some(1.2))
    );
}

#[test]
fn a_standby_adds_its_counts_but_does_not_speak_for_the_pool() {
    let files = [
        "cases/standby-replica-zeros/epp-leader.prom",
        "cases/standby-replica-zeros/epp-standby.prom",
    ];
    let unknown = since_start(&files.map(|f| pod(f, 0)));
    assert_eq!(
        (row(&unknown, "m-a").requests, unknown.pool.from),
        (Some(100.0), None)
    );
    let known = [(files[0], true), (files[1], false)].map(|(f, ready)| PodSample {
        ready: Some(ready),
        ..pod(f, 0)
    });
    let known = since_start(&known);
    assert_eq!(
        (
            row(&known, "m-a").requests,
            known.pool.gauges.get(&Signal::ReadyEndpoints)
        ),
        (Some(100.0), Some(&6.0))
    );
}

#[test]
fn escape_sequences_in_names_are_shown_not_obeyed() {
    let report = since_start(&[pod("cases/escape-sequences-in-names/esc.prom", 0)]);
    let text = table::render(
        &report,
        Layout {
            width: None,
            wide: false,
            latency: Signal::Latency,
            dated: false,
        },
    );
    let acting: Vec<char> = text
        .chars()
        .filter(|c| *c != '\n' && (c.is_control() || *c == '\u{202e}'))
        .collect();
    assert_eq!((acting, report.rows.len()), (vec![], 4), "{text}");
    assert_eq!(
        text.lines().filter(|l| l.contains("fake-row")).count(),
        1,
        "{text}"
    );
}

#[test]
fn a_table_fits_its_terminal_with_the_last_quantile_in_it() {
    let pods = ["llm/a", "llm/b"].map(|pool| PodSample {
        pool: Some(pool.to_owned()),
        ..pod("scrapes/gie-v1.5.0/t0.prom.gz", 0)
    });
    let ask = Ask {
        by: vec![Dimension::Pool, Dimension::Model, Dimension::Target],
        ..ask()
    };
    let layout = Layout {
        width: Some(72),
        wide: false,
        latency: Signal::Latency,
        dated: false,
    };
    let text = table::render(&report(&pods, None, &ask), layout);

    let widest = text.lines().map(|line| line.chars().count()).max();
    assert!(widest <= Some(72) && text.contains("P99"), "{text}");
}

#[test]
fn framework_metrics_alone_are_no_picker() {
    let outcomes = ["t0", "t5", "t8"]
        .map(|t| pod(&format!("cases/200-with-boilerplate-only/{t}.prom"), 0))
        .map(|pod| pod.outcome.map(|s| s.has_traffic()).is_ok());
    assert_eq!(outcomes, [false, true, true]);
}
