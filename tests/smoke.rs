//! `igctl smoke` on saved scrapes: for every kind of assertion one that holds, and one hardly different
//! that must not pass.

mod support;

use std::fs;
use std::sync::atomic::{AtomicUsize, Ordering};

use assert_cmd::Command;
use support::picker::{Picker, answer};

const LLM_D: &str = "tests/fixtures/scrapes/llm-d-router-main/t0.prom.gz";
const GIE: &str = "tests/fixtures/scrapes/gie-v0.5.1/t0.prom.gz";
const NO_DURATIONS: &str = "tests/fixtures/scrapes/gie-v0.1.0-no-response-body/t0.prom.gz";

fn smoke(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_igctl"));
    command
        .arg("smoke")
        .args(arguments)
        .env_clear()
        .env("HOME", "/nonexistent")
        .current_dir(env!("CARGO_MANIFEST_DIR"));
    command
}

fn call(arguments: &[&str]) -> String {
    let output = smoke(arguments).output().expect("igctl starts");
    format!(
        "exit {}\n{}{}",
        output.status.code().unwrap_or(-1),
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    )
}

/// What `-o json` says of one assertion on one scrape: exit code, outcome, and what was seen.
fn judged(file: &str, assertion: &str, more: &[&str]) -> (i32, String, String) {
    let mut arguments = vec!["-f", file, "-o", "json", "--assert", assertion];
    arguments.extend(more);
    let output = smoke(&arguments).output().expect("igctl starts");
    let json: serde_json::Value = serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|e| panic!("{e}: {}", String::from_utf8_lossy(&output.stderr)));
    let text = |value: &serde_json::Value| value.as_str().unwrap_or_default().to_owned();
    (
        output.status.code().unwrap_or(-1),
        text(&json["outcome"]),
        text(&json["assertions"][0]["findings"][0]["text"]),
    )
}

/// That the first assertion passes, the second fails, and what neither could be decided from is
/// inconclusive.
#[track_caller]
fn told_apart(file: &str, assertions: [&str; 2], more: &[&str]) {
    let got = assertions.map(|assertion| judged(file, assertion, more));
    let short = got.clone().map(|(code, outcome, _)| (code, outcome));
    assert_eq!(
        short,
        [(0, "pass".to_owned()), (3, "fail".to_owned())],
        "{got:?}"
    );
}

#[track_caller]
fn undecided(file: &str, assertion: &str, more: &[&str], because: &str) {
    let (code, outcome, text) = judged(file, assertion, more);
    assert!(
        code == 3 && outcome == "inconclusive" && text.contains(because),
        "exit {code}, {outcome}: {text}, not {because:?}"
    );
}

const FEW: &[&str] = &["--min-samples", "1"];

#[test]
fn requests_are_added_over_matches() {
    told_apart(
        GIE,
        [
            "requests(\"sql-lora\") >= 10",
            "requests(\"sql-lora\") >= 11",
        ],
        &[],
    );
    told_apart(
        GIE,
        ["requests(\"*s*\") > 10", "requests(\"*s*\") <= 10"],
        &[],
    );
}

#[test]
fn a_quantile_within_its_bucket() {
    told_apart(GIE, ["p99 < 3600s", "p99 < 1ms"], FEW);
    told_apart(
        GIE,
        [
            "each(p99(\"sql-lora\") < 3600s)",
            "each(p99(\"sql-lora\") < 1ms)",
        ],
        FEW,
    );
}

#[test]
fn generations_and_absent_models() {
    told_apart(
        GIE,
        ["generation == inference_model", "generation == llm_d_epp"],
        &[],
    );
    told_apart(
        LLM_D,
        ["generation == llm_d_epp", "generation != llm_d_epp"],
        &[],
    );
    told_apart(GIE, ["absent(\"other\")", "absent(\"sql-*\")"], &[]);
}

#[test]
fn rates_of_errors_and_the_pool() {
    told_apart(
        GIE,
        ["error_rate(\"sql-lora\") < 1%", "error_rate < 0.01%"],
        FEW,
    );
    told_apart(
        GIE,
        ["ready_endpoints >= 1", "ready_endpoints >= 1000"],
        &[],
    );
}

#[test]
fn no_data_never_passes() {
    let zero = "tests/fixtures/cases/zero-observations/zero.prom";
    let boilerplate = "tests/fixtures/cases/200-with-boilerplate-only/t8.prom";
    undecided(
        GIE,
        "p99(\"sql-lora\") < 3600s",
        &[],
        "fewer than 20 samples",
    );
    undecided(
        GIE,
        "requests(\"typo*\") < 5",
        &[],
        "family without this model",
    );
    undecided(boilerplate, "p99(ttft) < 2s", FEW, "family absent");
    undecided(zero, "p99(\"idle\") < 2s", FEW, "no observation");
    undecided(zero, "requests == 0", &[], "family absent");
    undecided(zero, "errors == 0", &[], "");
    undecided(NO_DURATIONS, "p99 < 3600s", FEW, "");
    undecided(
        "tests/fixtures/scrapes/gie-v1.5.0/idle.prom.gz",
        "absent(\"m\")",
        &[],
        "no model",
    );
    undecided(
        "tests/fixtures/scrapes/gie-v1.5.0/idle.prom.gz",
        "error_rate < 1%",
        &[],
        "",
    );
    undecided(
        "tests/fixtures/scrapes/gie-v0.1.0/t0.prom.gz",
        "errors == 0",
        &[],
        "not every picker",
    );
}

#[test]
fn a_family_that_is_absent_one_without_the_model_and_a_value_are_told_apart() {
    let case = |file| format!("tests/fixtures/cases/200-with-boilerplate-only/{file}");
    undecided(&case("t5.prom"), "p99 < 2s", &[], "family absent");
    undecided(
        &case("t5.prom"),
        "requests(\"m-a\") >= 1",
        &[],
        "family without this model",
    );
    told_apart(
        &case("t8.prom"),
        ["requests(\"m-a\") >= 1", "requests(\"m-a\") >= 2"],
        &[],
    );
}

/// What a call says of a picker that has served `requests(n)` requests at the n-th look, from 0.
async fn of_picker(requests: fn(usize) -> usize, arguments: &'static [&'static str]) -> String {
    let looks = AtomicUsize::new(0);
    let picker = Picker::serve(move |_| {
        let n = requests(looks.fetch_add(1, Ordering::Relaxed));
        match n {
            0 => answer(
                200,
                fs::read("tests/fixtures/cases/200-with-boilerplate-only/t0.prom").expect("read"),
            ),
            n => answer(
                200,
                format!(
                    "# TYPE inference_model_request_total counter\n\
                     inference_model_request_total{{model_name=\"m\",target_model_name=\"m\"}} {n}\n"
                ),
            ),
        }
    })
    .await;
    let url = format!("http://{}/metrics", picker.address);
    tokio::task::spawn_blocking(move || call(&[&["--url", &url], arguments].concat()))
        .await
        .expect("the call ends")
}

#[tokio::test(flavor = "multi_thread")]
async fn waits_until_the_family_is_there_and_the_count_is_reached() {
    let told = of_picker(
        |look| look,
        &["--wait", "30s", "--assert", "requests(\"m\") >= 2"],
    )
    .await;
    assert!(told.starts_with("exit 0\n"), "{told}");
}

#[tokio::test(flavor = "multi_thread")]
async fn waiting_ends_with_the_last_value() {
    let told = of_picker(|_| 1, &["--wait", "1s", "--assert", "requests >= 2"]).await;
    assert!(
        told.starts_with("exit 3\n") && told.contains("FAIL     requests >= 2  1"),
        "{told}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn waiting_for_a_picker_that_never_comes_ends_with_why() {
    let told = of_picker(|_| 0, &["--wait", "1s", "--assert", "requests >= 0"]).await;
    assert!(
        told.starts_with("exit 6\n") && told.contains("no endpoint picker's metrics"),
        "{told}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_window_counts_what_came_within_it() {
    let arguments = &[
        "--window",
        "1s",
        "--assert",
        "requests == 40",
        "--assert",
        "rate > 20/s",
        "--assert",
        "rate < 41/s",
    ];
    let told = of_picker(|look| 1000 + 40 * look, arguments).await;
    assert!(told.starts_with("exit 0\n"), "{told}");
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_within_a_window_is_not_what_came_before() {
    let arguments = &["--window", "1s", "--assert", "requests >= 1"];
    let told = of_picker(|_| 1000, arguments).await;
    assert!(
        told.starts_with("exit 3\n") && told.contains("FAIL     requests >= 1  0"),
        "{told}"
    );
}

/// A scrape whose only model took longer than the last bucket's bound, `observations` times.
fn beyond(observations: usize, end: &str) -> tempfile::NamedTempFile {
    let file = tempfile::NamedTempFile::new().expect("a file");
    let series = |suffix: &str, le: &str, n: usize| {
        format!(
            "llm_d_epp_request_duration_seconds_{suffix}{{model_name=\"m\",target_model_name=\"m\"{le}}} {n}\n"
        )
    };
    let text = [
        "# TYPE llm_d_epp_request_duration_seconds histogram\n".to_owned(),
        series("bucket", ",le=\"3600\"", 0),
        series("bucket", ",le=\"+Inf\"", observations),
        series("count", "", observations),
        end.to_owned(),
    ]
    .concat();
    fs::write(file.path(), text).expect("written");
    file
}

#[test]
fn beyond_the_last_bucket_is_known_only_to_be_more_than_its_bound() {
    let file = beyond(100, "");
    let path = file.path().to_str().expect("UTF-8");
    let outcomes = ["p99 < 2s", "p99 <= 3600s", "p99 < 7200s", "p99 > 3600s"]
        .map(|assertion| judged(path, assertion, &[]).1);
    assert_eq!(outcomes, ["fail", "fail", "inconclusive", "inconclusive"]);
}

#[test]
fn a_text_that_is_not_whole_proves_nothing() {
    let file = beyond(
        100,
        "# TYPE llm_d_epp_request_total counter\nllm_d_epp_request_total{model_name=\"m\"} 9",
    );
    let path = file.path().to_str().expect("UTF-8");
    undecided(path, "requests >= 1", &[], "damaged or cut off");
}

#[test]
fn a_standby_speaks_for_no_pool() {
    let standby = "tests/fixtures/scrapes/gie-v1.0.0-ha/idle-B.prom.gz";
    undecided(
        standby,
        "ready_endpoints >= 0",
        &[],
        "whose view of the pool",
    );
}

#[test]
fn a_pod_that_cannot_be_read_proves_nothing() {
    undecided(
        GIE,
        "requests >= 1",
        &["-f", "/nonexistent.prom"],
        "1 of 2 pods not counted",
    );
}

#[test]
fn what_is_inconclusive_may_be_allowed_and_what_fails_may_not() {
    let outcome = |assertion| judged(GIE, assertion, &["--allow-inconclusive"]).0;
    assert_eq!(
        [
            outcome("requests(\"typo\") > 1"),
            outcome("requests > 100000")
        ],
        [0, 3]
    );
}

const MIXED: [&str; 8] = [
    "--assert",
    "requests >= 10",
    "--assert",
    "each(p99 < 1ms)",
    "--assert",
    "requests(\"a|b<c>\") > 1",
    "-f",
    GIE,
];

#[test]
fn as_a_table() {
    insta::assert_snapshot!(call(&MIXED));
}

#[test]
fn as_github_annotations() {
    insta::assert_snapshot!(call(&[&MIXED[..], &["-o", "github"]].concat()));
}

#[test]
fn as_junit() {
    let text = call(&[&MIXED[..], &["-o", "junit"]].concat());
    let (head, tail) = text.split_once("timestamp=\"").expect("a timestamp");
    let (_, tail) = tail.split_once('"').expect("its end");
    insta::assert_snapshot!(format!("{head}timestamp=\"(when it was read)\"{tail}"));
}

#[test]
fn what_cannot_be_asserted_is_refused() {
    let wrong: [&[&str]; 6] = [
        &["-f", GIE],
        &["-f", GIE, "--assert", "p99 < 2"],
        &["-f", GIE, "--assert", "rate > 5/s"],
        &["-f", GIE, "--assert", "requests > 5", "--wait", "5s"],
        &["-f", GIE, "--assert-file", "/nonexistent.txt"],
        &["-f", "/nonexistent.prom", "--assert", "requests > 5"],
    ];
    insta::assert_snapshot!(wrong.map(call).join("\n"));
}
