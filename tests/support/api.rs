//! A Kubernetes API server that answers what a test tells it to, and forwards ports.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use futures::{SinkExt as _, StreamExt as _};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::header::{CONNECTION, DATE, SEC_WEBSOCKET_ACCEPT, SEC_WEBSOCKET_PROTOCOL, UPGRADE};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use igctl::config::ClusterSource;
use jiff::fmt::rfc2822::DateTimePrinter;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use tempfile::NamedTempFile;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;
use tokio_tungstenite::tungstenite::protocol::{Message, Role};

/// The credential of the kubeconfig's user, which only the API server may see.
pub const USER_TOKEN: &str = "the-users-own-token";

/// Where a port-forward to a pod leads.
#[derive(Clone)]
pub enum Way {
    /// To this server.
    To(SocketAddr),
    /// Nowhere; the error channel says why.
    Fails(String),
    /// To this server, and it breaks off after so many bytes from it.
    BreaksAfter(SocketAddr, usize),
    /// The upgrade itself is refused with this status.
    Refused(u16, String),
}

/// What it answers; runs until it is dropped.
pub struct Api {
    script: Arc<Mutex<Script>>,
    kubeconfig: NamedTempFile,
    server: JoinHandle<()>,
}

/// Makes an answer to a request's body when it is asked for.
type Make = Arc<dyn Fn(&str) -> Value + Send + Sync>;

#[derive(Default)]
struct Script {
    answers: BTreeMap<String, (u16, Make)>,
    otherwise: Option<(u16, String)>,
    ahead: Option<SignedDuration>,
    ways: BTreeMap<String, Way>,
    calls: Vec<Call>,
}

/// A request that came.
#[derive(Debug, Clone)]
pub struct Call {
    /// "GET /api/v1/namespaces/llm/pods?labelSelector=app%3Depp"
    pub line: String,
    pub token: Option<String>,
    /// `Impersonate-User`
    pub acts_as: Option<String>,
    pub body: String,
}

impl Drop for Api {
    fn drop(&mut self) {
        self.server.abort();
    }
}

impl Api {
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("bound");
        let script: Arc<Mutex<Script>> = Arc::default();
        let server = tokio::spawn({
            let script = Arc::clone(&script);
            async move {
                while let Ok((socket, _)) = listener.accept().await {
                    let script = Arc::clone(&script);
                    tokio::spawn(async move {
                        let service = service_fn(async |request| {
                            let mut answer = respond(Arc::clone(&script), request).await?;
                            let ahead = script.lock().expect("no test panics with it").ahead;
                            if let Some(ahead) = ahead {
                                let date = DateTimePrinter::new()
                                    .timestamp_to_rfc9110_string(&(Timestamp::now() + ahead));
                                let date = date.expect("a time").parse().expect("ASCII");
                                answer.headers_mut().insert(DATE, date);
                            }
                            Ok::<_, Infallible>(answer)
                        });
                        let _ = http1::Builder::new()
                            .serve_connection(TokioIo::new(socket), service)
                            .with_upgrades()
                            .await;
                    });
                }
            }
        });
        let kubeconfig = kubeconfig(&format!("http://{address}"));
        Self {
            script,
            kubeconfig,
            server,
        }
    }

    /// Answers "GET /path" (without its query) with this object.
    pub fn answers(&self, request: &str, object: Value) -> &Self {
        self.answers_with(request, 200, object)
    }

    /// Refuses "GET /path" with a Status.
    pub fn refuses(&self, request: &str, code: u16, message: &str) -> &Self {
        let status = json!({ "kind": "Status", "apiVersion": "v1", "status": "Failure", "message": message, "code": code });
        self.answers_with(request, code, status)
    }

    fn answers_with(&self, request: &str, code: u16, object: Value) -> &Self {
        self.makes(request, code, move |_| object.clone())
    }

    fn makes(
        &self,
        request: &str,
        code: u16,
        object: impl Fn(&str) -> Value + Send + Sync + 'static,
    ) -> &Self {
        self.script()
            .answers
            .insert(request.to_owned(), (code, Arc::new(object)));
        self
    }

    /// Answers this text to whatever else is asked.
    pub fn answers_otherwise(&self, code: u16, text: impl Into<String>) -> &Self {
        self.script().otherwise = Some((code, text.into()));
        self
    }

    /// Its clock is so far ahead of this machine's.
    pub fn is_ahead(&self, ahead: SignedDuration) -> &Self {
        self.script().ahead = Some(ahead);
        self
    }

    /// Answers with what is made of the request's body.
    pub fn answers_by_body(
        &self,
        request: &str,
        object: impl Fn(&str) -> Value + Send + Sync + 'static,
    ) -> &Self {
        self.makes(request, 200, object)
    }

    /// Forwards ports of a pod of namespace `llm` this way.
    pub fn forwards(&self, pod: &str, way: Way) -> &Self {
        self.script().ways.insert(
            format!("/api/v1/namespaces/llm/pods/{pod}/portforward"),
            way,
        );
        self
    }

    /// A Service `epp` of namespace `llm` that selects `app=epp`, and its pods.
    pub fn has_service(&self, pods: Vec<Value>) -> &Self {
        self.answers(
            "GET /api/v1/namespaces/llm/services/epp",
            json!({ "metadata": { "name": "epp", "namespace": "llm" }, "spec": { "selector": { "app": "epp" } } }),
        )
        .has_pods(pods)
    }

    /// The pods of namespace `llm`.
    pub fn has_pods(&self, pods: Vec<Value>) -> &Self {
        self.answers(
            "GET /api/v1/namespaces/llm/pods",
            json!({ "metadata": {}, "items": pods }),
        )
    }

    /// Mints this token for an account of namespace `llm`, for ten minutes.
    pub fn mints(&self, account: &str, token: &str) -> &Self {
        self.mints_for(account, token, SignedDuration::from_mins(10))
    }

    /// The same, for so long from when it is asked for.
    pub fn mints_for(&self, account: &str, token: &str, life: SignedDuration) -> &Self {
        let request = format!("POST /api/v1/namespaces/llm/serviceaccounts/{account}/token");
        let token = token.to_owned();
        self.makes(&request, 200, move |_| {
            json!({
                "kind": "TokenRequest", "apiVersion": "authentication.k8s.io/v1",
                "spec": { "audiences": [] },
                "status": { "token": token, "expirationTimestamp": (Timestamp::now() + life).to_string() },
            })
        })
    }

    /// What asks this server: the pods behind the Service `epp` of namespace `llm`.
    pub fn source(&self) -> ClusterSource {
        ClusterSource {
            kubeconfig: Some(self.kubeconfig.path().to_owned()),
            select: igctl::config::Select::Service("epp".into()),
            ..ClusterSource::default()
        }
    }

    /// The requests so far, in order.
    pub fn calls(&self) -> Vec<Call> {
        self.script().calls.clone()
    }

    /// How often "GET /path" was asked.
    pub fn count(&self, request: &str) -> usize {
        self.calls()
            .iter()
            .filter(|call| call.line.split('?').next() == Some(request))
            .count()
    }

    fn script(&self) -> std::sync::MutexGuard<'_, Script> {
        self.script.lock().expect("no test panics with it")
    }
}

/// A kubeconfig whose current context leads to this server, as the user of [`USER_TOKEN`], in namespace `llm`.
pub fn kubeconfig(server: &str) -> NamedTempFile {
    let file = NamedTempFile::new().expect("a temporary file");
    let config = json!({
        "apiVersion": "v1", "kind": "Config", "current-context": "test",
        "clusters": [{ "name": "c", "cluster": { "server": server } }],
        "users": [{ "name": "u", "user": { "token": USER_TOKEN } }],
        "contexts": [{ "name": "test", "context": { "cluster": "c", "user": "u", "namespace": "llm" } }],
    });
    std::fs::write(file.path(), config.to_string()).expect("a temporary file");
    file
}

/// A running pod of namespace `llm` with the labels of the Service `epp`.
pub fn pod(name: &str, uid: &str) -> Value {
    json!({
        "metadata": { "name": name, "namespace": "llm", "uid": uid, "labels": { "app": "epp" } },
        "spec": { "serviceAccountName": "epp", "containers": [{ "name": "epp", "image": "picker:1" }] },
        "status": { "phase": "Running", "conditions": [{ "type": "Ready", "status": "True" }] },
    })
}

async fn respond(
    script: Arc<Mutex<Script>>,
    mut request: Request<Incoming>,
) -> Result<Response<Full<Bytes>>, Infallible> {
    let path = request.uri().path().to_owned();
    let key = format!("{} {path}", request.method());
    let line = format!("{} {}", request.method(), request.uri());
    let header = |name: &str| {
        let value = request.headers().get(name)?;
        Some(value.to_str().expect("ASCII").to_owned())
    };
    let (token, acts_as) = (header("authorization"), header("impersonate-user"));
    let key_of_socket = request
        .headers()
        .get("sec-websocket-key")
        .map(|key| derive_accept_key(key.as_bytes()));
    let upgrade = key_of_socket
        .is_some()
        .then(|| hyper::upgrade::on(&mut request));
    let body = request
        .into_body()
        .collect()
        .await
        .map(|body| body.to_bytes())
        .unwrap_or_default();
    let body = String::from_utf8_lossy(&body).into_owned();

    let (found, otherwise, way) = {
        let mut script = script.lock().expect("no test panics with it");
        script.calls.push(Call {
            line: line.clone(),
            token,
            acts_as,
            body: body.clone(),
        });
        (
            script.answers.get(&key).cloned(),
            script.otherwise.clone(),
            script.ways.get(&path).cloned(),
        )
    };
    if let (Some(upgrade), Some(accept), Some(way)) = (upgrade, key_of_socket, way) {
        if let Way::Refused(code, message) = &way {
            return Ok(status(*code, message));
        }
        let port = line
            .split("ports=")
            .nth(1)
            .and_then(|port| port.parse().ok())
            .expect("a port");
        tokio::spawn(async move {
            let socket = upgrade.await.expect("the client upgrades");
            forward(
                WebSocketStream::from_raw_socket(TokioIo::new(socket), Role::Server, None).await,
                port,
                way,
            )
            .await;
        });
        let mut answer = Response::new(Full::default());
        *answer.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
        let headers = answer.headers_mut();
        headers.insert(CONNECTION, "Upgrade".parse().expect("ASCII"));
        headers.insert(UPGRADE, "websocket".parse().expect("ASCII"));
        headers.insert(SEC_WEBSOCKET_ACCEPT, accept.parse().expect("ASCII"));
        headers.insert(
            SEC_WEBSOCKET_PROTOCOL,
            "v4.channel.k8s.io".parse().expect("ASCII"),
        );
        return Ok(answer);
    }
    Ok(match (found, otherwise) {
        (Some((code, object)), _) => json_answer(code, &selected(&line, object(&body))),
        (None, Some((code, text))) => text_answer(code, text),
        (None, None) => status(404, &format!("the test has no answer to {line}")),
    })
}

/// A list's objects with the labels that were asked for, of the form `a=b,c=d`.
fn selected(line: &str, mut list: Value) -> Value {
    let selector = line
        .split(['?', '&'])
        .find_map(|part| part.strip_prefix("labelSelector="));
    let selector = selector.unwrap_or_default();
    let selector = selector
        .replace("%3D", "=")
        .replace("%2C", ",")
        .replace("%2F", "/");
    let wanted = selector.split(',').filter_map(|part| part.split_once('='));
    if let Some(items) = list["items"].as_array_mut() {
        for (key, value) in wanted {
            items.retain(|item| item["metadata"]["labels"][key] == value);
        }
    }
    list
}

fn status(code: u16, message: &str) -> Response<Full<Bytes>> {
    json_answer(
        code,
        &json!({ "kind": "Status", "apiVersion": "v1", "status": "Failure", "message": message, "code": code }),
    )
}

fn json_answer(code: u16, object: &Value) -> Response<Full<Bytes>> {
    text_answer(code, object.to_string())
}

fn text_answer(code: u16, text: String) -> Response<Full<Bytes>> {
    let mut answer = Response::new(Full::new(Bytes::from(text)));
    *answer.status_mut() = StatusCode::from_u16(code).expect("a status");
    answer
}

/// The kubelet's side of `v4.channel.k8s.io`: channel 0 is data, 1 is errors, each opened by the port's number.
async fn forward(
    mut socket: WebSocketStream<TokioIo<hyper::upgrade::Upgraded>>,
    port: u16,
    way: Way,
) {
    let [low, high] = port.to_le_bytes();
    for channel in [0, 1] {
        socket
            .send(Message::binary(vec![channel, low, high]))
            .await
            .expect("the client listens");
    }
    let (address, mut left) = match way {
        Way::To(address) => (address, usize::MAX),
        Way::BreaksAfter(address, bytes) => (address, bytes),
        Way::Fails(reason) => {
            let _ = socket
                .send(Message::binary([&[1], reason.as_bytes()].concat()))
                .await;
            let _ = socket.close(None).await;
            return;
        }
        Way::Refused(..) => unreachable!("answered before the upgrade"),
    };
    let mut pod = TcpStream::connect(address)
        .await
        .expect("the test's picker runs");
    let mut buffer = vec![0; 16 << 10];
    while left > 0 {
        tokio::select! {
            message = socket.next() => match message {
                Some(Ok(Message::Binary(bytes))) => pod.write_all(&bytes[1..]).await.expect("the picker reads"),
                Some(Ok(Message::Close(_)) | Err(_)) | None => return,
                Some(Ok(_)) => {}
            },
            length = pod.read(&mut buffer) => match length {
                Ok(length) if length > 0 => {
                    let length = length.min(left);
                    left -= length;
                    let _ = socket.send(Message::binary([&[0], &buffer[..length]].concat())).await;
                }
                _ => break,
            },
        }
    }
    let _ = socket.close(None).await;
}
