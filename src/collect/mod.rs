//! One look at everything that was asked for: all pods side by side, each with its page or the reason why not.

mod fleet;
pub(crate) mod link;
mod replay;

use std::io::Read as _;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};
use std::{fs, io, mem};

use jiff::Timestamp;

use crate::auth::{Asker, AuthError, Tokens};
use crate::body::{self, Body, BodyError};
use crate::by_hand::ByHand;
use crate::config::{FileSource, FilesSource, MaxScrape, Source, UrlSource};
use crate::discover::DiscoverError;
pub use crate::discover::Pod;
use crate::error::{self, Error};
use crate::forward::ForwardError;
use crate::scrape::{self, Endpoint, Page, ScrapeError};
use crate::shell::word;
use crate::visible::visible;
use fleet::Fleet;
use link::Link;
use replay::Replay;

/// What was seen at one time.
#[derive(Debug)]
pub struct Moment {
    /// When looking began.
    pub at: Timestamp,
    /// Every pod there is, by namespace and name, and behind them what stands for pickers without a pod.
    pub pods: Vec<PodPage>,
    /// What the person should know: a token was minted, a pod was replaced.
    pub notices: Vec<String>,
}

/// A pod, with its page or the reason why not.
#[derive(Debug)]
pub struct PodPage {
    /// Whose.
    pub pod: Pod,
    /// What it showed.
    pub page: Result<Page, PodError>,
}

/// Why there is no page from a pod.
#[derive(Debug, thiserror::Error)]
pub enum PodError {
    /// It is not running yet.
    #[error("pod {pod} is not running yet: {reason}")]
    Waiting {
        /// Its namespace and name.
        pod: String,
        /// What it waits for.
        reason: String,
    },
    /// It has no address to connect to.
    #[error("pod {pod} has no address yet")]
    NoAddress {
        /// Its namespace and name.
        pod: String,
    },
    /// It stands for a picker without a pod.
    #[error(transparent)]
    Missing(Arc<DiscoverError>),
    /// No connection to it.
    #[error(transparent)]
    Forward(#[from] ForwardError),
    /// No token for it.
    #[error(transparent)]
    Auth(#[from] AuthError),
    /// No page, or none that can be read.
    #[error(transparent)]
    Scrape(#[from] ScrapeError),
    /// The file cannot be read.
    #[error("cannot read {file}\n  {fault}")]
    File {
        /// Its path, or "stdin".
        file: String,
        /// Why.
        fault: io::Error,
    },
    /// The file is not text.
    #[error("cannot read {file}\n  {fault}")]
    Packed {
        /// Its path, or "stdin".
        file: String,
        /// Why.
        fault: BodyError,
    },
    /// There was none when it was recorded.
    #[error("{}", visible(.0))]
    Recorded(String),
}

impl PodError {
    /// The next thing to try.
    pub fn hint(&self, hand: &ByHand) -> Option<String> {
        match self {
            Self::Waiting { pod, .. } | Self::NoAddress { pod } => {
                let (namespace, name) = pod.split_once('/')?;
                Some(format!(
                    "{} describe pod {} -n {}",
                    hand.kubectl(),
                    word(name),
                    word(namespace)
                ))
            }
            Self::Missing(fault) => fault.hint(hand),
            Self::Forward(fault) => fault.hint(hand),
            Self::Auth(fault) => fault.hint(hand),
            Self::Scrape(fault) => fault.hint(hand),
            Self::Packed { file, fault } => fault
                .hint()
                .or_else(|| Some(format!("is it whole?  gzip -t {}", word(file)))),
            Self::File { file, fault } => Some(match fault.kind() {
                io::ErrorKind::IsADirectory => {
                    format!("name the files in it: -f {}/FILE", word(file))
                }
                _ => format!("is it there, and may you read it?  ls -l {}", word(file)),
            }),
            Self::Recorded(_) => Some("another moment?  --at TIME".to_owned()),
        }
    }

    /// What the process should exit with, if this is all there is to say.
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Missing(fault) => fault.exit_code(),
            Self::Forward(fault) => fault.exit_code(),
            Self::Auth(fault) => fault.exit_code(),
            Self::Scrape(fault) => fault.exit_code(),
            _ => error::ERROR,
        }
    }
}

/// Looks again and again at the same source, keeping connections and tokens.
pub struct Collector {
    origin: Origin,
}

enum Origin {
    Files(Files),
    Recording(Box<Replay>),
    Url(Box<Web>),
    Cluster(Box<Fleet>),
}

struct Files {
    files: Vec<Saved>,
    max: MaxScrape,
}

enum Saved {
    Path(PathBuf),
    /// What it held, for it can be read but once.
    Stdin(Option<Page>),
}

struct Web {
    /// Whether this is not the first try.
    tried: bool,
    request_timeout: Option<Duration>,
    link: Link,
    tokens: Tokens,
    name: String,
}

impl Collector {
    /// Connects, and finds the pods.
    ///
    /// # Errors
    /// Where there is nothing to scrape. A pod that does not answer is no error here, but an entry in each [`Moment`].
    pub async fn open(source: &Source) -> Result<Self, Error> {
        let origin = match source {
            Source::Files(source) => Origin::Files(Files::open(source)),
            Source::Recording(source) => Origin::Recording(Box::new(Replay::open(source)?)),
            Source::Url(source) => Origin::Url(Box::new(Web::open(source)?)),
            Source::Cluster(source) => Origin::Cluster(Box::new(Fleet::open(source).await?)),
        };
        Ok(Self { origin })
    }

    /// False where it is not known when what is collected was said.
    pub fn is_dated(&self) -> bool {
        !matches!(self.origin, Origin::Files(_))
    }

    /// What was said a `window` before, where that was recorded; `None` for what is yet to come.
    ///
    /// # Errors
    /// Where the recording does not reach so far back.
    pub fn look_back(&mut self, window: Duration) -> Result<Option<Moment>, Error> {
        match &mut self.origin {
            Origin::Recording(replay) => Ok(Some(replay.look_back(window)?)),
            _ => Ok(None),
        }
    }

    /// Takes one look. Ends within the time limits of its requests, whatever the pods do.
    pub async fn collect(&mut self) -> Moment {
        let at = Timestamp::now();
        match &mut self.origin {
            Origin::Cluster(fleet) => fleet.collect(at).await,
            Origin::Recording(replay) => replay.moment(),
            Origin::Url(web) => {
                let mut notices = Vec::new();
                let is_first = !mem::replace(&mut web.tried, true);
                let time = scrape::patience(web.request_timeout, is_first);
                let page = web
                    .link
                    .page(
                        &Asker::Url { at: &web.name },
                        &web.tokens,
                        time,
                        &mut notices,
                    )
                    .await;
                Moment {
                    at,
                    pods: vec![PodPage {
                        pod: Pod::named(&web.name),
                        page,
                    }],
                    notices,
                }
            }
            Origin::Files(files) => Moment {
                at,
                pods: files.read(),
                notices: Vec::new(),
            },
        }
    }
}

impl Files {
    fn open(source: &FilesSource) -> Self {
        Self {
            files: source.files.iter().map(Saved::new).collect(),
            max: source.max_scrape,
        }
    }

    fn read(&mut self) -> Vec<PodPage> {
        let files = self.files.iter_mut();
        files.map(|file| file.read(self.max)).collect()
    }
}

impl Saved {
    fn new(source: &FileSource) -> Self {
        match source {
            FileSource::Path(path) => Self::Path(path.clone()),
            FileSource::Stdin => Self::Stdin(None),
        }
    }

    fn read(&mut self, max: MaxScrape) -> PodPage {
        match self {
            Self::Path(path) => {
                let name = path.display().to_string();
                let page = match fs::File::open(path) {
                    Ok(file) => read(file, &name, max),
                    Err(fault) => Err(PodError::File {
                        file: name.clone(),
                        fault,
                    }),
                };
                PodPage {
                    pod: Pod::named(name),
                    page,
                }
            }
            Self::Stdin(seen) => {
                let page = match seen {
                    Some(page) => Ok(page.clone()),
                    None => read(io::stdin().lock(), "stdin", max)
                        .inspect(|page| *seen = Some(page.clone())),
                };
                PodPage {
                    pod: Pod::named("stdin"),
                    page,
                }
            }
        }
    }
}

impl Web {
    fn open(source: &UrlSource) -> Result<Self, Error> {
        let name = scrape::shown(&source.url);
        let endpoint = Endpoint::of_url(&source.url, &source.tls, source.max_scrape)
            .map_err(PodError::from)?;
        Ok(Self {
            tried: false,
            request_timeout: source.request_timeout,
            link: Link::to_url(endpoint),
            tokens: Tokens::new(source.token.clone()),
            name,
        })
    }
}

fn read(mut content: impl io::Read, file: &str, max: MaxScrape) -> Result<Page, PodError> {
    let began = Instant::now();
    let packed = |fault| PodError::Packed {
        file: file.into(),
        fault,
    };
    let unread = |fault| PodError::File {
        file: file.into(),
        fault,
    };
    // A file says what it is by its first bytes alone, and a pipe may bring them one by one.
    let mut piece = Vec::new();
    let start = body::GZIP.len() as u64;
    content
        .by_ref()
        .take(start)
        .read_to_end(&mut piece)
        .map_err(unread)?;
    let coding = piece.starts_with(&body::GZIP).then_some("gzip");
    let mut body = Body::new(coding, max.0).map_err(packed)?;
    while !piece.is_empty() {
        body.push(&piece).map_err(packed)?;
        piece.clear();
        content
            .by_ref()
            .take(64 << 10)
            .read_to_end(&mut piece)
            .map_err(unread)?;
    }
    let wire_bytes = body.packed() as u64;
    let body = body.finish().map_err(packed)?;
    Ok(Page {
        body,
        taken: Timestamp::now(),
        elapsed: began.elapsed(),
        wire_bytes,
    })
}
