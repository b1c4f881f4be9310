//! Families, labels and builds.

use std::collections::{BTreeMap, BTreeSet};

use crate::diff::builds;
use crate::exposition::Kind;
use crate::few::few;
use crate::report::{Ask, PodSample, report};
use crate::shape::Shape;
use crate::snapshot::Snapshot;
use crate::verdict::{Evidence, Finding, Reason, Seen, Verdict};
use crate::vocabulary::{self, Scope, Signal};

/// So many names are told.
const TOLD: usize = 5;
/// So many pods are told with a name.
const TOLD_PODS: usize = 3;

/// What pods called things.
#[derive(Debug, Clone)]
pub struct Names {
    /// Families and labels of any pod.
    all: Shape,
    /// Those of every pod that had served requests, or of every pod where none had: what each pod must have.
    each: Shape,
    builds: BTreeSet<String>,
}

impl Names {
    /// Those of pods with these shapes.
    pub(crate) fn of(pods: &[PodSample], shapes: &[Shape]) -> Self {
        let read = pods_of(pods, shapes);
        let any_serves = read.iter().any(|pod| pod.serves);
        let mut those = read.iter().filter(|pod| pod.serves || !any_serves);
        let mut each = those
            .next()
            .map_or_else(Shape::default, |pod| pod.shape.clone());
        those.for_each(|pod| each.keep_common(pod.shape));
        Self {
            all: together(&read),
            each,
            builds: builds(pods),
        }
    }

    /// That pods have the same now.
    pub(super) fn compare(&self, evidence: &Evidence<'_>, shapes: &[Shape]) -> Vec<Verdict> {
        let pods = pods_of(evidence.now, shapes);
        let mut verdicts = vec![families(self, &pods), labels(self, &pods)];
        verdicts.extend(build(&self.builds, evidence));
        verdicts
    }
}

/// A pod that was read.
struct Pod<'a> {
    name: &'a str,
    shape: &'a Shape,
    /// It has ended requests, so that every family of requests must be there.
    serves: bool,
    /// Another one leads, so that it has neither requests nor a view of the pool.
    stands_by: bool,
}

fn pods_of<'a>(pods: &'a [PodSample], shapes: &'a [Shape]) -> Vec<Pod<'a>> {
    let lines = report(pods, None, &Ask::about([])).pods;
    let all = pods.iter().zip(shapes).zip(lines);
    all.filter_map(|((sample, shape), line)| {
        let snapshot = sample.outcome.as_ref().ok()?;
        Some(Pod {
            name: &sample.name,
            shape,
            serves: serves(snapshot),
            stands_by: line.leader == Some(false),
        })
    })
    .collect()
}

/// Refused requests, and those in flight, are in some families only.
fn serves(snapshot: &Snapshot) -> bool {
    match snapshot.total(Signal::Requests) {
        Some(requests) => requests > snapshot.total(Signal::InFlight).unwrap_or(0.0),
        None => snapshot.get(Signal::Latency).is_some(),
    }
}

fn together(pods: &[Pod<'_>]) -> Shape {
    let mut all = Shape::default();
    pods.iter().for_each(|pod| all.merge(pod.shape));
    all
}

/// What became of a family that is not there.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum Fate {
    Renamed(String),
    Lost,
    Unseen,
}

/// That no family is lost or goes by another name, on any pod.
fn families(old: &Names, pods: &[Pod<'_>]) -> Verdict {
    let (mut renamed, mut lost, mut unseen) = (Vec::new(), Vec::new(), Vec::new());
    let mut zero = Vec::new();
    let names = old.all.families();
    for name in names.filter(|name| vocabulary::is_picker_name(name)) {
        let lacking: Vec<&Pod<'_>> = pods.iter().filter(|pod| !pod.shape.has(name)).collect();
        let mut fates: BTreeMap<Fate, Vec<String>> = BTreeMap::new();
        if lacking.len() == pods.len() {
            match (fate(name, pods), heir(old, name, pods)) {
                (Some(fate), _) => {
                    fates.insert(fate, Vec::new());
                }
                (None, Some(other)) => unseen.push(format!("{name} (is it {other} now?)")),
                (None, None) => zero.push(name.to_owned()),
            }
        } else if old.each.has(name) {
            for pod in lacking {
                if let Some(fate) = fate_on_one(name, pod) {
                    fates.entry(fate).or_default().push(pod.name.to_owned());
                }
            }
        }
        for (fate, pods) in fates {
            match fate {
                Fate::Renamed(other) => renamed.push(on(format!("{name} → {other}"), &pods)),
                Fate::Lost => lost.push(on(name.to_owned(), &pods)),
                Fate::Unseen => unseen.push(on(name.to_owned(), &pods)),
            }
        }
    }
    let mut findings = Vec::new();
    for (what, names) in [("renamed", renamed), ("lost", lost)] {
        if !names.is_empty() {
            let said = format!("{what}: {}", few(&names, TOLD));
            findings.push(Finding::decided(false, Seen::Words(said)));
        }
    }
    if !unseen.is_empty() {
        findings.push(Finding::inconclusive(Reason::NotSeenYet(few(
            &unseen, TOLD,
        ))));
    }
    if findings.is_empty() {
        let said = match zero.is_empty() {
            true => "all are there".to_owned(),
            false => format!(
                "all are there; no series of {} now, taken as 0",
                few(&zero, TOLD)
            ),
        };
        findings.push(Finding::decided(true, Seen::Words(said)));
    }
    Verdict::of("baseline: metric families".to_owned(), findings)
}

/// What became of a family that no pod has; `None` where that says nothing.
fn fate(name: &str, pods: &[Pod<'_>]) -> Option<Fate> {
    let mut others = vocabulary::other_names(name).into_iter();
    if let Some(other) = others.find(|other| pods.iter().any(|pod| pod.shape.has(other))) {
        return Some(Fate::Renamed(other));
    }
    let Some((entry, _)) = vocabulary::lookup(name) else {
        // Inner workings, of which some come with events that may not have happened.
        return Some(Fate::Unseen);
    };
    let comes_with_requests = entry.scope == Scope::Model || entry.kind == Kind::Histogram;
    match entry.signal {
        // Without a series there was none of them.
        Signal::Errors | Signal::Cancelled => None,
        signal if is_of_some_requests(signal) => Some(Fate::Unseen),
        _ if comes_with_requests && !pods.iter().any(|pod| pod.serves) => Some(Fate::Unseen),
        _ => Some(Fate::Lost),
    }
}

/// A family that nobody knows, and that has all the labels of one that is not there: it may be the same by another name.
fn heir<'a>(old: &Names, name: &str, pods: &[Pod<'a>]) -> Option<&'a str> {
    let labels = old.all.labels(name).filter(|labels| !labels.is_empty())?;
    let families = pods.iter().flat_map(|pod| {
        let shape = pod.shape;
        shape.families().filter(|family| {
            shape
                .labels(family)
                .is_some_and(|have| have.is_superset(labels))
        })
    });
    families
        .filter(|family| vocabulary::is_picker_name(family))
        .find(|family| vocabulary::lookup(family).is_none() && !old.all.has(family))
}

/// What became of a family that another pod has.
fn fate_on_one(name: &str, pod: &Pod<'_>) -> Option<Fate> {
    let fate = fate(name, std::slice::from_ref(pod))?;
    let entry = vocabulary::lookup(name).map(|(entry, _)| entry);
    match (fate, entry) {
        (Fate::Renamed(other), _) => Some(Fate::Renamed(other)),
        // What comes with some events only need not have come here.
        (Fate::Unseen, None) => None,
        (Fate::Unseen, Some(entry)) if is_of_some_requests(entry.signal) => None,
        (_, Some(entry)) if pod.stands_by && entry.signal != Signal::Build => None,
        (fate, _) => Some(fate),
    }
}

/// A name with the pods that it is about, where these are not all.
fn on(name: String, pods: &[String]) -> String {
    match pods.is_empty() {
        true => name,
        false => format!("{name} ({})", few(pods, TOLD_PODS)),
    }
}

/// That no family has lost a label, on any pod.
fn labels(old: &Names, pods: &[Pod<'_>]) -> Verdict {
    let mut changes = Vec::new();
    let mut told = BTreeSet::new();
    let mut tell = |now: &Shape, then: &Shape, pod: Option<&str>| {
        let relabelled = now.since(then).relabelled.into_iter();
        for family in relabelled.filter(|family| vocabulary::is_picker_name(&family.family)) {
            let new = |label: &String| {
                pod.is_none() || !told.contains(&(family.family.clone(), label.clone()))
            };
            let lost: Vec<String> = family
                .lost
                .iter()
                .filter(|label| new(label))
                .cloned()
                .collect();
            if lost.is_empty() {
                continue;
            }
            let signs = lost.iter().map(|label| format!(" -{label}"));
            let gained = family.gained.iter().map(|label| format!(" +{label}"));
            let signs: String = signs.chain(gained).collect();
            let pods: Vec<String> = pod.iter().map(|pod| (*pod).to_owned()).collect();
            changes.push(on(format!("{}{signs}", family.family), &pods));
            if pod.is_none() {
                told.extend(lost.into_iter().map(|label| (family.family.clone(), label)));
            }
        }
    };
    tell(&together(pods), &old.all, None);
    for pod in pods {
        tell(pod.shape, &old.each, Some(pod.name));
    }
    let said = match changes.is_empty() {
        true => "none is lost".to_owned(),
        false => few(&changes, TOLD),
    };
    let finding = Finding::decided(changes.is_empty(), Seen::Words(said));
    Verdict::of("baseline: labels".to_owned(), vec![finding])
}

/// Whether it is another build: nothing that is wrong, but told. `None` where no picker says.
fn build(old: &BTreeSet<String>, evidence: &Evidence<'_>) -> Option<Verdict> {
    let now = builds(evidence.now);
    if old.is_empty() && now.is_empty() {
        return None;
    }
    let text = |builds: &BTreeSet<String>| match builds.is_empty() {
        true => "unknown".to_owned(),
        false => builds.iter().cloned().collect::<Vec<_>>().join(", "),
    };
    let said = match *old == now {
        true => format!("{}, as before", text(&now)),
        false => format!("changed: {} → {}", text(old), text(&now)),
    };
    let finding = Finding::decided(true, Seen::Words(said));
    Some(Verdict::of("baseline: build".to_owned(), vec![finding]))
}

/// Not every request is streamed, or has cached tokens.
fn is_of_some_requests(signal: Signal) -> bool {
    use Signal::{
        CachedTokens, InterTokenLatency, OutputTokens, TimePerOutputToken, TimeToFirstToken,
    };
    matches!(
        signal,
        TimeToFirstToken | TimePerOutputToken | InterTokenLatency | CachedTokens | OutputTokens
    )
}
