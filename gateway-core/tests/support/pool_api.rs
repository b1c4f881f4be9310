//! A Kubernetes API server with pods, InferencePools of either version and
//! their model rewrites, whose watches tell every change. Whoever follows a pool
//! may see nothing else, and of rewrites only that there are some.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::future::ready;
use std::net::SocketAddr;
use std::path::PathBuf;

use bytes::Bytes;
use futures::{StreamExt, stream};
use http_body_util::combinators::BoxBody;
use http_body_util::{BodyExt, Full, StreamBody};
use hyper::body::{Frame, Incoming};
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::{JoinHandle, JoinSet};

use super::api_server::{forbidden, kubeconfig, version};
use super::free_socket;

/// All that ever happened; the resource version of a moment is how much had.
type Log = Vec<Change>;

/// A kind of objects.
#[derive(Debug, PartialEq, Eq)]
struct Kind {
    /// Group and version.
    version: &'static str,
    name: &'static str,
}

const OLDER: &str = "inference.networking.x-k8s.io/v1alpha2";

const POD: &Kind = &Kind::new("v1", "Pod");
const POOL: &Kind = &Kind::new("inference.networking.k8s.io/v1", "InferencePool");
const OLDER_POOL: &Kind = &Kind::new(OLDER, "InferencePool");
const REWRITE: &Kind = &Kind::new(OLDER, "InferenceModelRewrite");

#[derive(Clone)]
struct Change {
    /// `ADDED`, `MODIFIED` or `DELETED`.
    what: &'static str,
    kind: &'static Kind,
    name: String,
    object: Value,
}

/// A running API server; it stops with the test's runtime.
pub(crate) struct PoolApi {
    address: SocketAddr,
    log: watch::Sender<Log>,
    task: JoinHandle<()>,
    /// With the kubeconfig.
    folder: TempDir,
}

impl PoolApi {
    pub(crate) async fn start() -> Self {
        let listener = free_socket().await;
        let log = watch::Sender::new(Log::new());
        Self {
            address: listener.local_addr().expect("a bound socket"),
            task: tokio::spawn(serve(listener, log.clone())),
            log,
            folder: TempDir::new().expect("a temporary folder"),
        }
    }

    /// Goes away, and breaks off what it was asked.
    pub(crate) async fn stop(&mut self) {
        self.task.abort();
        // Cancelled, as it was just told.
        let _ = (&mut self.task).await;
    }

    /// Is back, with what has been told to it meanwhile.
    pub(crate) async fn start_again(&mut self) {
        let listener = TcpListener::bind(self.address).await.expect("its own port");
        self.task = tokio::spawn(serve(listener, self.log.clone()));
    }

    /// A kubeconfig for it, which is there as long as this is.
    pub(crate) fn kubeconfig(&self) -> PathBuf {
        kubeconfig(self.address, self.folder.path())
    }

    /// There is this pool now, of pods with the label `app=m`.
    pub(crate) fn has_pool(&self, name: &str, ports: &[u16]) {
        let ports: Vec<_> = ports.iter().map(|port| json!({"number": port})).collect();
        let spec = json!({"selector": {"matchLabels": {"app": "m"}}, "targetPorts": ports});
        self.has(POOL, name, json!({"spec": spec}));
    }

    /// The same as a `v1alpha2` says it.
    pub(crate) fn has_older_pool(&self, name: &str, port: u16) {
        let spec = json!({"selector": {"app": "m"}, "targetPortNumber": port});
        self.has(OLDER_POOL, name, json!({"spec": spec}));
    }

    /// It is gone.
    pub(crate) fn loses_older_pool(&self, name: &str) {
        self.loses(OLDER_POOL, name);
    }

    /// Requests of pool `p` for `m` go to this target now, by an object that was
    /// created on this day of January.
    pub(crate) fn has_rewrite(&self, name: &str, day: u32, target: &str) {
        let matches = json!([{"model": {"type": "Exact", "value": "m"}}]);
        let targets = json!([{"modelRewrite": target, "weight": 1}]);
        let rules = json!([{"matches": matches, "targets": targets}]);
        let created = format!("2026-01-{day:02}T00:00:00Z");
        let object = json!({
            "metadata": {"creationTimestamp": created},
            "spec": {"poolRef": {"name": "p"}, "rules": rules},
        });
        self.has(REWRITE, name, object);
    }

    /// It is gone.
    pub(crate) fn loses_rewrite(&self, name: &str) {
        self.loses(REWRITE, name);
    }

    /// There is this pod now.
    pub(crate) fn has_pod(&self, name: &str, address: &str, is_ready: bool) {
        let ready = if is_ready { "True" } else { "False" };
        let conditions = json!([{"type": "Ready", "status": ready}]);
        let status = json!({"podIP": address, "conditions": conditions});
        self.has(POD, name, json!({"status": status}));
    }

    /// The pod is gone.
    pub(crate) fn loses_pod(&self, name: &str) {
        self.loses(POD, name);
    }

    fn loses(&self, kind: &'static Kind, name: &str) {
        self.log.send_modify(|log| {
            let object = objects(log, kind).remove(name).expect("a known object");
            log.push(Change {
                what: "DELETED",
                kind,
                name: name.to_owned(),
                object,
            });
        });
    }

    fn has(&self, kind: &'static Kind, name: &str, mut object: Value) {
        self.log.send_modify(|log| {
            let is_known = objects(log, kind).contains_key(name);
            object["apiVersion"] = kind.version.into();
            object["kind"] = kind.name.into();
            object["metadata"]["name"] = name.into();
            object["metadata"]["namespace"] = "default".into();
            object["metadata"]["resourceVersion"] = (log.len() + 1).to_string().into();
            log.push(Change {
                what: if is_known { "MODIFIED" } else { "ADDED" },
                kind,
                name: name.to_owned(),
                object,
            });
        });
    }
}

/// The objects of a kind as they are now, by name.
fn objects(log: &Log, kind: &Kind) -> BTreeMap<String, Value> {
    let mut objects = BTreeMap::new();
    for change in log.iter().filter(|change| change.kind == kind) {
        match change.what {
            "DELETED" => objects.remove(&change.name),
            _ => objects.insert(change.name.clone(), change.object.clone()),
        };
    }
    objects
}

/// Serves until it is aborted, and then takes its connections along.
async fn serve(listener: TcpListener, log: watch::Sender<Log>) {
    let mut connections = JoinSet::new();
    loop {
        let (socket, _) = listener.accept().await.expect("a connection");
        let log = log.clone();
        connections.spawn(async move {
            let service = service_fn(|request| answer(request, log.clone()));
            // Clients end their connections as they like.
            let _ = hyper::server::conn::http1::Builder::new()
                .serve_connection(TokioIo::new(socket), service)
                .await;
        });
    }
}

type Answer = Response<BoxBody<Bytes, Infallible>>;

async fn answer(request: Request<Incoming>, log: watch::Sender<Log>) -> Result<Answer, Infallible> {
    let path = request.uri().path();
    if path == "/version" {
        return Ok(whole(200, version()));
    }
    let found = [POD, POOL, OLDER_POOL, REWRITE]
        .into_iter()
        .find_map(|kind| {
            Some((
                kind,
                path.strip_prefix(&kind.path())?.trim_start_matches('/'),
            ))
        });
    let is_watch = request
        .uri()
        .query()
        .unwrap_or_default()
        .contains("watch=true");
    Ok(match found {
        Some((REWRITE, _)) if !log.borrow().iter().any(|change| change.kind == REWRITE) => {
            whole(403, forbidden())
        }
        Some((kind, "")) if is_watch => changes(&request, log, kind),
        Some((kind, "")) => list(&log, kind),
        Some((kind, name)) => match objects(&log.borrow(), kind).remove(name) {
            Some(object) => whole(200, object),
            None => whole(
                404,
                json!({"kind": "Status", "apiVersion": "v1", "status": "Failure", "code": 404, "reason": "NotFound", "message": "no"}),
            ),
        },
        None => whole(403, forbidden()),
    })
}

impl Kind {
    const fn new(version: &'static str, name: &'static str) -> Self {
        Self { version, name }
    }

    /// Where its objects are listed.
    fn path(&self) -> String {
        let root = if self.version == "v1" { "api" } else { "apis" };
        let (version, plural) = (self.version, self.name.to_lowercase());
        format!("/{root}/{version}/namespaces/default/{plural}s")
    }
}

fn list(log: &watch::Sender<Log>, kind: &Kind) -> Answer {
    let log = log.borrow();
    let items: Vec<_> = objects(&log, kind).into_values().collect();
    whole(
        200,
        json!({
            "apiVersion": kind.version,
            "kind": format!("{}List", kind.name),
            "metadata": {"resourceVersion": log.len().to_string()},
            "items": items,
        }),
    )
}

/// The changes since the resource version that is asked for, without an end.
fn changes(request: &Request<Incoming>, log: watch::Sender<Log>, kind: &'static Kind) -> Answer {
    let query = request.uri().query().unwrap_or_default();
    let since = query
        .split('&')
        .find_map(|term| term.strip_prefix("resourceVersion="));
    let since: usize = since
        .and_then(|since| since.parse().ok())
        .expect("a version");
    let changes = stream::unfold((log.subscribe(), since), async |(mut log, seen)| {
        let change = log.wait_for(|log| log.len() > seen).await.ok()?[seen].clone();
        Some((change, (log, seen + 1)))
    });
    let changes = changes.filter(move |change| ready(change.kind == kind));
    let lines = changes.map(|change| {
        let line = json!({"type": change.what, "object": change.object}).to_string() + "\n";
        Ok(Frame::data(Bytes::from(line)))
    });
    answer_with(200, BodyExt::boxed(StreamBody::new(Box::pin(lines))))
}

fn whole(status: u16, object: Value) -> Answer {
    answer_with(status, Full::new(Bytes::from(object.to_string())).boxed())
}

fn answer_with(status: u16, body: BoxBody<Bytes, Infallible>) -> Answer {
    let response = Response::builder()
        .status(status)
        .header("content-type", "application/json");
    response.body(body).expect("a response")
}
