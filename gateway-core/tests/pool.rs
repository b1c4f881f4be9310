//! Following an InferencePool: the command beside an API server whose pods
//! come and go.

mod support;

use support::picker::{Picker, set};
use support::pool_api::PoolApi;

/// The command, following the pool `p` of this API server.
async fn start(api: &PoolApi, arguments: &[&str]) -> Picker {
    Picker::start(&api.kubeconfig(), "default", arguments).await
}

const OPEN: &[&str] = &["--metrics-endpoint-auth=false"];

const NONE_READY: &str = "immediate 503 no endpoint is ready for this request";

#[tokio::test]
async fn picks_follow_pods_as_they_come_and_go() {
    let api = PoolApi::start().await;
    api.has_pool("p", &[8000]);
    api.has_pod("a", "10.0.0.1", true);
    let picker = start(&api, OPEN).await;
    let (a, b) = ("10.0.0.1:8000", "10.0.0.2:8000");
    let mut seen = vec![picker.picks_become(&[a]).await];
    api.has_pod("b", "10.0.0.2", true);
    seen.push(picker.picks_become(&[a, b]).await);
    api.has_pod("b", "10.0.0.2", false);
    seen.push(picker.picks_become(&[a]).await);
    api.loses_pod("a");
    seen.push(picker.picks_become(&[NONE_READY]).await);
    api.has_pod("b", "10.0.0.2", true);
    seen.push(picker.picks_become(&[b]).await);
    let expected: [&[&str]; 5] = [&[a], &[a, b], &[a], &[NONE_READY], &[b]];
    assert_eq!(seen, expected.map(set));
}

#[tokio::test]
async fn while_the_api_server_is_away_the_last_known_pods_stay() {
    let mut api = PoolApi::start().await;
    api.has_pool("p", &[8000]);
    api.has_pod("a", "10.0.0.1", true);
    let mut picker = start(&api, OPEN).await;
    let (a, b) = ("10.0.0.1:8000", "10.0.0.2:8000");
    picker.picks_become(&[a]).await;
    api.stop().await;
    picker.run.line("watching the pool's pods failed").await;
    let while_away = picker.picks_for(&[]).await;
    api.loses_pod("a");
    api.has_pod("b", "10.0.0.2", true);
    api.start_again().await;
    let afterwards = picker.picks_become(&[b]).await;
    assert_eq!([while_away, afterwards], [set(&[a]), set(&[b])]);
}

#[tokio::test]
async fn a_pool_that_changes_its_ports_is_followed() {
    let api = PoolApi::start().await;
    api.has_pool("p", &[8000]);
    api.has_pod("a", "10.0.0.1", true);
    let picker = start(&api, OPEN).await;
    let before = picker.picks_become(&["10.0.0.1:8000"]).await;
    api.has_pool("p", &[8100, 8101]);
    let after = ["10.0.0.1:8100", "10.0.0.1:8101"];
    let seen = [before, picker.picks_become(&after).await];
    assert_eq!(seen, [set(&["10.0.0.1:8000"]), set(&after)]);
}

#[tokio::test]
async fn a_pool_that_is_made_anew_in_a_newer_version_is_followed() {
    let api = PoolApi::start().await;
    api.has_older_pool("p", 8000);
    api.has_pod("a", "10.0.0.1", true);
    let picker = start(&api, OPEN).await;
    let mut seen = vec![picker.picks_become(&["10.0.0.1:8000"]).await];
    api.loses_older_pool("p");
    seen.push(picker.picks_become(&[NONE_READY]).await);
    api.has_pool("p", &[8100]);
    seen.push(picker.picks_become(&["10.0.0.1:8100"]).await);
    let expected: [&[&str]; 3] = [&["10.0.0.1:8000"], &[NONE_READY], &["10.0.0.1:8100"]];
    assert_eq!(seen, expected.map(set));
}

#[tokio::test]
async fn a_pool_that_is_in_both_versions_loses_the_older_without_a_gap() {
    let api = PoolApi::start().await;
    api.has_older_pool("p", 8000);
    api.has_pod("a", "10.0.0.1", true);
    let picker = start(&api, OPEN).await;
    let (older, newer) = ("10.0.0.1:8000", "10.0.0.1:8100");
    let mut seen = picker.picks_become(&[older]).await;
    api.has_pool("p", &[8100]);
    api.loses_older_pool("p");
    while !seen.contains(newer) && !seen.contains(NONE_READY) {
        seen.extend(picker.picks_for(&[]).await);
    }
    assert_eq!(seen, set(&[older, newer]));
}

#[tokio::test]
async fn of_model_rewrites_the_oldest_holds_as_it_is_now() {
    let api = PoolApi::start().await;
    api.has_pool("p", &[8000]);
    api.has_pod("a", "10.0.0.1", true);
    api.has_rewrite("aaa", 2, "newer");
    api.has_rewrite("zzz", 1, "older");
    let picker = start(&api, OPEN).await;
    picker.picks_become(&["10.0.0.1:8000"]).await;
    let mut seen = vec![picker.target_becomes("older").await];
    api.has_rewrite("zzz", 1, "changed");
    seen.push(picker.target_becomes("changed").await);
    api.loses_rewrite("zzz");
    seen.push(picker.target_becomes("newer").await);
    api.loses_rewrite("aaa");
    seen.push(picker.target_becomes("m").await);
    assert_eq!(seen, ["older", "changed", "newer", "m"]);
}

#[tokio::test]
async fn a_lack_of_rights_is_one_line_of_the_log() {
    let api = PoolApi::start().await;
    api.has_pool("p", &[8000]);
    api.has_pod("a", "10.0.0.1", true);
    let mut picker = start(&api, OPEN).await;
    picker.picks_become(&["10.0.0.1:8000"]).await;
    picker.run.terminate();
    let mut complaints = Vec::new();
    while let Some(line) = picker.run.log.recv().await {
        if line["level"] != "INFO" {
            complaints.push(line["message"].as_str().unwrap_or_default().to_owned());
        }
    }
    assert_eq!(
        complaints,
        ["the model rewrites cannot be read; none are followed until they can"]
    );
}

#[tokio::test]
async fn it_is_ready_when_the_pool_is_known_and_alive_before() {
    const SERVING: i32 = 1;
    const NOT_SERVING: i32 = 2;
    let services = [
        "liveness",
        "readiness",
        "inference-extension",
        "envoy.service.ext_proc.v3.ExternalProcessor",
        "",
    ];
    let expected = [
        [SERVING, NOT_SERVING, NOT_SERVING, NOT_SERVING, NOT_SERVING],
        [SERVING; 5],
    ];
    let api = PoolApi::start().await;
    let mut picker = start(&api, OPEN).await;
    picker.run.line("there is no such InferencePool").await;
    let before = picker.health_becomes(services, expected[0]).await;
    api.has_pool("p", &[8000]);
    let after = picker.health_becomes(services, expected[1]).await;
    assert_eq!([before, after], expected);
}

/// As GIE's conformance suite runs a picker: its arguments, no rights beyond
/// pods and pools, and three ports for each pod.
#[tokio::test]
async fn the_conformance_suite_chooses_pods_and_ports() {
    let api = PoolApi::start().await;
    api.has_pool("p", &[3000, 3002, 3004]);
    for (name, address) in [("a", "10.0.0.1"), ("b", "10.0.0.2"), ("c", "10.0.0.3")] {
        api.has_pod(name, address, true);
    }
    let arguments = ["--zap-encoder", "json", "--conformance"];
    let mut picker = start(&api, &arguments).await;
    picker.run.line("the pool has other endpoints now").await;
    let mut seen = Vec::new();
    for selection in ["10.0.0.2", "10.0.0.1:3002,10.0.0.3:3004", "10.9.9.9"] {
        let header = ("test-epp-endpoint-selection", selection);
        seen.push(picker.picks_for(&[header]).await);
    }
    let expected: [&[&str]; 3] = [
        &["10.0.0.2:3000", "10.0.0.2:3002", "10.0.0.2:3004"],
        &["10.0.0.1:3002", "10.0.0.3:3004"],
        &[NONE_READY],
    ];
    assert_eq!(seen, expected.map(set));
}
