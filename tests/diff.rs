//! `igctl metrics diff`: what changed between two saved scrapes, two moments of a recording, and a file and
//! what runs.

mod support;

use std::fs;
use std::path::Path;
use std::time::Duration;

use assert_cmd::Command;
use igctl::diff::{self, Compare, Side};
use igctl::discover::Pod;
use igctl::recording::{Piece, Recorded, Recorder};
use igctl::render;
use igctl::report::PodSample;
use igctl::scrape::Page;
use igctl::shape::Changes;
use igctl::snapshot::Snapshot;
use igctl::vocabulary::Signal;
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;
use support::call::{ended, igctl};
use support::picker::{Picker, answer};
use support::{assert_fits, unpacked};
use tempfile::TempDir;

const T0: &str = "tests/fixtures/scrapes/gie-v0.5.1/t0.prom.gz";
const T1: &str = "tests/fixtures/scrapes/gie-v0.5.1/t1.prom.gz";
const LLM_D: &str = "tests/fixtures/scrapes/llm-d-router-main/t0.prom.gz";

fn command(arguments: &[&str]) -> Command {
    igctl(&[&["metrics", "diff"], arguments].concat())
}

fn call(arguments: &[&str]) -> String {
    ended(&command(arguments).output().expect("igctl starts"))
}

fn json(arguments: &[&str]) -> Value {
    let output = command(&[arguments, &["-o", "json"]].concat())
        .output()
        .expect("igctl starts");
    let json = serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|e| panic!("{e}: {}", String::from_utf8_lossy(&output.stderr)));
    assert_fits("metrics-diff", &json);
    json
}

/// What the row of a model says: requests, requests per second, errors.
fn row(json: &Value, model: &str) -> [Value; 3] {
    let rows = json["rows"].as_array().expect("rows are a list");
    let row = rows
        .iter()
        .find(|row| row["model"] == model)
        .unwrap_or_else(|| panic!("no {model} in {json:#}"));
    [&row["requests"], &row["request_rate"], &row["errors"]].map(Value::clone)
}

/// A recording of what one pod said, so many seconds apart from the first.
fn recording(looks: &[(i64, &str, Vec<u8>)]) -> (TempDir, String) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("r.igr");
    let mut recorder = Recorder::open(&path).expect("a new file");
    let begun: Timestamp = "2026-11-25T10:00:00Z".parse().expect("a time");
    for (seconds, uid, text) in looks {
        let at = begun + SignedDuration::from_secs(*seconds);
        let pod = Pod {
            name: "epp-0".to_owned(),
            namespace: Some("llm".to_owned()),
            uid: Some((*uid).to_owned()),
            ..Pod::default()
        };
        let page = Page {
            body: text.clone(),
            taken: at,
            elapsed: Duration::ZERO,
            wire_bytes: 0,
        };
        let pods = vec![Recorded {
            pod,
            page: Ok(page),
        }];
        recorder
            .append(&Piece { at, pods })
            .expect("the disk is not full");
    }
    let path = path.to_str().expect("UTF-8").to_owned();
    (folder, path)
}

#[test]
fn two_scrapes_as_a_table() {
    insta::assert_snapshot!(call(&[T0, T1]));
}

#[test]
fn another_latency_is_named_above_its_column() {
    let told = call(&[T0, T1, "--latency", "ttft"]);
    assert!(told.contains("TTFT P99"), "{told}");
}

#[test]
fn two_scrapes_as_a_wide_table() {
    insta::assert_snapshot!(call(&[T0, T1, "-o", "wide", "--quantiles", "50,99"]));
}

/// What one pod said, and nothing is known of when.
fn said(path: &str) -> PodSample {
    PodSample {
        name: "llm/epp-0".to_owned(),
        id: "uid".to_owned(),
        pool: None,
        picker: None,
        ready: None,
        holds_lease: None,
        at: Timestamp::UNIX_EPOCH,
        dated: false,
        outcome: Snapshot::read(&unpacked(path)).map_err(|e| e.to_string()),
    }
}

#[test]
fn on_a_terminal_names_are_cut_only_where_there_is_no_room() {
    let compare = Compare {
        quantiles: vec![0.5, 0.99],
        latency: Signal::Latency,
        models: None,
    };
    let (before, after) = ([said(T0)], [said(T1)]);
    let (before, after) = (Side { pods: &before }, Side { pods: &after });
    let diff = diff::diff(before, after, Changes::default(), &compare);
    insta::assert_snapshot!(render::diff::table(&diff, false, Some(80)));
}

#[test]
fn two_scrapes_as_csv_and_yaml() {
    let csv = call(&[T0, T1, "-o", "csv"]);
    let yaml = call(&[T0, T1, "-o", "yaml", "-m", "sql-lora"]);
    insta::assert_snapshot!([csv, yaml].join("\n"));
}

#[test]
fn pickers_of_two_generations_have_other_families() {
    insta::assert_snapshot!(call(&[T0, LLM_D]));
}

#[test]
fn moments_of_a_recording_have_rates() {
    let (_folder, path) = recording(&[(0, "uid", unpacked(T0)), (30, "uid", unpacked(T1))]);
    let (before, after) = (format!("{path}@-30s"), format!("{path}@10:00:30"));

    let of_moments = row(&json(&[&before, &after]), "sql-lora");
    let of_files = row(&json(&[T0, T1]), "sql-lora");

    let rate = of_files[0].as_f64().expect("a count") / 30.0;
    assert_eq!(
        (
            of_moments[0].clone(),
            of_moments[1].as_f64(),
            of_files[1].clone()
        ),
        (of_files[0].clone(), Some(rate), Value::Null)
    );
}

#[test]
fn the_second_moment_may_be_told_by_at() {
    let looks = [
        (0, "uid", unpacked(T0)),
        (30, "uid", unpacked(T1)),
        (60, "uid", unpacked(T1)),
    ];
    let (_folder, path) = recording(&looks);
    let (before, after) = (format!("{path}@10:00:00"), format!("{path}@10:00:30"));

    let by_flag = row(&json(&[&before, &path, "--at", "10:00:30"]), "sql-lora");

    assert_eq!(by_flag, row(&json(&[&before, &after]), "sql-lora"));
}

#[test]
fn at_is_of_recordings_and_told_once() {
    let (_folder, path) = recording(&[(0, "uid", unpacked(T0)), (30, "uid", unpacked(T1))]);
    let of_moment = format!("{path}@10:00:00");
    let told = [T1, &of_moment, "svc/epp"].map(|after| {
        let told = call(&[T0, after, "--at", "-10s"]);
        told.lines()
            .take(2)
            .collect::<Vec<_>>()
            .join(" ")
            .replace(&path, "REC")
    });
    insta::assert_snapshot!(told.join("\n"));
}

#[test]
fn a_restart_is_seen_and_counts_begin_anew() {
    let case = |file: &str| {
        let folder = Path::new("tests/fixtures/cases/restart-between-scrapes");
        fs::read_to_string(folder.join(file)).expect("a fixture")
    };
    // Half a minute after recording began, a new process.
    let (start, later) = ("1.70000003e9", "1795600830");
    let (then, now) = (case("t0.prom"), case("t1-after-60s.prom"));
    let (then, now) = (then.into_bytes(), now.replace(start, later).into_bytes());
    let (_folder, path) = recording(&[(0, "uid", then), (60, "uid", now.clone())]);
    let (_other, alone) = recording(&[(0, "uid", now)]);

    let json = json(&[&format!("{path}@-1m"), &path]);

    let counted = Command::new(env!("CARGO_BIN_EXE_igctl"))
        .args([
            "metrics", "top", "-o", "json", "--by", "model", "-f", &alone,
        ])
        .output()
        .expect("igctl starts");
    let counted: Value = serde_json::from_slice(&counted.stdout).expect("JSON");
    assert_eq!(
        (&json["pods"][0]["fate"], &json["total"]["requests"]),
        (&Value::from("restarted"), &counted["total"]["requests"])
    );
}

#[test]
fn a_pod_that_was_replaced_is_gone_and_the_other_one_came() {
    let (_folder, path) = recording(&[(0, "old", unpacked(T0)), (60, "new", unpacked(T1))]);
    let json = json(&[&format!("{path}@-1m"), &path]);
    let fates: Vec<&Value> = json["pods"]
        .as_array()
        .expect("pods are a list")
        .iter()
        .map(|pod| &pod["fate"])
        .collect();
    // Its process is older than the window: what it counted within is not known.
    assert_eq!(fates, ["unread", "gone"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_against_what_runs() {
    let page = unpacked(T1);
    let picker = Picker::serve(move |_| answer(200, page.clone())).await;
    let url = format!("http://{}/metrics", picker.address);
    let live = tokio::task::spawn_blocking(move || json(&[T0, "--url", &url]))
        .await
        .expect("it ends");
    assert_eq!(row(&live, "sql-lora"), row(&json(&[T0, T1]), "sql-lora"));
}

#[test]
fn what_is_no_source_is_told() {
    let wrong: [&[&str]; 3] = [
        &["/nonexistent.prom", T1],
        &[T0, "nonexistent.prom"],
        &[T0, T1, "-f", T1],
    ];
    insta::assert_snapshot!(wrong.map(call).join("\n"));
}
