//! The command beside an API server, as a gateway sees it.

use std::collections::BTreeSet;
use std::path::Path;
use std::time::Duration;

use serde_json::Value;
use tokio::time::{Instant, sleep};
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_client::HealthClient;

use super::Gateway;
use super::replay::{Conversations, describe, request_piece};
use super::run::Run;

/// The command, following a pool `p`.
pub(crate) struct Picker {
    pub(crate) run: Run,
    pub(crate) gateway: Gateway,
}

impl Picker {
    pub(crate) async fn start(kubeconfig: &Path, namespace: &str, arguments: &[&str]) -> Self {
        let pool = ["--pool-name", "p", "--pool-namespace", namespace];
        let mut run = Run::start(&[&pool, arguments].concat(), Some(kubeconfig));
        Self {
            gateway: run.gateway().await,
            run,
        }
    }

    /// Where requests with these headers go, each endpoint once, or what they
    /// are answered.
    pub(crate) async fn picks_for(&self, headers: &[(&str, &str)]) -> BTreeSet<String> {
        let mut picks = BTreeSet::new();
        for _ in 0..12 {
            let replies = Conversations::get(headers).replay(&self.gateway).await;
            let reply = describe(&replies[0][0]);
            let destination = reply.split_once("destination-endpoint=");
            picks.insert(match destination {
                Some((_, endpoint)) => endpoint.to_owned(),
                None => reply,
            });
        }
        picks
    }

    /// The model that a request for `m` goes on with, once that is `expected`, or
    /// after five seconds.
    pub(crate) async fn target_becomes(&self, expected: &str) -> String {
        let deadline = Instant::now() + Duration::from_secs(5);
        loop {
            let request = Conversations::completions([r#"{"model":"m"}"#.to_owned()]);
            let replies = request.replay(&self.gateway).await;
            let body: Vec<_> = replies[0].iter().filter_map(request_piece).collect();
            let body: Value = serde_json::from_slice(&body.concat()).expect("a body of JSON");
            let target = body["model"].as_str().expect("a model").to_owned();
            if target == expected || Instant::now() > deadline {
                return target;
            }
            sleep(Duration::from_millis(20)).await;
        }
    }

    /// Where requests go, once that is `expected`, or after five seconds.
    pub(crate) async fn picks_become(&self, expected: &[&str]) -> BTreeSet<String> {
        self.picks_become_within(Duration::from_secs(5), expected)
            .await
    }

    pub(crate) async fn picks_become_within(
        &self,
        time: Duration,
        expected: &[&str],
    ) -> BTreeSet<String> {
        let deadline = Instant::now() + time;
        loop {
            let picks = self.picks_for(&[]).await;
            if picks.iter().eq(expected) || Instant::now() > deadline {
                return picks;
            }
            sleep(Duration::from_millis(20)).await;
        }
    }

    /// The status of each service (`grpc.health.v1`), once they are `expected`,
    /// or after five seconds; 0 for a service that is not known.
    pub(crate) async fn health_becomes<const N: usize>(
        &self,
        services: [&str; N],
        expected: [i32; N],
    ) -> [i32; N] {
        let address = format!("http://{}", self.gateway.health);
        let endpoint = tonic::transport::Endpoint::new(address).expect("an address");
        let channel = endpoint.connect().await.expect("a connection");
        let mut client = HealthClient::new(channel);
        let deadline = Instant::now() + Duration::from_secs(5);
        loop {
            let mut statuses = [0; N];
            for (service, status) in services.into_iter().zip(&mut statuses) {
                let request = HealthCheckRequest {
                    service: service.to_owned(),
                };
                let answer = client.check(request).await;
                *status = answer.map_or(0, |answer| answer.into_inner().status);
            }
            if statuses == expected || Instant::now() > deadline {
                return statuses;
            }
            sleep(Duration::from_millis(20)).await;
        }
    }
}

/// What [`Picker::picks_for`] returns for these endpoints.
pub(crate) fn set(endpoints: &[&str]) -> BTreeSet<String> {
    endpoints
        .iter()
        .map(|&endpoint| endpoint.to_owned())
        .collect()
}
