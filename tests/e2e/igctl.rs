//! igctl itself, run as a user runs it.

use std::process::Command;

use serde_json::Value;

use crate::cluster::{Namespace, kubeconfig};

/// How one run of igctl ended.
pub(crate) struct Run {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

/// igctl with the kubeconfig of the cluster under test.
pub(crate) fn igctl_command<'a>(arguments: impl IntoIterator<Item = &'a str>) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_igctl"));
    command
        .env("KUBECONFIG", kubeconfig())
        .env("NO_COLOR", "1")
        .args(arguments);
    command
}

/// Runs igctl to its end.
pub(crate) fn igctl<'a>(arguments: impl IntoIterator<Item = &'a str>) -> Run {
    let output = igctl_command(arguments).output().expect("igctl runs");
    let text = |bytes| String::from_utf8(bytes).expect("igctl prints text");
    Run {
        code: output.status.code().expect("igctl ends by itself"),
        stdout: text(output.stdout),
        stderr: text(output.stderr),
    }
}

/// Runs `igctl metrics top -o json` in a namespace, with further arguments.
pub(crate) fn top(namespace: &Namespace, arguments: &[&str]) -> Run {
    let always = ["metrics", "top", "-n", namespace.name(), "-o", "json"];
    igctl(always.into_iter().chain(arguments.iter().copied()))
}

impl Run {
    /// The JSON that a successful run has printed.
    pub(crate) fn json(&self) -> Value {
        assert_eq!(self.code, 0, "igctl failed: {}", self.stderr);
        serde_json::from_str(&self.stdout)
            .unwrap_or_else(|error| panic!("{error}: {}", self.stdout))
    }
}
