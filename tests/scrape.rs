//! From pods that were found to their pages: port-forward, tokens, TLS, and looking again.

mod support;

use std::io::Write as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use flate2::Compression;
use flate2::write::GzEncoder;
use igctl::collect::Collector;
use igctl::config::{
    ClusterSource, FilesSource, MaxScrape, Select, Source, Tls, TokenSource, UrlSource,
};
use jiff::SignedDuration;
use rustls::server::WebPkiClientVerifier;
use serde_json::json;
use support::api::{Api, USER_TOKEN, Way, pod};
use support::call::{call, ended, igctl};
use support::picker::{Answer, PAGE, Picker, answer};
use support::{only_failure, opened, pages};
use tokio::net::TcpListener;

/// An API server that knows one pod, `epp-a`, whose port is this picker's.
async fn one_pod(picker: &Picker) -> Api {
    let api = Api::start().await;
    api.has_service(vec![pod("epp-a", "u1")])
        .forwards("epp-a", Way::To(picker.address));
    api
}

/// A picker's guard: what it answers to no token, to the right one, and to others.
fn guarded(good: &'static str) -> impl Fn(Option<&str>) -> Answer {
    move |token| match token {
        None => answer(401, "Unauthorized"),
        Some(token) if token == good => answer(200, PAGE),
        Some(_) => answer(500, "Authentication failed\n"),
    }
}

#[tokio::test]
async fn a_page_through_a_port_forward() {
    let picker = Picker::serve(|_| answer(200, PAGE)).await;
    let api = one_pod(&picker).await;
    let mut collector = opened(api.source()).await;

    let moment = collector.collect().await;

    assert_eq!(pages(&moment), [("epp-a", Ok(PAGE))]);
}

#[tokio::test]
async fn the_connection_and_the_forward_are_kept_from_look_to_look() {
    let picker = Picker::serve(|_| answer(200, PAGE)).await;
    let api = one_pod(&picker).await;
    let mut collector = opened(api.source()).await;

    for _ in 0..3 {
        assert_eq!(pages(&collector.collect().await), [("epp-a", Ok(PAGE))]);
    }

    assert_eq!(
        api.count("GET /api/v1/namespaces/llm/pods/epp-a/portforward"),
        1
    );
}

#[tokio::test]
async fn auto_mints_for_the_reader_when_the_picker_asks() {
    let picker = Picker::serve(guarded("minted")).await;
    let api = one_pod(&picker).await;
    api.mints("inference-gateway-sa-metrics-reader", "minted");
    let mut collector = opened(api.source()).await;

    let moment = collector.collect().await;
    let later = collector.collect().await;

    assert_eq!(pages(&moment), [("epp-a", Ok(PAGE))]);
    assert_eq!(pages(&later), [("epp-a", Ok(PAGE))]);
    assert_eq!(
        moment.notices,
        ["minted a token for ServiceAccount llm/inference-gateway-sa-metrics-reader"]
    );
    assert_eq!(later.notices, [""; 0]);
    let bearer = Some("Bearer minted".to_owned());
    assert_eq!(
        picker.shown(),
        [None, bearer.clone(), bearer],
        "first without, then with it, then at once with it"
    );
}

#[tokio::test]
async fn one_token_serves_all_pods_of_a_namespace() {
    let (a, b) = (
        Picker::serve(guarded("minted")).await,
        Picker::serve(guarded("minted")).await,
    );
    let api = Api::start().await;
    api.has_service(vec![pod("epp-a", "u1"), pod("epp-b", "u2")])
        .forwards("epp-a", Way::To(a.address))
        .forwards("epp-b", Way::To(b.address))
        .mints("inference-gateway-sa-metrics-reader", "minted");
    let mut collector = opened(api.source()).await;

    let moment = collector.collect().await;

    assert_eq!(pages(&moment), [("epp-a", Ok(PAGE)), ("epp-b", Ok(PAGE))]);
    assert_eq!(
        api.count(&format!(
            "POST {}",
            token_of("inference-gateway-sa-metrics-reader")
        )),
        1
    );
}

fn token_of(account: &str) -> String {
    format!("/api/v1/namespaces/llm/serviceaccounts/{account}/token")
}

#[tokio::test]
async fn auto_falls_back_to_the_pickers_own_account_if_that_may_read() {
    let picker = Picker::serve(guarded("of-the-picker")).await;
    let api = one_pod(&picker).await;
    api.mints("epp", "of-the-picker").answers(
        "POST /apis/authorization.k8s.io/v1/selfsubjectaccessreviews",
        json!({ "spec": {}, "status": { "allowed": true } }),
    );
    let mut collector = opened(api.source()).await;

    let moment = collector.collect().await;

    assert_eq!(pages(&moment), [("epp-a", Ok(PAGE))]);
    assert_eq!(
        moment.notices,
        [
            "minted a token for ServiceAccount llm/epp, the picker's own: there is no inference-gateway-sa-metrics-reader"
        ]
    );
    let review = api
        .calls()
        .into_iter()
        .find(|call| call.line.contains("selfsubjectaccessreviews"))
        .expect("it asked");
    assert_eq!(
        review.token.as_deref(),
        Some("Bearer of-the-picker"),
        "asked as the account, not as the user"
    );
    assert!(
        review.body.contains(r#""path":"/metrics""#),
        "{}",
        review.body
    );
}

#[tokio::test]
async fn auto_gives_up_where_no_account_may_read() {
    let picker = Picker::serve(guarded("none")).await;
    let api = one_pod(&picker).await;
    api.mints("epp", "of-the-picker").answers(
        "POST /apis/authorization.k8s.io/v1/selfsubjectaccessreviews",
        json!({ "spec": {}, "status": { "allowed": false } }),
    );
    let mut collector = opened(api.source()).await;

    let moment = collector.collect().await;

    insta::assert_snapshot!(only_failure(&moment));
    assert_eq!(
        picker.shown(),
        [None],
        "a token that may not read is not shown"
    );
}

#[tokio::test]
async fn the_users_own_credential_goes_to_no_pod() {
    let picker = Picker::serve(guarded("minted")).await;
    let api = one_pod(&picker).await;
    api.mints("inference-gateway-sa-metrics-reader", "minted");
    let mut collector = opened(api.source()).await;

    collector.collect().await;

    assert!(
        api.calls()
            .iter()
            .all(|call| call.token.as_deref() == Some(&format!("Bearer {USER_TOKEN}")))
    );
    let shown = picker.shown();
    assert!(
        shown
            .iter()
            .flatten()
            .all(|token| !token.contains(USER_TOKEN)),
        "{shown:?}"
    );
}

#[tokio::test]
async fn a_token_near_its_end_is_renewed_before_it_is_refused() {
    let picker = Picker::serve(guarded("minted")).await;
    let api = one_pod(&picker).await;
    api.mints_for(
        "inference-gateway-sa-metrics-reader",
        "minted",
        SignedDuration::from_millis(100),
    );
    let mut collector = opened(api.source()).await;
    collector.collect().await;
    tokio::time::sleep(Duration::from_millis(100)).await;

    collector.collect().await;

    assert_eq!(
        api.count(&format!(
            "POST {}",
            token_of("inference-gateway-sa-metrics-reader")
        )),
        2
    );
    assert_eq!(
        picker.shown().len(),
        3,
        "the first without a token, and none in vain"
    );
}

#[tokio::test]
async fn a_token_that_has_ended_is_renewed_once_without_a_gap() {
    // The picker takes each token for two pages, whatever the API server promised.
    let uses = AtomicUsize::new(0);
    let picker = Picker::serve(move |token| match token {
        None => answer(401, "Unauthorized"),
        Some("second") => answer(200, PAGE),
        Some(_) if uses.fetch_add(1, Ordering::Relaxed) < 2 => answer(200, PAGE),
        Some(_) => answer(500, "Authentication failed"),
    })
    .await;
    let api = one_pod(&picker).await;
    api.mints("inference-gateway-sa-metrics-reader", "first");
    let mut collector = opened(api.source()).await;
    collector.collect().await;
    api.mints("inference-gateway-sa-metrics-reader", "second");

    for _ in 0..3 {
        assert_eq!(pages(&collector.collect().await), [("epp-a", Ok(PAGE))]);
    }

    assert_eq!(
        api.count(&format!(
            "POST {}",
            token_of("inference-gateway-sa-metrics-reader")
        )),
        2
    );
}

#[tokio::test]
async fn a_new_token_that_is_refused_is_the_last() {
    let picker = Picker::serve(guarded("another")).await;
    let api = one_pod(&picker).await;
    api.mints("inference-gateway-sa-metrics-reader", "minted");
    let mut collector = opened(api.source()).await;

    let moment = collector.collect().await;
    api.mints("inference-gateway-sa-metrics-reader", "minted-again");
    for _ in 0..3 {
        collector.collect().await;
    }

    insta::assert_snapshot!(only_failure(&moment));
    assert_eq!(
        api.count(&format!(
            "POST {}",
            token_of("inference-gateway-sa-metrics-reader")
        )),
        1
    );
    assert_eq!(
        picker.shown().len(),
        5,
        "one without a token, then one try in each look"
    );
}

#[tokio::test]
async fn a_mint_that_is_refused_in_the_middle_of_a_watch() {
    let ended = Arc::new(AtomicBool::new(false));
    let picker = Picker::serve({
        let ended = Arc::clone(&ended);
        move |token| match token {
            None => answer(401, "Unauthorized"),
            Some(_) if ended.load(Ordering::Relaxed) => answer(401, "Unauthorized"),
            Some(_) => answer(200, PAGE),
        }
    })
    .await;
    let api = one_pod(&picker).await;
    api.mints("inference-gateway-sa-metrics-reader", "minted");
    let mut collector = opened(api.source()).await;
    collector.collect().await;
    ended.store(true, Ordering::Relaxed);
    api.refuses(
        &format!("POST {}", token_of("inference-gateway-sa-metrics-reader")),
        403,
        "User \"jane\" cannot create resource \"serviceaccounts/token\"",
    );

    let moment = collector.collect().await;

    insta::assert_snapshot!(hidden(only_failure(&moment), &api));
}

#[tokio::test]
async fn a_token_that_cannot_be_renewed_yet_is_good_until_it_ends() {
    let picker = Picker::serve(guarded("minted")).await;
    let api = one_pod(&picker).await;
    api.mints_for(
        "inference-gateway-sa-metrics-reader",
        "minted",
        SignedDuration::from_millis(100),
    );
    let mut collector = opened(api.source()).await;
    collector.collect().await;
    tokio::time::sleep(Duration::from_millis(100)).await;
    api.refuses(
        &format!("POST {}", token_of("inference-gateway-sa-metrics-reader")),
        500,
        "etcdserver: no leader",
    );

    let moment = collector.collect().await;

    assert_eq!(pages(&moment), [("epp-a", Ok(PAGE))]);
}

/// The kubeconfig's name differs from run to run.
fn hidden(told: String, api: &Api) -> String {
    told.replace(
        &api.source()
            .kubeconfig
            .expect("it has one")
            .display()
            .to_string(),
        "KUBECONFIG",
    )
}

#[tokio::test]
async fn a_picker_that_says_no_is_asked_once_with_a_token() {
    let picker = Picker::serve(|token| match token {
        None => answer(401, "Unauthorized"),
        Some(_) => answer(
            403,
            "Authorization denied for user system:serviceaccount:team-blue:scraper\n",
        ),
    })
    .await;
    let api = one_pod(&picker).await;
    api.answers(
        "POST /api/v1/namespaces/team-blue/serviceaccounts/scraper/token",
        json!({ "spec": { "audiences": [] }, "status": { "token": "t", "expirationTimestamp": "2100-01-01T00:00:00Z" } }),
    );
    let token = TokenSource::ServiceAccount {
        namespace: "team-blue".into(),
        name: "scraper".into(),
    };
    let mut collector = opened(ClusterSource {
        token,
        ..api.source()
    })
    .await;

    let moment = collector.collect().await;

    insta::assert_snapshot!(only_failure(&moment));
    assert_eq!(picker.shown(), [None, Some("Bearer t".into())]);
}

#[tokio::test]
async fn a_binding_that_names_the_account_in_another_namespace_is_pointed_out() {
    let picker = Picker::serve(|token| match token {
        None => answer(401, "Unauthorized"),
        Some(_) => answer(
            403,
            "Authorization denied for user system:serviceaccount:llm:scraper\n",
        ),
    })
    .await;
    let api = one_pod(&picker).await;
    let binding = |name: &str, role: &str, subjects: serde_json::Value| {
        json!({
            "metadata": { "name": name }, "subjects": subjects,
            "roleRef": { "apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": role },
        })
    };
    let account = |namespace: &str| json!({ "kind": "ServiceAccount", "name": "scraper", "namespace": namespace });
    let role = |rule: serde_json::Value| json!({ "metadata": { "name": "any" }, "rules": [rule] });
    let rbac = "/apis/rbac.authorization.k8s.io/v1";
    api.mints("scraper", "t")
        .answers(
            &format!("GET {rbac}/clusterrolebindings"),
            json!({ "metadata": {}, "items": [
                binding("of-another-right", "view", json!([account("default")])),
                binding("epp-metrics-get", "epp-metrics-get", json!([{ "kind": "User", "name": "jane" }, account("default")])),
            ] }),
        )
        .answers(
            &format!("GET {rbac}/clusterroles/view"),
            role(json!({ "apiGroups": [""], "resources": ["pods"], "verbs": ["get"] })),
        )
        .answers(
            &format!("GET {rbac}/clusterroles/epp-metrics-get"),
            role(json!({ "nonResourceURLs": ["/metrics"], "verbs": ["get"] })),
        );
    let token = TokenSource::ServiceAccount {
        namespace: "llm".into(),
        name: "scraper".into(),
    };
    let mut collector = opened(ClusterSource {
        token,
        ..api.source()
    })
    .await;

    insta::assert_snapshot!(only_failure(&collector.collect().await));
}

#[tokio::test]
async fn the_pickers_refusals_are_told_apart() {
    let mut told = Vec::new();
    for (status, body) in [
        (401, "Unauthorized"),
        (500, "Authentication failed"),
        (
            500,
            "Authorization for user system:serviceaccount:llm:x failed",
        ),
        (500, "\u{1b}]0;owned\u{7}"),
        (404, "404 page not found"),
        (302, ""),
    ] {
        let picker = Picker::serve(move |_| answer(status, body)).await;
        let api = one_pod(&picker).await;
        let mut collector = opened(ClusterSource {
            token: TokenSource::None,
            ..api.source()
        })
        .await;
        told.push(format!(
            "--- {status} {body:?}\n{}",
            only_failure(&collector.collect().await)
        ));
    }

    insta::assert_snapshot!(told.join("\n"));
}

#[tokio::test]
async fn a_token_from_a_secret() {
    let picker = Picker::serve(guarded("of-the-secret")).await;
    let api = one_pod(&picker).await;
    let secret = |type_: &str, data: serde_json::Value| {
        json!({
            "metadata": { "name": "reader", "annotations": { "kubernetes.io/service-account.name": "scraper" } },
            "type": type_, "data": data,
        })
    };
    let token = TokenSource::Secret {
        namespace: "llm".into(),
        name: "reader".into(),
    };
    let source = ClusterSource {
        token,
        ..api.source()
    };
    let mut told = Vec::new();
    let mut look = async |what: &str| {
        let moment = opened(source.clone()).await.collect().await;
        told.push(format!(
            "--- {what}\n{}",
            hidden(only_failure(&moment), &api)
        ));
    };

    look("none").await;
    api.answers(
        "GET /api/v1/namespaces/llm/secrets/reader",
        secret("Opaque", json!({ "token": "eA==" })),
    );
    look("of another type").await;
    api.answers(
        "GET /api/v1/namespaces/llm/secrets/reader",
        secret("kubernetes.io/service-account-token", json!(null)),
    );
    look("not filled in").await;
    api.answers(
        "GET /api/v1/namespaces/llm/secrets/reader",
        secret(
            "kubernetes.io/service-account-token",
            json!({ "token": "b2YtdGhlLXNlY3JldA==" }),
        ),
    );
    look("good").await;

    insta::assert_snapshot!(told.join("\n"));
}

#[tokio::test]
async fn a_token_file_is_read_anew_when_it_changes() {
    let picker = Picker::serve(|token| match token {
        None => answer(401, "Unauthorized"),
        Some(token) => answer(200, token.to_owned()),
    })
    .await;
    let api = one_pod(&picker).await;
    let file = tempfile::NamedTempFile::new().expect("a temporary file");
    std::fs::write(file.path(), "first\n").expect("a temporary file");
    let mut collector = opened(ClusterSource {
        token: TokenSource::File(file.path().into()),
        ..api.source()
    })
    .await;

    assert_eq!(pages(&collector.collect().await), [("epp-a", Ok("first"))]);
    std::fs::write(file.path(), "second\n").expect("a temporary file");
    assert_eq!(pages(&collector.collect().await), [("epp-a", Ok("second"))]);
}

#[tokio::test]
async fn what_is_told_where_the_way_to_the_pod_fails() {
    let picker = Picker::serve(|_| answer(200, PAGE)).await;
    let api = one_pod(&picker).await;
    let mut told = Vec::new();
    for (what, way) in [
        (
            "not allowed",
            Way::Refused(
                403,
                "pods \"epp-a\" is forbidden: User \"jane\" cannot get resource".into(),
            ),
        ),
        ("gone", Way::Refused(404, "pods \"epp-a\" not found".into())),
        (
            "kubelet down",
            Way::Refused(
                500,
                "error dialing backend: dial tcp 10.0.0.1:10250: connect: connection refused"
                    .into(),
            ),
        ),
        (
            "nothing listens",
            Way::Fails("dial tcp4 127.0.0.1:9090: connect: connection refused".into()),
        ),
        (
            "sandbox gone",
            Way::Fails("network namespace for sandbox \"6718\" is closed".into()),
        ),
        (
            "cut off in the middle",
            Way::BreaksAfter(picker.address, 120),
        ),
    ] {
        api.forwards("epp-a", way);
        let moment = opened(api.source()).await.collect().await;
        told.push(format!(
            "--- {what}\n{}",
            hidden(only_failure(&moment), &api)
        ));
    }

    insta::assert_snapshot!(told.join("\n"));
}

#[tokio::test]
async fn a_pod_that_does_not_run_yet_is_an_entry_of_its_own() {
    let picker = Picker::serve(|_| answer(200, PAGE)).await;
    let mut pending = pod("epp-b", "u2");
    pending["status"] = json!({ "phase": "Pending", "conditions": [{ "type": "PodScheduled", "status": "False", "reason": "Unschedulable" }] });
    let api = one_pod(&picker).await;
    api.has_pods(vec![pod("epp-a", "u1"), pending]);

    let moment = opened(api.source()).await.collect().await;

    assert_eq!(
        pages(&moment),
        [
            ("epp-a", Ok(PAGE)),
            (
                "epp-b",
                Err("pod llm/epp-b is not running yet: Unschedulable".into())
            )
        ]
    );
}

#[tokio::test]
async fn a_pod_that_is_replaced_in_the_middle_of_a_watch() {
    let (old, new) = (
        Picker::serve(|_| answer(200, "old")).await,
        Picker::serve(|_| answer(200, "new")).await,
    );
    let api = Api::start().await;
    api.has_service(vec![pod("epp-6c-aa", "u1")])
        .forwards("epp-6c-aa", Way::To(old.address));
    let mut collector = opened(api.source()).await;
    assert_eq!(
        pages(&collector.collect().await),
        [("epp-6c-aa", Ok("old"))]
    );

    drop(old);
    api.has_pods(vec![pod("epp-79-bb", "u2")])
        .forwards(
            "epp-6c-aa",
            Way::Refused(404, "pods \"epp-6c-aa\" not found".into()),
        )
        .forwards("epp-79-bb", Way::To(new.address));
    let moment = collector.collect().await;

    assert_eq!(pages(&moment), [("epp-79-bb", Ok("new"))]);
    assert_eq!(
        moment.notices,
        ["pod llm/epp-6c-aa was replaced by llm/epp-79-bb"]
    );
}

#[tokio::test]
async fn a_pod_by_name_is_followed_to_its_successor() {
    let (old, new) = (
        Picker::serve(|_| answer(200, "old")).await,
        Picker::serve(|_| answer(200, "new")).await,
    );
    let api = Api::start().await;
    api.answers(
        "GET /api/v1/namespaces/llm/pods/epp-6c-aa",
        pod("epp-6c-aa", "u1"),
    )
    .forwards("epp-6c-aa", Way::To(old.address));
    let mut collector = opened(ClusterSource {
        select: Select::Pod("epp-6c-aa".into()),
        ..api.source()
    })
    .await;
    collector.collect().await;

    drop(old);
    api.refuses(
        "GET /api/v1/namespaces/llm/pods/epp-6c-aa",
        404,
        "not found",
    )
    .has_pods(vec![pod("epp-79-bb", "u2")])
    .forwards("epp-6c-aa", Way::Refused(404, "not found".into()))
    .forwards("epp-79-bb", Way::To(new.address));
    let moment = collector.collect().await;

    assert_eq!(pages(&moment), [("epp-79-bb", Ok("new"))]);
}

#[tokio::test]
async fn a_watch_goes_on_while_the_api_server_is_away() {
    let picker = Picker::serve(|_| answer(200, PAGE)).await;
    let api = one_pod(&picker).await;
    let mut collector = opened(api.source()).await;
    collector.collect().await;
    api.refuses(
        "GET /api/v1/namespaces/llm/pods",
        500,
        "etcdserver: leader changed",
    )
    .forwards(
        "epp-a",
        Way::Refused(500, "etcdserver: leader changed".into()),
    );

    assert_eq!(pages(&collector.collect().await), [("epp-a", Ok(PAGE))]);
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(bytes).expect("memory takes it");
    encoder.finish().expect("memory takes it")
}

/// An answer whose body is in this coding.
fn packed(coding: Option<&str>, body: &[u8]) -> Answer {
    let mut answer = answer(200, body.to_vec());
    if let Some(coding) = coding {
        let coding = coding.parse().expect("ASCII");
        answer.headers_mut().insert("content-encoding", coding);
    }
    answer
}

#[tokio::test]
async fn packed_bodies() {
    let mut told = Vec::new();
    for (what, coding, body) in [
        ("once", Some("gzip"), gzip(PAGE.as_bytes())),
        ("twice", Some("gzip"), gzip(&gzip(PAGE.as_bytes()))),
        (
            "glued to text, undeclared",
            None,
            [gzip(PAGE.as_bytes()), PAGE.into()].concat(),
        ),
        ("in a coding nobody asked for", Some("br"), PAGE.into()),
    ] {
        let picker = Picker::serve(move |_| packed(coding, &body)).await;
        let api = one_pod(&picker).await;
        told.push(format!(
            "--- {what}\n{}",
            only_failure(&opened(api.source()).await.collect().await)
        ));
    }

    insta::assert_snapshot!(told.join("\n"));
}

#[tokio::test]
async fn an_answer_that_is_too_long_is_not_read_on() {
    let mut told = Vec::new();
    for (what, coding, body) in [
        ("plain", None, "a 1\n".repeat(300).into_bytes()),
        (
            "unpacked",
            Some("gzip"),
            gzip("a 1\n".repeat(300).as_bytes()),
        ),
    ] {
        let picker = Picker::serve(move |_| packed(coding, &body)).await;
        let api = one_pod(&picker).await;
        let source = ClusterSource {
            max_scrape: MaxScrape(1024),
            ..api.source()
        };
        told.push(format!(
            "--- {what}\n{}",
            only_failure(&opened(source).await.collect().await)
        ));
    }

    insta::assert_snapshot!(told.join("\n"));
}

#[test]
fn a_saved_scrape_that_is_too_long_is_not_read_on() {
    let text = "a 1\n".repeat(300).into_bytes();
    let file = |bytes: &[u8]| {
        let mut file = tempfile::NamedTempFile::new().expect("a temporary file");
        file.write_all(bytes).expect("a temporary file");
        file
    };
    let (plain, packed) = (file(&text), file(&gzip(&text)));
    let path = |file: &tempfile::NamedTempFile| file.path().display().to_string();
    let (plain, packed) = (path(&plain), path(&packed));
    let cap = ["--max-scrape", "1KiB"];
    let calls: [&[&str]; 6] = [
        &["metrics", "top", "-f", &plain],
        &["metrics", "dump", "-f", &packed],
        &["check", "-f", &plain],
        &["metrics", "diff", &plain, &packed],
        &["smoke", "-f", &packed, "--assert", "requests > 0"],
        &["metrics", "catalog", "-f", "-"],
    ];

    let told = calls.map(|words| {
        let mut command = igctl(&[words, &cap[..]].concat());
        let output = command.write_stdin(text.clone()).output();
        ended(&output.expect("igctl starts"))
    });

    let too_long = |file: &str| {
        format!(
            "exit 1\nerror: cannot read {file}\n  it is longer than 1.0 KiB\n\
             hint: if that is no mistake, read more: --max-scrape 4096B\n"
        )
    };
    let files = [&plain, &packed, &plain, &plain, &packed, "stdin"];
    assert_eq!(told, files.map(too_long));
}

#[tokio::test]
async fn bodies_that_end_too_early_are_no_pages() {
    let mut told = Vec::new();
    for (what, bytes) in [
        (
            "shorter than its Content-Length",
            &b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\na 1\n"[..],
        ),
        (
            "without its last chunk",
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\na 1\n\r\n",
        ),
        (
            "OpenMetrics without its end",
            b"HTTP/1.1 200 OK\r\nContent-Type: application/openmetrics-text; version=1.0.0\r\n\r\na 1\n",
        ),
        ("nothing at all", b""),
        ("not HTTP", b"\x00\x01\x02\x03\r\n\r\n"),
    ] {
        let picker = Picker::raw(bytes).await;
        let api = one_pod(&picker).await;
        told.push(format!(
            "--- {what}\n{}",
            only_failure(&opened(api.source()).await.collect().await)
        ));
    }

    insta::assert_snapshot!(told.join("\n"));
}

/// A certificate that signs itself, for this name; and the file that vouches for it.
fn self_signed(name: &str) -> (rustls::ServerConfig, tempfile::NamedTempFile) {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let signed = rcgen::generate_simple_self_signed([name.to_owned()]).expect("a certificate");
    let ca = tempfile::NamedTempFile::new().expect("a temporary file");
    std::fs::write(ca.path(), signed.cert.pem()).expect("a temporary file");
    let key = signed
        .signing_key
        .serialize_der()
        .try_into()
        .expect("a key");
    let config = rustls::ServerConfig::builder()
        .with_no_client_auth()
        .with_single_cert(vec![signed.cert.der().clone()], key)
        .expect("a certificate and its key");
    (config, ca)
}

#[tokio::test]
async fn https_is_found_out_and_verified() {
    let (tls, ca) = self_signed("epp.llm.svc");
    let picker = Picker::serve_tls(guarded("minted"), tls).await;
    let api = one_pod(&picker).await;
    api.mints("inference-gateway-sa-metrics-reader", "minted");
    let with = |tls: Tls| ClusterSource {
        tls,
        ..api.source()
    };

    let unknown = opened(api.source()).await.collect().await;
    let mut vouched = opened(with(Tls {
        ca_file: Some(ca.path().into()),
        ..Tls::default()
    }))
    .await;
    let anyone = opened(with(Tls {
        insecure_skip_verify: true,
        ..Tls::default()
    }))
    .await
    .collect()
    .await;

    insta::assert_snapshot!(only_failure(&unknown));
    assert_eq!(pages(&anyone), [("epp-a", Ok(PAGE))]);
    for _ in 0..2 {
        assert_eq!(pages(&vouched.collect().await), [("epp-a", Ok(PAGE))]);
    }
}

#[tokio::test]
async fn a_certificate_may_have_any_name_of_the_service_and_no_other() {
    let mut told = Vec::new();
    for name in [
        "epp.llm.svc",
        "epp.llm.svc.cluster.local",
        "epp.llm",
        "epp",
        "localhost",
        "other.llm.svc",
    ] {
        let (tls, ca) = self_signed(name);
        let picker = Picker::serve_tls(|_| answer(200, "a page"), tls).await;
        let api = one_pod(&picker).await;
        let tls = Tls {
            ca_file: Some(ca.path().into()),
            ..Tls::default()
        };
        let mut collector = opened(ClusterSource {
            tls,
            ..api.source()
        })
        .await;
        told.push(format!(
            "--- {name}\n{}",
            only_failure(&collector.collect().await)
        ));
    }

    insta::assert_snapshot!(told.join("\n"));
}

#[tokio::test]
async fn a_picker_that_wants_to_know_its_client() {
    let ours = rcgen::generate_simple_self_signed(["a client".to_owned()]).expect("a certificate");
    let file = |text: String| {
        let file = tempfile::NamedTempFile::new().expect("a temporary file");
        std::fs::write(file.path(), text).expect("a temporary file");
        file
    };
    let (cert, key) = (
        file(ours.cert.pem()),
        file(ours.signing_key.serialize_pem()),
    );
    let _ = rustls::crypto::ring::default_provider().install_default();
    let mut known = rustls::RootCertStore::empty();
    known.add(ours.cert.der().clone()).expect("a certificate");
    let verifier = WebPkiClientVerifier::builder(Arc::new(known))
        .build()
        .expect("a verifier");
    let its = rcgen::generate_simple_self_signed(["epp".to_owned()]).expect("a certificate");
    let its_key = its.signing_key.serialize_der().try_into().expect("a key");
    let server = rustls::ServerConfig::builder()
        .with_client_cert_verifier(verifier)
        .with_single_cert(vec![its.cert.der().clone()], its_key)
        .expect("a certificate and its key");
    let picker = Picker::serve_tls(|_| answer(200, "a page"), server).await;
    let api = one_pod(&picker).await;
    let anyone = Tls {
        insecure_skip_verify: true,
        ..Tls::default()
    };
    let known = Tls {
        client_cert: Some(cert.path().into()),
        client_key: Some(key.path().into()),
        ..anyone.clone()
    };
    let look = async |tls: Tls| {
        only_failure(
            &opened(ClusterSource {
                tls,
                ..api.source()
            })
            .await
            .collect()
            .await,
        )
    };

    let told = format!("{}\n---\n{}", look(anyone).await, look(known).await);

    insta::assert_snapshot!(told);
}

#[tokio::test]
async fn a_frozen_pod_does_not_hold_up_the_others() {
    let frozen = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let picker = Picker::serve(|_| answer(200, PAGE)).await;
    let api = one_pod(&picker).await;
    api.has_pods(vec![pod("epp-a", "u1"), pod("epp-b", "u2")])
        .forwards("epp-b", Way::To(frozen.local_addr().expect("bound")));
    let source = ClusterSource {
        request_timeout: Some(Duration::from_secs(2)),
        ..api.source()
    };
    let mut collector = opened(source).await;

    let moment = collector.collect().await;

    let silent = "pod llm/epp-b:9090 did not answer within 2s".to_owned();
    assert_eq!(
        pages(&moment),
        [("epp-a", Ok(PAGE)), ("epp-b", Err(silent))]
    );
}

#[tokio::test]
async fn gos_answer_to_plain_http_on_a_tls_port_is_understood() {
    let go = Picker::raw(
        b"HTTP/1.0 400 Bad Request\r\n\r\nClient sent an HTTP request to an HTTPS server.\n",
    )
    .await;
    let api = one_pod(&go).await;

    let moment = opened(api.source()).await.collect().await;

    let told = only_failure(&moment);
    assert!(
        told.contains("answered 400"),
        "it speaks no TLS either, so its first answer stands: {told}"
    );
}

#[tokio::test]
async fn two_commands_side_by_side_do_not_meet() {
    let (a, b) = (
        Picker::serve(|_| answer(200, "a")).await,
        Picker::serve(|_| answer(200, "b")).await,
    );
    let (one, other) = (one_pod(&a).await, one_pod(&b).await);
    let (mut one, mut other) = (opened(one.source()).await, opened(other.source()).await);

    let (one, other) = futures::join!(one.collect(), other.collect());

    assert_eq!(
        (pages(&one), pages(&other)),
        (vec![("epp-a", Ok("a"))], vec![("epp-a", Ok("b"))])
    );
}

#[tokio::test]
async fn a_url_and_its_token() {
    let picker = Picker::serve(guarded("of-the-file")).await;
    let file = tempfile::NamedTempFile::new().expect("a temporary file");
    std::fs::write(file.path(), "of-the-file").expect("a temporary file");
    let source = |token: TokenSource| {
        let url = format!("http://user:pass@{}/metrics", picker.address)
            .parse()
            .expect("a URL");
        Source::Url(UrlSource {
            url,
            token,
            tls: Tls::default(),
            request_timeout: None,
            max_scrape: MaxScrape::default(),
        })
    };
    let look = async |source: Source| {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let moment = Collector::open(&source)
            .await
            .expect("a URL needs nothing")
            .collect()
            .await;
        only_failure(&moment).replace(&picker.address.to_string(), "ADDRESS")
    };

    assert!(
        look(source(TokenSource::File(file.path().into())))
            .await
            .contains(PAGE)
    );
    insta::assert_snapshot!(
        [
            look(source(TokenSource::Auto)).await,
            look(source(TokenSource::None)).await
        ]
        .join("\n")
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_without_metrics_has_a_hint() {
    let hint = async |answered: &'static [u8], path: &str| {
        let server = Picker::raw(answered).await;
        let url = format!("http://{}{path}", server.address);
        let told =
            tokio::task::spawn_blocking(move || call(&["metrics", "top", "--once", "--url", &url]));
        let told = told.await.expect("it ends");
        let hint = told.rsplit_once("hint: ").unwrap_or_default().1.trim();
        hint.replace(&server.address.to_string(), "IT")
    };

    let hints = [
        hint(b"", "/metrics").await,
        hint(b"HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n", "/").await,
        hint(b"HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n", "/metrics").await,
        hint(b"HTTP/1.1 302 Found\r\nlocation: /login?to=1\r\ncontent-length: 0\r\n\r\n", "/metrics").await,
        hint(b"HTTP/1.1 429 Too Many Requests\r\nretry-after: 7\r\ncontent-length: 0\r\n\r\n", "/metrics").await,
        hint(b"HTTP/1.1 503 Service Unavailable\r\ncontent-length: 0\r\n\r\n", "/metrics").await,
        hint(b"HTTP/1.1 400 Bad Request\r\ncontent-length: 48\r\n\r\nClient sent an HTTP request to an HTTPS server.\n", "/metrics").await,
        hint(b"HTTP/1.1 200 OK\r\ncontent-length: 99\r\n\r\nx", "/metrics").await,
        hint(b"HTTP/1.1 200 OK\r\ncontent-length: 13\r\n\r\n<html></html>", "/").await,
        hint(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n", "/metrics").await,
    ];

    let look = "see what answers there: curl -v http://IT/metrics";
    assert_eq!(
        hints,
        [
            look,
            "is the path missing?  --url http://IT/metrics",
            look,
            "if you trust where it points, ask there: --url 'http://IT/login?to=1'",
            "try again when it says: Retry-After: 7",
            &format!("try again in a while, or {look}"),
            "it speaks TLS: --url https://IT/metrics",
            look,
            "is the path missing?  --url http://IT/metrics",
            look,
        ]
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_url_has_the_time_that_it_is_given() {
    let slow = Picker::serve(|_| {
        std::thread::sleep(Duration::from_millis(1500));
        answer(200, PAGE)
    })
    .await;
    let url = format!("http://{}/metrics", slow.address);
    let exit = |command: &[&str], time: &str| {
        let arguments = [command, &["--url", &url, "--request-timeout", time]].concat();
        call(&arguments).lines().next().map(str::to_owned)
    };

    let exits = ["200ms", "60s", "0"].map(|time| {
        [&["metrics", "top"][..], &["metrics", "dump"], &["check"]]
            .map(|command| exit(command, time).unwrap_or_default())
    });

    assert_eq!(
        exits,
        [
            ["exit 7", "exit 7", "exit 3"],
            ["exit 0", "exit 0", "exit 0"],
            ["exit 0", "exit 0", "exit 0"]
        ]
    );
}

#[test]
fn who_has_waited_for_long_is_told_to_wait_for_longer() {
    let hint = |seconds| {
        let at = "pod llm/epp-0:9090".to_owned();
        let after = Duration::from_secs(seconds);
        let fault = igctl::scrape::ScrapeError::Silent { at, after };
        fault.hint(&igctl::by_hand::ByHand::default())
    };

    assert_eq!(
        [5, 60].map(|seconds| hint(seconds).unwrap_or_default()),
        ["30s", "120s"].map(|time| format!(
            "give it longer with --request-timeout {time}, or see what it does with kubectl logs"
        ))
    );
}

#[tokio::test]
async fn files_are_pods_too() {
    let file = tempfile::NamedTempFile::new().expect("a temporary file");
    std::fs::write(file.path(), PAGE).expect("a temporary file");
    let files =
        [file.path().into(), "/nowhere/t0.prom".into()].map(igctl::config::FileSource::Path);
    let source = Source::Files(FilesSource {
        files: files.into(),
        max_scrape: MaxScrape::default(),
    });
    let mut collector = Collector::open(&source).await.expect("files need nothing");

    let moment = collector.collect().await;

    let name = file.path().display().to_string();
    let missing =
        "cannot read /nowhere/t0.prom\n  No such file or directory (os error 2)".to_owned();
    assert_eq!(
        pages(&moment),
        [(&*name, Ok(PAGE)), ("/nowhere/t0.prom", Err(missing))]
    );
}
