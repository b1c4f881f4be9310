//! `igctl check`: walk the chain; again while that may help.

use std::io;
use std::time::Duration;

use tokio::time::{self, Instant};

use super::look::Opened;
use super::or_enough;
use crate::{
    check::{check, passes},
    config::check::CheckConfig,
    error::{Error, FAILED},
    render::{check as render, form, screen},
};

/// Between two looks while waiting.
const EVERY: Duration = Duration::from_secs(1);
/// Of an output that is no terminal.
const WIDTH: usize = 80;

pub(super) async fn run(config: &CheckConfig) -> Result<u8, Error> {
    let opened = Opened::open(&config.input, true).await?;
    let end = Instant::now() + config.wait.unwrap_or_default();
    let steps = loop {
        let steps = check(&opened.source).await?;
        if passes(&steps) || Instant::now() >= end {
            break steps;
        }
        time::sleep_until(end.min(Instant::now() + EVERY)).await;
    };
    or_enough(form::write(
        config.form,
        false,
        &mut io::stdout().lock(),
        |_| render::table(&steps, screen::width().unwrap_or(WIDTH)),
        || render::document(&steps),
        || render::records(&steps),
    ))?;
    Ok(if passes(&steps) { 0 } else { FAILED })
}
