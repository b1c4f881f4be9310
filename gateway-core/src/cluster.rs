//! The cluster that this process runs in, or that the kubeconfig names.

use tokio::time::{Duration, timeout};

/// How long the API server may take for its first answer.
const TIMEOUT: Duration = Duration::from_secs(10);

/// How long it may be silent while something is awaited of it. Watches are ended
/// earlier (see `watching`).
const SILENCE: Duration = Duration::from_secs(30);

/// Why there is no cluster to ask.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// No kubeconfig, and not in a pod.
    #[error("looking for a cluster")]
    NoCluster(#[source] kube::config::InferConfigError),
    /// A configuration that no client can be made of.
    #[error("making a client for the cluster")]
    Client(#[source] kube::Error),
    /// It does not answer.
    #[error("asking the cluster for its version")]
    Unreachable(#[source] kube::Error),
    /// It does not answer in time.
    #[error("the cluster does not answer within 10 s")]
    Silent,
}

/// Connects, and makes sure that the API server answers.
///
/// # Errors
/// There is no cluster, or it does not answer within 10 s.
pub(crate) async fn connect() -> Result<kube::Client, Error> {
    let config = kube::Config::infer().await.map_err(Error::NoCluster)?;
    let client = client(config)?;
    timeout(TIMEOUT, client.apiserver_version())
        .await
        .map_err(|_| Error::Silent)?
        .map_err(Error::Unreachable)?;
    Ok(client)
}

fn client(mut config: kube::Config) -> Result<kube::Client, Error> {
    config.read_timeout = Some(SILENCE);
    // It counts from the request, not from when the connection was last used.
    config.reset_reader_on_write = true;
    kube::Client::try_from(config).map_err(Error::Client)
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use bytes::Bytes;
    use http_body_util::Full;
    use hyper::{Request, Response};
    use std::sync::atomic::{AtomicUsize, Ordering};
    use tokio::net::TcpListener;
    use tokio::time::Instant;

    /// A client of a cluster that answers with these objects or errors, one after
    /// the other, and with the last for ever.
    pub(crate) fn answering(answers: Vec<Result<&'static str, u16>>) -> kube::Client {
        let asked = AtomicUsize::new(0);
        let service = tower::service_fn(move |_: Request<kube::client::Body>| {
            let index = asked.fetch_add(1, Ordering::Relaxed).min(answers.len() - 1);
            let (code, body) = match answers[index] {
                Ok(object) => (200, object.to_owned()),
                Err(code) => (code, format!(r#"{{"kind":"Status","code":{code}}}"#)),
            };
            let answer = Response::builder().status(code);
            std::future::ready(answer.body(Full::new(Bytes::from(body))))
        });
        kube::Client::new(service, "default")
    }

    #[tokio::test(start_paused = true)]
    async fn an_api_server_that_falls_silent_is_given_up_after_half_a_minute() {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("a bound socket");
        let url = format!("http://{address}").parse().expect("a URL");
        let client = client(kube::Config::new(url)).expect("a client");
        let started = Instant::now();
        // Connections are made, but nobody takes or answers them.
        let answer = timeout(10 * SILENCE, client.apiserver_version()).await;
        let waited = started.elapsed().as_secs();
        assert!(
            matches!(answer, Ok(Err(_))) && waited == SILENCE.as_secs(),
            "{answer:?} after {waited} s"
        );
    }
}
