//! A real Envoy on this machine, asking endpoint pickers in the cluster where each request goes.

use std::fs;
use std::process::Command;

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::cluster::variable;
use crate::process::{Running, wait_for};

/// An endpoint as the picker names it, `ip:port`, and a local port through which it is reached.
pub(crate) struct Endpoint {
    pub(crate) name: String,
    pub(crate) port: u16,
}

/// Whether the picker is shown what a model server answers.
#[derive(Clone, Copy)]
pub(crate) enum Responses {
    Seen,
    Hidden,
}

/// A running Envoy.
pub(crate) struct Envoy {
    /// Its clients' port on 127.0.0.1.
    pub(crate) port: u16,
    _process: Running,
    _folder: TempDir,
}

impl Envoy {
    /// Starts Envoy before the pickers at these local ports, behind which are these endpoints.
    pub(crate) fn start(pickers: &[u16], endpoints: &[Endpoint], responses: Responses) -> Envoy {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let (config, admin) = (
            folder.path().join("envoy.json"),
            folder.path().join("admin"),
        );
        fs::write(
            &config,
            configuration(pickers, endpoints, responses).to_string(),
        )
        .expect("the folder is writable");
        let process = Running::start(
            Command::new(variable("IGCTL_TEST_ENVOY"))
                .args([
                    "--log-level",
                    "error",
                    "--concurrency",
                    "1",
                    "--use-dynamic-base-id",
                    "--config-path",
                ])
                .arg(&config)
                .arg("--admin-address-path")
                .arg(&admin),
        );
        let port = wait_for("Envoy's listener", || {
            let admin = fs::read_to_string(&admin).ok()?;
            let listeners = ureq::get(format!("http://{admin}/listeners?format=json"))
                .call()
                .ok()?;
            let listeners: Value =
                serde_json::from_reader(listeners.into_body().into_reader()).ok()?;
            let port = listeners
                .pointer("/listener_statuses/0/local_address/socket_address/port_value")?;
            port.as_u64()?.try_into().ok()
        });
        Envoy {
            port,
            _process: process,
            _folder: folder,
        }
    }
}

/// The external processor set up as Istio's control plane does it. Envoy stands outside of the cluster here, so each
/// endpoint that may be picked is a route of its own, chosen by the header that the picker sets, to the port-forward
/// that leads to it. A pick that is none of them is a 503.
fn configuration(pickers: &[u16], endpoints: &[Endpoint], responses: Responses) -> Value {
    let mut routes: Vec<Value> = endpoints
        .iter()
        .map(|endpoint| {
            json!({
                "match": {
                    "prefix": "/",
                    "headers": [{"name": "x-gateway-destination-endpoint", "string_match": {"exact": endpoint.name}}],
                },
                "route": {"cluster": endpoint.name, "timeout": "60s"},
            })
        })
        .collect();
    routes.push(json!({
        "match": {"prefix": "/"},
        "direct_response": {"status": 503, "body": {"inline_string": "the picker named no endpoint of the pool"}},
    }));
    let mut clusters: Vec<Value> = endpoints
        .iter()
        .map(|endpoint| cluster(&endpoint.name, &[endpoint.port]))
        .collect();
    let mut picker = cluster("picker", pickers);
    picker["typed_extension_protocol_options"] = json!({
        "envoy.extensions.upstreams.http.v3.HttpProtocolOptions": {
            "@type": "type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions",
            "explicit_http_config": {"http2_protocol_options": {}},
        },
    });
    clusters.push(picker);
    json!({
        "admin": {"address": address(0)},
        "static_resources": {
            "listeners": [{
                "name": "clients",
                "address": address(0),
                "filter_chains": [{"filters": [{
                    "name": "envoy.filters.network.http_connection_manager",
                    "typed_config": {
                        "@type": "type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager",
                        "stat_prefix": "clients",
                        "route_config": {"virtual_hosts": [{"name": "all", "domains": ["*"], "routes": routes}]},
                        "http_filters": [ext_proc(responses), {
                            "name": "envoy.filters.http.router",
                            "typed_config": {"@type": "type.googleapis.com/envoy.extensions.filters.http.router.v3.Router"},
                        }],
                    },
                }]}],
            }],
            "clusters": clusters,
        },
    })
}

fn ext_proc(responses: Responses) -> Value {
    let (headers, body) = match responses {
        Responses::Seen => ("SEND", "FULL_DUPLEX_STREAMED"),
        Responses::Hidden => ("SKIP", "NONE"),
    };
    json!({
        "name": "envoy.filters.http.ext_proc",
        "typed_config": {
            "@type": "type.googleapis.com/envoy.extensions.filters.http.ext_proc.v3.ExternalProcessor",
            "grpc_service": {"envoy_grpc": {"cluster_name": "picker"}},
            "failure_mode_allow": false,
            "message_timeout": "10s",
            "route_cache_action": "CLEAR",
            "processing_mode": {
                "request_header_mode": "SEND",
                "request_body_mode": "FULL_DUPLEX_STREAMED",
                "request_trailer_mode": "SEND",
                "response_header_mode": headers,
                "response_body_mode": body,
                "response_trailer_mode": headers,
            },
            "metadata_options": {
                "forwarding_namespaces": {"untyped": ["envoy.lb"]},
                "receiving_namespaces": {"untyped": ["envoy.lb"]},
            },
        },
    })
}

fn cluster(name: &str, ports: &[u16]) -> Value {
    let endpoints: Vec<Value> = ports
        .iter()
        .map(|&port| json!({"endpoint": {"address": address(port)}}))
        .collect();
    json!({
        "name": name,
        "type": "STATIC",
        "connect_timeout": "5s",
        "load_assignment": {"cluster_name": name, "endpoints": [{"lb_endpoints": endpoints}]},
    })
}

fn address(port: u16) -> Value {
    json!({"socket_address": {"address": "127.0.0.1", "port_value": port}})
}
