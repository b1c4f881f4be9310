//! Tokens of every kind, and what igctl says where something is refused or missing.

use std::fs;
use std::process::Command;

use serde_json::{Value, json};

use crate::cluster::{Namespace, kubeconfig, kubectl, variable};
use crate::gateway::{Gateway, reader_manifests};
use crate::igctl::{Run, top};
use crate::process::wait_for;

const READER: &str = "inference-gateway-sa-metrics-reader";

#[test]
fn every_way_to_a_token_is_let_in() {
    let gateway = Gateway::deploy("tokens");
    let namespace = &gateway.namespace;
    let secret = format!("{READER}-secret");
    let folder = tempfile::tempdir().expect("a temporary folder");
    let file = folder.path().join("token");
    fs::write(&file, namespace.kubectl(["create", "token", READER]))
        .expect("the folder is writable");
    namespace.kubectl([
        "wait",
        "--for=jsonpath={.data.token}",
        &format!("secret/{secret}"),
    ]);

    let secret = format!("{}/{secret}", namespace.name());
    let ways = [
        top(namespace, &[]),
        top(namespace, &["--service-account", &reader(namespace)]),
        top(namespace, &["--token-secret", &secret]),
        top(
            namespace,
            &["--token-file", file.to_str().expect("the path is text")],
        ),
    ];

    let ends = ways.map(|run| (run.code, run.stderr));
    assert!(ends.iter().all(|(code, _)| *code == 0), "{ends:#?}");
}

#[test]
fn no_token_is_401() {
    let gateway = Gateway::deploy("no-token");

    let run = top(&gateway.namespace, &["--auth", "none"]);

    assert_refused(&run, 5, &["401"]);
}

#[test]
fn a_binding_that_names_another_namespace_is_mended_by_the_hint() {
    let gateway = Gateway::deploy("other-namespace");
    let namespace = gateway.namespace.name();
    // No other test has an account of this name, so the binding is the only one that can be meant.
    let subject = |of: &str| format!("- kind: ServiceAccount\n  name: scraper\n  namespace: {of}");
    let manifests =
        reader_manifests(namespace).replace(&format!("name: {READER}\n"), "name: scraper\n");
    gateway
        .namespace
        .apply(&manifests.replace(&subject(namespace), &subject("default")));
    let account = format!("{namespace}/scraper");
    let arguments = ["--service-account", &account];

    let refused = top(&gateway.namespace, &arguments);
    let hint = refused
        .stderr
        .split_once("kubectl patch")
        .and_then(|(_, rest)| rest.split_once("]'"));
    let (patch, _) = hint.unwrap_or_else(|| panic!("no command to paste in {}", refused.stderr));
    let pasted = bash(&format!("kubectl patch {patch}]'"));
    // A picker remembers a refusal for half a minute.
    let mended = wait_for("the picker to let the reader in", || {
        Some(top(&gateway.namespace, &arguments)).filter(|run| run.code == 0)
    });

    assert_refused(
        &refused,
        5,
        &["403", &format!("system:serviceaccount:{namespace}:scraper")],
    );
    assert_eq!((pasted, mended.code), (true, 0));
}

#[test]
fn a_token_of_no_one_is_told_from_a_missing_one() {
    let gateway = Gateway::deploy("bad-token");
    let folder = tempfile::tempdir().expect("a temporary folder");
    let file = folder.path().join("token");
    fs::write(&file, "not-a-token").expect("the folder is writable");

    let run = top(
        &gateway.namespace,
        &["--token-file", file.to_str().expect("the path is text")],
    );

    assert_refused(&run, 5, &["500", "Authentication failed"]);
}

#[test]
fn a_user_who_may_not_forward_ports_learns_the_rule() {
    let gateway = Gateway::deploy("no-forward");
    let viewer = viewer(&gateway.namespace, &[]);

    let run = top(&gateway.namespace, &["--as", &viewer]);

    assert_refused(
        &run,
        5,
        &[
            "pods/portforward",
            "get",
            "create",
            gateway.namespace.name(),
        ],
    );
}

#[test]
fn a_picker_that_may_not_review_tokens_is_told_from_a_bad_token() {
    let gateway = Gateway::deploy("no-delegator");
    let binding = format!(
        "clusterrolebinding/gateway-core-{}",
        gateway.namespace.name()
    );
    kubectl(["delete", &binding]);

    let run = top(
        &gateway.namespace,
        &["--service-account", &reader(&gateway.namespace)],
    );

    assert_refused(
        &run,
        5,
        &[
            "500",
            "Authentication failed",
            "--only picker --picker gateway-core",
        ],
    );
}

#[test]
fn a_user_who_may_not_mint_tokens_learns_of_other_ways() {
    let gateway = Gateway::deploy("no-mint");
    let viewer = viewer(&gateway.namespace, &["pods/portforward"]);

    let run = top(&gateway.namespace, &["--as", &viewer]);

    assert_refused(&run, 5, &["serviceaccounts/token", "--token-file"]);
}

#[test]
fn one_pod_that_cannot_be_read_does_not_hide_the_others() {
    let gateway = Gateway::deploy("partial");
    gateway.complete("qwen3-32b");
    let silent = json!({
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "silent", "labels": {"app": "gateway-core"}},
        "spec": {
            "containers": [{
                "name": "silent",
                "image": variable("IGCTL_TEST_IMAGE"),
                "args": ["--metrics-port=9091", "--endpoints=127.0.0.1:1", "--metrics-endpoint-auth=false"],
                "ports": [{"name": "metrics", "containerPort": 9090}],
            }],
            "terminationGracePeriodSeconds": 1,
        },
    });
    gateway.namespace.apply(&silent.to_string());
    gateway.namespace.kubectl([
        "wait",
        "--for=condition=Ready",
        "--timeout=180s",
        "pod/silent",
    ]);

    let run = top(&gateway.namespace, &[]);

    let shown: Value = serde_json::from_str(&run.stdout).expect("what could be read is shown");
    assert_eq!(
        (run.code, &shown["total"]["requests"]),
        (4, &json!(1)),
        "{}",
        run.stderr
    );
}

#[test]
fn a_namespace_without_a_pool_is_nothing_found() {
    crate::cluster::ensure_inference_api();
    let namespace = Namespace::create("no-pool");

    let run = top(&namespace, &[]);

    assert_refused(&run, 6, &["InferencePool", namespace.name()]);
}

#[test]
fn a_port_that_nothing_listens_on_is_not_a_refusal_of_rights() {
    let gateway = Gateway::deploy("wrong-port");

    let run = top(&gateway.namespace, &["--metrics-port", "9999"]);

    assert_refused(&run, 1, &["nothing listens on port 9999"]);
}

/// Runs a command as it was printed, and tells whether it went well.
fn bash(command: &str) -> bool {
    let mut bash = Command::new("bash");
    let status = bash
        .env("KUBECONFIG", kubeconfig())
        .args(["-c", command])
        .status();
    status.expect("bash runs").success()
}

/// The reader's ServiceAccount, as igctl's flags name it.
fn reader(namespace: &Namespace) -> String {
    format!("{}/{READER}", namespace.name())
}

/// The name of a user who may see what igctl looks for, and may use `more`.
fn viewer(namespace: &Namespace, more: &[&str]) -> String {
    let seen = [
        "pods",
        "services",
        "deployments.apps",
        "inferencepools.inference.networking.k8s.io",
    ];
    let resources = format!("--resource={}", [&seen, more].concat().join(","));
    let account = format!("--serviceaccount={}:viewer", namespace.name());
    namespace.kubectl(["create", "serviceaccount", "viewer"]);
    namespace.kubectl([
        "create",
        "role",
        "viewer",
        "--verb=get,list,create",
        &resources,
    ]);
    namespace.kubectl(["create", "rolebinding", "viewer", "--role=viewer", &account]);
    format!("system:serviceaccount:{}:viewer", namespace.name())
}

/// It ended with this exit code, and stderr has all of these words.
#[track_caller]
fn assert_refused(run: &Run, code: i32, words: &[&str]) {
    let missing: Vec<_> = words
        .iter()
        .filter(|word| !run.stderr.contains(**word))
        .collect();
    assert!(
        run.code == code && missing.is_empty(),
        "exit {}, without {missing:?}: {}",
        run.code,
        run.stderr
    );
}
