//! The command line for another try: this one's, with what was wrong in it set right.

use std::borrow::Cow;
use std::path::Path;

use crate::cli;
use crate::config::{ClusterSource, MaxScrape, Select, TokenSource};

/// `igctl check` for a source, to be pasted into a shell.
pub(super) fn command(source: &ClusterSource) -> String {
    let mut words: Vec<Cow<'_, str>> = vec!["igctl".into(), "check".into()];
    let mut add = |flag: &'static str, value: Option<Cow<'_, str>>| {
        if let Some(value) = value {
            words.push(flag.into());
            words.push(value.into_owned().into());
        }
    };
    add(
        "--kubeconfig",
        source.kubeconfig.as_deref().map(Path::to_string_lossy),
    );
    add("--context", source.context.as_deref().map(Into::into));
    add("-n", source.namespace.as_deref().map(Into::into));
    if let Some(impersonate) = &source.impersonate {
        add("--as", Some(impersonate.user.as_str().into()));
        for group in &impersonate.groups {
            add("--as-group", Some(group.as_str().into()));
        }
    }
    let timeout = source.request_timeout.map(|timeout| {
        if timeout == cli::LONGEST {
            "0".into()
        } else {
            format!("{timeout:?}").into()
        }
    });
    add("--request-timeout", timeout);
    let max = Some(source.max_scrape).filter(|max| *max != MaxScrape::default());
    add("--max-scrape", max.map(|max| format!("{}B", max.0).into()));
    add(
        "--metrics-port",
        source.metrics_port.map(|port| port.to_string().into()),
    );
    match &source.token {
        TokenSource::Auto => {}
        TokenSource::None => add("--auth", Some("none".into())),
        TokenSource::ServiceAccount { namespace, name } => {
            add(
                "--service-account",
                Some(format!("{namespace}/{name}").into()),
            );
        }
        TokenSource::Secret { namespace, name } => {
            add("--token-secret", Some(format!("{namespace}/{name}").into()));
        }
        TokenSource::File(path) => add("--token-file", Some(path.to_string_lossy())),
    }
    add(
        "--metrics-ca-file",
        source.tls.ca_file.as_deref().map(Path::to_string_lossy),
    );
    add(
        "--metrics-client-cert",
        source.tls.client_cert.as_deref().map(Path::to_string_lossy),
    );
    add(
        "--metrics-client-key",
        source.tls.client_key.as_deref().map(Path::to_string_lossy),
    );
    let switches = [
        // A name is looked up in one namespace.
        (
            "-A",
            source.all_namespaces && matches!(source.select, Select::Pools | Select::Labels(_)),
        ),
        ("--direct", source.direct),
        (
            "--metrics-insecure-skip-tls-verify",
            source.tls.insecure_skip_verify,
        ),
    ];
    words.extend(
        switches
            .into_iter()
            .filter(|(_, on)| *on)
            .map(|(switch, _)| switch.into()),
    );
    match &source.select {
        Select::Pools => {}
        Select::Pod(name) => words.push(format!("pod/{name}").into()),
        Select::Service(name) => words.push(format!("svc/{name}").into()),
        Select::Deployment(name) => words.push(format!("deploy/{name}").into()),
        Select::Pool(name) => words.push(format!("pool/{name}").into()),
        Select::Labels(selector) => words.extend(["-l".into(), selector.as_str().into()]),
    }
    // Only a word with a NUL cannot be quoted, and no argument has one.
    shlex::try_join(words.iter().map(Cow::as_ref)).unwrap_or_else(|_| "igctl check".into())
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn what_was_meant_is_written_out_and_quoted() {
        let source = ClusterSource {
            context: Some("my prod".into()),
            namespace: Some("llm".into()),
            select: Select::Labels("app in (epp)".into()),
            direct: true,
            request_timeout: Some(Duration::from_secs(90)),
            max_scrape: MaxScrape(1024),
            ..ClusterSource::default()
        };

        assert_eq!(
            command(&source),
            "igctl check --context 'my prod' -n llm --request-timeout 90s --max-scrape 1024B --direct \
             -l 'app in (epp)'"
        );
    }

    #[test]
    fn a_name_goes_with_no_all_namespaces() {
        let again = |select| {
            command(&ClusterSource {
                all_namespaces: true,
                select,
                ..ClusterSource::default()
            })
        };

        assert_eq!(
            [again(Select::Pools), again(Select::Service("epp".into()))],
            ["igctl check -A", "igctl check svc/epp"]
        );
    }
}
