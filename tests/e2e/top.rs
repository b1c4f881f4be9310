//! `igctl metrics top` shows what was sent.

use std::thread;

use serde_json::{Value, json};

use crate::gateway::Gateway;
use crate::igctl::top;
use crate::process::wait_for;

#[test]
fn counts_are_exactly_what_was_sent() {
    let gateway = Gateway::deploy("counts");
    for _ in 0..7 {
        gateway.complete("qwen3-32b");
    }
    for _ in 0..5 {
        gateway.stream("qwen3-32b");
    }
    for _ in 0..4 {
        gateway.complete("tweet \"summary\", {v=2}");
    }
    for status in ["404", "429", "500", "503"] {
        let body = json!({"model": "sql-lora", "prompt": "one"}).to_string();
        gateway.post_with("/v1/completions", &[("x-mock-status", status)], &body);
    }
    gateway.post("/v1/completions", "{");

    let shown = top(&gateway.namespace, &[]).json();

    assert_eq!(
        json!({"rows": rows(&shown), "answered": shown["total"]["latency"]["count"]}),
        json!({
            "rows": [
                ["qwen3-32b", "qwen3-32b", 12, {}],
                ["sql-lora", "sql-lora", 4, {"404": 1, "429": 1, "500": 1, "503": 1}],
                ["tweet \"summary\", {v=2}", "tweet \"summary\", {v=2}", 4, {}],
                ["", "", 0, {"BadRequest": 1}],
            ],
            "answered": 20,
        }),
        "{shown:#}"
    );
}

#[test]
fn answers_and_their_status_come_back_as_the_model_server_gave_them() {
    let gateway = Gateway::deploy("answers");
    let failing = json!({"model": "qwen3-32b"}).to_string();

    let replies = [
        gateway.complete("qwen3-32b"),
        gateway.stream("qwen3-32b"),
        gateway.post_with("/v1/completions", &[("x-mock-status", "429")], &failing),
        gateway.post("/v1/completions", "{"),
    ];

    let ends = ["", "data: [DONE]\n\n", r#""type":"mock_error"}}"#, ""];
    let ended = replies
        .iter()
        .zip(ends)
        .all(|(reply, end)| reply.body.ends_with(end));
    let statuses = replies.each_ref().map(|reply| reply.status);
    assert!(ended && statuses == [200, 200, 429, 400], "{replies:#?}");
}

#[test]
fn every_way_to_name_the_picker_shows_the_same() {
    let gateway = Gateway::deploy("targets");
    for _ in 0..3 {
        gateway.complete("qwen3-32b");
    }

    let targets: [&[&str]; 5] = [
        &[],
        &["pool/model-server"],
        &["svc/gateway-core"],
        &["deploy/gateway-core"],
        &["-l", "app=gateway-core"],
    ];
    let shown = targets.map(|target| rows(&top(&gateway.namespace, target).json()));

    let row = json!([["qwen3-32b", "qwen3-32b", 3, {}]]);
    assert_eq!(json!(shown), json!([row, row, row, row, row]));
}

#[test]
fn a_pool_of_the_older_api_is_found_too() {
    let gateway = Gateway::deploy("v1alpha2");
    gateway.namespace.kubectl([
        "delete",
        "inferencepools.inference.networking.k8s.io",
        "model-server",
    ]);
    let older = json!({
        "apiVersion": "inference.networking.x-k8s.io/v1alpha2",
        "kind": "InferencePool",
        "metadata": {"name": "older"},
        "spec": {
            "selector": {"app": "model-server"},
            "targetPortNumber": 8000,
            "extensionRef": {"name": "gateway-core", "portNumber": 9002},
        },
    });
    gateway.namespace.apply(&older.to_string());

    let shown = top(&gateway.namespace, &[]).json();

    let pools: Vec<&Value> = pods(&shown).map(|pod| &pod["pool"]).collect();
    let older = format!("{}/older", gateway.namespace.name());
    assert_eq!(json!(pools), json!([older, older]));
}

#[test]
fn a_picker_without_traffic_is_not_an_error() {
    let gateway = Gateway::deploy("idle");

    let shown = top(&gateway.namespace, &[]).json();

    assert_eq!(rows(&shown), json!([]), "{shown:#}");
}

#[test]
fn a_request_under_way_is_in_flight_until_it_ends() {
    let gateway = Gateway::deploy("in-flight");
    let in_flight = || {
        let shown = top(&gateway.namespace, &[]).json();
        shown["total"]["in_flight"].as_u64()
    };

    let body = json!({"model": "slow", "prompt": "one"}).to_string();

    let seen = thread::scope(|scope| {
        scope.spawn(|| gateway.post_with("/v1/completions", &[("x-mock-delay-ms", "4000")], &body));
        wait_for("the request to be in flight", || {
            in_flight().filter(|&requests| requests == 1)
        })
    });

    assert_eq!((seen, in_flight()), (1, Some(0)));
}

/// Model, target, requests and errors by code of each row.
fn rows(shown: &Value) -> Value {
    let rows = shown["rows"].as_array().expect("rows are a list");
    rows.iter()
        .map(|row| {
            json!([
                row["model"],
                row["target"],
                row["requests"],
                row["error_codes"]
            ])
        })
        .collect()
}

fn pods(shown: &Value) -> impl Iterator<Item = &Value> {
    shown["pods"].as_array().expect("pods are a list").iter()
}
