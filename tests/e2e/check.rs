//! `igctl check` on a real cluster: one thing is broken at a time, and the right link is named, once, with a fix that
//! mends it when it is pasted.

mod faults;

use std::process::{Command, Output};

use serde_json::Value;

use crate::cluster::{self, GUIDES_ROLE, Namespace, kubeconfig, kubectl_command, variable};
use crate::gateway::{deploy_model_servers, picker_manifests};
use crate::igctl::igctl;
use crate::process::wait_for;
use faults::{FAULTS, Fault, Fix};

/// A pool of two endpoints with a picker of two pods, and a reader made by `igctl rbac generate`.
struct Healthy {
    namespace: Namespace,
    /// What stands for `$DIR` in a fault: kubeconfigs and tokens.
    folder: tempfile::TempDir,
}

impl Healthy {
    fn deploy(purpose: &str) -> Self {
        cluster::ensure_inference_api();
        let namespace = Namespace::create(purpose);
        deploy_model_servers(&namespace);
        namespace.apply(&picker_manifests(namespace.name()));
        namespace.apply(&igctl(["rbac", "generate", "-n", namespace.name()]).stdout);
        namespace.rolled_out("gateway-core");
        Self {
            namespace,
            folder: tempfile::tempdir().expect("a temporary folder"),
        }
    }

    /// The picker's manifests as they were, and nothing of what a fault has added.
    fn heal(&self) {
        self.namespace
            .apply(&picker_manifests(self.namespace.name()));
        self.namespace
            .apply(&igctl(["rbac", "generate", "-n", self.namespace.name()]).stdout);
        self.namespace.rolled_out("gateway-core");
    }

    /// A script of a fault, as bash runs it.
    fn bash(&self, script: &str) -> Output {
        let igctl = std::path::Path::new(env!("CARGO_BIN_EXE_igctl"));
        let folder = igctl.parent().expect("it is in a folder").display();
        Command::new("bash")
            .args(["-euo", "pipefail", "-c", script])
            .env("PATH", format!("{folder}:{}", variable("PATH")))
            .env("KUBECONFIG", kubeconfig())
            .env("N", self.namespace.name())
            .env("DIR", self.folder.path())
            .output()
            .expect("bash runs")
    }

    #[track_caller]
    fn run(&self, script: &str) {
        let output = self.bash(script);
        assert!(output.status.success(), "{script}: {output:?}");
    }

    /// What `igctl check` says, with more arguments.
    fn check(&self, arguments: &str) -> Said {
        let output = self.bash(&format!("igctl check -n $N -o json {arguments}"));
        let steps = serde_json::from_slice::<Value>(&output.stdout)
            .unwrap_or_else(|fault| panic!("{fault}: {output:?}"))["steps"]
            .take();
        let steps = match steps {
            Value::Array(steps) => steps,
            other => panic!("no steps: {other}"),
        };
        Said {
            code: output.status.code(),
            steps,
        }
    }
}

/// How a run of `igctl check` ended.
struct Said {
    code: Option<i32>,
    steps: Vec<Value>,
}

impl Said {
    fn failed(&self) -> Vec<&Value> {
        self.steps
            .iter()
            .filter(|step| step["outcome"] == "fail")
            .collect()
    }

    /// The name of the one link that failed, with what is said of it.
    fn cause(&self) -> (String, String) {
        match &self.failed()[..] {
            [only] => (
                text(&only["name"]),
                format!("{}\n{}", text(&only["found"]), lines(&only["evidence"])),
            ),
            failed => (
                format!("{} failed", failed.len()),
                format!("{:#?}", self.steps),
            ),
        }
    }

    /// The commands that mend the cause.
    fn fix(&self) -> String {
        self.failed()
            .first()
            .map_or(String::new(), |step| lines(&step["fix"]))
    }
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

fn lines(values: &Value) -> String {
    let lines: Vec<String> = values.as_array().into_iter().flatten().map(text).collect();
    lines.join("\n")
}

#[test]
fn every_fault_is_named_and_mended() {
    let _guides_role = GUIDES_ROLE.lock();
    let healthy = Healthy::deploy("check");
    let wrong: Vec<String> = FAULTS
        .iter()
        .filter_map(|fault| try_out(&healthy, fault).err())
        .collect();
    assert!(
        wrong.is_empty(),
        "{} of {} faults:\n{}",
        wrong.len(),
        FAULTS.len(),
        wrong.join("\n")
    );
}

/// Breaks one thing, has it named, pastes the fix; then all is as it was.
fn try_out(healthy: &Healthy, fault: &Fault) -> Result<(), String> {
    let Fault {
        name,
        breaks,
        arguments,
        step,
        says,
        fix,
        heals,
    } = fault;
    healthy.run(breaks);
    // What Kubernetes does about it takes a moment.
    let said = (0..60)
        .map(|tries| {
            if tries > 0 {
                std::thread::sleep(std::time::Duration::from_millis(500));
            }
            healthy.check(arguments)
        })
        .find(|said| {
            let (cause, evidence) = said.cause();
            cause == *step && evidence.contains(says)
        })
        .unwrap_or_else(|| healthy.check(arguments));
    let (cause, evidence) = said.cause();
    let named = cause == *step && evidence.contains(says) && said.code == Some(3);
    let mended = match fix {
        Fix::None => said.fix().is_empty(),
        Fix::OtherArguments => healthy.bash(&said.fix()).status.success(),
        Fix::OtherAccount => healthy.bash(&said.fix()).status.code() == Some(3),
        Fix::Mends => {
            healthy.bash(&said.fix()).status.success()
                && healthy.check(&format!("{arguments} --wait 150s")).code == Some(0)
        }
    };
    let wrong = (!(named && mended)).then(|| {
        format!(
            "{name}: {cause}, mended: {mended}\n{evidence}\nfix: {}",
            said.fix()
        )
    });
    healthy.run(heals);
    if wrong.is_some() || !heals.is_empty() {
        healthy.heal();
    }
    match wrong {
        Some(wrong) => Err(wrong),
        None => Ok(()),
    }
}

#[test]
fn a_healthy_pool_passes_however_it_is_named() {
    let _guides_role = GUIDES_ROLE.lock();
    let healthy = Healthy::deploy("check-healthy");
    let pod = &healthy.namespace.of_pods("gateway-core", ".metadata.name")[0];
    let targets = [
        String::new(),
        "pool/model-server".into(),
        "svc/gateway-core".into(),
        "deploy/gateway-core".into(),
        format!("pod/{pod}"),
        "-l app=gateway-core".into(),
    ];

    for target in targets {
        let said = healthy.check(&target);
        let alarms: Vec<&Value> = said
            .steps
            .iter()
            .filter(|step| step["outcome"] == "fail" || step["outcome"] == "warn")
            .collect();
        assert!(
            said.code == Some(0) && alarms.is_empty(),
            "{target:?}: {alarms:#?}"
        );
    }
}

#[test]
fn a_picker_that_asks_for_no_token_needs_no_reader() {
    let _guides_role = GUIDES_ROLE.lock();
    let healthy = Healthy::deploy("check-open");
    healthy.run(
        "kubectl -n $N delete serviceaccount inference-gateway-sa-metrics-reader
         kubectl delete clusterrolebinding gateway-core-$N
         kubectl -n $N patch deployment gateway-core --type=json \
           -p '[{\"op\":\"add\",\"path\":\"/spec/template/spec/containers/0/args/-\",\"value\":\"--metrics-endpoint-auth=false\"}]'",
    );
    healthy.namespace.rolled_out("gateway-core");

    let said = wait_for("the pods that ask for tokens to end", || {
        Some(healthy.check("")).filter(|said| said.failed().is_empty())
    });

    assert_eq!(said.code, Some(0), "{:#?}", said.steps);
}

#[test]
fn who_may_edit_one_namespace_is_told_what_was_left_out() {
    let _guides_role = GUIDES_ROLE.lock();
    let healthy = Healthy::deploy("check-edit");
    healthy.run("kubectl -n $N create rolebinding edit --clusterrole=edit --user=ed-$N");

    let said = healthy.check("--as ed-$N");

    let outcomes: Vec<(String, String)> = said
        .steps
        .iter()
        .map(|step| (text(&step["name"]), text(&step["outcome"])))
        .collect();
    let outcomes: Vec<(&str, &str)> = outcomes
        .iter()
        .map(|(name, outcome)| (name.as_str(), outcome.as_str()))
        .collect();
    assert_eq!(
        outcomes,
        [
            ("kubeconfig", "ok"),
            ("pool", "skip"),
            ("picker", "ok"),
            ("my rights", "warn"),
            ("reader's right", "ok"),
            ("picker's right", "ok"),
            ("metrics", "ok"),
            ("content", "ok"),
        ],
        "{:#?}",
        said.steps
    );
}

#[test]
fn a_namespace_that_is_being_deleted_is_told_before_what_is_missing_in_it() {
    let namespace = Namespace::create("check-ending");
    let healthy = Healthy {
        namespace,
        folder: tempfile::tempdir().expect("a temporary folder"),
    };
    healthy.run(
        "kubectl -n $N create configmap held
         kubectl -n $N patch configmap held --type=merge -p '{\"metadata\":{\"finalizers\":[\"example.test/held\"]}}'
         kubectl delete namespace $N --wait=false",
    );

    let said = wait_for("what is left to be told", || {
        Some(healthy.check("")).filter(|said| said.cause().1.contains("example.test/held"))
    });
    healthy.run(
        "kubectl -n $N patch configmap held --type=merge -p '{\"metadata\":{\"finalizers\":[]}}'",
    );

    let (step, told) = said.cause();
    assert!(
        step == "pool" && told.contains("is being deleted, with all that is in it"),
        "{step}: {told}"
    );
}

#[test]
fn a_check_changes_nothing() {
    let _guides_role = GUIDES_ROLE.lock();
    let healthy = Healthy::deploy("check-reads");
    let objects = || {
        let list = [
            "get",
            "all,secrets,serviceaccounts,roles,rolebindings",
            "-n",
            healthy.namespace.name(),
            "-o",
            "name",
        ];
        let output = kubectl_command(list).output().expect("kubectl runs");
        String::from_utf8(output.stdout).expect("names are text")
    };
    let before = objects();

    healthy.check("");

    assert_eq!(objects(), before);
}
