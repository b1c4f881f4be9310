//! Every failure of a command, with the next thing to try and the exit code.

use crate::collect::PodError;
use crate::discover::DiscoverError;
use crate::kubeconfig::ConnectError;

/// Exit code: something failed.
pub(crate) const ERROR: u8 = 1;
/// Exit code: the command line or the configuration is wrong.
pub(crate) const USAGE: u8 = 2;
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
}

impl Error {
    /// The next thing to try.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Connect(error) => error.hint(),
            Self::Discover(error) => error.hint(),
            Self::Pod(error) => error.hint(),
        }
    }

    /// What the process should exit with.
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Connect(error) => error.exit_code(),
            Self::Discover(error) => error.exit_code(),
            Self::Pod(error) => error.exit_code(),
        }
    }
}
