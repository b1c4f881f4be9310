//! A Kubernetes API server that knows about reviews alone.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};

use super::free_socket;

/// Each token tells what becomes of it: `unknown`, `expired`, `denied`,
/// `unreviewable`, `allowed`; what follows a dash is left out of account, but for
/// `echoed-…`, which comes back in the error.
pub(crate) struct ApiServer {
    address: SocketAddr,
    reviews: Arc<Mutex<Vec<String>>>,
}

impl ApiServer {
    pub(crate) async fn start() -> Self {
        let listener = free_socket().await;
        let address = listener.local_addr().expect("a bound socket");
        let reviews = Arc::<Mutex<Vec<String>>>::default();
        let kept = reviews.clone();
        tokio::spawn(async move {
            loop {
                let (socket, _) = listener.accept().await.expect("a connection");
                let reviews = kept.clone();
                tokio::spawn(async move {
                    let service = service_fn(|request| answer(request, reviews.clone()));
                    // Clients end their connections as they like.
                    let _ = hyper::server::conn::http1::Builder::new()
                        .serve_connection(TokioIo::new(socket), service)
                        .await;
                });
            }
        });
        Self { address, reviews }
    }

    /// A kubeconfig for it.
    pub(crate) fn kubeconfig(&self, folder: &Path) -> PathBuf {
        kubeconfig(self.address, folder)
    }

    /// What it was asked, in order.
    pub(crate) fn reviews(&self) -> Vec<String> {
        self.reviews.lock().expect("nobody panicked").clone()
    }
}

/// What becomes of a token.
fn outcome(token: &str) -> &str {
    token.split('-').next().unwrap_or_default()
}

/// A kubeconfig, in this folder, for an API server at this address.
pub(crate) fn kubeconfig(server: SocketAddr, folder: &Path) -> PathBuf {
    let path = folder.join("kubeconfig");
    let config = json!({
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "test",
        "contexts": [{"name": "test", "context": {"cluster": "test", "user": "test"}}],
        "clusters": [{"name": "test", "cluster": {"server": format!("http://{server}")}}],
        "users": [{"name": "test", "user": {}}],
    });
    std::fs::write(&path, config.to_string()).expect("a written file");
    path
}

/// What any API server says of itself.
pub(crate) fn version() -> Value {
    json!({
        "major": "1", "minor": "34", "gitVersion": "v1.34.0", "gitCommit": "", "gitTreeState": "",
        "buildDate": "", "goVersion": "", "compiler": "", "platform": "",
    })
}

/// What it says to those who may not.
pub(crate) fn forbidden() -> Value {
    json!({"kind": "Status", "apiVersion": "v1", "status": "Failure", "code": 403, "reason": "Forbidden", "message": "no"})
}

async fn answer(
    request: Request<Incoming>,
    reviews: Arc<Mutex<Vec<String>>>,
) -> Result<Response<Full<Bytes>>, Infallible> {
    let path = request.uri().path().to_owned();
    let body = request
        .into_body()
        .collect()
        .await
        .expect("a whole body")
        .to_bytes();
    let mut body: Value = serde_json::from_slice(&body).unwrap_or_default();
    let spec = body["spec"].clone();
    let status = match path.rsplit('/').next() {
        Some("version") => {
            body = version();
            None
        }
        Some("tokenreviews") => {
            let token = spec["token"].as_str().expect("a token");
            reviews
                .lock()
                .expect("nobody panicked")
                .push(format!("token {token}"));
            Some(match outcome(token) {
                "unknown" => json!({"authenticated": false}),
                "expired" => json!({"authenticated": false, "error": "token has expired"}),
                "echoed" => {
                    json!({"authenticated": false, "error": format!("no user has {token}")})
                }
                token => json!({
                    "authenticated": true,
                    "user": {"username": format!("system:serviceaccount:ns:{token}"), "groups": ["g"]},
                }),
            })
        }
        Some("subjectaccessreviews") => {
            assert_eq!(
                spec["nonResourceAttributes"],
                json!({"path": "/metrics", "verb": "get"})
            );
            assert_eq!(spec["groups"], json!(["g"]));
            let name = spec["user"]
                .as_str()
                .and_then(|user| user.rsplit(':').next());
            reviews
                .lock()
                .expect("nobody panicked")
                .push(format!("rights {}", name.expect("a user")));
            match name {
                Some("unreviewable") => None,
                name => Some(json!({"allowed": name == Some("allowed")})),
            }
        }
        other => panic!("nobody was to ask for {other:?}"),
    };
    let code = if status.is_none() && path != "/version" {
        403
    } else {
        200
    };
    if let Some(status) = status {
        body["status"] = status;
    } else if code == 403 {
        body = forbidden();
    }
    let response = Response::builder()
        .status(code)
        .header("content-type", "application/json");
    Ok(response.body(body.to_string().into()).expect("a response"))
}
