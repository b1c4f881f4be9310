//! The requests themselves.

use std::fs;
use std::path::Path;

use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use reqwest::redirect::Policy;
use reqwest::{Client, Url};
use serde_json::{Value, json};

use super::{Answers, Probe, ProbeError};
use crate::cause;
use crate::scrape::certificates;

/// Reads headers from a file, one a line.
///
/// # Errors
/// Where a line is no header.
pub fn headers(path: &Path) -> Result<HeaderMap, ProbeError> {
    let text = fs::read_to_string(path).map_err(|fault| ProbeError::HeaderFile {
        path: path.into(),
        fault,
    })?;
    let mut headers = HeaderMap::new();
    for (index, line) in text.lines().enumerate() {
        if line.trim().is_empty() {
            continue;
        }
        let header = line.split_once(':').and_then(|(name, value)| {
            let name: HeaderName = name.trim().parse().ok()?;
            let mut value: HeaderValue = value.trim().parse().ok()?;
            value.set_sensitive(true);
            Some((name, value))
        });
        let Some((name, value)) = header else {
            return Err(ProbeError::Header {
                path: path.into(),
                line: index + 1,
            });
        };
        headers.append(name, value);
    }
    Ok(headers)
}

/// Sends the requests, one after the other, and reads each answer to its end.
///
/// # Errors
/// Where nothing can be sent at all.
pub async fn send(probe: &Probe) -> Result<Answers, ProbeError> {
    let mut builder = Client::builder()
        .timeout(probe.time)
        .redirect(Policy::none())
        .user_agent(concat!("igctl/", env!("CARGO_PKG_VERSION")))
        .default_headers(probe.headers.clone());
    if let Some(path) = &probe.ca_file {
        builder = builder.tls_certs_only(certificates(path)?);
    }
    let client = builder
        .build()
        .map_err(|fault| ProbeError::Client(cause::innermost(&fault)))?;
    let body = body(&probe.url, &probe.model, probe.stream).to_string();
    let mut answers = Answers::default();
    for _ in 0..probe.count {
        match answer(&client, &probe.url, body.clone()).await {
            Ok(status) => *answers.statuses.entry(status).or_default() += 1,
            Err(fault) => {
                *answers
                    .failures
                    .entry(cause::innermost(&fault))
                    .or_default() += 1
            }
        }
    }
    Ok(answers)
}

async fn answer(client: &Client, url: &Url, body: String) -> reqwest::Result<u16> {
    let request = client
        .post(url.clone())
        .header(CONTENT_TYPE, "application/json")
        .body(body);
    let mut response = request.send().await?;
    let status = response.status().as_u16();
    while response.chunk().await?.is_some() {}
    tracing::info!("POST {}: {status}", url.path());
    Ok(status)
}

/// The smallest request of the API that the path belongs to.
fn body(url: &Url, model: &str, stream: bool) -> Value {
    let mut body = json!({ "model": model, "max_tokens": 1 });
    match url.path().ends_with("/chat/completions") {
        true => body["messages"] = json!([{ "role": "user", "content": "ping" }]),
        false => body["prompt"] = "ping".into(),
    }
    if stream {
        body["stream"] = true.into();
        body["stream_options"] = json!({ "include_usage": true });
    }
    body
}
