//! `igctl check` against servers that stand in for a cluster: what each link says of what it sees.

mod support;

use std::path::PathBuf;
use std::time::Duration;

use igctl::check::{Outcome, Step, check};
use igctl::config::{
    ClusterSource, FileSource, FilesSource, Impersonate, MaxScrape, Select, Source, TokenSource,
};
use igctl::render::check::table;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use support::api::{Api, Way, pod};
use support::picker::{Answer, PAGE, Picker, answer};

const READER: &str = "inference-gateway-sa-metrics-reader";
const REVIEW: &str = "POST /apis/authorization.k8s.io/v1/selfsubjectaccessreviews";

async fn steps(source: ClusterSource) -> Vec<Step> {
    let _ = rustls::crypto::ring::default_provider().install_default();
    check(&Source::Cluster(source))
        .await
        .unwrap_or_else(|error| panic!("{error}"))
}

/// What is shown in 80 columns, without what differs from run to run: the address and the time that it took.
fn shown(steps: &[Step], api: &Api) -> String {
    let kubeconfig = api.source().kubeconfig.expect("it has one");
    let mut steps = steps.to_vec();
    for step in &mut steps {
        // Its name differs from run to run, and in length from machine to machine.
        for line in step.evidence.iter_mut().chain(&mut step.fix) {
            *line = line.replace(&kubeconfig.display().to_string(), "KUBECONFIG");
        }
        if let Some((found, "ms")) = step
            .found
            .rsplit_once(' ')
            .map(|(found, unit)| (found.to_owned(), unit))
        {
            step.found = found
                .trim_end_matches(|c: char| c.is_ascii_digit())
                .trim_end()
                .to_owned();
        }
    }
    let server = std::fs::read_to_string(kubeconfig).expect("a file");
    let server: Value = serde_json::from_str(&server).expect("JSON");
    let server = server["clusters"][0]["cluster"]["server"]
        .as_str()
        .expect("an address")
        .to_owned();
    table(&steps, 80).replace(&server, "SERVER")
}

/// Every link with its outcome, in short.
fn outcomes(steps: &[Step]) -> String {
    let lines: Vec<String> = steps
        .iter()
        .map(|step| format!("{}: {}", step.name.text(), step.outcome.text()))
        .collect();
    lines.join(", ")
}

/// A cluster of this version where everything is granted, with the pod `epp-a` behind the Service `epp`.
async fn cluster(version: u32, picker: &Picker) -> Api {
    let api = Api::start().await;
    let version = json!({
        "major": "1", "minor": version.to_string(), "gitVersion": format!("v1.{version}.0"), "gitCommit": "",
        "gitTreeState": "", "buildDate": "", "goVersion": "", "compiler": "", "platform": "",
    });
    api.answers("GET /version", version)
        .answers(REVIEW, json!({ "spec": {}, "status": { "allowed": true } }))
        .has_service(vec![pod("epp-a", "u1")])
        .forwards("epp-a", Way::To(picker.address))
        .mints(READER, "minted");
    api
}

/// A picker that asks for a token, and takes the one that was minted.
fn guarded(token: Option<&str>) -> Answer {
    match token {
        None => answer(401, "Unauthorized"),
        Some("minted") => answer(200, PAGE),
        Some(_) => answer(500, "Authentication failed\n"),
    }
}

#[tokio::test]
async fn every_link_holds() {
    let picker = Picker::serve(guarded).await;
    let api = cluster(34, &picker).await;

    let steps = steps(api.source()).await;

    assert_eq!(
        outcomes(&steps),
        "kubeconfig: ok, pool: skip, picker: ok, my rights: ok, reader's right: ok, picker's right: ok, metrics: ok, \
         content: warn",
        "{}",
        shown(&steps, &api)
    );
}

#[tokio::test]
async fn a_refusal_by_the_picker_is_not_one_by_the_api_server() {
    let picker = Picker::serve(|token| match token {
        None => answer(401, "Unauthorized"),
        Some(_) => answer(
            403,
            "Authorization denied for user system:serviceaccount:llm:\u{1b}[2J\u{202e}reader",
        ),
    })
    .await;
    let api = cluster(34, &picker).await;

    let steps = steps(api.source()).await;

    insta::assert_snapshot!(shown(&steps, &api));
}

#[tokio::test]
async fn a_picker_that_cannot_review_a_good_token_is_told_by_its_answer() {
    let picker = Picker::serve(|token| match token {
        None => answer(401, "Unauthorized"),
        Some(_) => answer(500, "Authentication failed\n"),
    })
    .await;
    let api = cluster(34, &picker).await;

    let steps = steps(api.source()).await;

    insta::assert_snapshot!(shown(&steps, &api));
}

#[tokio::test]
async fn a_token_that_the_api_server_does_not_know_is_not_the_pickers_fault() {
    let picker = Picker::serve(guarded).await;
    let api = cluster(34, &picker).await;
    let file = tempfile::NamedTempFile::new().expect("a temporary file");
    // {"aud":["vault"],"exp":1700000000,"sub":"system:serviceaccount:llm:reader"}
    let claims = "eyJhdWQiOlsidmF1bHQiXSwiZXhwIjoxNzAwMDAwMDAwLCJzdWIiOiJzeXN0ZW06c2VydmljZWFjY291bnQ6bGxtOnJlYWRlciJ9";
    std::fs::write(file.path(), format!("e30.{claims}.s3cr3t")).expect("a temporary file");
    let source = ClusterSource {
        token: TokenSource::File(file.path().to_owned()),
        ..api.source()
    };
    // From here on every review is refused as an unknown user's, mine are not looked at.
    api.refuses(REVIEW, 401, "Unauthorized");

    let steps = steps(source).await;
    let shown = shown(&steps, &api).replace(&file.path().display().to_string(), "FILE");

    let reader = steps
        .iter()
        .find(|step| step.outcome == Outcome::Fail)
        .expect("one fails");
    assert_eq!(
        (reader.name.text(), &reader.evidence[..]),
        (
            "reader's right",
            &[
                "it ended at 2023-11-14T22:13:20Z".to_owned(),
                "it is made out to vault".to_owned(),
                "its owner is system:serviceaccount:llm:reader".to_owned(),
            ][..]
        ),
        "{shown}"
    );
    assert!(!shown.contains("s3cr3t"), "{shown}");
}

#[tokio::test]
async fn the_rule_that_forwarding_will_need_is_a_warning_until_it_does() {
    let mut told = Vec::new();
    for version in [34, 35] {
        let picker = Picker::serve(guarded).await;
        let api = cluster(version, &picker).await;
        api.answers_by_body(REVIEW, |body| {
            let body: Value = serde_json::from_str(body).expect("JSON");
            let asked = &body["spec"]["resourceAttributes"];
            let denied = asked["subresource"] == "portforward" && asked["verb"] == "create";
            json!({ "spec": {}, "status": { "allowed": !denied } })
        });

        let steps = steps(api.source()).await;

        let rights = steps
            .iter()
            .find(|step| step.name.text() == "my rights")
            .expect("it is a link");
        told.push((
            rights.outcome,
            rights
                .evidence
                .iter()
                .any(|line| line.contains("verbs: [create]")),
        ));
    }
    assert_eq!(told, [(Outcome::Warn, true), (Outcome::Fail, true)]);
}

#[tokio::test]
async fn a_standby_that_takes_no_requests_is_as_it_should_be() {
    let picker = Picker::serve(guarded).await;
    let api = cluster(34, &picker).await;
    let mut standby = pod("epp-b", "u2");
    standby["status"]["conditions"][0]["status"] = json!("False");
    let lease = json!({ "metadata": { "name": "epp" }, "spec": { "holderIdentity": "epp-a_3f" } });
    api.has_service(vec![pod("epp-a", "u1"), standby])
        .forwards("epp-b", Way::Fails("connection refused".into()))
        .answers(
            "GET /apis/coordination.k8s.io/v1/namespaces/llm/leases",
            json!({ "metadata": {}, "items": [lease] }),
        );

    let steps = steps(api.source()).await;

    assert_eq!(
        (
            steps[2].found.as_str(),
            steps.iter().all(|step| step.outcome != Outcome::Fail)
        ),
        ("Service epp → 2 pods, leader epp-a", true),
        "{}",
        shown(&steps, &api)
    );
}

#[tokio::test]
async fn a_pod_that_shows_something_else_is_no_picker() {
    let picker =
        Picker::serve(|_| answer(200, "# TYPE go_goroutines gauge\ngo_goroutines 7\n")).await;
    let api = cluster(34, &picker).await;

    let steps = steps(api.source()).await;

    insta::assert_snapshot!(shown(&steps, &api));
}

#[tokio::test]
async fn behind_an_api_server_that_is_not_there_nothing_is_looked_at() {
    let kubeconfig = support::api::kubeconfig("http://127.0.0.1:1");
    let source = ClusterSource {
        kubeconfig: Some(kubeconfig.path().to_owned()),
        select: Select::Pools,
        ..ClusterSource::default()
    };

    let steps = steps(source).await;

    assert_eq!(
        outcomes(&steps),
        "kubeconfig: fail, pool: skip, picker: skip, my rights: skip, reader's right: skip, picker's right: skip, \
         metrics: skip, content: skip"
    );
}

#[tokio::test]
async fn where_all_is_refused_nothing_passes() {
    let status = |message: &str| {
        json!({ "kind": "Status", "apiVersion": "v1", "status": "Failure", "message": message, "code": 403 }).to_string()
    };
    let cannot = "users \"bob\" is forbidden: User \"jane\" cannot impersonate resource \"users\" in API group \"\"";
    let mut told = Vec::new();
    for (case, code, answer) in [
        ("acting as somebody else", 403, status(cannot)),
        ("a proxy", 403, "<html>\n<h1>Blocked</h1>".into()),
        ("no such path", 404, "404 page not found".into()),
        ("no right at all", 403, status("forbidden: User \"jane\"")),
    ] {
        let api = Api::start().await;
        api.answers_otherwise(code, answer);
        let source = ClusterSource {
            impersonate: Some(Impersonate {
                user: "bob".into(),
                groups: Vec::new(),
            }),
            select: Select::Pools,
            ..api.source()
        };

        let steps = steps(source).await;

        told.push(format!("--- {case}\n{}", shown(&steps, &api)));
    }
    insta::assert_snapshot!(told.join("\n"));
}

#[tokio::test]
async fn what_a_server_that_fails_says_is_told_line_by_line() {
    let picker = Picker::serve(guarded).await;
    let api = cluster(34, &picker).await;
    api.refuses(REVIEW, 500, "etcd is away");

    let steps = steps(api.source()).await;

    let told: Vec<(&str, &[String])> = steps[3..5]
        .iter()
        .map(|step| (step.found.as_str(), &step.evidence[..]))
        .collect();
    let failed = "the Kubernetes API server could not create selfsubjectaccessreviews.authorization.k8s.io in all \
                  namespaces (500)";
    let words = ["\"etcd is away\"".to_owned()];
    assert_eq!(
        told,
        [
            (
                &format!("what you may is not known: {failed}")[..],
                &words[..]
            ),
            (
                &format!("the API server does not tell: {failed}")[..],
                &words[..]
            ),
        ]
    );
}

#[tokio::test]
async fn a_client_certificate_that_has_ended_is_told_with_its_date() {
    let api = Api::start().await;
    api.refuses("GET /version", 401, "Unauthorized");
    let mut params = rcgen::CertificateParams::new(Vec::new()).expect("no names");
    params.not_after = rcgen::date_time_ymd(2024, 2, 29);
    let key = rcgen::KeyPair::generate().expect("a key");
    let certificate = params.self_signed(&key).expect("a certificate");
    let file = tempfile::NamedTempFile::new().expect("a temporary file");
    let kubeconfig = std::fs::read_to_string(api.source().kubeconfig.expect("it has one"));
    let mut kubeconfig: Value = serde_json::from_str(&kubeconfig.expect("a file")).expect("JSON");
    let base64 = |pem: String| base64::Engine::encode(&base64::prelude::BASE64_STANDARD, pem);
    kubeconfig["users"][0]["user"] = json!({
        "client-certificate-data": base64(certificate.pem()),
        "client-key-data": base64(key.serialize_pem()),
    });
    std::fs::write(file.path(), kubeconfig.to_string()).expect("a temporary file");
    let source = ClusterSource {
        kubeconfig: Some(file.path().to_owned()),
        ..api.source()
    };

    let steps = steps(source).await;

    assert!(
        steps[0].outcome == Outcome::Fail
            && steps[0].evidence.contains(
                &"the user's client certificate ended at 2024-02-29T00:00:00Z".to_owned()
            ),
        "{:#?}",
        steps[0]
    );
}

#[tokio::test]
async fn a_certificate_that_nobody_vouches_for_can_be_trusted_all_the_same() {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let own =
        rcgen::generate_simple_self_signed(vec!["epp.llm.svc".into()]).expect("a certificate");
    let tls = rustls::ServerConfig::builder()
        .with_no_client_auth()
        .with_single_cert(
            vec![own.cert.der().clone()],
            rustls::pki_types::PrivateKeyDer::try_from(own.signing_key.serialize_der())
                .expect("a key"),
        )
        .expect("they fit");
    let picker = Picker::serve_tls(guarded, tls).await;
    let api = cluster(34, &picker).await;

    let steps = steps(api.source()).await;

    let cause = steps
        .iter()
        .find(|step| step.outcome == Outcome::Fail)
        .expect("one fails");
    assert!(
        cause.name.text() == "metrics"
            && cause
                .fix
                .iter()
                .any(|fix| fix.contains("--metrics-insecure-skip-tls-verify")),
        "{cause:#?}"
    );
}

#[tokio::test]
async fn a_picker_that_wants_a_certificate_is_told_so_though_its_own_is_not_trusted() {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let own =
        rcgen::generate_simple_self_signed(vec!["epp.llm.svc".into()]).expect("a certificate");
    let mut known = rustls::RootCertStore::empty();
    known.add(own.cert.der().clone()).expect("a certificate");
    let verifier = rustls::server::WebPkiClientVerifier::builder(known.into())
        .build()
        .expect("a verifier");
    let key = own.signing_key.serialize_der().try_into().expect("a key");
    let tls = rustls::ServerConfig::builder()
        .with_client_cert_verifier(verifier)
        .with_single_cert(vec![own.cert.der().clone()], key)
        .expect("they fit");
    let picker = Picker::serve_tls(guarded, tls).await;
    let api = cluster(34, &picker).await;

    let steps = steps(api.source()).await;

    insta::assert_snapshot!(shown(&steps, &api));
}

const POOLS: &str = "GET /apis/inference.networking.k8s.io/v1/namespaces/llm/inferencepools";
const DEPLOYMENTS: &str = "GET /apis/apps/v1/namespaces/llm/deployments";
const SERVICES: &str = "GET /api/v1/namespaces/llm/services";

fn list(items: Vec<Value>) -> Value {
    json!({ "metadata": {}, "items": items })
}

/// A pool of the model servers that are labelled `app=vllm`.
fn pool(name: &str, picker: &str) -> Value {
    json!({
        "metadata": { "name": name, "namespace": "llm" },
        "spec": {
            "selector": { "matchLabels": { "app": "vllm" } },
            "targetPorts": [{ "number": 8000 }],
            "endpointPickerRef": { "name": picker, "port": { "number": 9002 } },
        },
    })
}

/// A Deployment whose pods are labelled `app=NAME`.
fn deployment(name: &str, container: Value) -> Value {
    let labels = json!({ "app": name });
    json!({
        "metadata": { "name": name, "namespace": "llm" },
        "spec": {
            "selector": { "matchLabels": labels },
            "template": { "metadata": { "labels": labels }, "spec": { "containers": [container] } },
        },
    })
}

fn service(name: &str) -> Value {
    json!({
        "metadata": { "name": name, "namespace": "llm" },
        "spec": { "selector": { "app": name }, "ports": [{ "port": 9002, "targetPort": 9002 }] },
    })
}

/// A picker's container, which is told this pool.
fn picks(pool: &str) -> Value {
    json!({ "name": "epp", "image": "picker:1", "args": ["--pool-name", pool] })
}

fn pod_of(app: &str, name: &str, container: Value) -> Value {
    let mut pod = pod(name, name);
    pod["metadata"]["labels"]["app"] = json!(app);
    pod["spec"]["containers"] = json!([container]);
    pod
}

/// Two pools with a picker each: `qwen` with `epp`, `mistral` with `eppb`.
async fn two_pools(picker: &Picker) -> Api {
    let api = cluster(34, picker).await;
    let pods = vec![
        pod_of("epp", "epp-a", picks("qwen")),
        pod_of("eppb", "eppb-a", picks("mistral")),
        pod_of("vllm", "vllm-a", json!({ "name": "vllm" })),
    ];
    api.has_pods(pods)
        .answers(
            "POST /apis/authorization.k8s.io/v1/subjectaccessreviews",
            json!({ "spec": {}, "status": { "allowed": true } }),
        )
        .forwards("eppb-a", Way::To(picker.address))
        .answers(
            POOLS,
            list(vec![pool("qwen", "epp"), pool("mistral", "eppb")]),
        )
        .answers(
            DEPLOYMENTS,
            list(vec![
                deployment("epp", picks("qwen")),
                deployment("eppb", picks("mistral")),
            ]),
        )
        .answers(SERVICES, list(vec![service("epp"), service("eppb")]))
        .answers(&format!("{SERVICES}/epp"), service("epp"))
        .answers(&format!("{SERVICES}/eppb"), service("eppb"));
    api
}

fn of_pools(api: &Api) -> ClusterSource {
    ClusterSource {
        select: Select::Pools,
        ..api.source()
    }
}

/// The first link that is broken: what is said of it, and the commands that mend it.
fn broken(steps: &[Step], api: &Api) -> (String, Vec<String>) {
    let kubectl = api.source().by_hand().kubectl();
    let step = steps.iter().find(|step| step.outcome == Outcome::Fail);
    let fix = |step: &Step| {
        step.fix
            .iter()
            .map(|fix| fix.replace(&kubectl, "kubectl"))
            .collect()
    };
    step.map_or_else(Default::default, |step| (step.found.clone(), fix(step)))
}

#[tokio::test]
async fn no_pool_is_handed_to_the_picker_of_another() {
    type Break = fn(&Api) -> &Api;
    let cases: [(Break, &str, &[&str]); 4] = [
        (|api| api, "", &[]),
        (
            |api| {
                api.answers(SERVICES, list(vec![service("eppb")])).refuses(
                    &format!("{SERVICES}/epp"),
                    404,
                    "not found",
                )
            },
            "InferencePool qwen names Service llm/epp, which does not exist",
            &["kubectl expose deployment epp -n llm --name=epp --port=9002"],
        ),
        (
            |api| {
                let left = pod_of("eppb", "eppb-a", picks("mistral"));
                api.answers(
                    DEPLOYMENTS,
                    list(vec![deployment("eppb", picks("mistral"))]),
                )
                .has_pods(vec![
                    left,
                    pod_of("vllm", "vllm-a", json!({ "name": "vllm" })),
                ])
            },
            "Service llm/epp selects no pod: none is labelled app=epp",
            &[],
        ),
        (
            |api| {
                api.answers(
                    POOLS,
                    list(vec![pool("qwen", "epp"), pool("mistral", "epp")]),
                )
            },
            "the pods of Service epp pick for InferencePool llm/qwen, not for llm/mistral",
            &[
                "kubectl patch inferencepools.inference.networking.k8s.io mistral -n llm --type=merge -p \
               '{\"spec\":{\"endpointPickerRef\":{\"name\":\"eppb\"}}}'",
            ],
        ),
    ];
    for (breaks, found, fix) in cases {
        let picker = Picker::serve(guarded).await;
        let api = two_pools(&picker).await;
        breaks(&api);

        let steps = steps(of_pools(&api)).await;

        let fix = fix.iter().map(|fix| (*fix).to_owned()).collect();
        assert_eq!(
            broken(&steps, &api),
            (found.to_owned(), fix),
            "{}",
            shown(&steps, &api)
        );
    }
}

#[tokio::test]
async fn a_pool_without_endpoints_is_pointed_at_model_servers_alone() {
    let serves = |port: u16| json!({ "name": "c", "ports": [{ "containerPort": port }] });
    let mut proxy = deployment("gateway-istio", serves(8000));
    proxy["spec"]["template"]["metadata"]["labels"] =
        json!({ "gateway.networking.k8s.io/gateway-name": "inference-gateway" });
    let mut by_expression = deployment("vllm2", serves(8000));
    by_expression["spec"]["selector"] =
        json!({ "matchExpressions": [{ "key": "app", "operator": "Exists" }] });
    let cases = [
        (proxy, false),
        (by_expression, false),
        (deployment("redis", serves(6379)), false),
        (deployment("vllm2", serves(8000)), true),
        (deployment("vllm2", json!({ "name": "c" })), true),
    ];
    for (other, is_offered) in cases {
        let picker = Picker::serve(guarded).await;
        let api = two_pools(&picker).await;
        api.has_pods(vec![])
            .answers(
                DEPLOYMENTS,
                list(vec![deployment("epp", picks("qwen")), other.clone()]),
            )
            .answers(POOLS, list(vec![pool("qwen", "epp")]));

        let steps = steps(of_pools(&api)).await;

        let fix = "kubectl patch inferencepools.inference.networking.k8s.io qwen -n llm --type=json -p \
             '[{\"op\":\"replace\",\"path\":\"/spec/selector/matchLabels\",\"value\":{\"app\":\"vllm2\"}}]'";
        let expected = (
            "InferencePool llm/qwen has no endpoints: no pod is labelled app=vllm".to_owned(),
            Vec::from_iter(is_offered.then(|| fix.to_owned())),
        );
        assert_eq!(broken(&steps, &api), expected, "{other}");
    }
}

#[tokio::test]
async fn what_strangers_wrote_is_no_part_of_a_command() {
    let hostile = "x;touch$IFS-pwned;";
    let picker = Picker::serve(guarded).await;
    let api = two_pools(&picker).await;
    api.answers(POOLS, list(vec![pool("qwen", hostile)]))
        .answers(SERVICES, list(vec![]));

    let by_pool = steps(of_pools(&api)).await;

    let api = cluster(34, &picker).await;
    let annotations = json!({ "kubernetes.io/service-account.name": "x;touch /tmp/pwned #" });
    api.answers(
        "GET /api/v1/namespaces/llm/secrets/r-secret",
        json!({
            "metadata": { "name": "r-secret", "namespace": "llm", "annotations": annotations },
            "type": "kubernetes.io/service-account-token",
        }),
    );
    let by_secret = steps(ClusterSource {
        token: TokenSource::Secret {
            namespace: "llm".into(),
            name: "r-secret".into(),
        },
        ..api.source()
    })
    .await;

    let picker = &by_pool[2];
    assert_eq!(
        [(
            picker.found.clone(),
            picker.evidence.clone(),
            picker.fix.clone()
        )],
        [(
            format!("InferencePool qwen names Service llm/{hostile}, which does not exist"),
            vec![
                "Deployment epp is a picker".to_owned(),
                format!("no Service can have the name {hostile:?}"),
            ],
            vec![]
        )]
    );
    assert_eq!(
        broken(&by_secret, &api),
        (
            "Secret llm/r-secret has no token in it yet".to_owned(),
            vec![
                "igctl rbac generate -n llm --only reader --service-account r --token-secret | kubectl apply -f -"
                    .to_owned()
            ]
        )
    );
}

#[tokio::test]
async fn all_namespaces_are_looked_at_by_labels_and_by_flags() {
    let mut told = Vec::new();
    for select in [Select::Labels("app=epp".into()), Select::Pools] {
        let picker = Picker::serve(guarded).await;
        let api = cluster(34, &picker).await;
        let here = pod_of("epp", "epp-0", picks("qwen"));
        let mut there = here.clone();
        there["metadata"]["namespace"] = json!("prod");
        there["status"] = json!({ "phase": "Pending" });
        api.has_pods(vec![here.clone()])
            .forwards("epp-0", Way::To(picker.address))
            .answers(
                "GET /api/v1/namespaces/prod/pods",
                list(vec![there.clone()]),
            )
            .answers("GET /api/v1/pods", list(vec![here, there]));
        for group in [
            "inference.networking.k8s.io/v1",
            "inference.networking.x-k8s.io/v1alpha2",
        ] {
            let name = json!({
                "name": "inferencepools", "singularName": "", "namespaced": true, "kind": "InferencePool",
                "verbs": ["list"],
            });
            api.refuses(
                &format!("GET /apis/{group}/inferencepools"),
                403,
                "forbidden",
            )
            .answers(
                &format!("GET /apis/{group}"),
                json!({ "groupVersion": group, "resources": [name] }),
            );
        }

        let steps = steps(ClusterSource {
            select,
            all_namespaces: true,
            ..api.source()
        })
        .await;

        let pickers = steps.iter().filter(|step| step.name.text() == "picker");
        told.extend(pickers.map(|step| {
            let way = step.found.rsplit(": ").next().unwrap_or_default();
            (step.picker.clone(), step.outcome, way.to_owned())
        }));
    }
    let of =
        |place: &str, outcome, found: &str| (Some(place.to_owned()), outcome, found.to_owned());
    let each = [
        of("llm", Outcome::Ok, "1 pod ready"),
        of("prod", Outcome::Fail, "1 pod, none ready"),
    ];
    assert_eq!(told, [each.clone(), each].concat());
}

#[tokio::test]
async fn every_pod_that_the_service_selects_is_to_take_requests() {
    let mut told = Vec::new();
    for second in [picks("qwen"), json!({ "name": "vllm" })] {
        let picker = Picker::serve(guarded).await;
        let api = two_pools(&picker).await;
        let mut pods = vec![
            pod_of("epp", "epp-a", picks("qwen")),
            pod_of("epp", "epp-b", second),
        ];
        pods.push(pod_of("vllm", "vllm-a", json!({ "name": "vllm" })));
        for pod in &mut pods {
            pod["status"]["podIP"] = json!("10.244.0.5");
        }
        let own = json!({ "app": "epp", "role": "picker" });
        let mut deployment = deployment("epp", picks("qwen"));
        deployment["spec"]["selector"]["matchLabels"] = own;
        api.has_pods(pods)
            .forwards("epp-b", Way::Fails("connection refused".into()))
            .answers(DEPLOYMENTS, list(vec![deployment]))
            .answers(POOLS, list(vec![pool("qwen", "epp")]));

        let steps = steps(of_pools(&api)).await;

        told.push(broken(&steps, &api));
    }
    let fix = "kubectl patch service epp -n llm --type=json -p \
        '[{\"op\":\"add\",\"path\":\"/spec/selector\",\"value\":{\"app\":\"epp\",\"role\":\"picker\"}}]'";
    assert_eq!(
        told,
        [
            (
                "nothing listens on port 9002 of pod epp-b, where Service epp:9002 leads"
                    .to_owned(),
                vec![]
            ),
            (
                "Service epp also selects pod epp-b, which is no picker".to_owned(),
                vec![fix.to_owned()]
            ),
        ]
    );
}

/// What is said of a link of this name.
fn link<'a>(steps: &'a [Step], name: &str) -> &'a Step {
    let mut links = steps.iter().filter(|step| step.name.text() == name);
    links.next().expect("it is a link")
}

/// What I may not do is what `denied` says of the right that is asked for.
fn denies(api: &Api, denied: impl Fn(&Value) -> bool + Send + Sync + 'static) {
    api.answers_by_body(REVIEW, move |body| {
        let body: Value = serde_json::from_str(body).expect("JSON");
        let is_denied = denied(&body["spec"]["resourceAttributes"]);
        json!({ "spec": {}, "status": { "allowed": !is_denied } })
    });
}

#[tokio::test]
async fn the_fix_grants_the_rights_that_are_missing() {
    type Denied = fn(&Value) -> bool;
    let secret = TokenSource::Secret {
        namespace: "llm".into(),
        name: "r-secret".into(),
    };
    let account = TokenSource::ServiceAccount {
        namespace: "monitoring".into(),
        name: "prom".into(),
    };
    let cases: [(TokenSource, Denied, &[&str]); 3] = [
        (
            secret,
            |asked| asked["resource"] == "secrets",
            &[
                "create role igctl-secrets-r-secret -n llm --verb=get --resource=secrets --resource-name=r-secret",
                "create rolebinding igctl-secrets-r-secret-user-jane -n llm --role=igctl-secrets-r-secret --user=jane",
            ],
        ),
        (
            account,
            |asked| asked["namespace"] == "monitoring",
            &[
                "create role igctl-token-prom -n monitoring --verb=create --resource=serviceaccounts/token \
                 --resource-name=prom",
                "create rolebinding igctl-token-prom-user-jane -n monitoring --role=igctl-token-prom --user=jane",
            ],
        ),
        (
            TokenSource::Auto,
            |asked| asked["resource"] == "services",
            &[
                "delete rolebinding -n llm igctl-operator-user-jane",
                "igctl rbac generate -n llm --only operator --user jane | kubectl apply -f -",
            ],
        ),
    ];
    for (token, denied, fix) in cases {
        let picker = Picker::serve(guarded).await;
        let api = cluster(34, &picker).await;
        denies(&api, denied);
        api.answers(
            "POST /apis/authentication.k8s.io/v1/selfsubjectreviews",
            json!({ "status": { "userInfo": { "username": "jane" } } }),
        )
        .answers(
            "GET /apis/rbac.authorization.k8s.io/v1/namespaces/llm/rolebindings/igctl-operator-user-jane",
            json!({ "metadata": {}, "roleRef": { "apiGroup": "", "kind": "ClusterRole", "name": "view" } }),
        );
        let source = ClusterSource {
            token,
            ..api.source()
        };

        let steps = steps(source).await;

        let kubectl = api.source().by_hand().kubectl();
        let told: Vec<String> = link(&steps, "my rights")
            .fix
            .iter()
            .map(|fix| fix.replace(&format!("{kubectl} apply"), "kubectl apply"))
            .map(|fix| fix.replace(&format!("{kubectl} "), ""))
            .collect();
        assert_eq!(told, fix, "{}", shown(&steps, &api));
    }
}

#[tokio::test]
async fn a_pickers_binding_of_another_role_goes_before_the_right_one_comes() {
    let picker = Picker::serve(|token| match token {
        None => answer(401, "Unauthorized"),
        Some(_) => answer(500, "Authentication failed\n"),
    })
    .await;
    let api = cluster(34, &picker).await;
    api.answers(
        "GET /apis/rbac.authorization.k8s.io/v1/clusterrolebindings/epp-auth-delegator-llm",
        json!({ "metadata": {}, "roleRef": { "apiGroup": "", "kind": "ClusterRole", "name": "view" } }),
    );

    let steps = steps(api.source()).await;

    let kubectl = api.source().by_hand().kubectl();
    assert_eq!(
        link(&steps, "picker's right").fix,
        [
            format!("{kubectl} delete clusterrolebinding epp-auth-delegator-llm"),
            format!("igctl rbac generate -n llm --only picker --picker epp | {kubectl} apply -f -"),
        ]
    );
}

#[tokio::test]
async fn what_another_authorizer_denies_no_binding_grants() {
    let picker = Picker::serve(guarded).await;
    let api = cluster(34, &picker).await;
    let rbac = "GET /apis/rbac.authorization.k8s.io/v1";
    let reader = json!({ "kind": "ServiceAccount", "namespace": "llm", "name": READER });
    api.answers_by_body(REVIEW, |body| {
        let is_denied = body.contains("/metrics");
        json!({ "spec": {}, "status": { "allowed": !is_denied } })
    })
    .answers(
        &format!("{rbac}/clusterroles"),
        list(vec![
            json!({ "metadata": { "name": "m" }, "rules": [{ "nonResourceURLs": ["/metrics"], "verbs": ["get"] }] }),
        ]),
    )
    .answers(
        &format!("{rbac}/clusterrolebindings"),
        list(vec![json!({
            "metadata": { "name": "readers" }, "subjects": [reader],
            "roleRef": { "apiGroup": "", "kind": "ClusterRole", "name": "m" },
        })]),
    );

    let steps = steps(api.source()).await;

    let step = link(&steps, "reader's right");
    assert_eq!(
        (step.outcome, &step.evidence[..], &step.fix[..]),
        (
            Outcome::Fail,
            &["ClusterRoleBinding readers grants it that: what denies it is no RBAC, but another authorizer".to_owned()][..],
            &[][..]
        )
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_picker_that_is_silent_to_a_token_alone_may_be_cut_off() {
    let picker = Picker::serve(|token| {
        if token.is_some() {
            std::thread::sleep(Duration::from_secs(2));
        }
        answer(401, "Unauthorized")
    })
    .await;
    let api = cluster(34, &picker).await;
    api.answers(
        "POST /apis/authorization.k8s.io/v1/subjectaccessreviews",
        json!({ "spec": {}, "status": { "allowed": true } }),
    );
    let source = ClusterSource {
        request_timeout: Some(Duration::from_secs(1)),
        ..api.source()
    };

    let steps = steps(source).await;

    let step = link(&steps, "picker's right");
    assert!(
        step.outcome == Outcome::Warn && step.found.contains("may be cut off"),
        "{}",
        shown(&steps, &api)
    );
}

/// A pod whose container was started anew 14 times, the last time a moment ago.
fn restarted(state: Value, ready: bool, code: i32) -> Value {
    let mut pod = pod("epp-a", "u1");
    let ended = (Timestamp::now() - SignedDuration::from_secs(13)).to_string();
    pod["spec"]["nodeName"] = json!("n1");
    pod["status"]["conditions"][0]["status"] = json!(if ready { "True" } else { "False" });
    pod["status"]["containerStatuses"] = json!([{
        "name": "epp", "image": "", "imageID": "", "ready": ready, "restartCount": 14, "state": state,
        "lastState": { "terminated": { "exitCode": code, "reason": "Completed", "finishedAt": ended } },
    }]);
    pod
}

#[tokio::test]
async fn a_picker_that_its_probe_ends_again_and_again_is_in_trouble() {
    let picker = Picker::serve(guarded).await;
    let api = cluster(34, &picker).await;
    let probe = json!({ "metadata": {}, "involvedObject": {}, "reason": "Unhealthy", "message": "Liveness probe failed: timeout" });
    api.has_service(vec![restarted(json!({ "running": {} }), true, 0)])
        .answers("GET /api/v1/namespaces/llm/events", list(vec![probe]));

    let steps = steps(api.source()).await;

    let step = link(&steps, "picker");
    assert_eq!(
        (step.outcome, &step.evidence[..]),
        (
            Outcome::Warn,
            &[
                "pod llm/epp-a, container epp: 14 restarts, it ended with Completed (0)".to_owned(),
                "Unhealthy: Liveness probe failed: timeout".to_owned(),
            ][..]
        )
    );
}

#[tokio::test]
async fn a_kubelet_is_late_by_the_api_servers_clock_and_no_cause_of_a_crash() {
    let crash = "pod llm/epp-a, container epp: CrashLoopBackOff, it ended with Completed (1)";
    let mut told = Vec::new();
    for ahead in [SignedDuration::ZERO, SignedDuration::from_secs(-60)] {
        let picker = Picker::serve(guarded).await;
        let api = cluster(34, &picker).await;
        let waiting = json!({ "waiting": { "reason": "CrashLoopBackOff" } });
        let renewed = (Timestamp::now() - SignedDuration::from_secs(60)).to_string();
        api.is_ahead(ahead)
            .has_service(vec![restarted(waiting, false, 1)])
            .answers(
                "GET /api/v1/nodes/n1",
                json!({ "metadata": {}, "status": { "conditions": [{ "type": "Ready", "status": "True" }] } }),
            )
            .answers(
                "GET /apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases/n1",
                json!({ "metadata": {}, "spec": { "renewTime": renewed, "leaseDurationSeconds": 40 } }),
            );

        let steps = steps(api.source()).await;

        let evidence = &link(&steps, "picker").evidence;
        let is_late = |line: &String| line.contains("kubelet of node n1 has not reported");
        told.push((evidence[0].clone(), evidence.iter().any(is_late)));
    }
    assert_eq!(told, [(crash.to_owned(), true), (crash.to_owned(), false)]);
}

#[tokio::test]
async fn a_picker_of_several_that_may_not_hold_their_lease_lacks_that_right() {
    let picker = Picker::serve(guarded).await;
    let api = two_pools(&picker).await;
    let container = |group: &str| {
        let mut container = picks("qwen");
        container["args"] = json!([
            "--pool-name",
            "qwen",
            "--pool-group",
            group,
            "--ha-enable-leader-election"
        ]);
        container
    };
    let mut told = Vec::new();
    for group in [
        "inference.networking.k8s.io",
        "inference.networking.x-k8s.io",
    ] {
        let mut pod = pod_of("epp", "epp-a", container(group));
        pod["status"]["conditions"][0]["status"] = json!("False");
        api.has_pods(vec![pod]).answers_by_body(
            "POST /apis/authorization.k8s.io/v1/subjectaccessreviews",
            |body| json!({ "spec": {}, "status": { "allowed": !body.contains("leases") } }),
        );
        api.answers(POOLS, list(vec![pool("qwen", "epp")]));

        let steps = steps(of_pools(&api)).await;

        told.push(link(&steps, "picker").evidence[0].clone());
    }
    assert_eq!(
        told,
        [
            "its ServiceAccount llm/epp may not get leases.coordination.k8s.io in namespace llm",
            "it is told --pool-group inference.networking.x-k8s.io, and its pool is of inference.networking.k8s.io",
        ]
    );
}

#[tokio::test]
async fn what_makes_the_pickers_pods_is_looked_at_and_mended() {
    let args = |command: &str| {
        command.replace(
            "PATCH",
            "kubectl patch deployment epp -n llm --type=json -p",
        )
    };
    let mut pod = pod_of("epp", "epp-5d-a", picks("qwen"));
    pod["metadata"]["labels"]["pod-template-hash"] = json!("5d");
    pod["metadata"]["ownerReferences"] =
        json!([{ "apiVersion": "apps/v1", "kind": "ReplicaSet", "name": "epp-5d", "uid": "u" }]);
    let mut injected = pod.clone();
    injected["spec"]["containers"] = json!([{ "name": "istio-proxy" }, picks("wrong")]);
    let with = |field: &str, value: Value| {
        let mut deployment = deployment("epp", picks("qwen"));
        deployment["spec"][field] = value;
        deployment
    };
    let mut short = with("replicas", json!(2));
    let failure =
        json!({ "type": "ReplicaFailure", "status": "True", "message": "exceeded quota" });
    short["status"] = json!({ "replicas": 1, "conditions": [failure] });
    let set = "GET /apis/apps/v1/namespaces/llm/statefulsets";
    let cases = [
        (
            (DEPLOYMENTS, short, vec![pod]),
            (
                Outcome::Warn,
                vec![
                    "Deployment epp is to have 2 pods and has 1",
                    "exceeded quota",
                ],
                None,
            ),
        ),
        (
            (DEPLOYMENTS, with("paused", json!(true)), vec![]),
            (
                Outcome::Fail,
                vec!["Deployment epp is paused"],
                Some("kubectl rollout resume deployment epp -n llm"),
            ),
        ),
        (
            (set, with("replicas", json!(0)), vec![]),
            (
                Outcome::Fail,
                vec!["StatefulSet epp is scaled to 0"],
                Some("kubectl scale statefulset epp -n llm --replicas=1"),
            ),
        ),
        (
            (
                DEPLOYMENTS,
                deployment("epp", picks("wrong")),
                vec![injected],
            ),
            (
                Outcome::Fail,
                vec![],
                Some(
                    "PATCH '[{\"op\":\"replace\",\"path\":\"/spec/template/spec/containers/0/args/1\",\
                     \"value\":\"qwen\"}]'",
                ),
            ),
        ),
    ];
    for ((kind, workload, pods), (outcome, evidence, fix)) in cases {
        let picker = Picker::serve(guarded).await;
        let api = two_pools(&picker).await;
        api.has_pods(pods)
            .forwards("epp-5d-a", Way::To(picker.address))
            .answers(DEPLOYMENTS, list(vec![]))
            .answers(kind, list(vec![workload]))
            .answers(POOLS, list(vec![pool("qwen", "epp")]));

        let steps = steps(of_pools(&api)).await;

        let kubectl = api.source().by_hand().kubectl();
        let step = &steps[2];
        let mended: Vec<String> = step
            .fix
            .iter()
            .map(|fix| fix.replace(&kubectl, "kubectl"))
            .collect();
        assert_eq!(
            (
                step.outcome,
                step.evidence.iter().map(String::as_str).collect(),
                mended
            ),
            (outcome, evidence, fix.map(args).into_iter().collect()),
            "{}",
            shown(&steps, &api)
        );
    }
}

/// What is said of the content of a saved scrape.
async fn content(path: &str) -> (Outcome, String) {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("tests/fixtures")
        .join(path);
    content_of(path).await
}

async fn content_of(path: PathBuf) -> (Outcome, String) {
    let source = Source::Files(FilesSource {
        files: vec![FileSource::Path(path.clone())],
        max_scrape: MaxScrape::default(),
    });
    let steps = check(&source)
        .await
        .unwrap_or_else(|error| panic!("{error}"));
    let [step] = &steps[..] else {
        panic!("{steps:?}");
    };
    let text = [std::slice::from_ref(&step.found), &step.evidence[..]]
        .concat()
        .join("\n");
    (
        step.outcome,
        text.replace(&path.display().to_string(), "FILE"),
    )
}

#[tokio::test]
async fn a_gateway_that_keeps_responses_from_its_picker_is_found_out() {
    let (outcome, said) = content("scrapes/gie-v0.1.0-no-response-body/t0.prom.gz").await;

    assert!(
        outcome == Outcome::Warn && said.contains("response_body_mode"),
        "{outcome:?}: {said}"
    );
}

#[tokio::test]
async fn a_page_of_boilerplate_alone_has_seen_no_request() {
    let (outcome, said) = content("scrapes/gie-v1.5.0/idle.prom.gz").await;

    assert!(
        outcome == Outcome::Ok && said.contains("no request yet"),
        "{outcome:?}: {said}"
    );
}

#[tokio::test]
async fn a_picker_that_counts_no_further_models_is_found_out() {
    let file = tempfile::NamedTempFile::new().expect("a temporary file");
    let text = "# TYPE llm_d_epp_request_total counter\n\
        llm_d_epp_request_total{model_name=\"other\",target_model_name=\"other\"} 1\n";
    std::fs::write(file.path(), text).expect("a temporary file");

    let (outcome, said) = content_of(file.path().to_owned()).await;

    assert!(
        outcome == Outcome::Warn && said.contains("cap of models"),
        "{outcome:?}: {said}"
    );
}

#[tokio::test]
async fn real_pickers_pages_raise_no_alarm() {
    for page in [
        "gie-v0.5.1",
        "gie-v1.0.0",
        "gie-v1.2.1",
        "gie-v1.5.0",
        "llm-d-router-v0.10.0",
    ] {
        let (outcome, said) = content(&format!("scrapes/{page}/idle.prom.gz")).await;
        assert_eq!(outcome, Outcome::Ok, "{page}: {said}");
    }
}

#[tokio::test]
async fn model_names_that_simple_readers_misread_are_named() {
    let file = tempfile::NamedTempFile::new().expect("a temporary file");
    let text = "# TYPE inference_model_request_total counter\n\
        inference_model_request_total{model_name=\"plain\",target_model_name=\"plain\"} 1\n\
        inference_model_request_total{model_name=\"a,b=c\",target_model_name=\"x\"} 2\n\
        inference_model_request_total{model_name=\"a}b\",target_model_name=\"x\"} 3\n";
    std::fs::write(file.path(), text).expect("a temporary file");

    let (outcome, said) = content_of(file.path().to_owned()).await;

    assert!(
        outcome == Outcome::Warn
            && said.contains(r#"misread the model "a,b=c", "a}b""#)
            && !said.contains("\"plain\""),
        "{outcome:?}: {said}"
    );
}
