//! The programs that a cluster is made of, and the pods' processes: ended, frozen, started again.

use std::process::Command;
use std::{fs, path::PathBuf};

use crate::cluster::{Namespace, variable};

/// A signal to one program of the cluster, by the name that `tests/cluster/start` knows.
pub(crate) fn signal(program: &str, signal: &str) {
    let folder = PathBuf::from(variable("KUBE_RUN"));
    let id = fs::read_to_string(folder.join(format!("{program}.pid"))).expect("it was started");
    script("in", &["kill", signal, id.trim()]);
}

/// Starts a program that was ended.
pub(crate) fn start(program: &str) {
    script("start", &[program]);
}

/// A program that does not run on until this is dropped.
pub(crate) struct Frozen(&'static str);

impl Frozen {
    pub(crate) fn new(program: &'static str) -> Frozen {
        signal(program, "-STOP");
        Frozen(program)
    }
}

impl Drop for Frozen {
    fn drop(&mut self) {
        signal(self.0, "-CONT");
    }
}

/// The first container of a pod.
pub(crate) struct Container(String);

impl Container {
    pub(crate) fn of(namespace: &Namespace, pod: &str) -> Container {
        let path = "jsonpath={.status.containerStatuses[0].containerID}";
        let id = namespace.kubectl(["get", "pod", pod, "-o", path]);
        let id = id
            .strip_prefix("containerd://")
            .expect("containerd runs it");
        Container(id.to_owned())
    }

    /// Ends its process, as a crash would.
    pub(crate) fn kill(&self) {
        self.task(&["kill", "--signal", "SIGKILL"]);
    }

    /// Its process stands still: its sockets are open, and nothing answers.
    pub(crate) fn pause(&self) {
        self.task(&["pause"]);
    }

    pub(crate) fn resume(&self) {
        self.task(&["resume"]);
    }

    fn task(&self, what: &[&str]) {
        let ctr = ["ctr", "--namespace", "k8s.io", "tasks"];
        script("in", &[&ctr, what, &[self.0.as_str()]].concat());
    }
}

/// Runs a script of `tests/cluster`.
fn script(name: &str, arguments: &[&str]) {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("tests/cluster")
        .join(name);
    let mut command = Command::new(path);
    let output = command.args(arguments).output().expect("bash runs");
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?} failed: {stderr}");
}
