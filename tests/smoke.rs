//! `igctl smoke` on saved scrapes: for every kind of assertion one that holds, and one hardly different
//! that must not pass.

mod support;

use std::fs;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use assert_cmd::Command;
use serde_json::json;
use support::api::{Api, Way, pod};
use support::call::{ended, igctl};
use support::picker::{Picker, answer};
use support::{assert_fits, unpacked};

const LLM_D: &str = "tests/fixtures/scrapes/llm-d-router-main/t0.prom.gz";
const GIE: &str = "tests/fixtures/scrapes/gie-v0.5.1/t0.prom.gz";
const NO_DURATIONS: &str = "tests/fixtures/scrapes/gie-v0.1.0-no-response-body/t0.prom.gz";

fn smoke(arguments: &[&str]) -> Command {
    igctl(&[&["smoke"], arguments].concat())
}

fn call(arguments: &[&str]) -> String {
    ended(&smoke(arguments).output().expect("igctl starts"))
}

/// What `-o json` says of one assertion on one scrape: exit code, outcome, and what was seen.
fn judged(file: &str, assertion: &str, more: &[&str]) -> (i32, String, String) {
    let mut arguments = vec!["-f", file, "-o", "json", "--assert", assertion];
    arguments.extend(more);
    let output = smoke(&arguments).output().expect("igctl starts");
    let json: serde_json::Value = serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|e| panic!("{e}: {}", String::from_utf8_lossy(&output.stderr)));
    assert_fits("smoke", &json);
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
    told_apart(GIE, ["p95 < 3600s", "p95 < 1ms"], FEW);
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

/// An idle picker's few names are those of two generations.
#[test]
fn a_generation_holds_only_where_it_is_known_of_all_pods() {
    let idle = ["-f", "tests/fixtures/scrapes/gie-v1.0.0/idle.prom.gz"];
    for assertion in ["generation == llm_d_epp", "generation != inference_model"] {
        undecided(LLM_D, assertion, &idle, "say no generation yet");
    }
    assert_eq!(judged(LLM_D, "generation != llm_d_epp", &idle).1, "fail");
}

#[test]
fn a_standby_leaves_the_leaders_generation_known() {
    let replica = |name| {
        let path = format!("tests/fixtures/scrapes/gie-v1.0.0-ha/idle-{name}.prom.gz");
        String::from_utf8(unpacked(&path)).expect("text")
    };
    let served = "inference_objective_request_total{model_name=\"m\",target_model_name=\"m\"} 1\n";
    let (leader, standby) = (saved(&(replica("A") + served)), saved(&replica("B")));

    told_apart(
        path(&leader),
        [
            "generation == inference_objective",
            "generation == llm_d_epp",
        ],
        &["-f", path(&standby)],
    );
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

const IN_FLIGHT: &str = "tests/fixtures/scrapes/llm-d-router-main/inflight.prom.gz";

/// The text of a scrape in which the value of one series is another.
fn with(text: &str, series: &str, value: &str) -> String {
    let begins = text.lines().filter(|line| line.starts_with(series)).count();
    assert_eq!(begins, 1, "lines that begin with {series}");
    text.lines()
        .map(
            |line| match (line.starts_with(series), line.rsplit_once(' ')) {
                (true, Some((name, _))) => format!("{name} {value}\n"),
                _ => format!("{line}\n"),
            },
        )
        .collect()
}

/// That an assertion holds for one text and not for one that is hardly different.
#[track_caller]
fn tells_apart(assertion: &str, holds: &str, fails: &str) {
    let outcomes = [holds, fails].map(|text| {
        let file = tempfile::NamedTempFile::new().expect("a file");
        fs::write(file.path(), text).expect("written");
        let path = file.path().to_str().expect("UTF-8");
        let (code, outcome, seen) = judged(path, assertion, FEW);
        (code, outcome, seen)
    });
    let [(0, pass, _), (3, fail, _)] = &outcomes else {
        panic!("{assertion}: {outcomes:?}");
    };
    assert_eq!([pass, fail], ["pass", "fail"], "{assertion}: {outcomes:?}");
}

/// One more or one less of what each kind of assertion looks at, in a real scrape.
#[test]
fn hardly_different_scrapes_are_told_apart() {
    let labels = |model: &str| format!("fairness_id=\"default-flow\",model_name=\"{model}\"");
    let sql = labels("sql-lora");
    let changes = [
        (
            "requests(\"sql-lora\") >= 18",
            format!("llm_d_epp_request_total{{{sql}"),
            "17",
        ),
        (
            "requests == 108",
            format!("llm_d_epp_request_total{{{sql}"),
            "19",
        ),
        (
            "errors <= 4",
            "llm_d_epp_request_error_total{".to_owned(),
            "5",
        ),
        (
            "error_rate < 4%",
            "llm_d_epp_request_error_total{".to_owned(),
            "5",
        ),
        (
            "in_flight(\"sql-lora\") <= 2",
            format!("llm_d_epp_request_running{{{sql}"),
            "3",
        ),
        (
            "ready_endpoints >= 2",
            "llm_d_epp_ready_endpoints".to_owned(),
            "1",
        ),
        (
            "queue <= 0",
            "llm_d_epp_average_queue_size".to_owned(),
            "0.5",
        ),
        (
            "kv_cache <= 25%",
            "llm_d_epp_average_kv_cache_utilization".to_owned(),
            "0.26",
        ),
        (
            "running != 1",
            "llm_d_epp_average_running_requests".to_owned(),
            "1",
        ),
    ];
    let text = text_of(IN_FLIGHT);
    for (assertion, series, value) in changes {
        tells_apart(assertion, &text, &with(&text, &series, value));
    }
    tells_apart(
        "absent(\"other\")",
        &text,
        &text.replace("no-such-model", "other"),
    );
    let other_names = text.replace("llm_d_epp_", "llm_d_router_epp_");
    tells_apart("generation == llm_d_epp", &text, &other_names);
    tells_apart("generation != llm_d_router_epp", &text, &other_names);
}

/// One observation that moves to the next bucket.
#[test]
fn hardly_different_histograms_are_told_apart() {
    let text = text_of(GIE);
    let bucket = "inference_model_request_duration_seconds_bucket{model_name=\"sql-lora\",target_model_name=\"sql-lora-v2\",le=\"0.025\"}";
    let slower = with(&text, bucket, "4");
    tells_apart("p50(\"sql-lora\") <= 25ms", &text, &slower);
    tells_apart("each(p50(\"sql-lora\") <= 25ms)", &text, &slower);

    let text = text_of(LLM_D);
    let bucket = "llm_d_epp_request_ttft_seconds_bucket{fairness_id=\"default-flow\",model_name=\"sql-lora\",priority=\"0\",streaming=\"true\",target_model_name=\"sql-lora-v2\",le=\"0.005\"}";
    tells_apart(
        "p50(ttft, \"sql-lora\") <= 5ms",
        &text,
        &with(&text, bucket, "0"),
    );
}

#[test]
fn requests_that_clients_gave_up_are_told_apart() {
    let series = "inference_model_request_cancelled_total{model_name=\"sql-lora\",target_model_name=\"sql-lora-v2\"}";
    let text = format!("{}{series} 1\n", text_of(GIE));
    tells_apart("cancelled <= 1", &text, &with(&text, series, "2"));
}

fn text_of(path: &str) -> String {
    String::from_utf8(unpacked(path)).expect("UTF-8")
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

/// A scrape under these names, `prefix_…`, of models with so many requests, errors and durations within 0.1 s. A picker
/// with `more` counts errors also where it has none.
fn counted(prefix: &str, models: &[(&str, [usize; 3])], more: &str) -> tempfile::NamedTempFile {
    saved(&text_with(prefix, models, more))
}

fn text_with(prefix: &str, models: &[(&str, [usize; 3])], more: &str) -> String {
    let series = models.iter().map(|(model, [requests, errors, durations])| {
        let requests = match requests {
            0 => String::new(),
            n => format!("{prefix}_request_total{{model_name=\"{model}\"}} {n}\n"),
        };
        let errors = match errors {
            0 => String::new(),
            n => format!(
                "{prefix}_request_error_total{{model_name=\"{model}\",error_code=\"InferencePoolResourceExhausted\"}} {n}\n"
            ),
        };
        let family = format!("{prefix}_request_duration_seconds");
        let durations = match durations {
            0 => String::new(),
            n => format!(
                "{family}_bucket{{model_name=\"{model}\",le=\"0.1\"}} {n}\n\
                 {family}_bucket{{model_name=\"{model}\",le=\"+Inf\"}} {n}\n\
                 {family}_sum{{model_name=\"{model}\"}} 1\n\
                 {family}_count{{model_name=\"{model}\"}} {n}\n"
            ),
        };
        [requests, errors, durations].concat()
    });
    format!(
        "# TYPE {prefix}_request_duration_seconds histogram\n{}{more}",
        series.collect::<String>()
    )
}

fn path(file: &tempfile::NamedTempFile) -> &str {
    file.path().to_str().expect("UTF-8")
}

const READY: &str = "inference_pool_ready_pods{name=\"p\"} 2\n";
const OBJECTIVE: &str = "inference_objective";

#[test]
fn a_quantile_of_a_part_proves_nothing() {
    let hang = counted(
        OBJECTIVE,
        &[("m", [1000, 0, 1000]), ("hung", [1000, 0, 0])],
        READY,
    );
    undecided(
        path(&hang),
        "p99 < 5s",
        &[],
        "requests of \"hung\", but no duration of one",
    );
    undecided(path(&hang), "each(p99 < 5s)", &[], "");
    told_apart(path(&hang), ["p99(\"m\") < 5s", "p99 < 1ms"], &[]);

    // Clients that were gone before the answer.
    let waited = counted(OBJECTIVE, &[("m", [1000, 0, 989])], READY);
    let few = "only 989 of 1000 requests have a duration";
    undecided(path(&waited), "p99 < 5s", &[], few);
    undecided(path(&waited), "each(p99 < 5s)", &[], few);
    told_apart(path(&waited), ["p98 < 5s", "p99 < 1ms"], &[]);
    let hardly = counted(OBJECTIVE, &[("m", [1000, 0, 990])], READY);
    told_apart(path(&hardly), ["p99 < 5s", "each(p99 < 1ms)"], &[]);

    let blind = counted(OBJECTIVE, &[("m", [1000, 0, 0])], READY);
    let both = ["-f", path(&blind)];
    undecided(
        path(&hang),
        "p99(\"m\") < 5s",
        &both,
        "but not their duration",
    );

    let no_first_tokens = [
        "-f",
        "tests/fixtures/scrapes/gie-v1.2.1/t0.prom.gz",
        "--min-samples",
        "5",
    ];
    undecided(
        LLM_D,
        "p95(ttft) < 5s",
        &no_first_tokens,
        "does not measure ttft",
    );
    let does_not_say = ["-f", NO_DURATIONS];
    undecided(
        IN_FLIGHT,
        "in_flight < 100",
        &does_not_say,
        "does not measure in_flight",
    );
}

#[test]
fn requests_in_flight_refused_ones_and_answers_in_one_piece_are_no_gap() {
    let running = format!("{READY}inference_objective_running_requests{{model_name=\"new\"}} 3\n");
    let models = [
        ("m", [1000, 0, 1000]),
        ("new", [3, 0, 0]),
        ("refused", [0, 5, 0]),
        ("no-pods", [2, 2, 0]),
    ];
    let busy = counted(OBJECTIVE, &models, &running);
    assert_eq!(judged(path(&busy), "p99 < 5s", &[]).1, "pass");

    // Whose requests are none of them streamed.
    let names = "llm_d_epp";
    let whole = counted(names, &[("m", [1000, 0, 1000])], "");
    assert_eq!(
        judged(
            LLM_D,
            "p95(ttft) < 5s",
            &["-f", path(&whole), "--min-samples", "5"]
        )
        .1,
        "pass"
    );
}

#[test]
fn a_model_of_which_every_request_is_refused_has_none() {
    let refused = counted(
        OBJECTIVE,
        &[
            ("m", [1000, 0, 1000]),
            ("full", [0, 500, 0]),
            ("", [0, 5, 0]),
        ],
        READY,
    );
    let told = judged(path(&refused), "each(requests >= 1)", &[]);
    assert_eq!(told, (3, "fail".to_owned(), "\"full\": 0".to_owned()));
}

/// Another pod may hold the rest of what is too little, and hides nothing of what is too much.
#[test]
fn of_a_part_only_what_is_too_much_is_proven() {
    let seen = counted(OBJECTIVE, &[("m", [100, 10, 100])], READY);
    let unread = ["-f", "/nonexistent.prom", "--min-samples", "1"];
    let outcomes = [
        "requests >= 100",
        "requests >= 200",
        "requests == 200",
        "requests == 50",
        "requests <= 50",
        "each(errors <= 5)",
        "error_rate < 1%",
        "p99 < 1ms",
        "ready_endpoints >= 5",
        "absent(\"m\")",
        "generation == llm_d_epp",
    ]
    .map(|assertion| (assertion, judged(path(&seen), assertion, &unread).1));
    assert_eq!(
        outcomes,
        [
            ("requests >= 100", "inconclusive"),
            ("requests >= 200", "inconclusive"),
            ("requests == 200", "inconclusive"),
            ("requests == 50", "fail"),
            ("requests <= 50", "fail"),
            ("each(errors <= 5)", "fail"),
            ("error_rate < 1%", "inconclusive"),
            ("p99 < 1ms", "inconclusive"),
            ("ready_endpoints >= 5", "inconclusive"),
            ("absent(\"m\")", "fail"),
            ("generation == llm_d_epp", "fail"),
        ]
        .map(|(assertion, outcome)| (assertion, outcome.to_owned()))
    );
    undecided(
        path(&seen),
        "requests >= 200",
        &unread,
        "100; 1 of 2 pods not counted: /nonexistent.prom",
    );
}

#[test]
fn several_pools_have_no_one_value() {
    let two = counted(
        OBJECTIVE,
        &[],
        "inference_pool_ready_pods{name=\"p\"} 2\ninference_pool_ready_pods{name=\"q\"} 2\n",
    );
    undecided(
        path(&two),
        "ready_endpoints >= 1",
        &[],
        "several pools have no one value",
    );
}

/// Of a pool whose picker is gone nothing is known, and so nothing of all is proven: now, and of what was recorded.
#[tokio::test(flavor = "multi_thread")]
async fn a_pool_without_a_picker_leaves_all_undecided() {
    let picker = Picker::serve(|_| answer(200, served())).await;
    let api = Api::start().await;
    let pool = |name: &str, service: &str| {
        json!({
            "metadata": { "name": name, "namespace": "llm" },
            "spec": { "endpointPickerRef": { "name": service, "port": { "number": 9002 } } },
        })
    };
    api.answers(
        "GET /apis/inference.networking.k8s.io/v1/namespaces/llm/inferencepools",
        json!({
            "kind": "InferencePoolList", "apiVersion": "any", "metadata": {},
            "items": [pool("qwen", "epp"), pool("llama", "llama-epp")],
        }),
    )
    .has_service(vec![pod("epp-a", "u1")])
    .forwards("epp-a", Way::To(picker.address));
    let kubeconfig = api.source().kubeconfig.expect("it has one");
    let calls = move || {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let recording = folder.path().join("r.igr");
        let recording = recording.to_str().expect("UTF-8");
        let cluster = ["--kubeconfig", kubeconfig.to_str().expect("UTF-8")];
        let live = |arguments: &[&str]| {
            ended(
                &igctl(&[arguments, &cluster].concat())
                    .output()
                    .expect("igctl starts"),
            )
        };
        let assert = ["--assert", "requests >= 1"];
        [
            live(&["metrics", "record", "--for", "1ms", recording]),
            live(&["metrics", "top", "--once"]),
            live(&["smoke", assert[0], assert[1]]),
            call(&[&["-f", recording], &assert[..]].concat()),
        ]
    };
    let told = tokio::task::spawn_blocking(calls).await.expect("they end");

    let gone = "no Service llama-epp in namespace llm, which InferencePool llama names as its endpoint picker";
    let missing = format!("1 of 2 pods not counted: llm/llama-epp: {gone}");
    let expected = [
        ("exit 4\n", gone),
        ("exit 4\n", "llm/llama  picker llama-epp: no pod"),
        (
            "exit 3\nOUTCOME       ASSERTION      SEEN\nINCONCLUSIVE",
            missing.as_str(),
        ),
        (
            "exit 3\nOUTCOME       ASSERTION      SEEN\nINCONCLUSIVE",
            &missing,
        ),
    ];
    for (text, (begins, said)) in told.iter().zip(expected) {
        assert!(
            text.starts_with(begins) && text.contains(said),
            "no {begins:?} and {said:?} in {text}"
        );
    }
}

/// Beyond its cap of models a picker counts all under `other`.
#[test]
fn any_model_may_be_among_those_beyond_the_cap() {
    let file = "tests/fixtures/scrapes/llm-d-router-main-nok8s/cap-request_total-only.prom.gz";
    let outcomes = ["m-1050", "m-0001", "other"]
        .map(|model| judged(file, &format!("absent(\"{model}\")"), &[]).1);
    assert_eq!(outcomes, ["inconclusive", "fail", "fail"]);
    undecided(file, "absent(\"m-1050\")", &[], "cap of models reached");
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
    undecided(path, "requests >= 1", &[], "damaged, cut off");
}

/// As `cat` of the scrapes of two replicas has: of a series that comes twice only the first is read.
#[test]
fn a_text_that_contradicts_itself_proves_nothing() {
    let file = beyond(
        100,
        "llm_d_epp_request_total{model_name=\"m\"} 9\nllm_d_epp_request_total{model_name=\"m\"} 900\n",
    );
    let path = file.path().to_str().expect("UTF-8");
    undecided(path, "requests < 10", &[], "contradicts itself");
}

#[test]
fn a_model_may_be_called_what_a_glob_is() {
    let file = saved(
        "# TYPE llm_d_epp_request_total counter\nllm_d_epp_request_total{model_name=\"a[1]\"} 9\n\
         llm_d_epp_request_total{model_name=\"b-é\"} 9\n",
    );
    let path = file.path().to_str().expect("UTF-8");

    told_apart(path, ["absent(\"a1\")", "absent(\"a[1]\")"], &[]);
    told_apart(path, ["absent(\"b-??\")", "absent(\"b-?\")"], &[]);
}

fn saved(text: &str) -> tempfile::NamedTempFile {
    let file = tempfile::NamedTempFile::new().expect("a file");
    fs::write(file.path(), text).expect("written");
    file
}

#[test]
fn a_quantile_has_no_more_samples_than_its_buckets() {
    let histogram = |in_buckets: u32, count: u32| {
        let name = "llm_d_epp_request_duration_seconds";
        saved(&format!(
            "# TYPE {name} histogram\n{name}_bucket{{model_name=\"m\",le=\"1\"}} {in_buckets}\n\
             {name}_bucket{{model_name=\"m\",le=\"+Inf\"}} {in_buckets}\n{name}_count{{model_name=\"m\"}} {count}\n"
        ))
    };
    let (few, many) = (histogram(5, 100), histogram(100, 5));
    let [few, many] = [&few, &many].map(|file| file.path().to_str().expect("UTF-8"));

    undecided(few, "p99 < 2s", &[], "fewer than 20 samples");
    undecided(many, "p99 < 2s", &[], "contradicts itself");
}

#[test]
fn what_no_counter_can_be_is_not_known() {
    for value in ["-5", "NaN", "+Inf"] {
        let requests = saved(&format!(
            "# TYPE llm_d_epp_request_total counter\nllm_d_epp_request_total{{model_name=\"m\"}} {value}\n"
        ));
        let errors = saved(&format!(
            "# TYPE llm_d_epp_request_total counter\nllm_d_epp_request_total{{model_name=\"m\"}} 90\n\
             # TYPE llm_d_epp_request_error_total counter\nllm_d_epp_request_error_total{{model_name=\"m\"}} {value}\n"
        ));
        let [requests, errors] = [&requests, &errors].map(|f| f.path().to_str().expect("UTF-8"));
        for (path, assertion) in [
            (requests, "requests < 10"),
            (requests, "each(requests != 3)"),
            (errors, "errors < 10"),
            (errors, "error_rate < 1%"),
        ] {
            undecided(path, assertion, &[], "contradicts itself");
        }
    }
}

/// `igctl smoke … | true` in a pipeline that heeds each exit code.
#[test]
fn a_verdict_stands_where_nobody_reads_it() {
    let closed = || std::io::pipe().expect("a pipe").1;
    let code = |assertion| {
        std::process::Command::new(env!("CARGO_BIN_EXE_igctl"))
            .args(["smoke", "-f", GIE, "--assert", assertion])
            .stdout(closed())
            .stderr(closed())
            .status()
            .expect("igctl starts")
            .code()
    };
    assert_eq!(
        [code("requests >= 1"), code("requests >= 1000000")],
        [Some(0), Some(3)]
    );
}

#[test]
fn a_standby_speaks_for_no_pool() {
    let standby = "tests/fixtures/scrapes/gie-v1.0.0-ha/idle-B.prom.gz";
    for assertion in ["ready_endpoints >= 0", "requests >= 0", "each(p99 < 1s)"] {
        undecided(standby, assertion, &[], "standby only");
    }
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

#[test]
fn as_csv_and_yaml() {
    let csv = call(&[&MIXED[..], &["-o", "csv"]].concat());
    let yaml = call(&[&MIXED[..], &["-o", "yaml"]].concat());
    let yaml: String = yaml
        .lines()
        .filter(|line| !line.starts_with("at: "))
        .map(|line| format!("{line}\n"))
        .collect();
    insta::assert_snapshot!([csv, yaml].join("\n"));
}

/// A GitHub runner's step: its log, and its summary.
#[test]
fn a_step_of_github_has_annotations_and_a_summary() {
    let summary = tempfile::NamedTempFile::new().expect("a file");
    fs::write(summary.path(), "what another step wrote\n").expect("written");
    let output = smoke(&[&MIXED[..], &["-o", "github"]].concat())
        .env("GITHUB_STEP_SUMMARY", summary.path())
        .output()
        .expect("igctl starts");
    let log = String::from_utf8(output.stdout).expect("UTF-8");
    let commands: Vec<WorkflowCommand<'_>> = log.lines().map(command).collect();
    let summary = fs::read_to_string(summary.path()).expect("it is there");
    insta::assert_snapshot!(format!("{commands:#?}\n{summary}"));
}

#[test]
fn a_summary_that_cannot_be_written_hides_no_verdict() {
    let ended = |assertion: &str| {
        let output = smoke(&["-f", GIE, "--assert", assertion, "-o", "github"])
            .env("GITHUB_STEP_SUMMARY", "/nowhere/summary.md")
            .output()
            .expect("igctl starts");
        (
            output.status.code(),
            String::from_utf8_lossy(&output.stderr).trim().to_owned(),
        )
    };
    let told = |summary| {
        format!(
            "WARN no summary in /nowhere/summary.md (GITHUB_STEP_SUMMARY): No such file or directory (os error 2)\n\
             igctl smoke: {summary}"
        )
    };

    assert_eq!(
        [ended("requests >= 1"), ended("requests < 1")],
        [(Some(0), told("1 passed")), (Some(3), told("1 failed")),]
    );
}

/// Its name, its properties and its message.
type WorkflowCommand<'a> = (&'a str, Vec<(&'a str, String)>, String);

/// A workflow command as a runner reads it: `::NAME KEY=VALUE,KEY=VALUE::MESSAGE`.
fn command(line: &str) -> WorkflowCommand<'_> {
    let unescaped = |text: &str| {
        [
            ("%3A", ":"),
            ("%2C", ","),
            ("%0D", "\r"),
            ("%0A", "\n"),
            ("%25", "%"),
        ]
        .iter()
        .fold(text.to_owned(), |text, (code, c)| text.replace(code, c))
    };
    let rest = line.strip_prefix("::").expect("a command begins so");
    let (head, message) = rest.split_once("::").expect("and ends so");
    let (name, properties) = head.split_once(' ').unwrap_or((head, ""));
    let properties = properties
        .split(',')
        .filter(|property| !property.is_empty())
        .map(|property| {
            let (key, value) = property.split_once('=').expect("KEY=VALUE");
            (key, unescaped(value))
        })
        .collect();
    (name, properties, unescaped(message))
}

const OLDER: &str = "tests/fixtures/scrapes/gie-v1.0.0/t0.prom.gz";

/// Outcome and text of every verdict against a baseline.
fn against(file: &str, baseline: &str, more: &[&str]) -> String {
    let arguments = [
        &["-f", file, "--baseline", baseline, "--min-samples", "1"],
        more,
    ]
    .concat();
    call(&arguments)
}

#[test]
fn what_was_good_is_as_good_as_itself() {
    insta::assert_snapshot!(against(LLM_D, LLM_D, &[]));
}

#[test]
fn another_generation_has_renamed_families() {
    insta::assert_snapshot!(against(LLM_D, OLDER, &[]));
}

#[test]
fn too_few_samples_of_a_baseline_prove_nothing() {
    let told = call(&["-f", GIE, "--baseline", GIE, "--min-samples", "1000"]);
    assert!(
        told.starts_with("exit 3\n") && told.contains("fewer than 1000 samples"),
        "{told}"
    );
}

#[test]
fn a_report_is_a_baseline() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let report = |more: &[&str]| {
        let path = folder.path().join(format!("{}.json", more.len()));
        let arguments = [&["metrics", "top", "-f", LLM_D, "-o", "json"], more].concat();
        let output = Command::new(env!("CARGO_BIN_EXE_igctl"))
            .args(arguments)
            .current_dir(env!("CARGO_MANIFEST_DIR"))
            .output()
            .expect("igctl starts");
        fs::write(&path, output.stdout).expect("written");
        path.to_str().expect("UTF-8").to_owned()
    };
    let fine = report(&["--by", "model"]);
    let by_target = report(&[]);
    let told = [&fine, &by_target]
        .map(|report| against(LLM_D, report, &[]))
        .join("\n");
    insta::assert_snapshot!(told.replace(&folder.path().display().to_string(), "(folder)"));
}

#[test]
fn a_baseline_may_come_by_a_pipe() {
    let report = Command::new(env!("CARGO_BIN_EXE_igctl"))
        .args(["metrics", "top", "--by", "model", "-o", "json", "-f", LLM_D])
        .output()
        .expect("igctl starts");
    let code = |baseline: Vec<u8>| {
        smoke(&["-f", LLM_D, "--baseline", "-", "--min-samples", "1"])
            .write_stdin(baseline)
            .output()
            .expect("igctl starts")
            .status
            .code()
    };
    assert_eq!(
        [code(report.stdout), code(unpacked(LLM_D))],
        [Some(0), Some(0)]
    );
}

/// A scrape in which every request of `m` took so long, in seconds, as its bucket says.
fn all_in_bucket(le: &str) -> tempfile::NamedTempFile {
    let file = tempfile::NamedTempFile::new().expect("a file");
    let bounds = ["0.1", "0.2", "0.4", "+Inf"];
    let at = bounds
        .iter()
        .position(|bound| *bound == le)
        .expect("a bound");
    let buckets: String = bounds
        .iter()
        .enumerate()
        .map(|(i, bound)| {
            let n = if i < at { 0 } else { 100 };
            format!(
                "llm_d_epp_request_duration_seconds_bucket{{model_name=\"m\",le=\"{bound}\"}} {n}\n"
            )
        })
        .collect();
    let text = format!(
        "# TYPE llm_d_epp_request_total counter\nllm_d_epp_request_total{{model_name=\"m\"}} 100\n\
         # TYPE llm_d_epp_request_duration_seconds histogram\n{buckets}\
         llm_d_epp_request_duration_seconds_count{{model_name=\"m\"}} 100\n"
    );
    fs::write(file.path(), text).expect("written");
    file
}

#[test]
fn slower_than_the_baseline_fails_and_more_tolerance_passes() {
    let (fast, slow) = (all_in_bucket("0.1"), all_in_bucket("0.2"));
    let path = |file: &tempfile::NamedTempFile| file.path().to_str().expect("UTF-8").to_owned();
    let code = |now: &str, then: &str, tolerance: &str| {
        let told = against(now, then, &["--tolerance", tolerance]);
        told.lines().next().unwrap_or_default().to_owned()
    };
    let (fast, slow) = (path(&fast), path(&slow));
    assert_eq!(
        [
            code(&slow, &fast, "20%"),
            code(&slow, &fast, "102%"),
            code(&fast, &slow, "20%"),
            code(&fast, &fast, "0%"),
        ],
        ["exit 3", "exit 0", "exit 0", "exit 0"]
    );
}

/// What a comparison with a baseline says of p99 and of the error rate.
fn levels(now: &[&tempfile::NamedTempFile], baseline: &tempfile::NamedTempFile) -> [String; 2] {
    let mut arguments = vec!["-o", "json", "--baseline", path(baseline)];
    for file in now {
        arguments.extend(["-f", path(file)]);
    }
    let output = smoke(&arguments).output().expect("igctl starts");
    let json: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
    ["each(p99)", "each(error_rate)"].map(|what| {
        let verdicts = json["assertions"].as_array().expect("a list");
        let verdict = verdicts.iter().find(|verdict| {
            verdict["assertion"]
                .as_str()
                .is_some_and(|text| text.contains(what))
        });
        let finding = &verdict.expect("it is there")["findings"][0];
        format!(
            "{}: {}",
            finding["outcome"].as_str().unwrap_or_default(),
            finding["text"].as_str().unwrap_or_default()
        )
    })
}

#[test]
fn a_level_of_which_a_pod_knows_nothing_is_unknown() {
    let good = counted(OBJECTIVE, &[("m", [1000, 10, 1000])], READY);
    let blind = counted(OBJECTIVE, &[("m", [1000, 10, 0])], READY);
    let first = counted("inference_model", &[("m", [1000, 0, 1000])], "");
    let newer = counted("inference_model", &[("m", [1000, 10, 1000])], READY);
    let [p99, _] = levels(&[&good, &blind], &good);
    let [_, errors] = levels(&[&newer, &first], &newer);
    assert!(
        p99.starts_with("inconclusive") && p99.contains("not their duration"),
        "{p99}"
    );
    assert!(
        errors.starts_with("inconclusive")
            && errors.contains("not every picker here counts errors"),
        "{errors}"
    );
}

#[test]
fn a_model_that_is_only_refused_is_worse() {
    let served = counted(OBJECTIVE, &[("m", [1000, 10, 1000])], READY);
    let refused = counted(OBJECTIVE, &[("m", [0, 1000, 0])], READY);
    let [_, errors] = levels(&[&refused], &served);
    assert!(errors.starts_with("fail"), "{errors}");
}

/// A counter of errors has no series before the first one, and none under this name where it has another.
#[test]
fn a_family_of_errors_that_is_gone_is_told() {
    let bad = text_with("llm_d_epp", &[("m", [1000, 10, 1000])], "");
    let (baseline, good) = (saved(&bad), saved(&served()));
    let renamed = saved(&bad.replace("request_error_total", "request_failure_total"));
    let told = [&good, &renamed].map(|now| against(path(now), path(&baseline), &[]));
    let expected = [
        (
            "exit 0\n",
            "all are there; no series of llm_d_epp_request_error_total now, taken as 0",
        ),
        (
            "exit 3\n",
            "not seen yet: llm_d_epp_request_error_total (is it llm_d_epp_request_failure_total now?)",
        ),
    ];
    for (text, (begins, said)) in told.iter().zip(expected) {
        assert!(
            text.starts_with(begins) && text.contains(said),
            "no {begins:?} and {said:?} in {text}"
        );
    }
}

/// What it lacks, nothing is compared with.
#[test]
fn a_baseline_that_is_not_whole_proves_nothing() {
    let good = served();
    let now = saved(&good);
    let report = |more: &[&str], files: &[&str]| {
        let mut arguments = vec!["metrics", "top", "-o", "json", "--by", "model"];
        arguments.extend(more);
        files.iter().for_each(|file| arguments.extend(["-f", file]));
        let report = igctl(&arguments).output().expect("igctl starts");
        saved(&String::from_utf8(report.stdout).expect("UTF-8"))
    };
    let other = counted("llm_d_epp", &[("n", [1000, 0, 1000])], "");
    let baselines = [
        (
            saved(&format!(
                "{good}llm_d_epp_request_total{{model_name=\"n\" 5\n"
            )),
            "the baseline is not whole: the text of",
        ),
        (
            saved(good.trim_end()),
            "the baseline is not whole: the text of",
        ),
        (
            report(&[], &[path(&now), "/nonexistent.prom"]),
            "the baseline is not whole: 1 of 2 pods not counted: /nonexistent.prom",
        ),
        (
            report(&["--limit", "1"], &[path(&now), path(&other)]),
            "--limit left out 1 of its rows",
        ),
        (waited_for(), "the baseline says nothing of it"),
        (
            report(&[], &[path(&waited_for())]),
            "the baseline says nothing of it",
        ),
    ];
    for (baseline, said) in baselines {
        let told = against(path(&now), path(&baseline), &[]);
        assert!(
            !told.starts_with("exit 0\n") && told.contains(said),
            "no {said:?} in {told}"
        );
    }
    let lost = levels(&[&waited_for()], &now);
    assert!(lost[0].contains("only 900 of 1000 requests"), "{lost:?}");
}

/// A scrape of requests of which a tenth was never answered.
fn waited_for() -> tempfile::NamedTempFile {
    counted("llm_d_epp", &[("m", [1000, 0, 900])], "")
}

/// What one of several pods lacks, another one's text must not hide.
#[test]
fn what_one_pod_has_lost_is_lost() {
    let good = format!(
        "{}{}",
        served(),
        "llm_d_epp_ready_endpoints{name=\"p\"} 2\n"
    );
    let with_priority = good.replace("_total{", "_total{priority=\"0\",");
    let families = |texts: [&str; 2]| {
        let [first, second] = texts.map(saved);
        let told = call(&[
            "-f",
            path(&first),
            "-f",
            path(&second),
            "--baseline",
            path(&first),
        ]);
        told.replace(path(&second), "SECOND")
    };
    let renamed = families([&good, &good.replace("llm_d_epp_", "inference_objective_")]);
    let lost = families([&good, &served()]);
    let unlabelled = families([&with_priority, &good]);
    let idle = families([&good, "llm_d_epp_ready_endpoints{name=\"p\"} 2\n"]);
    let told = [
        (
            &renamed,
            "llm_d_epp_request_total → inference_objective_request_total (SECOND)",
        ),
        (&lost, "lost: llm_d_epp_ready_endpoints (SECOND)"),
        (&unlabelled, "llm_d_epp_request_total -priority (SECOND)"),
        (
            &idle,
            "not seen yet: llm_d_epp_request_duration_seconds (SECOND)",
        ),
    ];
    for (text, said) in told {
        assert!(
            text.starts_with("exit 3\n") && text.contains(said),
            "no {said:?} in {text}"
        );
    }
}

/// A picker of which nothing is lost but that it serves.
fn served() -> String {
    text_with("llm_d_epp", &[("m", [1000, 0, 1000])], "")
}

/// It counts no request and sees no pool, and that is no fault.
#[test]
fn a_standby_has_lost_nothing() {
    let leader = format!(
        "{}{READY}leader_election_master_status{{name=\"p\"}} 1\n",
        text_with(OBJECTIVE, &[("m", [1000, 0, 1000])], "")
    );
    let standby =
        "leader_election_master_status{name=\"p\"} 0\ninference_extension_info{commit=\"c\"} 1\n";
    let [leader, standby] = [&leader, standby].map(saved);
    let told = call(&[
        "-f",
        path(&leader),
        "-f",
        path(&standby),
        "--baseline",
        path(&leader),
    ]);
    assert!(told.contains("all are there"), "{told}");
}

#[test]
fn inner_workings_are_renamed_as_the_catalog_says() {
    let told = against(OLDER, GIE, &["--allow-inconclusive"]);
    let renamed = "inference_extension_scheduler_plugin_duration_seconds → inference_extension_plugin_duration_seconds";
    assert!(
        told.starts_with("exit 3\n") && told.contains(renamed),
        "{told}"
    );
}

/// A gateway and the picker behind it. Its page has so many requests `before`, counts each `times` over, and durations where it is
/// `timed`; every answer has this status.
async fn probed(
    status: u16,
    before: usize,
    times: usize,
    timed: bool,
    more: &'static [&'static str],
) -> String {
    let hits = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&hits);
    let gateway = Picker::serve(move |token| {
        let given = token == Some("of-the-gateway");
        if given {
            counted.fetch_add(1, Ordering::Relaxed);
        }
        let body = match more.contains(&"--probe-stream") {
            true => "data: {}\n\ndata: [DONE]\n\n",
            false => "{}",
        };
        answer(if given { status } else { 401 }, body)
    })
    .await;
    let picker = Picker::serve(move |_| {
        let n = before + times * hits.load(Ordering::Relaxed);
        let process = "process_start_time_seconds 1.7e+09\n";
        if n == 0 {
            // As a picker of v0.1 that nobody has asked anything.
            return answer(200, process);
        }
        let mut page = format!(
            "{process}# TYPE inference_model_request_total counter\n\
             inference_model_request_total{{model_name=\"m\",target_model_name=\"m\"}} {n}\n"
        );
        if timed {
            page.push_str(&format!(
                "# TYPE inference_model_request_duration_seconds histogram\n\
                 inference_model_request_duration_seconds_bucket{{model_name=\"m\",le=\"+Inf\"}} {n}\n\
                 inference_model_request_duration_seconds_count{{model_name=\"m\"}} {n}\n"
            ));
        }
        answer(200, page)
    })
    .await;
    let folder = tempfile::tempdir().expect("a temporary folder");
    let headers = folder.path().join("headers");
    fs::write(&headers, "Authorization: Bearer of-the-gateway\n").expect("written");
    let (metrics, url) = (
        format!("http://{}/metrics", picker.address),
        format!("http://{}/v1/completions", gateway.address),
    );
    tokio::task::spawn_blocking(move || {
        let headers = headers.to_str().expect("UTF-8");
        let arguments = [
            "--url",
            &metrics,
            "--probe",
            "3",
            "--probe-url",
            &url,
            "--probe-model",
            "m",
            "--probe-header-file",
            headers,
        ];
        call(&[&arguments, more].concat())
    })
    .await
    .expect("the call ends")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_probe_that_is_counted_once_passes() {
    insta::assert_snapshot!(probed(200, 7, 1, true, &[]).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_probe_may_be_the_first_that_a_picker_counts() {
    let told = probed(200, 0, 1, true, &[]).await;
    assert!(told.starts_with("exit 0\n"), "{told}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_probe_that_is_counted_twice_fails() {
    insta::assert_snapshot!(probed(200, 7, 2, true, &["--probe-stream"]).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_probe_that_is_neither_answered_nor_timed_fails() {
    insta::assert_snapshot!(probed(503, 7, 1, false, &[]).await);
}
