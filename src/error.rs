//! Every failure of a command, with the next thing to try and the exit code.

use std::io;

use crate::baseline::ReportError;
use crate::by_hand::ByHand;
use crate::cause;
use crate::collect::PodError;
use crate::config::UsageError;
use crate::config::smoke::SmokeUsage;
#[cfg(feature = "demo")]
use crate::demo::DemoError;
use crate::discover::{DiscoverError, Pod};
use crate::kubeconfig::ConnectError;
use crate::probe::ProbeError;
use crate::recording::RecordingError;
use crate::scrape::{another_path, look_at};
use crate::shell::word;
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
    #[error("no endpoint picker's metrics at {}\n  {fault}", visible(&pod.full_name()))]
    Snapshot {
        /// Whose.
        pod: Box<Pod>,
        /// What it is instead.
        fault: SnapshotError,
    },
    /// Arguments that contradict each other.
    Usage(#[from] UsageError),
    /// Assertions that cannot be understood, or cannot be held against this source.
    Smoke(#[from] SmokeUsage),
    /// A recording that cannot be written or read.
    Recording(#[from] RecordingError),
    /// A probe that cannot be sent.
    Probe(#[from] ProbeError),
    /// A baseline that cannot be compared with.
    #[error("{} is no baseline", visible(file))]
    Baseline {
        /// Which file.
        file: String,
        /// Why.
        #[source]
        fault: ReportError,
    },
    /// The output cannot be written.
    #[error("writing the output")]
    Output(#[from] io::Error),
    /// No demo.
    #[cfg(feature = "demo")]
    Demo(#[from] DemoError),
}

impl Error {
    /// The next thing to try.
    pub fn hint(&self, hand: &ByHand) -> Option<String> {
        match self {
            Self::Connect(error) => error.hint(hand),
            Self::Discover(error) => error.hint(hand),
            Self::Pod(error) => error.hint(hand),
            Self::Snapshot { pod, fault } => snapshot_hint(hand, pod, fault),
            Self::Recording(error) => error.hint(),
            Self::Probe(_) => Some("igctl smoke --help".to_owned()),
            Self::Baseline { .. } => Some(
                "igctl metrics top --by model --quantiles 99 -o json > baseline.json".to_owned(),
            ),
            // Which command's help would help is known where the arguments are.
            Self::Usage(error) => error.hint(),
            Self::Smoke(_) => Some("igctl smoke --help".to_owned()),
            Self::Output(_) => None,
            #[cfg(feature = "demo")]
            Self::Demo(_) => None,
        }
    }

    /// What failed, and below it why.
    pub fn told(&self) -> String {
        cause::told(self)
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
            Self::Recording(error) => error.exit_code(),
            Self::Snapshot { .. } | Self::Output(_) => ERROR,
            Self::Usage(_) | Self::Smoke(_) | Self::Probe(_) | Self::Baseline { .. } => USAGE,
            #[cfg(feature = "demo")]
            Self::Demo(_) => ERROR,
        }
    }

    /// True where whoever read our output has had enough: `igctl … | head`.
    pub fn is_broken_pipe(&self) -> bool {
        matches!(self, Self::Output(error) if error.kind() == io::ErrorKind::BrokenPipe)
    }
}

fn snapshot_hint(hand: &ByHand, pod: &Pod, fault: &SnapshotError) -> Option<String> {
    match (fault, &pod.namespace) {
        (_, Some(namespace)) => Some(format!(
            "another port?  igctl metrics top pod/{} -n {}{} --metrics-port PORT",
            word(&pod.name),
            word(namespace),
            hand.flags()
        )),
        (SnapshotError::NotAPicker { .. }, None) => Some(
            "a picker that has served no request may have no name of its own yet: send it one"
                .to_owned(),
        ),
        (SnapshotError::Empty | SnapshotError::NotMetrics { .. }, None) => {
            let is_address = ["http://", "https://"]
                .iter()
                .any(|s| pod.name.starts_with(s));
            Some(match another_path(&pod.name) {
                Some(hint) => hint,
                None if is_address => look_at(hand, &pod.name),
                None => "save a scrape anew:  igctl metrics dump -n NAMESPACE > FILE".to_owned(),
            })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_pod_may_have_another_port() {
        let hint = |pod| {
            let (names, found) = (1, Vec::new());
            let fault = SnapshotError::NotAPicker { names, found };
            snapshot_hint(&ByHand::default(), &pod, &fault).unwrap_or_default()
        };
        let pod = Pod {
            namespace: Some("llm".to_owned()),
            ..Pod::named("web-0")
        };
        let file = Pod::named("llm/web-0");

        let mentions = [pod, file].map(|pod| hint(pod).contains("pod/web-0 -n llm --metrics-port"));

        assert_eq!(mentions, [true, false]);
    }
}
