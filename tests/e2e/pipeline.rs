//! A pipeline's last step: deploy, probe, judge. What is broken fails it, with the reason in one line.

use std::fs;

use serde_json::Value;

use crate::gateway::Gateway;
use crate::igctl::igctl;

/// What a step says: its exit code, and a line for each assertion that does not hold.
struct Step {
    code: i32,
    broken: Vec<String>,
}

/// Sends ten requests for `model` with these headers, and asserts on them alone.
fn smoke(gateway: &Gateway, model: &str, headers: &str, more: &[&str]) -> Step {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let file = folder.path().join("headers");
    fs::write(&file, headers).expect("the folder is writable");
    let (file, url) = (
        file.to_str().expect("UTF-8"),
        gateway.url("/v1/completions"),
    );
    let quick = format!("p99(\"{model}\") < 2s");
    let good = format!("error_rate(\"{model}\") < 1%");
    let mut arguments = vec!["smoke", "-n", gateway.namespace.name(), "-o", "json"];
    arguments.extend(["--probe", "10", "--probe-url", &url, "--probe-model", model]);
    arguments.extend(["--probe-header-file", file, "--min-samples", "10"]);
    arguments.extend(["--assert", &quick, "--assert", &good]);
    arguments.extend(more);
    let run = igctl(arguments);
    let said: Value = serde_json::from_str(&run.stdout)
        .unwrap_or_else(|error| panic!("{error}: {}{}", run.stdout, run.stderr));
    let verdicts = said["assertions"].as_array().expect("they are a list");
    let broken = verdicts
        .iter()
        .filter(|verdict| verdict["outcome"] != "pass")
        .map(|verdict| {
            let why = &verdict["findings"][0]["text"];
            format!("{}: {}", verdict["assertion"], why).replace(['"', '\\'], "")
        });
    Step {
        code: run.code,
        broken: broken.collect(),
    }
}

#[track_caller]
fn fails_with(step: &Step, line: &str) {
    assert!(
        step.code == 3 && step.broken.iter().any(|broken| broken.contains(line)),
        "exit {}: {:#?}, not {line:?}",
        step.code,
        step.broken
    );
}

/// One deployment, and for each fault a model of its own, so that none sees the counts of another.
#[test]
fn what_works_passes_and_what_is_broken_fails_with_the_reason() {
    let mut gateway = Gateway::deploy("pipeline");

    let fine = smoke(&gateway, "fine", "", &["--assert", "ready_endpoints >= 2"]);
    assert_eq!((fine.code, fine.broken), (0, Vec::new()));

    let wrong_model = smoke(&gateway, "unknown", "x-mock-status: 404", &[]);
    fails_with(&wrong_model, "answered: 10 × 404");

    let slow = smoke(&gateway, "slow", "x-mock-delay-ms: 2500", &[]);
    fails_with(&slow, "p99(slow) < 2s: ");

    let names = smoke(
        &gateway,
        "names",
        "",
        &["--assert", "generation == llm_d_epp"],
    );
    fails_with(&names, "generation == llm_d_epp: inference_model");

    gateway.hide_responses();
    let hidden = smoke(&gateway, "hidden", "", &[]);
    fails_with(
        &hidden,
        "durations of hidden counted: none: does the gateway send response bodies",
    );

    gateway.lose_pickers();
    let standby = smoke(&gateway, "standby", "", &[]);
    fails_with(&standby, "10 requests of standby counted: none");
}

#[test]
fn what_was_recorded_is_judged_as_what_runs() {
    let gateway = Gateway::deploy("recorded");
    for _ in 0..5 {
        gateway.complete("qwen3-32b");
    }
    let folder = tempfile::tempdir().expect("a temporary folder");
    let recording = folder.path().join("r.igr");
    let recording = recording.to_str().expect("UTF-8");

    let namespace = gateway.namespace.name();
    let recorded = igctl([
        "metrics", "record", "-n", namespace, "--for", "1s", recording,
    ]);
    let asserted = "requests(\"qwen3-32b\") == 5";
    let judged = igctl(["smoke", "-f", recording, "--assert", asserted]);

    assert_eq!(
        (recorded.code, judged.code),
        (0, 0),
        "{}{}",
        recorded.stderr,
        judged.stdout
    );
}
