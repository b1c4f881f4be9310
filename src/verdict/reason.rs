//! Why nothing decides an assertion.

use std::fmt;

use crate::few::few;
use crate::vocabulary::{OTHER, Signal};

/// So many models are named where none of them is the one asked for.
const NAMED_MODELS: usize = 5;
/// So many pods are named that say different things.
const NAMED_PODS: usize = 5;

/// Why nothing decides an assertion.
#[derive(Debug, Clone, PartialEq)]
pub enum Reason {
    /// No pod emits the signal at all.
    FamilyAbsent(Signal),
    /// The signal is there, but not for a model that matches.
    NoSuchModel {
        /// Which signal.
        signal: Signal,
        /// What was asked for.
        glob: String,
        /// Models that it is there for.
        models: Vec<String>,
    },
    /// Beyond a picker's cap of models all are counted under one word, and any may be among them.
    CapReached,
    /// No model was counted at all.
    NoModel,
    /// There was no request.
    NoRequest,
    /// A picker does not count such things, so that none is no zero.
    NotCounted(Signal),
    /// A pod counts requests, and not how long they take.
    NoDurations {
        /// Its name.
        pod: String,
    },
    /// A pod counts requests of a model, and how long those of others take.
    NoDurationsOf {
        /// The pod's name.
        pod: String,
        /// The model's.
        model: String,
    },
    /// How long requests took is known of too few of them: a client that gave up may have waited for ever.
    FewDurations {
        /// Requests that have a duration.
        have: f64,
        /// Requests that should have one.
        of: f64,
    },
    /// A pod that has ended requests does not measure the signal.
    NotMeasured {
        /// Its name.
        pod: String,
        /// Which signal.
        signal: Signal,
    },
    /// An empty histogram, or one without usable buckets.
    NoObservation,
    /// All that is known is that it is more than the last finite bucket's bound.
    BeyondLastBucket,
    /// Fewer observations than were asked for.
    FewSamples {
        /// How many there should be.
        need: f64,
    },
    /// No pod, or more than one, could speak for the pool.
    NoPoolView,
    /// Pools are never added up.
    SeveralPools,
    /// Replicas see the same pool, and say different things of it.
    ReplicasDisagree {
        /// What each says: `a: 2`.
        said: Vec<String>,
    },
    /// Every pod says that another one leads, and nobody does.
    OnlyStandbys,
    /// The names are those of several generations, or there are none yet.
    UnknownGeneration,
    /// Pods are not part of the numbers.
    PodsMissing {
        /// How many.
        count: usize,
        /// Of how many.
        of: usize,
        /// The first one and why.
        first: String,
    },
    /// A pod's process is new since the window or the probe began: what the one before counted last is lost.
    Restarted {
        /// Its name.
        pod: String,
    },
    /// A pod's text is cut off, or has lines that cannot be read or contradict others.
    NotWhole {
        /// Its name.
        pod: String,
    },
    /// The baseline is less than what there was.
    OfBaseline(Box<Reason>),
    /// The baseline has nothing to compare with.
    NotInBaseline,
    /// It is worse than it may be, by no more than chance explains.
    MayBeChance,
    /// More was counted once all should have been.
    CountedLater,
    /// What the baseline has did not come up yet, as far as one can see.
    NotSeenYet(String),
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let title = |signal: &Signal| signal.entry().title;
        match self {
            Self::FamilyAbsent(signal) => {
                write!(f, "family absent: no pod emits {}", title(signal))
            }
            Self::NoSuchModel {
                signal,
                glob,
                models,
            } => {
                let title = title(signal);
                write!(f, "family without this model: {title} has no \"{glob}\"")?;
                if models.is_empty() {
                    return Ok(());
                }
                let quoted = models.iter().map(|model| format!("\"{model}\""));
                let quoted: Vec<String> = quoted.collect();
                write!(f, ", but {}", few(&quoted, NAMED_MODELS))
            }
            Self::CapReached => write!(
                f,
                "cap of models reached: further ones are counted as \"{OTHER}\", and this may be one of them"
            ),
            Self::NoModel => f.write_str("no model was counted yet"),
            Self::NoRequest => f.write_str("there was no request"),
            Self::NotCounted(signal) => write!(f, "not every picker here counts {}", title(signal)),
            Self::NoDurations { pod } => write!(
                f,
                "{pod} counts requests, but not their duration: does the gateway send response bodies to the picker?"
            ),
            Self::NoDurationsOf { pod, model } => {
                write!(f, "{pod} counts requests of {model:?}, but no duration of one")
            }
            Self::FewDurations { have, of } => write!(
                f,
                "only {have} of {of} requests have a duration: the others may have taken any time"
            ),
            Self::NotMeasured { pod, signal } => {
                write!(f, "{pod} counts requests, but does not measure {}", title(signal))
            }
            Self::NoObservation => f.write_str("no observation"),
            Self::BeyondLastBucket => f.write_str("beyond the last bucket"),
            Self::FewSamples { need } => {
                write!(f, "fewer than {need} samples (--min-samples)")
            }
            Self::NoPoolView => f.write_str("nothing says whose view of the pool to believe"),
            Self::SeveralPools => f.write_str("several pools have no one value"),
            Self::ReplicasDisagree { said } => {
                write!(f, "replicas disagree: {}", few(said, NAMED_PODS))
            }
            Self::OnlyStandbys => f.write_str(
                "standby only: each picker says that another one leads (leader_election_master_status 0)",
            ),
            Self::UnknownGeneration => f.write_str("the names of a pod say no generation yet"),
            Self::PodsMissing { count, of, first } => {
                write!(f, "{count} of {of} pods not counted: {first}")
            }
            Self::Restarted { pod } => write!(
                f,
                "{pod} restarted meanwhile: what it counted before that is not known"
            ),
            Self::NotWhole { pod } => write!(f, "the text of {pod} is damaged, cut off, or contradicts itself"),
            Self::OfBaseline(reason) => write!(f, "the baseline is not whole: {reason}"),
            Self::CountedLater => f.write_str(
                "more was counted afterwards: late, or of other traffic of this model",
            ),
            Self::NotInBaseline => f.write_str("the baseline says nothing of it"),
            Self::MayBeChance => f.write_str("more, but so few may be chance"),
            Self::NotSeenYet(what) => write!(f, "not seen yet: {what}"),
        }
    }
}
