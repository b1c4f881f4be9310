//! A way to one page that is kept from look to look: the port-forward, the connection, and whether it wants a token.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use super::PodError;
use crate::auth::{Asker, Given, Tokens};
use crate::cluster::Cluster;
use crate::config::ClusterSource;
use crate::discover::{State, Target};
use crate::forward::Forward;
use crate::scrape::{Endpoint, Page, Place, ScrapeError};
use crate::token::Token;

/// The way to one page.
pub(crate) struct Link {
    endpoint: Endpoint,
    /// Dropped with the link, and with it every connection through it.
    forward: Option<Forward>,
    /// Whether a token is shown from the start.
    guarded: bool,
}

impl Link {
    /// The way to a page at an address.
    pub(crate) fn to_url(endpoint: Endpoint) -> Self {
        Self {
            endpoint,
            forward: None,
            guarded: false,
        }
    }

    /// Opens the way to a pod: its own address, or a port-forward to it.
    pub(crate) async fn to_pod(
        cluster: &Cluster,
        target: &Target,
        source: &ClusterSource,
    ) -> Result<Self, PodError> {
        let (namespace, name) = target.key();
        let pod = format!("{namespace}/{name}");
        if let State::Waiting(reason) = &target.state {
            return Err(PodError::Waiting {
                pod,
                reason: reason.clone(),
            });
        }
        let (address, forward) = match (source.direct, target.ip) {
            (true, Some(ip)) => (SocketAddr::new(ip, target.port), None),
            (true, None) => return Err(PodError::NoAddress { pod }),
            (false, _) => {
                let forward = Forward::open(cluster, target).await?;
                (forward.address(), Some(forward))
            }
        };
        let at = format!("pod {pod}:{}", target.port);
        let mut tls_names = target.tls_names.clone();
        tls_names.push(match address.ip() {
            _ if !source.direct => "localhost".into(),
            // As a URL writes it (RFC 3986, 3.2.2).
            IpAddr::V6(ip) => format!("[{ip}]"),
            ip => ip.to_string(),
        });
        let endpoint = Endpoint::of_pod(
            Place {
                at,
                account: format!("{namespace}:{}", target.account),
                address,
                tls_names,
            },
            &source.tls,
            source.max_scrape,
        )?;
        Ok(Self {
            endpoint,
            forward,
            guarded: false,
        })
    }

    /// Gets the page, with a token if it takes one. What the person should know goes to `notices`.
    pub(super) async fn page(
        &mut self,
        asker: &Asker<'_>,
        tokens: &Tokens,
        time: Duration,
        notices: &mut Vec<String>,
    ) -> Result<Page, PodError> {
        let outcome = self.ask(asker, tokens, time, notices).await;
        outcome.map_err(|fault| self.explain(fault))
    }

    /// Gets the page with this token, or with none.
    pub(crate) async fn try_once(
        &mut self,
        token: Option<&Token>,
        time: Duration,
    ) -> Result<Page, PodError> {
        let outcome = self.endpoint.get(token, time).await;
        outcome.map_err(|fault| self.explain(fault.into()))
    }

    /// Where a connection broke on this machine because it broke further on, the forward knows why.
    fn explain(&self, fault: PodError) -> PodError {
        match (fault, &self.forward) {
            (PodError::Scrape(fault), Some(forward)) if fault.is_broken_connection() => forward
                .take_failure()
                .map_or(PodError::Scrape(fault), PodError::Forward),
            (fault, _) => fault,
        }
    }

    /// Without a token first, with one if it is asked for, and with a new one if the old one is refused. Then it stops.
    async fn ask(
        &mut self,
        asker: &Asker<'_>,
        tokens: &Tokens,
        time: Duration,
        notices: &mut Vec<String>,
    ) -> Result<Page, PodError> {
        let mut given = match self.guarded {
            true => Some(tokens.give(asker, None).await?),
            false => None,
        };
        let mut outcome = self
            .endpoint
            .get(given.as_ref().map(|given| &given.token), time)
            .await;
        if outcome.as_ref().is_err_and(ScrapeError::asks_for_token) && tokens.any() {
            self.guarded = true;
            let first = tokens.give(asker, None).await?;
            outcome = self.endpoint.get(Some(&first.token), time).await;
            given = Some(first);
        }
        if let Some(Given {
            token,
            untried: false,
            ..
        }) = &given
            && outcome.as_ref().is_err_and(ScrapeError::rejects_token)
        {
            let renewed = tokens.give(asker, Some(token)).await?;
            if renewed.token != *token {
                outcome = self.endpoint.get(Some(&renewed.token), time).await;
                given = Some(renewed);
            }
        }
        if let Some(Given {
            token,
            untried: true,
            ..
        }) = &given
            && outcome.is_ok()
        {
            tokens.accepted(token).await;
        }
        notices.extend(given.and_then(|given| given.notice));
        Ok(outcome?)
    }
}
