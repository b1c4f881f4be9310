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

/// So much of an answer is looked at.
const READ: usize = 64 << 10;

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
        match answer(&client, probe, body.clone()).await {
            Ok(status) => *answers.statuses.entry(status).or_default() += 1,
            Err(why) => *answers.failures.entry(why).or_default() += 1,
        }
    }
    Ok(answers)
}

/// The status of an answer that is none but well, or that says itself what it is.
async fn answer(client: &Client, probe: &Probe, body: String) -> Result<u16, String> {
    let request = client
        .post(probe.url.clone())
        .header(CONTENT_TYPE, "application/json")
        .body(body);
    let told = |fault: reqwest::Error| cause::innermost(&fault);
    let mut response = request.send().await.map_err(told)?;
    let status = response.status();
    let mut start = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(told)? {
        start.extend(chunk.iter().take(READ - start.len()));
    }
    tracing::info!("POST {}: {status}", probe.url.path());
    if status.is_success()
        && let Some(why) = why_no_answer(&start, probe.stream)
    {
        return Err(format!("{} with {why}", status.as_u16()));
    }
    Ok(status.as_u16())
}

/// Why a body is no answer of a model, though its status says that all is well. None of it is told: it may hold secrets.
fn why_no_answer(body: &[u8], is_streamed: bool) -> Option<&'static str> {
    let (body, is_cut_off) = (body.trim_ascii(), body.len() == READ);
    if body.is_empty() {
        return Some("an empty body");
    }
    if is_streamed {
        let lines = body.split(|byte| *byte == b'\n');
        let mut events = lines
            .filter_map(|line| line.strip_prefix(b"data:"))
            .peekable();
        return match events.peek() {
            None => Some("no data: line, though it was to be streamed"),
            Some(_) => events.any(is_error).then_some("an error in its events"),
        };
    }
    match serde_json::from_slice(body) {
        Ok(Value::Object(_)) => is_error(body).then_some("an error as its body"),
        // Of so long an answer the beginning has to do.
        Err(_) if is_cut_off && body.starts_with(b"{") => None,
        _ => Some("a body that is no JSON object"),
    }
}

fn is_error(text: &[u8]) -> bool {
    let text: Option<Value> = serde_json::from_slice(text).ok();
    text.is_some_and(|text| text.get("error").is_some_and(|error| !error.is_null()))
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_good_status_alone_is_no_answer() {
        let whole = |body: &str| why_no_answer(body.as_bytes(), false);
        let events = |body: &str| why_no_answer(body.as_bytes(), true);
        let long = format!("{{\"text\": \"{}", "x".repeat(READ));
        assert_eq!(
            [
                whole("{\"choices\": [], \"error\": null}"),
                whole(&long[..READ]),
                events("data: {\"choices\": []}\n\ndata: [DONE]\n\n"),
                events("event: x\r\ndata:{\"choices\": []}\r\n\r\n"),
                whole(""),
                whole("<html>"),
                whole("{\"error\": {\"code\": 500}}"),
                events(""),
                events("{\"choices\": []}"),
                events("data: {\"choices\": []}\n\ndata: {\"error\": {}}\n\n"),
            ],
            [
                None,
                None,
                None,
                None,
                Some("an empty body"),
                Some("a body that is no JSON object"),
                Some("an error as its body"),
                Some("an empty body"),
                Some("no data: line, though it was to be streamed"),
                Some("an error in its events"),
            ]
        );
    }
}
