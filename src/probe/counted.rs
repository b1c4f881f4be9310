//! What pickers have counted before and after the requests → verdicts. Pure.

use std::collections::BTreeMap;

use super::{Answers, Probe};
use crate::exposition::Value;
use crate::report::{PodSample, since};
use crate::snapshot::Snapshot;
use crate::verdict::{Finding, Reason, Seen, Verdict, not_whole};
use crate::vocabulary::Signal;

/// What pods said around the requests.
#[derive(Debug, Clone, Copy)]
pub struct Looks<'a> {
    /// A while before them.
    pub idle: &'a [PodSample],
    /// Right before them.
    pub before: &'a [PodSample],
    /// Once they were counted, or time was out.
    pub after: &'a [PodSample],
    /// A while after.
    pub later: &'a [PodSample],
}

/// That all requests were answered well, and that exactly they were counted.
pub fn verdicts(probe: &Probe, answers: &Answers, looks: &Looks<'_>) -> Vec<Verdict> {
    let n = probe.count;
    let requests = if n == 1 { "request" } else { "requests" };
    let model = format!("{:?}", probe.model);
    vec![
        Verdict::of(
            format!("probe: {n} {requests} of {model} answered"),
            vec![answered(answers)],
        ),
        Verdict::of(
            format!("probe: {n} {requests} of {model} counted"),
            vec![counted(probe, looks, Signal::Requests)],
        ),
        Verdict::of(
            format!("probe: {n} durations of {model} counted"),
            vec![counted(probe, looks, Signal::Latency)],
        ),
    ]
}

/// Whether so many requests and their durations have been counted as were sent, or more.
pub(crate) fn has_arrived(probe: &Probe, before: &[PodSample], after: &[PodSample]) -> bool {
    [Signal::Requests, Signal::Latency].iter().all(|signal| {
        let increase = increase(before, after, &probe.model, *signal);
        increase.is_ok_and(|by_names| total(&by_names) >= f64::from(probe.count))
    })
}

fn answered(answers: &Answers) -> Finding {
    let well = answers.failures.is_empty()
        && answers
            .statuses
            .keys()
            .all(|status| (200..300).contains(status));
    let statuses = answers
        .statuses
        .iter()
        .map(|(status, n)| format!("{n} × {status}"));
    let failures = answers
        .failures
        .iter()
        .map(|(why, n)| format!("{n} × {why}"));
    let said: Vec<String> = statuses.chain(failures).collect();
    Finding::decided(well, Seen::Words(said.join(", ")))
}

fn counted(probe: &Probe, looks: &Looks<'_>, signal: Signal) -> Finding {
    let model = &probe.model;
    let sent = f64::from(probe.count);
    let of = |before, after| increase(before, after, model, signal);
    let by_names = match of(looks.before, looks.after) {
        Ok(by_names) => by_names,
        Err(reason) => return Finding::inconclusive(reason),
    };
    let around = [of(looks.idle, looks.before), of(looks.after, looks.later)];
    let [idle, afterwards] = around
        .each_ref()
        .map(|around| around.as_ref().map(total).unwrap_or(f64::NAN));
    let others = idle > 0.0;
    let finding = match of(looks.before, looks.later) {
        // Where others were quiet before, all may be of these requests.
        Ok(by_names) if idle == 0.0 && afterwards > 0.0 => {
            let finding = judged(signal, sent, &by_names, false);
            let times = total(&by_names) / sent;
            // Of a single one, everything is a multiple.
            match times == 1.0 || (sent > 1.0 && times.fract() == 0.0) {
                true => finding,
                false => finding.of_a_part(&Reason::CountedLater),
            }
        }
        _ => judged(signal, sent, &by_names, others),
    };
    match around.into_iter().find_map(Result::err) {
        Some(reason) => finding.doubted(&reason),
        None => finding,
    }
}

fn judged(
    signal: Signal,
    sent: f64,
    by_names: &BTreeMap<&'static str, f64>,
    others: bool,
) -> Finding {
    let told: Vec<String> = by_names
        .iter()
        .filter(|(_, n)| **n > 0.0)
        .map(|(name, n)| format!("{n} in {name}"))
        .collect();
    let told = match told.is_empty() {
        true => "none".to_owned(),
        false => told.join(", "),
    };
    let one = by_names.values().filter(|n| **n > 0.0).count() == 1;
    let total = total(by_names);
    if total.is_nan() {
        return Finding::inconclusive(Reason::NoObservation);
    }
    match (one, others) {
        (true, false) => Finding::decided(total == sent, Seen::Words(told)),
        (true, true) => Finding::decided(
            total >= sent,
            Seen::Words(format!(
                "at least {sent}: {told}, with other traffic of this model"
            )),
        ),
        (false, _) => {
            let why = match signal {
                Signal::Latency if total == 0.0 => {
                    ": does the gateway send response bodies to the picker?"
                }
                _ => "",
            };
            Finding::decided(false, Seen::Words(format!("{told}{why}")))
        }
    }
}

/// The increase of a model's counts by the name that they were counted under.
///
/// # Errors
/// Why it is not known, or only in part.
fn increase(
    before: &[PodSample],
    after: &[PodSample],
    model: &str,
    signal: Signal,
) -> Result<BTreeMap<&'static str, f64>, Reason> {
    let mut doubt = before.iter().chain(after).find_map(not_whole);
    let before: Vec<&PodSample> = before.iter().collect();
    let mut by_name = BTreeMap::new();
    let gone = before
        .iter()
        .filter(|then| after.iter().all(|now| now.id != then.id));
    let mut missing: Vec<String> = gone.map(|then| format!("{} is gone", then.name)).collect();
    let of = after.len() + missing.len();
    for pod in after {
        let increase = match &pod.outcome {
            Ok(snapshot) => since(pod, snapshot, &before),
            Err(why) => Err(why.clone()),
        };
        match increase {
            Ok(increase) => {
                if increase.restarted {
                    let pod = pod.name.clone();
                    doubt.get_or_insert(Reason::Restarted { pod });
                }
                add(&mut by_name, &increase.snapshot, model, signal);
            }
            Err(why) => missing.push(format!("{}: {why}", pod.name)),
        }
    }
    match (missing.first(), doubt) {
        (None, None) => Ok(by_name),
        (None, Some(doubt)) => Err(doubt),
        (Some(first), _) => Err(Reason::PodsMissing {
            count: missing.len(),
            of,
            first: first.clone(),
        }),
    }
}

fn add(
    by_name: &mut BTreeMap<&'static str, f64>,
    snapshot: &Snapshot,
    model: &str,
    signal: Signal,
) {
    let Some(reading) = snapshot.get(signal) else {
        return;
    };
    for (key, value) in &reading.series {
        if key.model.as_deref() != Some(model) {
            continue;
        }
        *by_name.entry(reading.name.name).or_default() += match value {
            Value::Number(n) => *n,
            Value::Histogram(histogram) => histogram.observations().unwrap_or(0.0),
        };
    }
}

fn total(by_name: &BTreeMap<&'static str, f64>) -> f64 {
    by_name.values().sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::verdict::Outcome;
    use jiff::Timestamp;
    use std::time::Duration;

    /// A pod that has counted so many requests of `m` by these names, so many seconds after 1970.
    fn pod(id: &str, at: i64, counts: &[(&str, u32)]) -> PodSample {
        let text: String = counts
            .iter()
            .map(|(name, n)| format!("{name}_request_total{{model_name=\"m\"}} {n}\n"))
            .collect();
        said(id, at, &text)
    }

    fn said(id: &str, at: i64, text: &str) -> PodSample {
        PodSample {
            name: id.to_owned(),
            id: id.to_owned(),
            pool: None,
            picker: None,
            ready: None,
            holds_lease: None,
            at: Timestamp::from_second(at).expect("within all years"),
            dated: true,
            outcome: Snapshot::read(text.as_bytes()).map_err(|e| e.to_string()),
        }
    }

    fn five() -> Probe {
        Probe {
            count: 5,
            url: reqwest::Url::parse("http://gateway/v1/completions").expect("a URL"),
            model: "m".to_owned(),
            stream: false,
            headers: reqwest::header::HeaderMap::new(),
            ca_file: None,
            time: Duration::from_secs(1),
        }
    }

    /// What five requests come to at these looks.
    fn found([idle, before, after, later]: [&[PodSample]; 4]) -> Finding {
        let looks = Looks {
            idle,
            before,
            after,
            later,
        };
        counted(&five(), &looks, Signal::Requests)
    }

    /// How it comes out where one pod has counted so many requests at the four looks.
    fn judged(counts: [u32; 4]) -> Outcome {
        let at = |look: usize| [pod("a", look as i64, &[("llm_d_epp", counts[look])])];
        found([&at(0), &at(1), &at(2), &at(3)]).outcome
    }

    #[test]
    fn exactly_those_that_were_sent_unless_others_send_too() {
        let outcomes = [
            judged([10, 10, 15, 15]),
            judged([10, 10, 14, 14]),
            judged([10, 10, 20, 20]),
            judged([10, 11, 20, 20]),
            judged([10, 10, 17, 19]),
            judged([10, 11, 15, 15]),
            judged([10, 10, 10, 10]),
            // Others were quiet before, so these are counted twice, or late.
            judged([10, 10, 15, 20]),
            judged([10, 10, 13, 15]),
            judged([10, 10, 15, 17]),
        ];
        use Outcome::{Fail, Inconclusive, Pass};
        assert_eq!(
            outcomes,
            [
                Pass,
                Fail,
                Fail,
                Pass,
                Inconclusive,
                Fail,
                Fail,
                Fail,
                Pass,
                Inconclusive
            ]
        );
    }

    #[test]
    fn what_is_not_whole_or_restarted_proves_nothing() {
        let judged = |more: &str, starts: [u32; 2]| {
            let at = |look: i64, n: u32, start: u32| {
                let count = format!("llm_d_epp_request_total{{model_name=\"m\"}} {n}\n");
                let start = format!("process_start_time_seconds {start}\n");
                [said("a", look, &format!("{count}{start}{more}"))]
            };
            let [then, now] = starts;
            let finding = found([
                &at(0, 10, then),
                &at(1, 10, then),
                &at(2, 15, now),
                &at(3, 15, now),
            ]);
            (finding.outcome, finding.reason)
        };
        let pod = || "a".to_owned();
        let not_whole = (Outcome::Inconclusive, Some(Reason::NotWhole { pod: pod() }));
        assert_eq!(
            [
                judged("", [1, 1]),
                judged("llm_d_epp_request_total{model_name=\"m\"} 7\n", [1, 1]),
                judged("this is garbage!! {{{\n", [1, 1]),
                judged("llm_d_epp_ready_endpoints 2", [1, 1]),
                judged("", [1, 51]),
            ],
            [
                (Outcome::Pass, None),
                not_whole.clone(),
                not_whole.clone(),
                not_whole,
                (
                    Outcome::Inconclusive,
                    Some(Reason::Restarted { pod: pod() })
                ),
            ]
        );
    }

    #[test]
    fn what_a_pod_that_is_gone_has_counted_is_not_known() {
        let counts = |n| [("llm_d_epp", n)];
        let before = [pod("a", 0, &counts(1)), pod("b", 0, &counts(1))];
        let after = [pod("a", 1, &counts(6))];
        let finding = found([&before, &before, &after, &after]);
        assert_eq!(
            (finding.outcome, finding.reason),
            (
                Outcome::Inconclusive,
                Some(Reason::PodsMissing {
                    count: 1,
                    of: 2,
                    first: "b is gone".to_owned()
                })
            )
        );
    }

    #[test]
    fn counters_of_two_generations_are_not_added() {
        let before = [
            pod("a", 0, &[("llm_d_epp", 1)]),
            pod("b", 0, &[("inference_model", 1)]),
        ];
        let after = [
            pod("a", 1, &[("llm_d_epp", 4)]),
            pod("b", 1, &[("inference_model", 3)]),
        ];
        let finding = found([&before, &before, &after, &after]);
        assert_eq!(
            finding.seen,
            Some(Seen::Words(
                "2 in inference_model_request_total, 3 in llm_d_epp_request_total".to_owned()
            ))
        );
        assert_eq!(finding.outcome, Outcome::Fail);
    }

    #[test]
    fn an_answer_that_is_an_error_fails() {
        let outcome = |statuses: &[(u16, u32)], failures: &[(&str, u32)]| {
            let answers = Answers {
                statuses: statuses.iter().copied().collect(),
                failures: failures
                    .iter()
                    .map(|(why, n)| ((*why).to_owned(), *n))
                    .collect(),
            };
            answered(&answers).outcome
        };
        assert_eq!(
            [
                outcome(&[(200, 5)], &[]),
                outcome(&[(200, 4), (503, 1)], &[]),
                outcome(&[(200, 4)], &[("connection refused", 1)]),
            ],
            [Outcome::Pass, Outcome::Fail, Outcome::Fail]
        );
    }
}
