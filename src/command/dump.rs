//! `igctl metrics dump`: the text as it came.

use std::borrow::Cow;
use std::io::{self, IsTerminal, Write};

use super::look::{Opened, one_line};
use crate::{
    collect::Collector,
    config::Input,
    error::{Error, PARTIAL},
    visible::visible,
};

pub(super) async fn run(input: &Input) -> Result<u8, Error> {
    let opened = Opened::open(input, true).await?;
    let moment = Collector::open(&opened.source).await?.collect().await;
    for notice in &moment.notices {
        tracing::warn!("{notice}");
    }
    let several = moment.pods.len() > 1;
    let mut pages = Vec::new();
    let mut failures = Vec::new();
    for entry in moment.pods {
        match entry.page {
            Ok(page) => pages.push((entry.pod.full_name(), page)),
            Err(fault) => failures.push(Error::Pod(fault)),
        }
    }
    if pages.is_empty() && !failures.is_empty() {
        return Err(failures.swap_remove(0));
    }
    let terminal = io::stdout().is_terminal();
    let mut out = io::stdout().lock();
    for (name, page) in pages {
        if several {
            writeln!(out, "# {}, read at {}", visible(&name), page.taken)?;
        }
        match terminal {
            true => out.write_all(shown(&page.body).as_bytes())?,
            false => out.write_all(&page.body)?,
        }
    }
    out.flush()?;
    for failure in &failures {
        tracing::warn!("{}", one_line(failure));
    }
    Ok(if failures.is_empty() { 0 } else { PARTIAL })
}

/// The text with nothing in it that a terminal would act upon but its line ends.
fn shown(body: &[u8]) -> String {
    String::from_utf8_lossy(body)
        .split_inclusive('\n')
        .flat_map(|line| match line.strip_suffix('\n') {
            Some(line) => [visible(line), Cow::Borrowed("\n")],
            None => [visible(line), Cow::Borrowed("")],
        })
        .collect()
}
