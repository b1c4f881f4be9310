//! A real Envoy in front of a gateway-core.

use std::ffi::OsString;
use std::net::SocketAddr;
use std::process::Stdio;
use std::time::Duration;

use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::process::{Child, Command};
use tokio::time::{Instant, sleep};

use super::get;

/// The picker's cluster as Istio names it, which is also the server name and the authority that the picker is called by.
const PICKER: &str = "outbound|9002||picker.llm.svc.cluster.local";

/// How Envoy is set up.
#[derive(Clone)]
pub(crate) struct Setup {
    pub(crate) request_body: &'static str,
    pub(crate) response_body: &'static str,
    /// Whether it shows the headers of responses.
    pub(crate) shows_response_headers: bool,
    /// Whether it speaks TLS to the picker.
    pub(crate) is_tls: bool,
    /// How it finds the endpoint that was picked.
    pub(crate) route: Route,
}

/// How Envoy finds the endpoint that was picked.
#[derive(Clone)]
pub(crate) enum Route {
    /// By the header alone.
    Header,
    /// Among these, by the metadata, and otherwise at random, as Istio does.
    Metadata(Vec<SocketAddr>),
}

impl Setup {
    /// The same mode both ways, in plain text, by the header.
    pub(crate) fn mode(mode: &'static str) -> Self {
        Self::modes(mode, mode)
    }

    pub(crate) fn modes(request_body: &'static str, response_body: &'static str) -> Self {
        Self {
            request_body,
            response_body,
            shows_response_headers: true,
            is_tls: false,
            route: Route::Header,
        }
    }
}

/// A running Envoy; it is killed when this is dropped.
pub(crate) struct Envoy {
    /// Where it takes requests.
    pub(crate) address: SocketAddr,
    _process: Child,
    _folder: TempDir,
}

impl Envoy {
    /// Starts the binary that `IGCTL_TEST_ENVOY` names, with `picker` for its
    /// endpoint picker.
    pub(crate) async fn start(picker: SocketAddr, setup: &Setup) -> Self {
        let folder = TempDir::new().expect("a temporary folder");
        let config = folder.path().join("envoy.json");
        let admin_file = folder.path().join("admin");
        let log = std::fs::File::create(folder.path().join("log")).expect("a log file");
        std::fs::write(&config, config_for(picker, setup).to_string()).expect("a written file");
        let process = Command::new(binary())
            .arg("--config-path")
            .arg(&config)
            .arg("--admin-address-path")
            .arg(&admin_file)
            .args([
                "--concurrency",
                "1",
                "--disable-hot-restart",
                "--log-level",
                "warn",
            ])
            .stdout(Stdio::null())
            .stderr(log)
            .kill_on_drop(true)
            .spawn()
            .expect("Envoy starts");
        let deadline = Instant::now() + Duration::from_secs(30);
        let address = loop {
            if let Ok(admin) = std::fs::read_to_string(&admin_file)
                && let Ok(admin) = admin.trim().parse()
                && let Some(address) = listener(admin).await
            {
                break address;
            }
            let log = || std::fs::read_to_string(folder.path().join("log"));
            assert!(
                Instant::now() < deadline,
                "Envoy does not listen: {:?}",
                log()
            );
            sleep(Duration::from_millis(20)).await;
        };
        Self {
            address,
            _process: process,
            _folder: folder,
        }
    }
}

pub(crate) fn binary() -> OsString {
    std::env::var_os("IGCTL_TEST_ENVOY")
        .expect("IGCTL_TEST_ENVOY names an Envoy binary (tests/run sets it)")
}

/// Where Envoy listens, once it does.
async fn listener(admin: SocketAddr) -> Option<SocketAddr> {
    let listeners = get(admin, "/listeners?format=json").await.into_body();
    let listeners: Value = serde_json::from_slice(&listeners).ok()?;
    let socket = &listeners["listener_statuses"][0]["local_address"]["socket_address"];
    let address = socket["address"].as_str()?.parse().ok()?;
    let port = socket["port_value"].as_u64()?.try_into().ok()?;
    Some(SocketAddr::new(address, port))
}

fn config_for(picker: SocketAddr, setup: &Setup) -> Value {
    // Where a body comes in pieces, trailers may be what ends it.
    let trailers = |mode| match mode {
        "FULL_DUPLEX_STREAMED" | "STREAMED" => "SEND",
        _ => "SKIP",
    };
    let ext_proc = json!({
        "@type": "type.googleapis.com/envoy.extensions.filters.http.ext_proc.v3.ExternalProcessor",
        "grpc_service": {"envoy_grpc": {"cluster_name": PICKER}},
        "message_timeout": "10s",
        "processing_mode": {
            "request_header_mode": "SEND",
            "response_header_mode": if setup.shows_response_headers { "SEND" } else { "SKIP" },
            "request_body_mode": setup.request_body,
            "response_body_mode": setup.response_body,
            "request_trailer_mode": trailers(setup.request_body),
            "response_trailer_mode": trailers(setup.response_body),
        },
        "metadata_options": {
            "forwarding_namespaces": {"untyped": ["envoy.lb", "envoy.lb.subset_hint"]},
            "receiving_namespaces": {"untyped": ["envoy.lb"]},
        },
    });
    let connections = json!({
        "@type": "type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager",
        "stat_prefix": "http",
        "codec_type": "AUTO",
        "route_config": {"virtual_hosts": [{
            "name": "all",
            "domains": ["*"],
            "routes": [{"match": {"prefix": "/"}, "route": {"cluster": "endpoints", "timeout": "60s"}}],
        }]},
        "http_filters": [
            {"name": "subset", "typed_config": subset_by_header()},
            {"name": "ext_proc", "typed_config": ext_proc},
            {"name": "router", "typed_config": {
                "@type": "type.googleapis.com/envoy.extensions.filters.http.router.v3.Router",
            }},
        ],
    });
    json!({
        "admin": {"address": {"socket_address": {"address": "127.0.0.1", "port_value": 0}}},
        "static_resources": {
            "listeners": [{
                "name": "http",
                "address": {"socket_address": {"address": "127.0.0.1", "port_value": 0}},
                // Room for the longest body of the tests where Envoy buffers.
                "per_connection_buffer_limit_bytes": 10 << 20,
                "filter_chains": [{"filters": [{"name": "http", "typed_config": connections}]}],
            }],
            "clusters": [
                endpoints_cluster(&setup.route),
                picker_cluster(picker, setup.is_tls),
            ],
        },
    })
}

/// A filter that limits a request to the endpoints of its header `x-subset`.
fn subset_by_header() -> Value {
    json!({
        "@type": "type.googleapis.com/envoy.extensions.filters.http.header_to_metadata.v3.Config",
        "request_rules": [{
            "header": "x-subset",
            "on_header_present": {
                "metadata_namespace": "envoy.lb.subset_hint",
                "key": "x-gateway-destination-endpoint-subset",
            },
            "remove": true,
        }],
    })
}

fn endpoints_cluster(route: &Route) -> Value {
    let Route::Metadata(endpoints) = route else {
        return json!({
            "name": "endpoints",
            "type": "ORIGINAL_DST",
            "lb_policy": "CLUSTER_PROVIDED",
            "connect_timeout": "5s",
            "typed_extension_protocol_options": same_protocol(),
            "original_dst_lb_config": {
                "use_http_header": true,
                "http_header_name": "x-gateway-destination-endpoint",
            },
        });
    };
    let policies = "type.googleapis.com/envoy.extensions.load_balancing_policies";
    let key = |key| json!({"key": "envoy.lb", "path": [{"key": key}]});
    json!({
        "name": "endpoints",
        "type": "STATIC",
        "connect_timeout": "5s",
        "load_balancing_policy": {"policies": [{"typed_extension_config": {
            "name": "override_host",
            "typed_config": {
                "@type": format!("{policies}.override_host.v3.OverrideHost"),
                "override_host_sources": [{"metadata": key("x-gateway-destination-endpoint")}],
                "selected_host_key": key("x-gateway-destination-endpoint-served"),
                "fallback_policy": {"policies": [{"typed_extension_config": {
                    "name": "random",
                    "typed_config": {"@type": format!("{policies}.random.v3.Random")},
                }}]},
            },
        }}]},
        "load_assignment": {
            "cluster_name": "endpoints",
            "endpoints": [{"lb_endpoints": endpoints.iter().map(endpoint).collect::<Vec<_>>()}],
        },
    })
}

/// The model server is spoken to as the client speaks.
fn same_protocol() -> Value {
    json!({"envoy.extensions.upstreams.http.v3.HttpProtocolOptions": {
        "@type": "type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions",
        "use_downstream_protocol_config": {"http2_protocol_options": {}},
    }})
}

fn picker_cluster(picker: SocketAddr, is_tls: bool) -> Value {
    let mut cluster = json!({
        "name": PICKER,
        "type": "STATIC",
        "connect_timeout": "5s",
        "typed_extension_protocol_options": {
            "envoy.extensions.upstreams.http.v3.HttpProtocolOptions": {
                "@type": "type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions",
                "explicit_http_config": {"http2_protocol_options": {}},
                "upstream_http_protocol_options": {"auto_sni": true},
            },
        },
        "load_assignment": {
            "cluster_name": PICKER,
            "endpoints": [{"lb_endpoints": [endpoint(&picker)]}],
        },
    });
    if is_tls {
        cluster["transport_socket"] = json!({
            "name": "tls",
            "typed_config": {
                "@type": "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext",
                "common_tls_context": {"alpn_protocols": ["h2"], "validation_context": {}},
            },
        });
    }
    cluster
}

fn endpoint(address: &SocketAddr) -> Value {
    json!({"endpoint": {"address": {"socket_address": {
        "address": address.ip().to_string(),
        "port_value": address.port(),
    }}}})
}
