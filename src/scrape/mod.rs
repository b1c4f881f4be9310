//! An address and a token → the page that is served there.

mod error;
mod tls;

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use reqwest::header::{
    ACCEPT, ACCEPT_ENCODING, CONTENT_ENCODING, CONTENT_TYPE, HeaderName, HeaderValue, LOCATION,
    RETRY_AFTER,
};
use reqwest::redirect::Policy;
use reqwest::{Client, ClientBuilder, Response, StatusCode, Url};
use rustls::{AlertDescription, CertificateError};

use crate::body::Body;
use crate::cause;
use crate::config::{MaxScrape, Tls};
use crate::token::Token;
pub use error::ScrapeError;
use error::{Instead, WANTS_TLS};
pub(crate) use error::{another_path, look_at};
pub(crate) use tls::certificates;
use tls::with_tls;

/// What the first answer may take, unless `--request-timeout` says otherwise: a picker that cannot reach its API server
/// takes 10 s to say so.
const FIRST_TIME: Duration = Duration::from_secs(15);
/// What later answers may take: in a table that refreshes, one frozen pod must not hold up the others.
const LATER_TIME: Duration = Duration::from_secs(5);

/// How much of a refusal is quoted.
const MAX_REFUSAL: usize = 500;

/// A metrics page.
#[derive(Debug, Clone)]
pub struct Page {
    /// The text, unpacked.
    pub body: Vec<u8>,
    /// When the answer began, which is when the numbers were read.
    pub taken: Timestamp,
    /// From the request to the end of the answer.
    pub elapsed: Duration,
    /// The length of the body as it came.
    pub wire_bytes: u64,
}

/// What the next answer may take.
pub(crate) fn patience(asked_for: Option<Duration>, is_first: bool) -> Duration {
    asked_for.unwrap_or(if is_first { FIRST_TIME } else { LATER_TIME })
}

/// A place to scrape: where to connect, and as what it proves itself.
#[derive(Debug, Clone)]
pub(crate) struct Place {
    /// For messages: "pod llm/epp-0:9090".
    pub(crate) at: String,
    /// The picker's ServiceAccount, for hints: "llm:epp".
    pub(crate) account: String,
    /// Where to connect.
    pub(crate) address: SocketAddr,
    /// The names of which its certificate must have one.
    pub(crate) tls_names: Vec<String>,
}

/// A client for one page, which keeps its connection and what it has learned of the server.
pub(crate) struct Endpoint {
    client: Client,
    at: String,
    account: Option<String>,
    url: Url,
    scheme: Scheme,
    /// Names to go by when the one in `url` is not in the certificate.
    other_names: Vec<String>,
    max: MaxScrape,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Scheme {
    /// The one in the URL.
    Known,
    /// Whether it speaks HTTP or HTTPS is to be found out.
    Unknown,
}

impl Endpoint {
    /// The page `/metrics` of a pod; whether over HTTP or HTTPS is found out.
    ///
    /// Proxies are for the way out of here, which a pod is not. Without a CA file no certificate is trusted: no public CA
    /// vouches for a pod.
    pub(crate) fn of_pod(place: Place, tls: &Tls, max: MaxScrape) -> Result<Self, ScrapeError> {
        let Place {
            at,
            account,
            address,
            tls_names,
        } = place;
        let roots = match &tls.ca_file {
            Some(path) => certificates(path)?,
            None => Vec::new(),
        };
        let mut builder = with_tls(Client::builder(), tls)?
            .no_proxy()
            .tls_certs_only(roots);
        for name in &tls_names {
            builder = builder.resolve(name, address);
        }
        let mut names = tls_names.into_iter();
        let name = names.next().unwrap_or_else(|| address.ip().to_string());
        let url =
            Url::parse(&format!("http://{name}:{}/metrics", address.port())).map_err(|fault| {
                ScrapeError::Client {
                    reason: fault.to_string(),
                }
            })?;
        Ok(Self {
            client: build(builder)?,
            at,
            account: Some(account),
            url,
            scheme: Scheme::Unknown,
            other_names: names.collect(),
            max,
        })
    }

    /// The page at an address, as it is written.
    pub(crate) fn of_url(url: &Url, tls: &Tls, max: MaxScrape) -> Result<Self, ScrapeError> {
        let mut builder = with_tls(Client::builder(), tls)?;
        if let Some(path) = &tls.ca_file {
            builder = builder.tls_certs_only(certificates(path)?);
        }
        Ok(Self {
            client: build(builder)?,
            at: shown(url),
            account: None,
            url: url.clone(),
            scheme: Scheme::Known,
            other_names: Vec::new(),
            max,
        })
    }

    /// Gets the page, within the time limit.
    ///
    /// The first contact with a pod carries no token, for it may go in the clear to a port that speaks TLS.
    pub(crate) async fn get(
        &mut self,
        token: Option<&Token>,
        time: Duration,
    ) -> Result<Page, ScrapeError> {
        let at = self.at.clone();
        let outcome = match self.scheme {
            Scheme::Known => tokio::time::timeout(time, self.fetch(token)).await,
            Scheme::Unknown => tokio::time::timeout(time, self.find_out()).await,
        };
        outcome.unwrap_or(Err(ScrapeError::Silent { at, after: time }))
    }

    /// Asks over HTTP, and where that is not understood over HTTPS, by each name until one is in the certificate.
    async fn find_out(&mut self) -> Result<Page, ScrapeError> {
        let plain = self.fetch(None).await;
        let wants_tls = match &plain {
            Err(ScrapeError::Status { status, body, .. }) => {
                *status == StatusCode::BAD_REQUEST && body.contains(WANTS_TLS)
            }
            Err(fault) => fault.is_broken_connection(),
            Ok(_) => false,
        };
        if !wants_tls {
            self.scheme = Scheme::Known;
            return plain;
        }
        self.set_scheme("https");
        let mut encrypted = self.fetch(None).await;
        for name in self.other_names.clone() {
            let Err(ScrapeError::WrongName { .. }) = encrypted else {
                break;
            };
            self.url
                .set_host(Some(&name))
                .expect("a name of a Service or an address is a host");
            encrypted = self.fetch(None).await;
        }
        match encrypted {
            // Neither: then it is the first answer that tells.
            Err(fault) if fault.is_broken_connection() => {
                self.set_scheme("http");
                plain
            }
            encrypted => {
                self.scheme = Scheme::Known;
                encrypted
            }
        }
    }

    fn set_scheme(&mut self, scheme: &str) {
        self.url
            .set_scheme(scheme)
            .expect("http and https may be exchanged for each other");
    }

    async fn fetch(&self, token: Option<&Token>) -> Result<Page, ScrapeError> {
        let began = Instant::now();
        let request = match token {
            // Of two credentials, the one in the URL gives way.
            Some(token) => self
                .client
                .get(without_credentials(self.url.clone()))
                .bearer_auth(token.expose()),
            None => self.client.get(self.url.clone()),
        }
        // The text format that every generation serves; OpenMetrics is read if it comes all the same.
        .header(
            ACCEPT,
            HeaderValue::from_static("text/plain;version=0.0.4, */*;q=0.1"),
        )
        .header(ACCEPT_ENCODING, HeaderValue::from_static("gzip"));
        let response = request.send().await.map_err(|fault| self.explain(&fault))?;
        let taken = Timestamp::now();
        tracing::info!(
            "GET {} at {}: {}",
            self.url.path(),
            self.at,
            response.status()
        );
        if response.status() != StatusCode::OK {
            return Err(self.refusal(response, token.is_some()).await);
        }
        let (body, wire_bytes) = self.read(response).await?;
        Ok(Page {
            body,
            taken,
            elapsed: began.elapsed(),
            wire_bytes: wire_bytes as u64,
        })
    }

    async fn read(&self, mut response: Response) -> Result<(Vec<u8>, usize), ScrapeError> {
        let unreadable = |fault| ScrapeError::Body {
            at: self.at.clone(),
            fault,
        };
        let coding = response
            .headers()
            .get(CONTENT_ENCODING)
            .map(|value| String::from_utf8_lossy(value.as_bytes()));
        let ends_with_eof = is_open_metrics(&response);
        let mut body = Body::new(coding.as_deref(), self.max.0).map_err(unreadable)?;
        let cut_off = |bytes, reason| ScrapeError::CutOff {
            at: self.at.clone(),
            bytes,
            reason,
        };
        loop {
            match response.chunk().await {
                Ok(Some(piece)) => body.push(&piece).map_err(unreadable)?,
                Ok(None) => break,
                Err(fault) => return Err(cut_off(body.packed(), cause::innermost(&fault))),
            }
        }
        let wire_bytes = body.packed();
        let text = body.finish().map_err(unreadable)?;
        if ends_with_eof && !text.trim_ascii_end().ends_with(b"# EOF") {
            let reason = "it says that it is OpenMetrics, which ends with # EOF".to_owned();
            return Err(cut_off(wire_bytes, reason));
        }
        Ok((text, wire_bytes))
    }

    /// Whose "no" it is: the picker tells by its status and its body together.
    async fn refusal(&self, mut response: Response, shown: bool) -> ScrapeError {
        let status = response.status();
        let header = |name: HeaderName| {
            let value = response.headers().get(name)?;
            Some(String::from_utf8_lossy(value.as_bytes()).into_owned())
        };
        let elsewhere = header(LOCATION).map(|to| match self.url.join(&to) {
            Ok(url) => Instead::Elsewhere(without_credentials(url).to_string()),
            Err(_) => Instead::Elsewhere(to),
        });
        let instead = elsewhere.or_else(|| header(RETRY_AFTER).map(Instead::Later));
        let mut text = Vec::new();
        while let Ok(Some(piece)) = response.chunk().await {
            text.extend_from_slice(&piece);
            if text.len() >= MAX_REFUSAL {
                text.truncate(MAX_REFUSAL);
                break;
            }
        }
        let body = String::from_utf8_lossy(&text).trim().to_owned();
        let (at, path) = (self.at.clone(), self.url.path().to_owned());
        let of_pod = self.account.is_some();
        match status {
            StatusCode::UNAUTHORIZED => ScrapeError::Unauthenticated {
                at,
                path,
                body,
                shown,
                of_pod,
            },
            StatusCode::FORBIDDEN => ScrapeError::Forbidden {
                at,
                path,
                body,
                shown,
                near_miss: None,
            },
            StatusCode::INTERNAL_SERVER_ERROR if body.starts_with("Authentication failed") => {
                ScrapeError::Unchecked {
                    at,
                    path,
                    body,
                    account: self.account.clone(),
                }
            }
            StatusCode::INTERNAL_SERVER_ERROR if body.starts_with("Authorization for user") => {
                ScrapeError::Unauthorizable {
                    at,
                    path,
                    body,
                    account: self.account.clone(),
                }
            }
            status => ScrapeError::Status {
                at,
                path,
                status,
                body,
                instead,
            },
        }
    }

    fn explain(&self, fault: &reqwest::Error) -> ScrapeError {
        let (at, reason) = (self.at.clone(), cause::innermost(fault));
        match cause::find::<rustls::Error>(fault) {
            Some(rustls::Error::InvalidCertificate(
                CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. },
            )) => ScrapeError::WrongName { at, reason },
            Some(rustls::Error::InvalidCertificate(_)) => ScrapeError::Untrusted { at, reason },
            Some(rustls::Error::AlertReceived(alert)) if is_about_our_certificate(*alert) => {
                ScrapeError::WantsCertificate { at, reason }
            }
            _ => ScrapeError::Unreachable { at, reason },
        }
    }
}

/// Whether the answer says where it ends, however it came
/// (<https://prometheus.io/docs/specs/om/open_metrics_spec/#overall-structure>).
fn is_open_metrics(response: &Response) -> bool {
    let kind = response.headers().get(CONTENT_TYPE);
    kind.is_some_and(|kind| {
        let kind = kind.as_bytes().to_ascii_lowercase();
        kind.starts_with(b"application/openmetrics-text")
    })
}

/// Whether it is the client's certificate, or the lack of one, that the server complains about (RFC 8446, 6.2).
fn is_about_our_certificate(alert: AlertDescription) -> bool {
    use AlertDescription as Alert;
    matches!(
        alert,
        Alert::AccessDenied
            | Alert::BadCertificate
            | Alert::CertificateExpired
            | Alert::CertificateRequired
            | Alert::CertificateRevoked
            | Alert::CertificateUnknown
            | Alert::UnknownCA
            | Alert::UnsupportedCertificate
    )
}

fn build(builder: ClientBuilder) -> Result<Client, ScrapeError> {
    builder
        // An answer from elsewhere is not this picker's.
        .redirect(Policy::none())
        .user_agent(concat!("igctl/", env!("CARGO_PKG_VERSION")))
        .build()
        .map_err(|fault| ScrapeError::Client {
            reason: cause::innermost(&fault),
        })
}

/// An address for people: a password in it stays unseen.
pub(crate) fn shown(url: &Url) -> String {
    without_credentials(url.clone()).to_string()
}

fn without_credentials(mut url: Url) -> Url {
    if !url.username().is_empty() || url.password().is_some() {
        // Both fail only where a URL has no host, and then it has no credentials either.
        let _ = url.set_password(None);
        let _ = url.set_username("");
    }
    url
}
