//! The picker's pods: do they run, are they ready, do they pick for this pool, and if not, why?

use futures::future::join_all;
use jiff::{SignedDuration, Timestamp};
use k8s_openapi::api::core::v1::{
    ContainerPort, ContainerStateTerminated, ContainerStatus, Event, Pod,
};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use kube::Api;
use kube::api::{ListParams, LogParams};
use serde_json::json;

use super::node;
use super::picker::Wanted;
use super::pool::refusal;
use super::rights::may_it;
use super::service;
use super::step::{Name, Step};
use super::workload::{self, POOL, POOL_GROUP, POOL_NAMESPACE, Workload, is, told_pool};
use crate::auth::Account;
use crate::cluster::{ApiError, Cluster, Right};
use crate::discover::pool::{Pool, RESOURCE};
use crate::discover::{State, Target};
use crate::shell::word;

const NAME: Name = Name::Picker;
/// The flags by which GIE's pickers, and others built with controller-runtime, elect a leader.
const LEADER_FLAGS: [&str; 3] = [
    "ha-enable-leader-election",
    "haEnableLeaderElection",
    "leader-elect",
];
/// A container that ended so long ago is not news.
const RECENT: SignedDuration = SignedDuration::from_mins(10);
/// So many lines of a log are shown: of the complaints that a program ends with, the first is what counts.
const LOG_LINES: i64 = 6;

/// So many events are shown.
const EVENTS: usize = 3;
/// Events that say what is known, or nothing of why a pod does not run.
const BESIDE_THE_POINT: [&str; 3] = ["BackOff", "MissingClusterDNS", "DNSConfigForming"];

/// A pod, and what is read of it.
pub(super) struct Replica {
    pub(super) pod: Pod,
    pub(super) target: Target,
}

impl Replica {
    /// Reads a pod; `None` if it has ended or is being deleted.
    pub(super) fn of(pod: &Pod) -> Option<Self> {
        Some(Self {
            target: Target::of(pod, None)?,
            pod: pod.clone(),
        })
    }

    /// Ready, or of a pod that does not tell.
    pub(super) fn takes_requests(&self) -> bool {
        self.target.state == State::Running && self.target.pod.ready != Some(false)
    }

    /// The name of the ServiceAccount that it runs as.
    pub(super) fn account(&self) -> Account {
        Account {
            namespace: self.target.pod.namespace.clone().unwrap_or_default(),
            name: self.target.account.clone(),
        }
    }
}

/// What is to be said of the pods that a picker has; `way` is how they were found.
pub(super) async fn judge(
    cluster: &Cluster,
    wanted: &Wanted,
    way: &str,
    replicas: &[Replica],
) -> Step {
    if let Some(step) = other_pool(cluster, wanted, replicas).await {
        return step;
    }
    let ready = replicas
        .iter()
        .filter(|replica| replica.takes_requests())
        .count();
    let leader = replicas
        .iter()
        .find(|replica| replica.target.pod.holds_lease == Some(true));
    let pods = match replicas.len() {
        1 => "1 pod".to_owned(),
        count => format!("{count} pods"),
    };
    let waiting: Vec<&Replica> = replicas
        .iter()
        .filter(|replica| !replica.takes_requests())
        .collect();
    if let (0, Some(first)) = (ready, waiting.first()) {
        let step = Step::fail(NAME, format!("{way}{pods}, none ready"));
        if let Some(told) = other_group(cluster, wanted, first, &step).await {
            return told;
        }
        return match lacks_right(cluster, wanted, first, &step).await {
            Ok(Some(step)) => step,
            _ => why_not_ready(cluster, first, step).await,
        };
    }
    // What it read as it began makes it ready, and keeps it so.
    let follower = replicas.iter().find(|replica| follows_a_pool(replica));
    let mut unasked = None;
    if let Some(follower) = follower {
        let found = format!("{way}{pods}, {ready} ready, which are not told what changes");
        let step = Step::fail(NAME, found);
        match lacks_right(cluster, wanted, follower, &step).await {
            Ok(Some(step)) => return step,
            Ok(None) => {}
            Err(fault) => {
                unasked = Some(format!(
                    "whether it is told what changes is not known: {}",
                    refusal(&fault)
                ));
            }
        }
    }
    let images = images(replicas);
    let troubled: Vec<(&Replica, String)> = replicas
        .iter()
        .filter_map(|replica| Some((replica, trouble(replica)?)))
        .collect();
    let standbys = leader.is_some() || replicas.iter().all(elects_a_leader);
    let found = match leader {
        Some(leader) => format!("{way}{pods}, leader {}", leader.target.pod.name),
        None if ready == replicas.len() => format!("{way}{pods} ready"),
        None => format!("{way}{pods}, {ready} ready"),
    };
    match (waiting.first(), troubled.first()) {
        (Some(first), _) if !standbys => {
            why_not_ready(cluster, first, Step::warn(NAME, found)).await
        }
        (_, Some((first, _))) => {
            let events = events(cluster, &first.target).await;
            let troubles = troubled.into_iter().map(|(_, trouble)| trouble);
            Step::warn(NAME, found).because(troubles).because(events)
        }
        _ => match lacks_pods(cluster, replicas).await {
            Some(lines) => Step::warn(NAME, found).because(lines).because(unasked),
            None => Step::ok(NAME, found).because(images).because(unasked),
        },
    }
}

/// Pods that should be there, and are not.
async fn lacks_pods(cluster: &Cluster, replicas: &[Replica]) -> Option<Vec<String>> {
    let (namespace, _) = replicas.first()?.target.key();
    let workloads = workload::list(cluster, &namespace).await;
    let mut own = workloads.iter().filter(|workload| {
        let mut pods = replicas.iter().map(|replica| &replica.pod);
        pods.any(|pod| workload.made(pod))
    });
    own.find_map(Workload::lacks_pods)
}

/// A picker that watches another pool never picks for this one.
async fn other_pool(cluster: &Cluster, wanted: &Wanted, replicas: &[Replica]) -> Option<Step> {
    let first = wanted.pools.first()?;
    let is_wanted = |told: &(String, String)| wanted.pools.iter().any(|pool| is(pool, told));
    let told = |pod: &Pod| {
        let containers = pod.spec.iter().flat_map(|spec| &spec.containers);
        let told = containers.filter_map(|container| {
            Some((
                container.name.clone(),
                told_pool(container, &wanted.namespace)?,
            ))
        });
        told.collect::<Vec<_>>()
    };
    let wrong = |(namespace, name): &(String, String), pool: &Pool| {
        Step::fail(
            NAME,
            format!(
                "the pods of Service {} pick for InferencePool {namespace}/{name}, not for {}/{}",
                wanted.service.as_deref().unwrap_or_default(),
                pool.namespace,
                pool.name
            ),
        )
    };
    let mut known = Vec::new();
    for Replica { pod, .. } in replicas {
        for (container, told) in told(pod) {
            if is_wanted(&told) {
                known.push(told);
                continue;
            }
            let (setting, value) = match wanted.pools.iter().any(|pool| pool.name == told.1) {
                true => (&POOL_NAMESPACE, &wanted.namespace),
                false => (&POOL, &first.name),
            };
            let fix = workload::tell(cluster, pod, &container, setting, value).await;
            return Some(wrong(&told, first).mended_by(fix));
        }
    }
    // It picks rightly, and for one pool alone, though others name it too.
    let one = known.first()?;
    let unserved = |pool: &&Pool| !known.iter().any(|told| is(pool, told));
    let pool = wanted.pools.iter().find(unserved)?;
    let own = service::only_one(cluster, &pool.namespace, std::slice::from_ref(pool)).await;
    Some(match own {
        Some(own) => wrong(one, pool)
            .because([format!("Service {own} is the one of its picker")])
            .mended_by([service::patch_pool(cluster, pool, json!({ "name": own }))]),
        None => wrong(one, pool),
    })
}

/// A picker that watches pools of another API group never finds this one, and so is never ready.
async fn other_group(
    cluster: &Cluster,
    wanted: &Wanted,
    replica: &Replica,
    step: &Step,
) -> Option<Step> {
    let groups: Vec<&str> = wanted.pools.iter().map(Pool::group).collect();
    let mut containers = replica.pod.spec.as_ref()?.containers.iter();
    let (container, group) =
        containers.find_map(|container| Some((&container.name, POOL_GROUP.of(container)?)))?;
    if groups.contains(&group.as_str()) {
        return None;
    }
    let right = groups.first()?;
    let fix = workload::tell(cluster, &replica.pod, container, &POOL_GROUP, right).await;
    Some(
        step.clone()
            .because([format!(
                "it is told --pool-group {group}, and its pool is of {right}"
            )])
            .mended_by(fix),
    )
}

/// Completes a step by why a pod does not become ready, and what would take that back.
pub(super) async fn why_not_ready(cluster: &Cluster, replica: &Replica, step: Step) -> Step {
    let Replica { pod, target } = replica;
    let name = target.pod.full_name();
    let trouble = trouble(replica).or_else(|| unschedulable(replica));
    let node = node::fault(cluster, pod).await.map(|fault| {
        let evidence = [fault.told, format!("{} get nodes", cluster.kubectl)];
        (evidence, fault.is_certain || trouble.is_none())
    });
    if let Some((evidence, true)) = node {
        return step.because(evidence);
    }
    let step = step.because([match (&target.state, &trouble) {
        (_, Some(trouble)) => trouble.clone(),
        (State::Waiting(reason), None) => format!("pod {name} waits: {reason}"),
        (State::Running, None) => format!("pod {name} runs and is not ready"),
    }]);
    let step = step.because(unmet_gates(pod));
    // Of what is not made yet Kubernetes tells why in events only.
    let tells_events = match &target.state {
        State::Running => true,
        State::Waiting(reason) => {
            ["ContainerCreating", "PodInitializing"].contains(&reason.as_str())
        }
    };
    let (events, log, undo) = tokio::join!(
        async {
            match tells_events {
                true => events(cluster, target).await,
                false => Vec::new(),
            }
        },
        log(cluster, pod, target),
        undo(cluster, pod),
    );
    let is_new = trouble.is_none() && events.is_empty() && unmet_gates(pod).next().is_none();
    let node = node.into_iter().flat_map(|(evidence, _)| evidence);
    let step = step.because(log).because(events).because(node);
    match undo.filter(|_| !is_new) {
        Some(undo) => step
            .because(["the last change of its Deployment can be taken back"])
            .mended_by([undo]),
        None => step.because([format!(
            "{} describe pod {} -n {}",
            cluster.kubectl,
            word(&target.pod.name),
            word(target.pod.namespace.as_deref().unwrap_or_default())
        )]),
    }
}

/// The conditions of its own that a pod waits for, which somebody else is to set.
fn unmet_gates(pod: &Pod) -> impl Iterator<Item = String> {
    let gates = pod.spec.iter().flat_map(|spec| spec.readiness_gates.iter());
    gates.flatten().filter_map(|gate| {
        let status = pod.status.as_ref()?;
        let mut conditions = status.conditions.iter().flatten();
        let is_met = conditions
            .any(|condition| condition.type_ == gate.condition_type && condition.status == "True");
        (!is_met).then(|| {
            format!(
                "its readiness gate {} is not met: what sets that condition does not",
                gate.condition_type
            )
        })
    })
}

/// The command that takes back the last change of a pod's Deployment, if since then its pods were never all ready.
async fn undo(cluster: &Cluster, pod: &Pod) -> Option<String> {
    let namespace = pod.metadata.namespace.as_deref()?;
    let workloads = workload::list(cluster, namespace).await;
    let deployment = workloads.iter().find(|workload| workload.made(pod))?;
    let annotations = deployment.metadata.annotations.as_ref()?;
    let revision: u32 = annotations
        .get("deployment.kubernetes.io/revision")?
        .parse()
        .ok()?;
    // What keeps containers from starting kept them before; what ends them may come later.
    let has_worked = deployment.complete_since().is_some_and(|since| {
        let is_old = Timestamp::now().duration_since(since) > RECENT;
        is_old || statuses(pod).all(|status| status.restart_count == 0)
    });
    (revision > 1 && !has_worked).then(|| {
        format!(
            "{} rollout undo deployment {} -n {}",
            cluster.admin,
            word(deployment.name()),
            word(namespace)
        )
    })
}

/// What the scheduler says of a pod that no node takes.
fn unschedulable(replica: &Replica) -> Option<String> {
    let conditions = replica.pod.status.as_ref()?.conditions.as_ref()?;
    let condition = conditions
        .iter()
        .find(|condition| condition.type_ == "PodScheduled" && condition.status == "False")?;
    Some(format!(
        "pod {} waits for a node: {}",
        replica.target.pod.full_name(),
        condition.message.as_deref().unwrap_or_default()
    ))
}

fn follows_a_pool(replica: &Replica) -> bool {
    let spec = replica.pod.spec.as_ref();
    spec.is_some_and(|spec| workload::names_a_pool(&spec.containers))
}

/// What it takes to be told what changes of things.
const FOLLOW: [&str; 2] = ["list", "watch"];
/// What it takes to be the one who holds a Lease.
const HOLD: [&str; 3] = ["get", "create", "update"];

/// A picker that follows a pool must be able to read the pool and its pods, and to be told what changes of them; of
/// several, one must be able to hold their Lease.
async fn lacks_right(
    cluster: &Cluster,
    wanted: &Wanted,
    replica: &Replica,
    step: &Step,
) -> Result<Option<Step>, ApiError> {
    if wanted.pools.is_empty() || replica.target.state != State::Running {
        return Ok(None);
    }
    let account = replica.account();
    let missing = |group, resource, verbs| {
        missing_right(cluster, &account, &wanted.namespace, group, resource, verbs)
    };
    let (pods, pools, leases) = tokio::join!(
        missing("", "pods", &FOLLOW),
        // Of a pool in both groups it needs one.
        async {
            let groups = wanted.pools.iter().map(Pool::group);
            let looks = groups.map(|group| missing(group, RESOURCE, &FOLLOW));
            let looks: Result<Vec<_>, _> = join_all(looks).await.into_iter().collect();
            Ok(looks?.into_iter().min_by_key(Option::is_some).flatten())
        },
        // Who is ready holds its Lease, wherever that is.
        async {
            match elects_a_leader(replica) && !replica.takes_requests() {
                true => missing("coordination.k8s.io", "leases", &HOLD).await,
                false => Ok(None),
            }
        }
    );
    let mut lacking = step.clone();
    for right in [pods?, pools?, leases?].into_iter().flatten() {
        let resource = right.resource;
        let verbs = match resource {
            "leases" => "get,create,update",
            _ => "get,list,watch",
        };
        let full = match right.group {
            "" => resource.to_owned(),
            group => format!("{resource}.{group}"),
        };
        let (admin, namespace) = (&cluster.admin, word(&wanted.namespace));
        let name = format!("{}-{resource}", account.name);
        let name = word(&name);
        lacking = lacking
            .because([format!("its ServiceAccount {account} may not {right}")])
            .mended_by([
                format!("{admin} create role {name} -n {namespace} --verb={verbs} --resource={full}"),
                format!(
                    "{admin} create rolebinding {name} -n {namespace} --role={name} --serviceaccount={}",
                    word(&format!("{}:{}", account.namespace, account.name))
                ),
            ]);
    }
    Ok((lacking != *step).then_some(lacking))
}

/// The first right that an account lacks to do this with things of a namespace.
async fn missing_right(
    cluster: &Cluster,
    account: &Account,
    namespace: &str,
    group: &'static str,
    resource: &'static str,
    verbs: &[&'static str],
) -> Result<Option<Right>, ApiError> {
    let rights: Vec<Right> = verbs
        .iter()
        .map(|verb| Right {
            verb,
            ..Right::list(group, resource, Some(namespace))
        })
        .collect();
    let looks = rights.iter().map(|right| may_it(cluster, account, right));
    let looks = join_all(looks).await;
    for (right, answer) in rights.into_iter().zip(looks) {
        if !answer? {
            return Ok(Some(right));
        }
    }
    Ok(None)
}

/// The ports that a pod's containers declare.
pub(super) fn declared_ports(pod: &Pod) -> impl Iterator<Item = &ContainerPort> {
    let containers = pod.spec.iter().flat_map(|spec| &spec.containers);
    containers.flat_map(|container| container.ports.iter().flatten())
}

fn statuses(pod: &Pod) -> impl Iterator<Item = &ContainerStatus> {
    init_statuses(pod).chain(container_statuses(pod))
}

fn init_statuses(pod: &Pod) -> impl Iterator<Item = &ContainerStatus> {
    let status = pod.status.iter();
    status.flat_map(|status| status.init_container_statuses.iter().flatten())
}

fn container_statuses(pod: &Pod) -> impl Iterator<Item = &ContainerStatus> {
    let status = pod.status.iter();
    status.flat_map(|status| status.container_statuses.iter().flatten())
}

/// What keeps a pod that was to end, for whose end its successor may wait.
pub(super) fn held_up(pod: &Pod) -> Option<String> {
    let metadata = &pod.metadata;
    let since = metadata.deletion_timestamp.as_ref()?;
    let name = metadata.name.as_deref()?;
    Some(match metadata.finalizers.as_deref() {
        Some(held @ [_, ..]) => format!(
            "pod {name} was to end at {}, held by the finalizer {}",
            since.0,
            held.join(", ")
        ),
        _ => format!("pod {name} is to end at {}", since.0),
    })
}

/// Why a container waits, or how it ended of late.
fn trouble(replica: &Replica) -> Option<String> {
    let Replica { pod, target } = replica;
    let name = target.pod.full_name();
    if let Some(first) = still_initializing(pod) {
        let container = format!("pod {name}, init container {}", first.name);
        // Between two failures it runs, too.
        return Some(match failed_of_late(first) {
            Some(ended) => format!(
                "{container}: fails and is started anew, {} restarts, {}, and the others wait until it ends well",
                first.restart_count,
                end(ended)
            ),
            None => format!("{container}: runs and has not ended, which the others wait for"),
        });
    }
    let init = init_statuses(pod).map(|status| (status, failed_of_late(status)));
    // What is to run on should not end at all: that a probe has it ended again and again shows in no exit code.
    let others = container_statuses(pod).map(|status| {
        let ended = ended_of_late(status).filter(|_| status.restart_count > 0);
        (status, ended.or_else(|| failed_of_late(status)))
    });
    init.chain(others).find_map(|(status, of_late)| {
        let state = status.state.as_ref();
        let ended = ended(status);
        let container = format!("pod {name}, container {}", status.name);
        let end = ended.map_or(String::new(), |ended| format!(", {}", end(ended)));
        if let Some(waiting) = state.and_then(|state| state.waiting.as_ref()) {
            let reason = waiting.reason.as_deref().unwrap_or("waits");
            let message = waiting.message.as_deref().filter(|_| ended.is_none());
            let message = message.map_or(String::new(), |message| format!(": {message}"));
            return Some(format!("{container}: {reason}{end}{message}"));
        }
        of_late?;
        Some(format!(
            "{container}: {} restarts{end}",
            status.restart_count
        ))
    })
}

/// How a container ended that does not run, or how it did before it was started anew.
fn ended(status: &ContainerStatus) -> Option<&ContainerStateTerminated> {
    [status.state.as_ref(), status.last_state.as_ref()]
        .into_iter()
        .find_map(|state| state?.terminated.as_ref())
}

/// The same where it is news.
fn ended_of_late(status: &ContainerStatus) -> Option<&ContainerStateTerminated> {
    let is_recent = |time: &Time| Timestamp::now().duration_since(time.0) < RECENT;
    ended(status).filter(|ended| ended.finished_at.as_ref().is_some_and(is_recent))
}

/// The same where it is trouble: what ends well, as init containers do, is none.
fn failed_of_late(status: &ContainerStatus) -> Option<&ContainerStateTerminated> {
    ended_of_late(status).filter(|ended| ended.exit_code != 0)
}

fn end(ended: &ContainerStateTerminated) -> String {
    let reason = ended.reason.as_deref().unwrap_or("an end");
    format!("it ended with {reason} ({})", ended.exit_code)
}

/// The init container that runs; one that is restarted for good is a sidecar, for which nobody waits.
fn still_initializing(pod: &Pod) -> Option<&ContainerStatus> {
    let is_sidecar = |name: &str| {
        let specs = pod.spec.iter().flat_map(|spec| spec.init_containers.iter());
        specs.flatten().any(|container| {
            container.name == name && container.restart_policy.as_deref() == Some("Always")
        })
    };
    init_statuses(pod)
        .filter(|status| {
            status
                .state
                .as_ref()
                .is_some_and(|state| state.running.is_some())
        })
        .find(|status| !is_sidecar(&status.name))
}

fn elects_a_leader(replica: &Replica) -> bool {
    let mut containers = replica.pod.spec.iter().flat_map(|spec| &spec.containers);
    containers.any(|container| {
        let words = container
            .command
            .iter()
            .flatten()
            .chain(container.args.iter().flatten());
        words.map(|word| word.trim_start_matches('-')).any(|word| {
            let (flag, value) = word.split_once('=').unwrap_or((word, "true"));
            LEADER_FLAGS.contains(&flag) && value != "false"
        })
    })
}

fn images(replicas: &[Replica]) -> Vec<String> {
    let mut images: Vec<String> = replicas
        .iter()
        .filter_map(|replica| Some(format!("image {}", replica.target.pod.image.as_deref()?)))
        .collect();
    images.sort();
    images.dedup();
    images
}

/// What Kubernetes warned of last, each kind once.
async fn events(cluster: &Cluster, target: &Target) -> Vec<String> {
    let (namespace, name) = target.key();
    let api: Api<Event> = Api::namespaced(cluster.client.clone(), &namespace);
    let params = ListParams::default().fields(&format!("involvedObject.name={name},type=Warning"));
    let right = Right::list("", "events", Some(&namespace));
    let Ok(mut list) = cluster.ask(right, api.list(&params)).await else {
        return Vec::new();
    };
    list.items.sort_by_key(|event| {
        let seen = event.last_timestamp.as_ref().map(|time| time.0);
        std::cmp::Reverse(seen.or(event.event_time.as_ref().map(|time| time.0)))
    });
    // Readiness and liveness fail under one reason, with numbers in their messages that differ from time to time.
    let mut kinds: Vec<String> = Vec::new();
    let mut lines = Vec::new();
    for event in &list.items {
        let reason = event.reason.as_deref().unwrap_or_default();
        let message = event.message.as_deref().unwrap_or_default();
        let kind = format!("{reason} {}", message.split(' ').next().unwrap_or_default());
        if BESIDE_THE_POINT.contains(&reason) || kinds.contains(&kind) {
            continue;
        }
        kinds.push(kind);
        lines.push(format!("{reason}: {message}"));
    }
    lines.truncate(EVENTS);
    lines
}

/// The last words of the container that has trouble, of its run before if it runs anew.
async fn log(cluster: &Cluster, pod: &Pod, target: &Target) -> Vec<String> {
    let (namespace, name) = target.key();
    let Some(status) = statuses(pod).find(|status| !status.ready) else {
        return Vec::new();
    };
    let api: Api<Pod> = Api::namespaced(cluster.client.clone(), &namespace);
    let params = LogParams {
        container: Some(status.name.clone()),
        previous: status.restart_count > 0,
        tail_lines: Some(LOG_LINES),
        ..LogParams::default()
    };
    let right = Right::get("", "pods/log", &namespace, &name);
    let log = cluster
        .ask(right, api.logs(&name, &params))
        .await
        .unwrap_or_default();
    log.lines()
        .filter(|line| !line.trim().is_empty())
        .map(|line| format!("log: {}", line.trim()))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, from_value};

    /// What is said of a pod whose init container runs, and ended like this before.
    fn trouble_after(last: Value, restarts: u32) -> Option<String> {
        let pod: Pod = from_value(json!({
            "metadata": { "name": "epp-a", "namespace": "llm" },
            "spec": { "containers": [], "initContainers": [{ "name": "wait" }] },
            "status": {
                "phase": "Pending",
                "initContainerStatuses": [{
                    "name": "wait", "image": "", "imageID": "", "ready": false, "restartCount": restarts,
                    "state": { "running": {} }, "lastState": last,
                }],
            },
        }))
        .expect("a pod");
        trouble(&Replica::of(&pod).expect("it lives"))
    }

    fn ended(code: i32, ago: SignedDuration) -> Value {
        let time = (Timestamp::now() - ago).to_string();
        json!({ "terminated": { "exitCode": code, "reason": "Error", "finishedAt": time } })
    }

    #[test]
    fn an_init_container_that_fails_again_and_again_may_run_when_it_is_looked_at() {
        let said = [
            trouble_after(json!({}), 0),
            trouble_after(ended(7, SignedDuration::from_secs(40)), 3),
            // Its node was restarted, say, and then it hung.
            trouble_after(ended(0, SignedDuration::from_secs(40)), 1),
            trouble_after(ended(7, SignedDuration::from_hours(2)), 1),
        ];

        let runs = "runs and has not ended, which the others wait for";
        let fails = "fails and is started anew, 3 restarts, it ended with Error (7), and the others wait until it ends well";
        let expected = [runs, fails, runs, runs]
            .map(|what| Some(format!("pod llm/epp-a, init container wait: {what}")));
        assert_eq!(said, expected);
    }
}
