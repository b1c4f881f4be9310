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

    /// Starts `command` and waits for the first line that it prints on stdout.
    pub(crate) fn until_it_speaks(command: &mut Command) -> (Running, String) {
        let mut running = Running::start(command.stdout(Stdio::piped()));
        let stdout = running.0.stdout.take().expect("stdout is piped");
        let mut line = String::new();
        let mut lines = BufReader::new(stdout);
        lines.read_line(&mut line).expect("the line is text");
        assert!(!line.is_empty(), "{command:?} ended without a word");
        // Read on, or the program stops when the pipe is full.
        std::thread::spawn(move || std::io::copy(&mut lines, &mut std::io::sink()));
        (running, line)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Asks again and again until there is an answer, for at most half a minute.
pub(crate) fn wait_for<T>(what: &str, mut ask: impl FnMut() -> Option<T>) -> T {
    let begun = Instant::now();
    loop {
        if let Some(answer) = ask() {
            return answer;
        }
        assert!(
            begun.elapsed() < Duration::from_secs(30),
            "waited half a minute for {what}"
        );
        std::thread::sleep(Duration::from_millis(50));
    }
}
