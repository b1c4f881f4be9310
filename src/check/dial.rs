//! Does anything listen on a port of a pod? Found out by connecting, for what a manifest declares need not be so.
//!
//! A port-forward goes to the pod's localhost, gateways go to its address: a server may listen on either alone, or, in a
//! pod of one IP family, on the other.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use k8s_openapi::api::core::v1::Pod;
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;
use kube::core::Request;
use kube::{Client, Resource as _};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::cluster::{ApiError, Cluster, Right};
use crate::config::ClusterSource;
use crate::discover::Target;
use crate::forward::{Forward, ForwardError};

/// What a server may take to answer a greeting; one that is silent listens all the same.
const PATIENCE: Duration = Duration::from_millis(500);

/// What is said to a server so that it answers. One that speaks something else closes, or is silent.
#[derive(Debug, Clone, Copy)]
pub(super) enum Greeting {
    /// A picker's gRPC: the connection preface of HTTP/2 and empty settings (RFC 9113, 3.4).
    Grpc,
    /// A model server's HTTP.
    Http,
}

impl Greeting {
    fn bytes(self) -> &'static [u8] {
        match self {
            Self::Grpc => b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0",
            Self::Http => b"HEAD /metrics HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n",
        }
    }
}

/// Whether the kubelet has found somebody on the port of a pod that is ready, by the pod's own address: what listens
/// there alone is out of a port-forward's reach.
pub(super) fn is_probed(pod: &Pod, port: u16) -> bool {
    let containers = pod.spec.iter().flat_map(|spec| &spec.containers);
    containers.into_iter().any(|container| {
        let Some(probe) = &container.readiness_probe else {
            return false;
        };
        let asked = match (&probe.http_get, &probe.tcp_socket, &probe.grpc) {
            (Some(http), _, _) => http.port.clone(),
            (_, Some(tcp), _) => tcp.port.clone(),
            (_, _, Some(grpc)) => IntOrString::Int(grpc.port),
            (None, None, None) => return false,
        };
        match asked {
            IntOrString::Int(number) => number == i32::from(port),
            IntOrString::String(name) => container.ports.iter().flatten().any(|declared| {
                declared.name.as_deref() == Some(&name)
                    && declared.container_port == i32::from(port)
            }),
        }
    })
}

/// A port that gateways do not reach.
pub(super) struct Closed {
    /// Whether somebody listens all the same, on the pod's localhost.
    pub(super) is_local: bool,
    /// What shows it, and what is not known.
    pub(super) evidence: Vec<String>,
}

/// Whether gateways do not reach a port of a pod, as far as can be found out.
pub(super) async fn closed(
    cluster: &Cluster,
    source: &ClusterSource,
    pod: &Pod,
    target: &Target,
    port: u16,
    greeting: Greeting,
) -> Option<Closed> {
    let ip = target.ip?;
    let here = listens(cluster, source, target, port, greeting);
    let at_address = async {
        match source.direct {
            true => None,
            false => listens_at_address(cluster, target, port).await,
        }
    };
    let (here, at_address) = tokio::join!(here, at_address);
    let is_local = here? && !source.direct;
    let how = match (is_local, at_address) {
        (true, Some(false)) => format!(
            "a port-forward, which goes to the pod's localhost, is answered; at its address {ip}, where gateways \
             connect, the API server is refused"
        ),
        _ if here? => return None,
        _ if source.direct => format!("at its address {ip}, where gateways connect"),
        (_, Some(true)) => return None,
        (_, Some(false)) => format!(
            "neither on its localhost, where a port-forward goes, nor at its address {ip}, where the API server is \
             refused"
        ),
        (_, None) => format!(
            "on its localhost, where a port-forward goes; whether anything does at its address {ip} is not known"
        ),
    };
    let told = is_local.then(|| told_localhost(pod, port)).flatten();
    let told = told.map(|word| format!("its container is told {word:?}"));
    Some(Closed {
        is_local,
        evidence: [how].into_iter().chain(told).collect(),
    })
}

/// What a pod's containers are told of listening on localhost: `--host=127.0.0.1`, `[::1]:9002`.
fn told_localhost(pod: &Pod, port: u16) -> Option<&str> {
    let containers = pod.spec.iter().flat_map(|spec| &spec.containers);
    let mut words = containers.into_iter().flat_map(|container| {
        let env = container.env.iter().flatten();
        let values = env.filter_map(|variable| variable.value.as_ref());
        let words = container.command.iter().chain(&container.args).flatten();
        words.chain(values).map(String::as_str)
    });
    let port = format!(":{port}");
    words.find(|word| {
        let host = word.strip_suffix(&port).unwrap_or(word);
        let host = host.rsplit_once('=').map_or(host, |(_, host)| host);
        ["127.0.0.1", "localhost", "::1", "[::1]"].contains(&host)
    })
}

/// Whether anything listens at a pod's own address, to which the API server's proxy connects. `None` where it does not
/// tell, or I may not ask it to.
pub(super) async fn listens_at_address(
    cluster: &Cluster,
    target: &Target,
    port: u16,
) -> Option<bool> {
    let address = SocketAddr::new(target.ip?, port);
    let (namespace, name) = target.key();
    let pods = Request::new(Pod::url_path(&(), Some(&namespace)));
    let page = format!("{name}:{port}");
    let request = pods.get_subresource("proxy/metrics", &page).ok()?;
    let right = Right::get("", "pods/proxy", &namespace, &name);
    // That a pod refuses comes as a 503, at which the usual client would try again.
    let mut once = cluster.config.clone();
    once.default_retry = false;
    let client = Client::try_from(once).ok()?;
    let answer = cluster.ask(right, client.request_text(request));
    match timeout(PATIENCE, answer).await.ok()? {
        // The API server has known us all along.
        Ok(_) | Err(ApiError::Unauthenticated { .. }) => Some(true),
        Err(ApiError::Failed { message, .. }) => connected(&message, address),
        Err(_) => None,
    }
}

/// Whether a connection came about that failed, by what the API server says of it.
fn connected(message: &str, address: SocketAddr) -> Option<bool> {
    // What is no answer to HTTP is one all the same.
    let broke = ["EOF", "malformed HTTP", "connection reset by peer"];
    if message.contains(&format!("dial tcp {address}: connect: connection refused")) {
        Some(false)
    } else if broke.iter().any(|end| message.contains(end)) && !message.contains("dial") {
        Some(true)
    } else {
        None
    }
}

/// `None` where it cannot be found out.
pub(super) async fn listens(
    cluster: &Cluster,
    source: &ClusterSource,
    target: &Target,
    port: u16,
    greeting: Greeting,
) -> Option<bool> {
    if source.direct {
        return match timeout(cluster.timeout, TcpStream::connect((target.ip?, port)))
            .await
            .ok()?
        {
            Ok(_) => Some(true),
            Err(fault) if fault.kind() == io::ErrorKind::ConnectionRefused => Some(false),
            Err(_) => None,
        };
    }
    let target = Target {
        port,
        ..target.clone()
    };
    let forward = Forward::open(cluster, &target).await.ok()?;
    let mut socket = TcpStream::connect(forward.address()).await.ok()?;
    socket.write_all(greeting.bytes()).await.ok()?;
    let _ = timeout(cluster.timeout.min(PATIENCE), socket.read(&mut [0])).await;
    match forward.take_failure() {
        None => Some(true),
        Some(ForwardError::NotListening { .. }) => Some(false),
        Some(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, from_value, json};

    #[test]
    fn what_the_api_server_was_refused_is_told_from_what_broke_later_and_elsewhere() {
        let address = SocketAddr::from(([10, 244, 0, 5], 9002));
        let told = [
            "error trying to reach service: dial tcp 10.244.0.5:9002: connect: connection refused",
            "error trying to reach service: EOF",
            "error trying to reach service: net/http: HTTP/1.x transport connection broken: malformed HTTP response \"\\x15\"",
            "error trying to reach service: dial tcp 10.244.0.5:9002: i/o timeout",
            "error trying to reach service: dial tcp 127.0.0.1:8132: connect: connection refused",
            "error trying to reach service: proxy error from 127.0.0.1:8132 while dialing 10.244.0.5:9002: EOF",
        ];

        assert_eq!(
            told.map(|message| connected(message, address)),
            [Some(false), Some(true), Some(true), None, None, None]
        );
    }

    #[track_caller]
    fn names_localhost(container: Value, word: Option<&str>) {
        let pod: Pod = from_value(json!({ "spec": { "containers": [container] } })).expect("a pod");
        assert_eq!(told_localhost(&pod, 9002), word);
    }

    #[test]
    fn the_word_that_binds_a_server_to_localhost_is_found() {
        names_localhost(
            json!({ "name": "epp", "args": ["--pool-name=qwen", "--host=127.0.0.1"] }),
            Some("--host=127.0.0.1"),
        );
        names_localhost(
            json!({ "name": "epp", "env": [{ "name": "LISTEN", "value": "[::1]:9002" }] }),
            Some("[::1]:9002"),
        );
        names_localhost(
            json!({ "name": "epp", "args": ["--redis=localhost:6379", "--host=0.0.0.0"] }),
            None,
        );
    }
}
