//! `igctl metrics dump`: the text as it came.

use std::borrow::Cow;
use std::io::{self, IsTerminal, Write};

use super::look::{Opened, pages};
use super::or_enough;
use crate::{
    cause,
    cli::Export,
    config::{Input, Source},
    error::{Error, PARTIAL},
    recording::{Recording, RecordingError},
    render::openmetrics,
    scrape::Page,
    visible::visible,
};

pub(super) async fn run(input: &Input, export: Option<Export>) -> Result<u8, Error> {
    if let Some(Export::Openmetrics) = export {
        return export_openmetrics(input);
    }
    let opened = Opened::open(input, true).await?;
    let (pages, code) = pages(&opened.source, |_| Ok(())).await?;
    or_enough(print(&pages))?;
    Ok(code)
}

fn print(pages: &[(String, Page)]) -> io::Result<()> {
    let terminal = io::stdout().is_terminal();
    let mut out = io::stdout().lock();
    for (name, page) in pages {
        if pages.len() > 1 {
            writeln!(out, "# {}, read at {}", visible(name), page.taken)?;
        }
        match terminal {
            true => out.write_all(shown(&page.body).as_bytes())?,
            false => out.write_all(&page.body)?,
        }
        // What follows is no part of its last line.
        if pages.len() > 1 && !page.body.is_empty() && !page.body.ends_with(b"\n") {
            writeln!(out)?;
        }
    }
    out.flush()
}

/// All of a recording, with the time of each sample.
fn export_openmetrics(input: &Input) -> Result<u8, Error> {
    let path = match input {
        Input::Source(source) => match &**source {
            Source::Recording(source) => &source.path,
            _ => return Err(RecordingError::NoneToExport.into()),
        },
        Input::Demo => return Err(RecordingError::NoneToExport.into()),
    };
    let mut recording = Recording::open(path)?;
    let mut families = openmetrics::Families::new()?;
    let mut code = 0;
    for look in 0..recording.looks().len() {
        match recording.read(look) {
            Ok(piece) => families.add(&piece)?,
            // What is whole around it is worth having.
            Err(fault) => {
                tracing::warn!("{}", cause::in_a_line(&fault));
                code = PARTIAL;
            }
        }
    }
    let mut out = io::BufWriter::new(io::stdout().lock());
    or_enough(families.write(&mut out).and_then(|()| out.flush()))?;
    Ok(code)
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
