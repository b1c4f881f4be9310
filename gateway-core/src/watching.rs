//! Watching objects of the cluster for as long as the process runs.

use std::collections::BTreeMap;
use std::fmt::Debug;

use futures::{Stream, StreamExt};
use kube::api::Api;
use kube::runtime::WatchStreamExt;
use kube::runtime::utils::Backoff;
use kube::runtime::watcher::{self, Event, watcher};
use kube::{Resource, ResourceExt};
use serde::de::DeserializeOwned;
use tokio::time::Duration;
use tracing::{info, warn};

/// After how many seconds a watch is ended and begun anew. It tells a quiet API
/// server from a dead one: kube gives up on a watch that is not ended 5 s later.
const WATCH_SECONDS: u32 = 25;

/// Pauses between attempts while the API server is away. Short ones: what it
/// has to say when it is back is waited for.
struct Pauses;

impl Iterator for Pauses {
    type Item = Duration;

    fn next(&mut self) -> Option<Duration> {
        Some(Duration::from_millis(500))
    }
}

impl Backoff for Pauses {
    fn reset(&mut self) {}
}

/// What happens to the objects of one kind. The watch mends itself; an outage
/// is logged at its beginning and at its end.
pub(crate) fn watch<K>(
    what: &'static str,
    objects: Api<K>,
    config: watcher::Config,
) -> impl Stream<Item = Event<K>> + Send
where
    K: Resource + Clone + Debug + DeserializeOwned + Send + 'static,
{
    let mut is_away = false;
    watcher(objects, config.timeout(WATCH_SECONDS))
        .backoff(Pauses)
        .filter_map(move |event| {
            let event = match event {
                Ok(event) => {
                    if is_away && !matches!(event, Event::Init) {
                        is_away = false;
                        info!("watching {what} again");
                    }
                    Some(event)
                }
                Err(error) => {
                    if !is_away {
                        is_away = true;
                        warn!(
                            error = cause(&error),
                            "watching {what} failed; what was last known stays in use"
                        );
                    }
                    None
                }
            };
            std::future::ready(event)
        })
}

/// An error with what is behind it, in one line.
pub(crate) fn cause(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(Some(error), |&error| error.source());
    causes
        .map(ToString::to_string)
        .collect::<Vec<_>>()
        .join(": ")
}

/// The objects that a watch has shown, by name, each as what was read off it.
/// (kube's own store keeps objects whole: kilobytes for the address of a pod.)
#[derive(Debug)]
pub(crate) struct Mirror<V> {
    known: BTreeMap<String, V>,
    /// A list that is coming in; it counts once it is whole.
    incoming: BTreeMap<String, V>,
    is_complete: bool,
}

impl<V> Default for Mirror<V> {
    fn default() -> Self {
        Self {
            known: BTreeMap::new(),
            incoming: BTreeMap::new(),
            is_complete: false,
        }
    }
}

impl<V> Mirror<V> {
    /// Takes an event. `read` says what an object comes to; those that come to
    /// nothing are left out. True if what is known may have changed.
    pub(crate) fn take<K: Resource>(
        &mut self,
        event: Event<K>,
        read: impl Fn(&K) -> Option<V>,
    ) -> bool {
        match event {
            Event::Init => self.incoming.clear(),
            Event::InitApply(object) => {
                if let Some(value) = read(&object) {
                    self.incoming.insert(object.name_any(), value);
                }
            }
            Event::InitDone => {
                self.known = std::mem::take(&mut self.incoming);
                self.is_complete = true;
                return true;
            }
            Event::Apply(object) => {
                match read(&object) {
                    Some(value) => self.known.insert(object.name_any(), value),
                    None => self.known.remove(&object.name_any()),
                };
                return true;
            }
            Event::Delete(object) => {
                self.known.remove(&object.name_any());
                return true;
            }
        }
        false
    }

    /// What is known, in the order of names.
    pub(crate) fn values(&self) -> impl Iterator<Item = &V> {
        self.known.values()
    }

    /// Whether a whole list has been seen.
    pub(crate) fn is_complete(&self) -> bool {
        self.is_complete
    }
}
