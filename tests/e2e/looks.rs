//! What `igctl metrics top -w` prints while something happens.

use std::time::{Duration, Instant};

use serde_json::Value;

use crate::cluster::Namespace;
use crate::igctl::igctl_command;
use crate::process::Running;

/// How long the effect of a fault, and its end, may take to be seen: pods take seconds to start.
const PATIENCE: Duration = Duration::from_secs(90);

/// A watch under way.
pub(crate) struct Watch {
    looks: Box<dyn Iterator<Item = Value>>,
    _igctl: Running,
}

impl Watch {
    /// Begins to watch a namespace, or a target in it, and sees both of its pickers.
    pub(crate) fn begin(namespace: &Namespace, target: Option<&str>, pods: usize) -> Watch {
        let watch = [
            "metrics",
            "top",
            "-n",
            namespace.name(),
            "-w",
            "--interval",
            "1s",
            "-o",
            "json",
        ];
        let (igctl, lines) = Running::lines(&mut igctl_command(watch.into_iter().chain(target)));
        let look =
            |line: String| serde_json::from_str(&line).unwrap_or_else(|e| panic!("{e}: {line}"));
        let mut watch = Watch {
            looks: Box::new(lines.map(look)),
            _igctl: igctl,
        };
        watch.until("all pods are read", |look| look.read().len() == pods);
        watch
    }

    /// Looks on until something is seen.
    pub(crate) fn until(&mut self, what: &str, seen: impl Fn(&Look) -> bool) -> Look {
        let begun = Instant::now();
        let mut last = Look(Value::Null);
        while begun.elapsed() < PATIENCE {
            last = Look(
                self.looks
                    .next()
                    .unwrap_or_else(|| panic!("the watch ended before {what}: {last:#?}")),
            );
            assert!(
                last.rates().all(|rate| rate >= 0.0),
                "a negative rate: {last:#?}"
            );
            if seen(&last) {
                return last;
            }
        }
        panic!("not seen: {what}; the last look: {last:#?}")
    }
}

/// One document.
#[derive(Debug)]
pub(crate) struct Look(Value);

impl Look {
    /// Names of the pods whose numbers are part of it.
    pub(crate) fn read(&self) -> Vec<&str> {
        self.pods(|pod| pod["error"].is_null())
    }

    /// Names of the pods that it says cannot be read.
    pub(crate) fn unread(&self) -> Vec<&str> {
        self.pods(|pod| !pod["error"].is_null())
    }

    /// Names of the pods whose process is new.
    pub(crate) fn restarted(&self) -> Vec<&str> {
        self.pods(|pod| pod["restarted"] == true)
    }

    /// Whether a remark below the table says so.
    pub(crate) fn notes(&self, said: &str) -> bool {
        let notes = self.0["notes"].as_array().into_iter().flatten();
        notes
            .filter_map(Value::as_str)
            .any(|note| note.contains(said))
    }

    fn rates(&self) -> impl Iterator<Item = f64> {
        let rows = self.0["rows"].as_array().into_iter().flatten();
        rows.filter_map(|row| row["rate"].as_f64())
    }

    fn pods(&self, which: impl Fn(&Value) -> bool) -> Vec<&str> {
        let pods = self.0["pods"].as_array().into_iter().flatten();
        let names = pods
            .filter(|pod| which(pod))
            .filter_map(|pod| pod["name"].as_str());
        names.filter_map(|name| name.rsplit('/').next()).collect()
    }
}
