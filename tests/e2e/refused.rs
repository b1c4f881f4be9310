//! Tokens of every kind, and what igctl says where something is refused or missing.

use std::fs;

use crate::cluster::Namespace;
use crate::gateway::{Gateway, reader_manifests};
use crate::igctl::{Run, igctl};

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

    let (account, secret) = (
        format!("{}/{READER}", namespace.name()),
        format!("{}/{secret}", namespace.name()),
    );
    let ways = [
        top(namespace, &[]),
        top(namespace, &["--service-account", &account]),
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
fn a_binding_to_another_namespace_is_403_and_names_the_user() {
    let gateway = Gateway::deploy("other-namespace");
    let namespace = gateway.namespace.name();
    let elsewhere = reader_manifests(namespace).replace(
        &format!("- kind: ServiceAccount\n  name: {READER}\n  namespace: {namespace}"),
        &format!("- kind: ServiceAccount\n  name: {READER}\n  namespace: default"),
    );
    gateway.namespace.apply(&elsewhere);
    let account = format!("{namespace}/{READER}");

    let run = top(&gateway.namespace, &["--service-account", &account]);

    assert_refused(
        &run,
        5,
        &[
            "403",
            &format!("system:serviceaccount:{namespace}:{READER}"),
            "hint:",
        ],
    );
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
    let namespace = &gateway.namespace;
    namespace.kubectl(["create", "serviceaccount", "viewer"]);
    // What `kubectl create role` needs here are the resources' full names.
    namespace.kubectl([
        "create",
        "role",
        "viewer",
        "--verb=get,list",
        "--resource=pods,services,deployments.apps,inferencepools.inference.networking.k8s.io",
    ]);
    let viewer = format!("{}:viewer", namespace.name());
    namespace.kubectl([
        "create",
        "rolebinding",
        "viewer",
        "--role=viewer",
        &format!("--serviceaccount={viewer}"),
    ]);

    let run = top(
        namespace,
        &["--as", &format!("system:serviceaccount:{viewer}")],
    );

    assert_refused(
        &run,
        5,
        &["pods/portforward", "get", "create", namespace.name()],
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

fn top(namespace: &Namespace, arguments: &[&str]) -> Run {
    let always = ["metrics", "top", "-n", namespace.name(), "-o", "json"];
    igctl(always.into_iter().chain(arguments.iter().copied()))
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
