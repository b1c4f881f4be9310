//! What the arguments of `igctl metrics top` mean.

use std::time::Duration;

use super::{
    Input, RecordingSource, UsageError, does_not_change, form, is_of_one_moment, latency, models,
};
use crate::cli;
use crate::glob::Glob;
use crate::recording::look_at;
use crate::render::{Form, round_percent};
use crate::report::{Dimension, Order};
use crate::vocabulary::Signal;

/// What `igctl metrics top` shall do.
#[derive(Debug, Clone)]
pub struct TopConfig {
    /// What to read.
    pub input: Input,
    /// When to read and when to print.
    pub pace: Pace,
    /// The form of the output.
    pub form: Form,
    /// 0 to 1, in the order shown.
    pub quantiles: Vec<f64>,
    /// Which latency the quantile columns show.
    pub latency: Signal,
    /// What a row is about; `None`: model and target, and the pool where there are several.
    pub by: Option<Vec<Dimension>>,
    /// How rows are ordered.
    pub order: Order,
    /// At most so many rows.
    pub limit: Option<usize>,
    /// Only models that match.
    pub models: Option<Glob>,
}

/// When to read and when to print.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Pace {
    /// One read, one report since the start.
    Once,
    /// Two reads so far apart, one report of what happened in between.
    Window(Duration),
    /// A report at each interval, over at most `back`.
    Watch {
        /// Between two reads.
        interval: Duration,
        /// How far back a report looks.
        back: Duration,
    },
}

/// How far back a refreshing table looks.
const WATCH_BACK: Duration = Duration::from_secs(60);

impl TopConfig {
    /// What the arguments of `metrics top` mean, for a stdout that is a terminal or not.
    ///
    /// # Errors
    /// For arguments that contradict each other or cannot be understood.
    pub fn from_args(args: &cli::Top, terminal: bool) -> Result<Self, UsageError> {
        let input = Input::from_args(&args.source)?;
        let order = order(&args.sort, &args.quantiles)?;
        let changes = input.changes();
        if args.watch && !changes {
            return Err(is_not_to_be_watched(&input));
        }
        let watch = args.watch || terminal && !args.once && args.output.is_none() && changes;
        let pace = match args.window {
            _ if watch => Pace::Watch {
                interval: args.interval,
                back: args.window.unwrap_or(WATCH_BACK),
            },
            Some(_) if !input.has_windows() => return Err(is_of_one_moment("--window")),
            Some(window) => Pace::Window(window),
            None => Pace::Once,
        };
        let models = models(args.model.as_deref())?;
        Ok(Self {
            input,
            pace,
            form: form(args.output.unwrap_or(cli::Output::Table)),
            quantiles: args.quantiles.clone(),
            latency: latency(args.latency),
            by: dimensions(&args.by)?,
            order,
            limit: args.limit.map(|limit| limit as usize),
            models,
        })
    }
}

fn is_not_to_be_watched(input: &Input) -> UsageError {
    let other_moment = |recording: &RecordingSource| {
        format!(
            "look at another moment, such as  {}",
            look_at(&recording.path, "-1m")
        )
    };
    UsageError {
        hint: input.recording().map(other_moment),
        ..does_not_change("--watch")
    }
}

fn order(column: &str, quantiles: &[f64]) -> Result<Order, UsageError> {
    let known = match column {
        "requests" => Some(Order::Requests),
        "rate" => Some(Order::Rate),
        "errors" => Some(Order::Errors),
        "error-rate" => Some(Order::ErrorRate),
        "in-flight" => Some(Order::InFlight),
        "name" => Some(Order::Name),
        other => other
            .strip_prefix(['p', 'P'])
            .and_then(|percent| percent.parse::<f64>().ok())
            .map(|percent| percent / 100.0)
            .filter(|q| quantiles.contains(q))
            .map(Order::Quantile),
    };
    known.ok_or_else(|| {
        UsageError::new(format!(
            "--sort {column}: no such column; there are requests, rate, errors, error-rate, in-flight, name and the quantiles shown, such as p{}",
            quantiles.last().map_or(99.0, |q| round_percent(*q))
        ))
    })
}

fn dimensions(by: &[cli::By]) -> Result<Option<Vec<Dimension>>, UsageError> {
    let mut dimensions: Vec<Dimension> = Vec::new();
    for dimension in by {
        let dimension = match dimension {
            cli::By::Model => Dimension::Model,
            cli::By::Target => Dimension::Target,
            cli::By::Pool => Dimension::Pool,
            cli::By::Pod => Dimension::Pod,
            cli::By::Priority => Dimension::Priority,
            cli::By::Fairness => Dimension::Fairness,
        };
        if dimensions.contains(&dimension) {
            return Err(UsageError::new(format!(
                "--by names {} twice",
                dimension.name()
            )));
        }
        dimensions.push(dimension);
    }
    Ok((!dimensions.is_empty()).then_some(dimensions))
}
