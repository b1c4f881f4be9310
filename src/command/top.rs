//! `igctl metrics top`: look, compare with an earlier look, show.

use std::{
    collections::VecDeque,
    io::{self, Write},
    time::Duration,
};

use tokio::{signal, time};

use super::look::{Look, Opened, one_line};
use crate::{
    collect::Collector,
    config::{Format, Pace, Source, TopConfig},
    error::{Error, PARTIAL},
    render::{self, screen, screen::Screen, table::Layout},
    report::{Ask, Dimension, PodSample, Report, report},
};

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
            let before = Look::take(&mut collector).await;
            before.tell();
            let before = before.or_failure()?;
            time::sleep(window).await;
            let now = Look::take(&mut collector).await;
            now.tell();
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
    let in_place =
        screen::width().is_some() && matches!(config.format, Format::Table | Format::Wide);
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
            ended = ended() => break ended,
            look = async { ticks.tick().await; Look::take(collector).await } => looks.push_back(look),
        }
        let newest = looks.back().map(|l| l.at);
        while looks.len() > 2
            && newest.is_some_and(|now| now.duration_since(looks[1].at).unsigned_abs() >= back)
        {
            looks.pop_front();
        }
    };
    drop(screen);
    // What was last seen stays in the terminal's scrollback.
    io::stdout().write_all(shown.as_bytes())?;
    ended?;
    Ok(0)
}

/// Ctrl-C, or the polite way to end a process: both leave the terminal as it was.
async fn ended() -> io::Result<()> {
    #[cfg(unix)]
    {
        let mut terminated = signal::unix::signal(signal::unix::SignalKind::terminate())?;
        tokio::select! {
            interrupted = signal::ctrl_c() => interrupted,
            _ = terminated.recv() => Ok(()),
        }
    }
    #[cfg(not(unix))]
    signal::ctrl_c().await
}

/// One picture of the screen.
fn frame(looks: &VecDeque<Look>, config: &TopConfig) -> io::Result<String> {
    let mut text = Vec::new();
    write(looks, config, &mut text)?;
    let notices = looks.iter().flat_map(|look| &look.notices);
    let mut text = String::from_utf8_lossy(&text).into_owned();
    for notice in notices {
        text.push_str(&format!("\n{notice}"));
    }
    Ok(text)
}

fn line(looks: &VecDeque<Look>, config: &TopConfig) -> io::Result<()> {
    if let Some(look) = looks.back() {
        look.tell();
    }
    write(looks, config, &mut io::stdout().lock())
}

fn write(looks: &VecDeque<Look>, config: &TopConfig, out: &mut dyn Write) -> io::Result<()> {
    let Some(now) = looks.back() else {
        return Ok(());
    };
    let before = baseline(looks);
    let before = (looks.len() > 1).then_some(&before[..]);
    let report = now.report(before, config);
    render::write(&report, config.format, layout(config), true, out)
}

/// For each pod of the first look and of the last its earliest sample that can be compared with.
fn baseline(looks: &VecDeque<Look>) -> Vec<&PodSample> {
    let earlier = || {
        looks
            .iter()
            .take(looks.len() - 1)
            .flat_map(|look| &look.pods)
    };
    let pods = || {
        looks
            .front()
            .into_iter()
            .chain(looks.back())
            .flat_map(|look| &look.pods)
    };
    let mut baseline: Vec<&PodSample> = Vec::new();
    for pod in pods() {
        let of_pod = || earlier().filter(|sample| sample.id == pod.id);
        let sample = of_pod()
            .find(|sample| sample.outcome.is_ok())
            .or_else(|| of_pod().next());
        if let Some(sample) =
            sample.filter(|sample| baseline.iter().all(|have| have.id != sample.id))
        {
            baseline.push(sample);
        }
    }
    baseline
}

fn layout(config: &TopConfig) -> Layout {
    Layout {
        width: screen::width(),
        wide: config.format == Format::Wide,
        latency: config.latency,
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
        if config.format == Format::Csv {
            // The other forms say it themselves.
            look.failures
                .iter()
                .for_each(|failure| tracing::warn!("{}", one_line(failure)));
        }
        let report = look.report(before, config);
        render::write(
            &report,
            config.format,
            layout(config),
            false,
            &mut io::stdout().lock(),
        )?;
        Ok(if report.pods.iter().any(|p| p.failure.is_some()) {
            PARTIAL
        } else {
            0
        })
    }
}
