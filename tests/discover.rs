//! What a cluster holds → which pods are scraped, and what a person is told where there are none.

mod support;

use std::time::Duration;

use igctl::cluster::Cluster;
use igctl::config::{ClusterSource, Impersonate, Select};
use igctl::discover::{Target, discover};
use serde_json::{Value, json};
use support::api::{Api, kubeconfig, pod};
use support::refusal;
use tokio::net::TcpListener;

const V1: &str = "GET /apis/inference.networking.k8s.io/v1";
const V1ALPHA2: &str = "GET /apis/inference.networking.x-k8s.io/v1alpha2";

fn serves_pools() -> Value {
    json!({
        "kind": "APIResourceList", "groupVersion": "any", "resources": [
            { "name": "inferencepools", "singularName": "", "namespaced": true, "kind": "InferencePool", "verbs": ["list"] },
        ],
    })
}

fn pools(pools: &[(&str, Value)]) -> Value {
    let items: Vec<Value> = pools
        .iter()
        .map(|(name, spec)| json!({ "metadata": { "name": name, "namespace": "llm" }, "spec": spec }))
        .collect();
    json!({ "kind": "InferencePoolList", "apiVersion": "any", "metadata": {}, "items": items })
}

fn picked_by(service: &str) -> Value {
    json!({ "endpointPickerRef": { "name": service, "port": { "number": 9002 } } })
}

async fn cluster(source: &ClusterSource) -> Cluster {
    let _ = rustls::crypto::ring::default_provider().install_default();
    igctl::kubeconfig::connect(source)
        .await
        .expect("the kubeconfig is good")
}

async fn targets(source: ClusterSource) -> Vec<Target> {
    let found = discover(&cluster(&source).await, &source).await;
    found.unwrap_or_else(|error| panic!("{error}")).targets
}

async fn names(source: ClusterSource) -> Vec<String> {
    targets(source)
        .await
        .into_iter()
        .map(|target| target.pod.name)
        .collect()
}

#[tokio::test]
async fn from_the_pools_of_the_namespace_to_the_pods() {
    let api = Api::start().await;
    api.answers(V1, serves_pools())
        .answers(
            &format!("{}/namespaces/llm/inferencepools", V1),
            pools(&[("qwen", picked_by("epp")), ("llama", picked_by("epp"))]),
        )
        .has_service(vec![pod("epp-b", "u2"), pod("epp-a", "u1")]);

    let found = targets(ClusterSource {
        select: Select::Pools,
        ..api.source()
    })
    .await;

    let seen: Vec<_> = found
        .iter()
        .map(|target| (&*target.pod.name, target.pod.pools.join(","), target.port))
        .collect();
    assert_eq!(
        seen,
        [
            ("epp-a", "qwen,llama".into(), 9090),
            ("epp-b", "qwen,llama".into(), 9090)
        ]
    );
    assert_eq!(
        api.count("GET /api/v1/namespaces/llm/services/epp"),
        1,
        "two pools, one picker"
    );
}

#[tokio::test]
async fn both_generations_of_pools_are_read() {
    let api = Api::start().await;
    api.answers(V1, serves_pools())
        .answers(V1ALPHA2, serves_pools())
        .answers(
            &format!("{V1}/namespaces/llm/inferencepools"),
            pools(&[("qwen", picked_by("epp"))]),
        )
        .answers(
            &format!("{V1ALPHA2}/namespaces/llm/inferencepools"),
            pools(&[
                ("qwen", json!({ "extensionRef": { "name": "epp" } })),
                ("old", json!({ "extensionRef": { "name": "epp" } })),
            ]),
        )
        .has_service(vec![pod("epp-a", "u1")]);

    let found = targets(ClusterSource {
        select: Select::Pools,
        ..api.source()
    })
    .await;

    let seen: Vec<_> = found
        .iter()
        .map(|target| (&*target.pod.name, target.pod.pools.join(",")))
        .collect();
    assert_eq!(seen, [("epp-a", "qwen,old".into())]);
}

#[tokio::test]
async fn one_pool_by_name() {
    let api = Api::start().await;
    api.answers(V1, serves_pools())
        .answers(
            &format!("{V1}/namespaces/llm/inferencepools/qwen"),
            json!({ "metadata": { "name": "qwen", "namespace": "llm" }, "spec": picked_by("epp") }),
        )
        .has_service(vec![pod("epp-a", "u1")]);

    assert_eq!(
        names(ClusterSource {
            select: Select::Pool("qwen".into()),
            ..api.source()
        })
        .await,
        ["epp-a"]
    );
}

#[tokio::test]
async fn a_deployment_by_its_selector() {
    let api = Api::start().await;
    api.answers(
        "GET /apis/apps/v1/namespaces/llm/deployments/epp",
        json!({
            "metadata": { "name": "epp" },
            "spec": {
                "selector": { "matchLabels": { "app": "epp" }, "matchExpressions": [{ "key": "tier", "operator": "Exists" }] },
                "template": {},
            },
        }),
    )
    .has_pods(vec![pod("epp-a", "u1")]);

    assert_eq!(
        names(ClusterSource {
            select: Select::Deployment("epp".into()),
            ..api.source()
        })
        .await,
        ["epp-a"]
    );
    let list = api.calls().pop().expect("it listed").line;
    assert!(
        list.contains("labelSelector=app%3Depp%2Ctier")
            || list.contains("labelSelector=tier%2Capp%3Depp"),
        "{list}"
    );
}

#[tokio::test]
async fn evicted_finished_and_leaving_pods_are_left_out() {
    let api = Api::start().await;
    let in_phase = |name: &str, phase: &str| {
        let mut pod = pod(name, name);
        pod["status"]["phase"] = json!(phase);
        pod
    };
    let mut leaving = pod("epp-07-leaving", "u4");
    leaving["metadata"]["deletionTimestamp"] = json!("2026-11-25T00:00:00Z");
    api.has_service(vec![
        in_phase("epp-00-dead", "Failed"),
        in_phase("epp-05-done", "Succeeded"),
        leaving,
        pod("epp-10-live", "u3"),
    ]);

    assert_eq!(names(api.source()).await, ["epp-10-live"]);
}

#[tokio::test]
async fn the_leader_of_several_pods_holds_the_lease() {
    let api = Api::start().await;
    api.has_service(vec![pod("epp-a", "u1"), pod("epp-b", "u2")]).answers(
        "GET /apis/coordination.k8s.io/v1/namespaces/llm/leases",
        json!({ "metadata": {}, "items": [
            { "metadata": { "name": "other" }, "spec": { "holderIdentity": "epp_3f" } },
            { "metadata": { "name": "epp-llm-qwen.example" }, "spec": { "holderIdentity": "epp-b_0c-11" } },
        ] }),
    );

    let found = targets(api.source()).await;

    let holds: Vec<_> = found
        .iter()
        .map(|target| (&*target.pod.name, target.pod.holds_lease))
        .collect();
    assert_eq!(holds, [("epp-a", Some(false)), ("epp-b", Some(true))]);
}

#[tokio::test]
async fn without_a_lease_or_the_right_to_see_it_nobody_is_known_to_lead() {
    let api = Api::start().await;
    api.has_service(vec![pod("epp-a", "u1"), pod("epp-b", "u2")])
        .refuses(
            "GET /apis/coordination.k8s.io/v1/namespaces/llm/leases",
            403,
            "leases is forbidden",
        );

    let holds: Vec<_> = targets(api.source())
        .await
        .into_iter()
        .map(|target| target.pod.holds_lease)
        .collect();

    assert_eq!(holds, [None, None]);
}

#[tokio::test]
async fn a_pod_by_name_needs_no_list() {
    let api = Api::start().await;
    api.answers("GET /api/v1/namespaces/llm/pods/epp-a", pod("epp-a", "u1"));

    assert_eq!(
        names(ClusterSource {
            select: Select::Pod("epp-a".into()),
            ..api.source()
        })
        .await,
        ["epp-a"]
    );
    let lines: Vec<String> = api.calls().into_iter().map(|call| call.line).collect();
    assert_eq!(lines, ["GET /api/v1/namespaces/llm/pods/epp-a"]);
}

#[tokio::test]
async fn the_namespace_and_the_user_that_were_named() {
    let api = Api::start().await;
    api.refuses(
        "GET /api/v1/namespaces/other/services/epp",
        403,
        "services \"epp\" is forbidden: User \"jane\" cannot get",
    );
    let source = ClusterSource {
        namespace: Some("other".into()),
        impersonate: Some(Impersonate {
            user: "jane".into(),
            groups: vec!["ops".into()],
        }),
        ..api.source()
    };

    insta::assert_snapshot!(refusal(source).await.replace(&path(&api), "KUBECONFIG"));
    let acts_as: Vec<_> = api.calls().into_iter().map(|call| call.acts_as).collect();
    assert_eq!(acts_as, [Some("jane".to_owned())]);
}

/// The kubeconfig's name differs from run to run.
fn path(api: &Api) -> String {
    api.source()
        .kubeconfig
        .expect("it has one")
        .display()
        .to_string()
}

#[tokio::test]
async fn what_is_told_where_there_is_nothing() {
    let api = Api::start().await;
    let mut told = Vec::new();
    let mut ask = async |what: &str, select: Select| {
        let refusal = refusal(ClusterSource {
            select,
            ..api.source()
        })
        .await;
        told.push(format!(
            "--- {what}\n{}",
            refusal.replace(&path(&api), "KUBECONFIG")
        ));
    };

    ask("no pool API", Select::Pools).await;
    api.answers(V1, serves_pools())
        .answers(&format!("{V1}/namespaces/llm/inferencepools"), pools(&[]));
    ask("no pool", Select::Pools).await;
    ask("no such pool", Select::Pool("qwen".into())).await;
    api.answers(
        &format!("{V1}/namespaces/llm/inferencepools"),
        pools(&[("qwen", json!({ "selector": {} }))]),
    );
    ask("a pool without a picker", Select::Pools).await;
    api.answers(
        &format!("{V1}/namespaces/llm/inferencepools"),
        pools(&[("qwen", picked_by("epp"))]),
    );
    ask("a pool whose Service is not there", Select::Pools).await;
    api.refuses(
        &format!("{V1}/namespaces/llm/inferencepools"),
        403,
        "User \"jane\" cannot list resource \"inferencepools\"",
    );
    ask("pools may not be listed", Select::Pools).await;
    ask("no such Service", Select::Service("epp".into())).await;
    api.has_service(vec![]);
    ask("a Service without pods", Select::Service("epp".into())).await;
    let mut ended = pod("epp-a", "u1");
    ended["status"]["phase"] = json!("Failed");
    api.has_pods(vec![ended.clone()]);
    ask(
        "a Service whose only pod has ended",
        Select::Service("epp".into()),
    )
    .await;
    api.answers(
        "GET /api/v1/namespaces/llm/services/epp",
        json!({ "metadata": { "name": "epp" }, "spec": {} }),
    );
    ask("a Service without selector", Select::Service("epp".into())).await;
    ask("no such pod", Select::Pod("epp-z".into())).await;
    api.answers("GET /api/v1/namespaces/llm/pods/epp-a", ended);
    ask("a pod that has ended", Select::Pod("epp-a".into())).await;
    api.refuses(
        "GET /api/v1/namespaces/llm/pods",
        400,
        "unable to parse requirement: found '=='",
    );
    ask("a bad selector", Select::Labels("a==,b".into())).await;
    api.refuses("GET /api/v1/namespaces/llm/pods", 401, "Unauthorized");
    ask("a login that has ended", Select::Labels("a=b".into())).await;
    api.refuses(
        "GET /api/v1/namespaces/llm/pods",
        500,
        "etcdserver: \u{1b}[31mno leader",
    );
    ask("a server in trouble", Select::Labels("a=b".into())).await;

    let server = cluster(&api.source()).await.server();
    insta::assert_snapshot!(told.join("\n").replace(&server, "SERVER"));
}

#[tokio::test]
async fn no_right_to_an_api_that_is_not_served_is_no_matter() {
    let api = Api::start().await;
    let old = format!("{V1ALPHA2}/namespaces/llm/inferencepools");
    api.answers(
        &format!("{V1}/namespaces/llm/inferencepools"),
        pools(&[("qwen", picked_by("epp"))]),
    )
    .refuses(&old, 403, "User \"jane\" cannot list")
    .has_service(vec![pod("epp-a", "u1")]);
    let source = ClusterSource {
        select: Select::Pools,
        ..api.source()
    };

    let found = discover(&cluster(&source).await, &source)
        .await
        .unwrap_or_else(|error| panic!("{error}"));

    assert_eq!((found.targets.len(), found.notices), (1, Vec::new()));
}

#[tokio::test]
async fn a_server_that_is_not_there() {
    let gone = TcpListener::bind("127.0.0.1:0")
        .await
        .expect("a free port")
        .local_addr()
        .expect("bound");
    let kubeconfig = kubeconfig(&format!("http://{gone}"));
    let source = ClusterSource {
        kubeconfig: Some(kubeconfig.path().into()),
        ..ClusterSource::default()
    };

    let told = refusal(source).await;

    let known = told
        .replace(&gone.to_string(), "SERVER")
        .replace(&kubeconfig.path().display().to_string(), "KUBECONFIG");
    insta::assert_snapshot!(known);
}

#[tokio::test]
async fn a_server_that_takes_the_request_and_goes_silent() {
    let silent = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = silent.local_addr().expect("bound").to_string();
    let kubeconfig = kubeconfig(&format!("http://{address}"));
    let source = ClusterSource {
        kubeconfig: Some(kubeconfig.path().into()),
        request_timeout: Some(Duration::from_millis(100)),
        ..ClusterSource::default()
    };

    let told = refusal(source).await;

    let known = told
        .replace(&address, "SERVER")
        .replace(&kubeconfig.path().display().to_string(), "KUBECONFIG");
    insta::assert_snapshot!(known);
}

#[tokio::test]
async fn a_server_with_too_much_to_do_is_asked_again_and_then_quoted() {
    let api = Api::start().await;
    api.answers_otherwise(429, "Too many requests, please try again later.");
    let source = ClusterSource {
        request_timeout: Some(Duration::from_secs(1)),
        ..api.source()
    };

    let told = refusal(source).await;

    assert!(
        told.contains("(429)")
            && told.contains("Too many requests")
            && told.contains("get --raw /readyz")
            && api.count("GET /api/v1/namespaces/llm/services/epp") > 1,
        "{told}\n{:?}",
        api.calls()
    );
}
