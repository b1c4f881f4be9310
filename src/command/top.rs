//! `igctl metrics top`: look, compare with an earlier look, show.

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    io::{self, Write},
    time::Duration,
};

use tokio::time;

use super::end::Ending;
use super::look::{Look, Opened};
use super::or_enough;
use crate::{
    cause,
    collect::Collector,
    config::{Pace, Source, TopConfig},
    error::{Error, PARTIAL},
    render::{self, Form, screen, screen::Screen, table::Layout},
    report::{Ask, Dimension, PodSample, Report, report},
};

/// In how many steps at least a window moves on.
const WINDOW_STEPS: u32 = 60;

pub(super) async fn run(config: TopConfig) -> Result<u8, Error> {
    let opened = Opened::open(&config.input, config.pace == Pace::Once).await?;
    show(&opened.source, &config).await
}

async fn show(source: &Source, config: &TopConfig) -> Result<u8, Error> {
    let mut collector = Collector::open(source).await?;
    match config.pace {
        Pace::Once => {
            let now = Look::take(&mut collector).await;
            now.tell();
            now.print(None, config)
        }
        Pace::Window(window) => {
            let (before, now) = Look::two(&mut collector, window).await?;
            now.print(Some(&before.pods.iter().collect::<Vec<_>>()), config)
        }
        Pace::Watch { interval, back } => watch(&mut collector, interval, back, config).await,
    }
}

/// Shows a report at each interval until Ctrl-C.
async fn watch(
    collector: &mut Collector,
    interval: Duration,
    back: Duration,
    config: &TopConfig,
) -> Result<u8, Error> {
    // The first look decides whether there is anything to watch; later ones may fail and recover.
    let first = Look::take(collector).await.or_failure()?;
    let in_place = screen::width().is_some() && matches!(config.form, Form::Table | Form::Wide);
    let mut ending = Ending::hear()?;
    let screen = if in_place {
        Some(Screen::open()?)
    } else {
        None
    };
    let mut ticks = time::interval(interval);
    ticks.set_missed_tick_behavior(time::MissedTickBehavior::Delay);
    ticks.tick().await;
    let mut looks = VecDeque::from([first]);
    let mut shown = String::new();
    let ended = loop {
        let drawn = match &screen {
            Some(screen) => {
                shown = frame(&looks, config)?;
                screen.show(&shown)
            }
            None => line(&looks, config),
        };
        if let Err(e) = drawn {
            break Err(e);
        }
        // A look is part of what Ctrl-C interrupts: a pod that does not answer must not hold it up.
        tokio::select! {
            ended = ending.come() => break ended,
            look = async { ticks.tick().await; Look::take(collector).await } => looks.push_back(look),
        }
        let newest = looks.back().map(|l| l.at);
        while looks.len() > 2
            && newest.is_some_and(|now| now.duration_since(looks[1].at).unsigned_abs() >= back)
        {
            looks.pop_front();
        }
        thin_out(&mut looks, back);
    };
    drop(screen);
    // What was last seen stays in the terminal's scrollback.
    io::stdout().write_all(shown.as_bytes())?;
    ended?;
    Ok(0)
}

/// One picture of the screen.
fn frame(looks: &VecDeque<Look>, config: &TopConfig) -> io::Result<String> {
    let mut report = current(looks, config);
    let notices = looks.iter().flat_map(|look| look.notices.iter().cloned());
    report.notes.extend(notices);
    let mut text = Vec::new();
    render::write(&report, config.form, layout(config), true, &mut text)?;
    Ok(String::from_utf8_lossy(&text).into_owned())
}

fn line(looks: &VecDeque<Look>, config: &TopConfig) -> io::Result<()> {
    if let Some(look) = looks.back() {
        look.tell();
    }
    let report = current(looks, config);
    let out = &mut io::stdout().lock();
    render::write(&report, config.form, layout(config), true, out)
}

/// The report of the last look, over the window that the others begin.
fn current(looks: &VecDeque<Look>, config: &TopConfig) -> Report {
    let now = looks.back().expect("the newest look is always kept");
    let before = baseline(looks);
    let before = (looks.len() > 1).then_some(&before[..]);
    let mut report = now.report(before, config);
    report.notes.extend(gaps(looks));
    report
}

/// Lets go of a pod's sample at the last look but one, where another of it shortly before can begin a window as well:
/// memory is bounded by the window's steps, however often pods are read.
fn thin_out(looks: &mut VecDeque<Look>, back: Duration) {
    let Some(last_but_one) = looks.len().checked_sub(2) else {
        return;
    };
    let at = looks[last_but_one].at;
    let is_shortly_before =
        |look: &&Look| at.duration_since(look.at).unsigned_abs() < back / WINDOW_STEPS;
    let earlier = looks.range(..last_but_one).rev();
    let read = earlier
        .take_while(is_shortly_before)
        .flat_map(|look| &look.pods)
        .filter(|pod| pod.outcome.is_ok());
    let kept: BTreeSet<String> = read.map(|pod| pod.id.clone()).collect();
    looks[last_but_one]
        .pods
        .retain(|pod| pod.outcome.is_err() || !kept.contains(&pod.id));
}

/// For each pod of the window its earliest sample that can be compared with.
fn baseline(looks: &VecDeque<Look>) -> Vec<&PodSample> {
    let mut baseline: BTreeMap<&str, &PodSample> = BTreeMap::new();
    for sample in looks
        .iter()
        .take(looks.len() - 1)
        .flat_map(|look| &look.pods)
    {
        let have = baseline.entry(&sample.id).or_insert(sample);
        if have.outcome.is_err() && sample.outcome.is_ok() {
            *have = sample;
        }
    }
    baseline.into_values().collect()
}

/// What is said of the pods that are read again, but were not at every look. Counts only grow, so an increase
/// over a gap is whole; when within it they were counted is not known.
fn gaps(looks: &VecDeque<Look>) -> Vec<String> {
    let read_now = |pod: &&PodSample| pod.outcome.is_ok();
    let gap = |pod: &PodSample| {
        let missed = |look: &&Look| {
            look.pods
                .iter()
                .any(|p| p.id == pod.id && p.outcome.is_err())
        };
        match looks.iter().filter(missed).count() {
            0 => None,
            times => Some(format!(
                "{} could not be read at {times} of the {} looks of this window; its counts are whole",
                pod.name,
                looks.len()
            )),
        }
    };
    let pods = looks.back().into_iter().flat_map(|look| &look.pods);
    pods.filter(read_now).filter_map(gap).collect()
}

fn layout(config: &TopConfig) -> Layout {
    Layout {
        width: screen::width(),
        wide: config.form == Form::Wide,
        latency: config.latency,
        dated: config.input.is_recording(),
    }
}

impl Look {
    fn report(&self, before: Option<&[&PodSample]>, config: &TopConfig) -> Report {
        let several_pools = self.pods.iter().any(|p| p.pool != self.pods[0].pool);
        let default = || {
            let pool = several_pools.then_some(Dimension::Pool);
            pool.into_iter()
                .chain([Dimension::Model, Dimension::Target])
                .collect()
        };
        let ask = Ask {
            by: config.by.clone().unwrap_or_else(default),
            quantiles: config.quantiles.clone(),
            models: config.models.clone(),
            order: config.order,
            latency: config.latency,
            limit: config.limit,
        };
        report(&self.pods, before, &ask)
    }

    /// Prints the report; partial data has its own exit code.
    fn print(self, before: Option<&[&PodSample]>, config: &TopConfig) -> Result<u8, Error> {
        let look = self.or_failure()?;
        if config.form == Form::Csv {
            // The other forms say it themselves.
            look.failures
                .iter()
                .for_each(|failure| tracing::warn!("{}", cause::in_a_line(failure)));
        }
        let report = look.report(before, config);
        or_enough(render::write(
            &report,
            config.form,
            layout(config),
            false,
            &mut io::stdout().lock(),
        ))?;
        Ok(if report.pods.iter().any(|p| p.failure.is_some()) {
            PARTIAL
        } else {
            0
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What the pods of a look said at a second: nothing where it could not be read.
    fn look(second: i64, pods: &[(&str, bool)]) -> Look {
        let at = jiff::Timestamp::from_second(second).expect("within all years");
        let sample = |(name, is_read): &(&str, bool)| PodSample {
            name: (*name).to_owned(),
            id: (*name).to_owned(),
            pool: None,
            picker: None,
            ready: None,
            holds_lease: None,
            at,
            dated: true,
            outcome: is_read
                .then(Default::default)
                .ok_or_else(|| "no answer".to_owned()),
        };
        Look {
            at,
            pods: pods.iter().map(sample).collect(),
            notices: Vec::new(),
            failures: Vec::new(),
        }
    }

    #[test]
    fn a_pod_that_is_read_again_has_its_gap_told() {
        let looks = VecDeque::from([
            look(0, &[("a", true), ("b", true), ("c", true)]),
            look(2, &[("a", false), ("b", true), ("c", true)]),
            look(4, &[("a", false), ("b", true), ("c", true)]),
            look(6, &[("a", true), ("b", true), ("c", false)]),
        ]);

        assert_eq!(
            gaps(&looks),
            ["a could not be read at 2 of the 4 looks of this window; its counts are whole"]
        );
    }

    #[test]
    fn a_long_window_keeps_few_looks_whole() {
        let mut looks = VecDeque::new();
        for second in 0..600 {
            looks.push_back(look(second, &[("a", true), ("b", second % 2 == 1)]));
            thin_out(&mut looks, Duration::from_secs(600));
        }

        let of = |name: &str, is_read: bool| {
            let pods = looks.iter().flat_map(|look| &look.pods);
            pods.filter(|pod| pod.name == name && pod.outcome.is_ok() == is_read)
                .count()
        };
        assert_eq!(
            [of("a", true), of("b", true), of("b", false)],
            [61, 61, 300]
        );
    }
}
