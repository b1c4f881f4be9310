//! Can the API server be reached, and does it know who we are?

use std::fs;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use jiff::Timestamp;
use secrecy::ExposeSecret as _;
use x509_parser::pem::parse_x509_pem;

use super::again;
use super::claims::Claims;
use super::step::{Name, Step};
use crate::cluster::{ApiError, Cluster, Right};
use crate::config::ClusterSource;
use crate::kubeconfig::{ConnectError, connect, warnings};
use crate::plugin::PluginError;

const NAME: Name = Name::Kubeconfig;

/// An API server that answers.
pub(super) struct Reached {
    pub(super) cluster: Cluster,
    /// The 34 of v1.34.4; `None` where it does not tell.
    pub(super) minor: Option<u32>,
}

pub(super) async fn check(source: &ClusterSource) -> (Step, Option<Reached>) {
    let cluster = match connect(source).await {
        Ok(cluster) => cluster,
        Err(fault) => return (unusable(source, &fault), None),
    };
    let right = Right {
        verb: "get",
        group: "",
        resource: "/version",
        namespace: None,
        name: None,
    };
    let (version, minor) = match cluster.ask(right, cluster.client.apiserver_version()).await {
        Ok(info) => {
            let minor = info.minor.trim_end_matches('+').parse().ok();
            (info.git_version, minor)
        }
        // It knows us, and that is what matters here.
        Err(ApiError::Forbidden { .. }) => ("of an unknown version".into(), None),
        Err(ApiError::NotFound { right }) => {
            let fault = ApiError::Unreadable {
                server: cluster.way(),
                right,
                said: "\n  its answer is 404: does its address lack a path?".into(),
            };
            return (unreachable(&cluster, source, &fault), None);
        }
        Err(fault) => return (unreachable(&cluster, source, &fault), None),
    };
    let found = format!("context {}, {}, {version}", cluster.context, cluster.way());
    let step = match warnings(&cluster) {
        warnings if warnings.is_empty() => Step::ok(NAME, found),
        warnings => Step::warn(NAME, found).because(warnings),
    };
    (step, Some(Reached { cluster, minor }))
}

fn unusable(source: &ClusterSource, fault: &ConnectError) -> Step {
    let step = Step::fail_with(NAME, fault);
    match fault {
        // What a kubeconfig says is to be read, not to be pasted.
        ConnectError::Plugin(PluginError::Missing {
            install_hint: Some(hint),
            ..
        }) => step.because(["its installHint:"]).because(hint.lines()),
        ConnectError::NoContext { contexts } | ConnectError::UnknownContext { contexts, .. } => {
            match contexts.as_str() {
                "none" => step,
                only if !only.contains(", ") => step.mended_by([match &source.context {
                    Some(_) => again::command(&ClusterSource {
                        context: Some(only.to_owned()),
                        ..source.clone()
                    }),
                    None => use_context(source, only),
                }]),
                _ => step.advised(fault.hint(&source.by_hand())),
            }
        }
        fault => step.advised(fault.hint(&source.by_hand())),
    }
}

fn use_context(source: &ClusterSource, context: &str) -> String {
    let words = ["kubectl", "config", "use-context", context];
    let file = source
        .kubeconfig
        .as_ref()
        .map(|path| path.to_string_lossy());
    let file = file.iter().flat_map(|path| ["--kubeconfig", path.as_ref()]);
    shlex::try_join(words.into_iter().chain(file)).unwrap_or_default()
}

fn unreachable(cluster: &Cluster, source: &ClusterSource, fault: &ApiError) -> Step {
    let step = Step::fail_with(NAME, fault).because(expired(cluster));
    if let ApiError::MayNotAct { .. } = fault {
        return step
            .because(["have the right to impersonate granted, or do without:"])
            .mended_by([again::command(&ClusterSource {
                impersonate: None,
                ..source.clone()
            })]);
    }
    step.advised(fault.hint(&source.by_hand()))
}

/// Which of the user's credentials has ended, as far as it tells.
fn expired(cluster: &Cluster) -> Option<String> {
    let user = &cluster.config.auth_info;
    let certificate = match (&user.client_certificate_data, &user.client_certificate) {
        (Some(data), _) => BASE64_STANDARD.decode(data).ok(),
        (None, Some(path)) => fs::read(path).ok(),
        (None, None) => None,
    };
    if let Some(end) = certificate.as_deref().and_then(end_of_certificate)
        && end < Timestamp::now()
    {
        return Some(format!("the user's client certificate ended at {end}"));
    }
    let token = user.token.as_ref()?;
    let end = Claims::of(token.expose_secret())?.ended()?;
    Some(format!("the user's token ended at {end}"))
}

fn end_of_certificate(pem: &[u8]) -> Option<Timestamp> {
    let (_, pem) = parse_x509_pem(pem).ok()?;
    let end = pem.parse_x509().ok()?.validity().not_after.timestamp();
    Timestamp::from_second(end).ok()
}
