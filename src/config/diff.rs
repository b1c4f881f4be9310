//! What the arguments of `igctl metrics diff` mean.

use std::path::{Path, PathBuf};

use super::{
    FileSource, FilesSource, Input, MaxScrape, RecordingSource, Source, UsageError, form, latency,
    models, stdin_twice,
};
use crate::cli;
use crate::diff::Compare;
use crate::recording::{At, is_recording};
use crate::render::Form;

/// What `igctl metrics diff` shall do.
#[derive(Debug, Clone)]
pub struct DiffConfig {
    /// What came first.
    pub before: Source,
    /// What came after.
    pub after: Input,
    /// What shall be compared.
    pub compare: Compare,
    /// The form of the output.
    pub form: Form,
}

impl DiffConfig {
    /// What the arguments of `metrics diff` mean.
    ///
    /// # Errors
    /// For a source that cannot be.
    pub fn from_args(args: &cli::Diff) -> Result<Self, UsageError> {
        let max_scrape = args.source.max_scrape;
        let text = args.source.target.as_deref().unwrap_or_default();
        let after = match saved(text, max_scrape)? {
            Some(source) => Input::Source(Box::new(at_moment(source, args.source.at, text)?)),
            None => Input::from_args(&args.source)?,
        };
        let before = saved_or_path(&args.before, max_scrape)?;
        if before.is_stdin() && after.is_stdin() {
            return Err(stdin_twice());
        }
        Ok(Self {
            before,
            after,
            compare: Compare {
                quantiles: args.quantiles.clone(),
                latency: latency(args.latency),
                models: models(args.model.as_deref())?,
            },
            form: form(args.output),
        })
    }
}

/// The saved scrape, or the moment of a recording, that a text names: a file there is, or `FILE@TIME`.
fn saved(text: &str, max_scrape: MaxScrape) -> Result<Option<Source>, UsageError> {
    let path = Path::new(text);
    if is_recording(path) {
        return Ok(Some(recording(path.into(), At::End)));
    }
    if text == "-" {
        return Ok(Some(file(FileSource::Stdin, max_scrape)));
    }
    if path.is_file() {
        return Ok(Some(file(FileSource::Path(path.into()), max_scrape)));
    }
    match moment_of(text) {
        Some((path, at)) => match at.parse() {
            Ok(at) => Ok(Some(recording(path.into(), at))),
            Err(fault) => Err(UsageError::new(format!("{text}: {at} is {fault}"))),
        },
        None => Ok(None),
    }
}

/// The recording and the time of `FILE@TIME`, whatever the time may be.
pub(super) fn moment_of(text: &str) -> Option<(&str, &str)> {
    let named = text.rsplit_once('@');
    named.filter(|(path, _)| is_recording(Path::new(path)))
}

/// A source that is named `text`, at the moment that `--at` says.
fn at_moment(source: Source, at: Option<At>, text: &str) -> Result<Source, UsageError> {
    let Some(at) = at else {
        return Ok(source);
    };
    match source {
        Source::Recording(named) if named.path == Path::new(text) => Ok(recording(named.path, at)),
        Source::Recording(_) => Err(UsageError::new(format!(
            "{text} says which moment: leave out --at"
        ))),
        Source::Files(_) | Source::Url(_) | Source::Cluster(_) => Err(UsageError::new(format!(
            "--at needs a recording, and {text} is none"
        ))),
    }
}

/// The same; what is no file is told so when it is read.
pub(super) fn saved_or_path(text: &str, max_scrape: MaxScrape) -> Result<Source, UsageError> {
    let source = saved(text, max_scrape)?;
    Ok(source.unwrap_or_else(|| file(FileSource::Path(text.into()), max_scrape)))
}

fn file(file: FileSource, max_scrape: MaxScrape) -> Source {
    let files = vec![file];
    Source::Files(FilesSource { files, max_scrape })
}

fn recording(path: PathBuf, at: At) -> Source {
    Source::Recording(RecordingSource { path, at })
}
