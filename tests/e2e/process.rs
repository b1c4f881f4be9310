//! Programs that run beside a test and end with it.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// A program that is killed when it is dropped.
pub(crate) struct Running(Child);

impl Running {
    pub(crate) fn start(command: &mut Command) -> Running {
        let child = command.stdin(Stdio::null()).spawn();
        Running(child.unwrap_or_else(|error| panic!("{command:?} does not start: {error}")))
    }

    /// Starts `command`, whose stdout is the lines.
    pub(crate) fn lines(command: &mut Command) -> (Running, impl Iterator<Item = String> + use<>) {
        let mut running = Running::start(command.stdout(Stdio::piped()));
        let stdout = running.0.stdout.take().expect("stdout is piped");
        (
            running,
            BufReader::new(stdout).lines().map_while(Result::ok),
        )
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Asks again and again until there is an answer, for at most two minutes: a busy machine is slow.
pub(crate) fn wait_for<T>(what: &str, mut ask: impl FnMut() -> Option<T>) -> T {
    let begun = Instant::now();
    loop {
        if let Some(answer) = ask() {
            return answer;
        }
        assert!(
            begun.elapsed() < Duration::from_secs(120),
            "waited two minutes for {what}"
        );
        std::thread::sleep(Duration::from_millis(50));
    }
}
