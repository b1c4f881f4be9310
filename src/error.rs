//! Every failure of a command, with the next thing to try and the exit code.

use std::io;

use crate::collect::PodError;
use crate::config::UsageError;
use crate::config::smoke::SmokeUsage;
#[cfg(feature = "demo")]
use crate::demo::DemoError;
use crate::discover::DiscoverError;
use crate::kubeconfig::ConnectError;
use crate::snapshot::SnapshotError;
use crate::visible::visible;

/// Exit code: something failed.
pub(crate) const ERROR: u8 = 1;
/// Exit code: the command line or the configuration is wrong.
pub(crate) const USAGE: u8 = 2;
/// Exit code: an assertion or a check failed, or could not be decided.
pub(crate) const FAILED: u8 = 3;
/// Exit code: some pods could not be read.
pub(crate) const PARTIAL: u8 = 4;
/// Exit code: not authenticated, or not allowed.
pub(crate) const AUTH: u8 = 5;
/// Exit code: what was asked for does not exist.
pub(crate) const NOT_FOUND: u8 = 6;
/// Exit code: no answer in time.
pub(crate) const TIMEOUT: u8 = 7;

/// Why a command failed.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
pub enum Error {
    /// No way to the Kubernetes API.
    Connect(#[from] ConnectError),
    /// The pods could not be found.
    Discover(#[from] DiscoverError),
    /// No page from a pod.
    Pod(#[from] PodError),
    /// A page that is no picker's.
    #[error("no endpoint picker's metrics at {}\n  {fault}", visible(pod))]
    Snapshot {
        /// The pod, file or address.
        pod: String,
        /// What it is instead.
        fault: SnapshotError,
    },
    /// Arguments that contradict each other.
    Usage(#[from] UsageError),
    /// Assertions that cannot be understood, or cannot be held against this source.
    Smoke(#[from] SmokeUsage),
    /// The output cannot be written.
    #[error("writing the output")]
    Output(#[from] io::Error),
    /// No demo.
    #[cfg(feature = "demo")]
    Demo(#[from] DemoError),
}

impl Error {
    /// The next thing to try.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Connect(error) => error.hint(),
            Self::Discover(error) => error.hint(),
            Self::Pod(error) => error.hint(),
            Self::Snapshot { pod, fault } => snapshot_hint(pod, fault),
            Self::Usage(_) => Some("igctl metrics top --help".to_owned()),
            Self::Smoke(_) => Some("igctl smoke --help".to_owned()),
            Self::Output(_) => None,
            #[cfg(feature = "demo")]
            Self::Demo(_) => None,
        }
    }

    /// What the process should exit with.
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Connect(error) => error.exit_code(),
            Self::Discover(error) => error.exit_code(),
            Self::Pod(error) => error.exit_code(),
            Self::Snapshot {
                fault: SnapshotError::NotAPicker { .. },
                ..
            } => NOT_FOUND,
            Self::Snapshot { .. } | Self::Output(_) => ERROR,
            Self::Usage(_) | Self::Smoke(_) => USAGE,
            #[cfg(feature = "demo")]
            Self::Demo(_) => ERROR,
        }
    }

    /// True where whoever read our output has had enough: `igctl … | head`.
    pub fn is_broken_pipe(&self) -> bool {
        matches!(self, Self::Output(error) if error.kind() == io::ErrorKind::BrokenPipe)
    }
}

fn snapshot_hint(pod: &str, fault: &SnapshotError) -> Option<String> {
    // Addresses and paths hold slashes too, but name no pod that --metrics-port would help with.
    let named = pod
        .split_once('/')
        .filter(|(namespace, name)| !namespace.contains(':') && !name.contains('/'));
    match (fault, named) {
        (SnapshotError::NotAPicker { .. }, Some((namespace, name)))
            if !std::path::Path::new(pod).exists() =>
        {
            Some(format!(
                "another port?  igctl metrics top pod/{name} -n {namespace} --metrics-port PORT"
            ))
        }
        (SnapshotError::NotAPicker { .. }, _) => Some(
            "a picker that has served no request may have no name of its own yet: send it one"
                .to_owned(),
        ),
        (SnapshotError::Empty | SnapshotError::NotMetrics { .. }, _) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_not_taken_for_a_pod() {
        let hint = |at| {
            let (names, found) = (1, Vec::new());
            snapshot_hint(at, &SnapshotError::NotAPicker { names, found }).unwrap_or_default()
        };
        let mentions = ["llm/web-0", "http://127.0.0.1:9090/metrics"]
            .map(|at| hint(at).contains("--metrics-port"));
        assert_eq!(mentions, [true, false]);
    }
}
