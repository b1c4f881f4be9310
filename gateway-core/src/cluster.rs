//! The cluster that this process runs in, or that the kubeconfig names.

use tokio::time::{Duration, timeout};

/// How long the API server may take for its first answer.
const TIMEOUT: Duration = Duration::from_secs(10);

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
    let client = kube::Client::try_from(config).map_err(Error::Client)?;
    timeout(TIMEOUT, client.apiserver_version())
        .await
        .map_err(|_| Error::Silent)?
        .map_err(Error::Unreachable)?;
    Ok(client)
}
