//! How a person ends a command that goes on by itself.

use std::io;

use tokio::signal;

/// Ctrl-C, or the polite way to end a process. Either is heard from the moment that this is made: it is made before
/// a terminal is taken over or a file is opened, so that none comes in between and leaves it half done.
pub(super) struct Ending {
    #[cfg(unix)]
    interrupt: signal::unix::Signal,
    #[cfg(unix)]
    terminate: signal::unix::Signal,
}

impl Ending {
    pub(super) fn hear() -> io::Result<Self> {
        Ok(Self {
            #[cfg(unix)]
            interrupt: signal::unix::signal(signal::unix::SignalKind::interrupt())?,
            #[cfg(unix)]
            terminate: signal::unix::signal(signal::unix::SignalKind::terminate())?,
        })
    }

    /// Waits for it.
    #[cfg(unix)]
    pub(super) async fn come(&mut self) -> io::Result<()> {
        tokio::select! {
            _ = self.interrupt.recv() => Ok(()),
            _ = self.terminate.recv() => Ok(()),
        }
    }

    /// Waits for it.
    #[cfg(not(unix))]
    pub(super) async fn come(&mut self) -> io::Result<()> {
        signal::ctrl_c().await
    }
}
