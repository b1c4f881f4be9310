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
        let after = match args
            .source
            .target
            .as_deref()
            .and_then(|text| saved(text, max_scrape))
        {
            Some(source) => {
                let text = args.source.target.as_deref().unwrap_or_default();
                Input::Source(Box::new(at_moment(source, args.source.at, text)?))
            }
            None => Input::from_args(&args.source)?,
        };
        let before = saved_or_path(&args.before, max_scrape);
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
fn saved(text: &str, max_scrape: MaxScrape) -> Option<Source> {
    let path = Path::new(text);
    if is_recording(path) {
        return Some(recording(path.into(), At::End));
    }
    if text == "-" {
        return Some(file(FileSource::Stdin, max_scrape));
    }
    if path.is_file() {
        return Some(file(FileSource::Path(path.into()), max_scrape));
    }
    let (path, at) = text.rsplit_once('@')?;
    let at = at.parse().ok()?;
    is_recording(Path::new(path)).then(|| recording(path.into(), at))
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
pub(super) fn saved_or_path(text: &str, max_scrape: MaxScrape) -> Source {
    saved(text, max_scrape).unwrap_or_else(|| file(FileSource::Path(text.into()), max_scrape))
}

fn file(file: FileSource, max_scrape: MaxScrape) -> Source {
    let files = vec![file];
    Source::Files(FilesSource { files, max_scrape })
}

fn recording(path: PathBuf, at: At) -> Source {
    Source::Recording(RecordingSource { path, at })
}
