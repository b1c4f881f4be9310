//! A whole inference gateway: a pool of model servers and gateway-core in the cluster, Envoy before them.

use std::net::TcpListener;

use serde_json::{Value, json};

use crate::cluster::{self, Forward, Namespace, variable};
use crate::envoy::{Endpoint, Envoy, Responses};

/// A pool, its picker and Envoy, in a namespace of their own.
pub(crate) struct Gateway {
    pub(crate) namespace: Namespace,
    envoy: Envoy,
    pickers: Vec<u16>,
    endpoints: Vec<Endpoint>,
    _forwards: Vec<Forward>,
}

impl Gateway {
    /// Deploys two model servers, two pickers and the metrics' reader, from the manifests in `gateway-core/deploy`.
    pub(crate) fn deploy(purpose: &str) -> Gateway {
        let gateway = Gateway::deploy_in(Namespace::create(purpose));
        gateway
            .namespace
            .apply(&reader_manifests(gateway.namespace.name()));
        gateway
    }

    /// The same without the metrics' reader.
    pub(crate) fn deploy_in(namespace: Namespace) -> Gateway {
        cluster::ensure_inference_api();
        deploy_model_servers(&namespace);
        namespace.apply(&picker_manifests(namespace.name()));
        namespace.rolled_out("gateway-core");
        let mut forwards = Vec::new();
        let mut forward = |pod: &str, port| {
            forwards.push(Forward::open(&namespace, &format!("pod/{pod}"), port));
            forwards[forwards.len() - 1].port
        };
        let pickers = namespace.of_pods("gateway-core", ".metadata.name");
        let pickers: Vec<u16> = pickers.iter().map(|pod| forward(pod, 9002)).collect();
        let stand_in = model_server_image().is_none().then(model_server_here);
        let pods = namespace.of_pods("model-server", ".metadata.name");
        let addresses = namespace.of_pods("model-server", ".status.podIP");
        let endpoints: Vec<Endpoint> = pods
            .iter()
            .zip(addresses)
            .map(|(pod, address)| Endpoint {
                name: format!("{address}:8000"),
                port: stand_in.unwrap_or_else(|| forward(pod, 8000)),
            })
            .collect();
        let envoy = Envoy::start(&pickers, &endpoints, Responses::Seen);
        Gateway {
            namespace,
            envoy,
            pickers,
            endpoints,
            _forwards: forwards,
        }
    }

    /// An address of the gateway.
    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.envoy.port)
    }

    /// Sets Envoy up anew so that pickers do not see what is answered.
    pub(crate) fn hide_responses(&mut self) {
        self.envoy = Envoy::start(&self.pickers, &self.endpoints, Responses::Hidden);
    }

    /// Sets Envoy up anew so that nobody listens where it asks for a pick, as where no picker leads.
    pub(crate) fn lose_pickers(&mut self) {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let port = listener.local_addr().expect("it is bound").port();
        drop(listener);
        self.envoy = Envoy::start(&[port], &self.endpoints, Responses::Seen);
    }

    /// Begins a request to a page of the API.
    pub(crate) fn post(&self, path: &str, body: &str) -> Reply {
        self.post_with(path, &[], body)
    }

    /// The same with headers, by which the model server is told how to behave.
    pub(crate) fn post_with(&self, path: &str, headers: &[(&str, &str)], body: &str) -> Reply {
        let mut request = ureq::post(format!("http://127.0.0.1:{}{path}", self.envoy.port))
            .config()
            .http_status_as_error(false)
            .build()
            .content_type("application/json");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let response = request.send(body).expect("Envoy answers");
        let status = response.status().as_u16();
        let body = response
            .into_body()
            .read_to_string()
            .expect("the answer is whole and text");
        Reply { status, body }
    }

    /// Asks `model` for a completion.
    pub(crate) fn complete(&self, model: &str) -> Reply {
        self.post(
            "/v1/completions",
            &json!({"model": model, "prompt": "one two"}).to_string(),
        )
    }

    /// Asks `model` for a completion in a stream.
    pub(crate) fn stream(&self, model: &str) -> Reply {
        let messages = json!([{"role": "user", "content": "one two"}]);
        let body = json!({"model": model, "messages": messages, "stream": true});
        self.post("/v1/chat/completions", &body.to_string())
    }
}

/// What came back through Envoy.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) body: String,
}

/// The manifests of the picker for one namespace, with the image under test.
pub(crate) fn picker_manifests(namespace: &str) -> String {
    let placeholder = "image: registry.example.com/gateway-core:latest # yours\n";
    let picker = include_str!("../../gateway-core/deploy/picker.yaml");
    assert!(
        picker.contains(placeholder),
        "picker.yaml names its image otherwise"
    );
    let picker = picker.replace(
        placeholder,
        &format!("image: {}\n", variable("IGCTL_TEST_IMAGE")),
    );
    let auth =
        include_str!("../../gateway-core/deploy/metrics-auth.yaml").replace("default", namespace);
    let pool = include_str!("../../gateway-core/deploy/pool.yaml").to_owned();
    [picker, auth, pool].join("---\n")
}

/// The manifests of the metrics' reader for one namespace, which is also in the names of what is cluster-wide.
pub(crate) fn reader_manifests(namespace: &str) -> String {
    let of_namespace = |name: &str| format!("{name}-{namespace}");
    include_str!("../../gateway-core/deploy/metrics-reader.yaml")
        .replace("default", namespace)
        .replace("reader-role-binding", &of_namespace("reader-role-binding"))
        .replace(
            "inference-gateway-metrics-reader",
            &of_namespace("inference-gateway-metrics-reader"),
        )
}

/// Two pods for the pool, of model servers or of what stands in for them.
pub(crate) fn deploy_model_servers(namespace: &Namespace) {
    let container = match model_server_image() {
        Some(image) => json!({
            "name": "model-server",
            "image": image,
            "readinessProbe": {"httpGet": {"path": "/health", "port": 8000}, "periodSeconds": 1},
        }),
        None => json!({
            "name": "placeholder",
            "image": variable("IGCTL_TEST_IMAGE"),
            "args": ["--grpc-port=8000", "--endpoints=127.0.0.1:1", "--metrics-endpoint-auth=false"],
        }),
    };
    let deployment: Value = json!({
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "model-server"},
        "spec": {
            "replicas": 2,
            "selector": {"matchLabels": {"app": "model-server"}},
            "template": {
                "metadata": {"labels": {"app": "model-server"}},
                "spec": {"containers": [container], "terminationGracePeriodSeconds": 1},
            },
        },
    });
    namespace.apply(&deployment.to_string());
    namespace.rolled_out("model-server");
}

fn model_server_image() -> Option<String> {
    std::env::var("IGCTL_TEST_MODEL_SERVER_IMAGE").ok()
}

/// A model server on this machine, at the port that is returned, until the tests end.
fn model_server_here() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let port = listener.local_addr().expect("it is bound").port();
    listener
        .set_nonblocking(true)
        .expect("a socket can be made so");
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .expect("a runtime");
        runtime.block_on(async {
            let listener = tokio::net::TcpListener::from_std(listener).expect("it is a socket");
            model_server::serve(listener).await
        })
    });
    port
}
