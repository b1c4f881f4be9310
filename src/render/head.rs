//! The lines above a report's table: who was read, over what time, and what is known of the pool.

use std::fmt::Write;

use super::number;
use crate::{
    report::{Distribution, PodLine, Report, Span},
    visible::visible,
    vocabulary::Signal,
};

/// One line for each picker: pool, pods, names, span.
pub(super) fn head(report: &Report, dated: bool) -> Vec<String> {
    let mut pickers: Vec<(Option<&str>, Option<&str>, Vec<&PodLine>)> = Vec::new();
    for pod in &report.pods {
        let (pool, picker) = (pod.pool.as_deref(), pod.picker.as_deref());
        match pickers
            .iter_mut()
            .find(|(p, q, _)| (*p, *q) == (pool, picker))
        {
            Some((.., pods)) => pods.push(pod),
            None => pickers.push((pool, picker, vec![pod])),
        }
    }
    pickers
        .into_iter()
        .map(|(pool, picker, pods)| {
            let mut parts = Vec::new();
            if let Some(pool) = pool {
                parts.push(visible(pool).into_owned());
            }
            parts.push(who(picker, &pods));
            let mut generations: Vec<_> = pods.iter().filter_map(|p| p.generation).collect();
            generations.sort_unstable();
            generations.dedup();
            if !generations.is_empty() {
                let names: Vec<_> = generations.iter().rev().map(ToString::to_string).collect();
                parts.push(format!("names {}", names.join(", ")));
            }
            parts.push(when(report.span, &pods));
            if dated {
                parts.push(format!("at {:.0}", report.at));
            }
            if pods.iter().all(|p| p.failure.is_none() && !p.has_traffic) {
                parts.push("no request yet".to_owned());
            }
            parts.join("  ")
        })
        .collect()
}

/// `picker qwen-epp: 2 pods, leader qwen-epp-7f9c4-x2`
fn who(picker: Option<&str>, pods: &[&PodLine]) -> String {
    let leader = pods.iter().find(|p| p.leader == Some(true));
    match (picker, pods) {
        (None, [pod]) => visible(&pod.name).into_owned(),
        (Some(picker), [pod]) if stands_for(pod, picker) => {
            format!("picker {}: no pod", visible(picker))
        }
        (picker, pods) => {
            let picker = picker
                .map(|p| format!("picker {}: ", visible(p)))
                .unwrap_or_default();
            let mut text = format!("{picker}{}", plural(pods.len(), "pod"));
            let failed = pods.iter().filter(|p| p.failure.is_some()).count();
            if failed > 0 {
                let _ = write!(text, ", {failed} unread");
            }
            if let (Some(leader), true) = (leader, pods.len() > 1) {
                let _ = write!(
                    text,
                    ", leader {}",
                    visible(leader.name.rsplit('/').next().unwrap_or(&leader.name))
                );
            }
            text
        }
    }
}

/// Whether it is no pod, but stands for a picker without one: pods have other names than their Service.
fn stands_for(pod: &PodLine, picker: &str) -> bool {
    pod.failure.is_some() && pod.ready.is_none() && pod.name.rsplit('/').next() == Some(picker)
}

/// `since start, 3h12m` or `last 10s`
fn when(span: Span, pods: &[&PodLine]) -> String {
    match span {
        Span::Window(seconds) => format!("last {}", number::span(seconds)),
        Span::SinceStart => {
            let up = || pods.iter().filter_map(|p| p.up);
            let (shortest, longest) =
                (up().fold(f64::INFINITY, f64::min), up().fold(0.0, f64::max));
            let (shortest, longest) = (number::span(shortest), number::span(longest));
            if up().count() == 0 {
                "since start".to_owned()
            } else if shortest == longest {
                format!("since start, {longest}")
            } else {
                format!("since start, {shortest} to {longest}")
            }
        }
    }
}

/// `pool: ready endpoints 8, queue 0.50 (by llm/qwen-epp-7f9c4-x2)`
pub(super) fn pool_line(report: &Report) -> Option<String> {
    let from = report
        .pool
        .from
        .as_deref()
        .filter(|_| !report.pool.gauges.is_empty())?;
    let gauge = |(signal, n): (&Signal, &f64)| {
        let entry = signal.entry();
        format!("{} {}", words(entry.title), number::value(*n, entry.unit))
    };
    let gauges: Vec<String> = report.pool.gauges.iter().map(gauge).collect();
    Some(format!(
        "pool: {} (by {})",
        gauges.join(", "),
        visible(from)
    ))
}

/// `overhead: scheduler mean 120µs`
pub(super) fn overhead_line(report: &Report) -> Option<String> {
    let mean = |(signal, d): (&Signal, &Distribution)| {
        let entry = signal.entry();
        Some(format!(
            "{} mean {}",
            words(entry.title),
            number::value(d.mean?, entry.unit)
        ))
    };
    let means: Vec<String> = report.overhead.iter().filter_map(mean).collect();
    (!means.is_empty()).then(|| format!("overhead: {}", means.join(", ")))
}

fn words(title: &str) -> String {
    title.replace('_', " ")
}

fn plural(n: usize, noun: &str) -> String {
    if n == 1 {
        format!("1 {noun}")
    } else {
        format!("{n} {noun}s")
    }
}
