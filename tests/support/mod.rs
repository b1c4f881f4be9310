//! Servers that stand in for a Kubernetes API server and for the pods behind it.

#![allow(
    dead_code,
    unreachable_pub,
    reason = "each test program uses a part of it"
)]

pub mod api;
pub mod call;
pub mod picker;

use std::io::Read as _;

use igctl::by_hand::ByHand;
use igctl::collect::{Collector, Moment, PodError};
use igctl::config::{ClusterSource, Source};
use igctl::error::Error;
use igctl::scrape::Page;

/// The text of a packed fixture.
pub fn unpacked(path: &str) -> Vec<u8> {
    let packed = std::fs::read(path).unwrap_or_else(|e| panic!("{path}: {e}"));
    let mut text = Vec::new();
    flate2::read::GzDecoder::new(&packed[..])
        .read_to_end(&mut text)
        .expect("fixtures are whole");
    text
}

/// That a document fits its committed schema, `docs/NAME.schema.json`.
#[track_caller]
pub fn assert_fits(name: &str, document: &serde_json::Value) {
    let path = format!("{}/docs/{name}.schema.json", env!("CARGO_MANIFEST_DIR"));
    let schema = std::fs::read(&path).unwrap_or_else(|e| panic!("{path}: {e}"));
    let schema = serde_json::from_slice(&schema).expect("a schema is JSON");
    let validator = jsonschema::validator_for(&schema).expect("it is a JSON Schema");
    let problems: Vec<String> = validator
        .iter_errors(document)
        .map(|problem| format!("{}: {problem}", problem.instance_path()))
        .collect();
    assert!(problems.is_empty(), "{problems:#?}");
}

/// Opens a collector, as a command does.
pub async fn open(source: ClusterSource) -> Result<Collector, Error> {
    // The first test of the program to come here installs it for all.
    let _ = rustls::crypto::ring::default_provider().install_default();
    Collector::open(&Source::Cluster(source)).await
}

/// Opens a collector that finds pods.
pub async fn opened(source: ClusterSource) -> Collector {
    open(source)
        .await
        .unwrap_or_else(|error| panic!("{error}\n{:?}", error.hint(&ByHand::default())))
}

/// The text of every pod, or what went wrong with it, in short.
pub fn pages(moment: &Moment) -> Vec<(&str, Result<&str, String>)> {
    let text = |page: &Page| {
        std::str::from_utf8(&page.body)
            .expect("UTF-8")
            .to_owned()
            .leak() as &str
    };
    let outcome = |page: &Result<Page, PodError>| match page {
        Ok(page) => Ok(text(page)),
        Err(fault) => Err(fault.to_string()),
    };
    moment
        .pods
        .iter()
        .map(|pod| (pod.pod.name.as_str(), outcome(&pod.page)))
        .collect()
}

/// An error as a person sees it: message, hint and exit code.
pub fn told(message: &str, hint: Option<String>, exit_code: u8) -> String {
    format!(
        "error: {message}\nhint: {}\nexit {exit_code}",
        hint.unwrap_or_default()
    )
}

/// What a command that could not open says.
pub async fn refusal(source: ClusterSource) -> String {
    let hand = source.by_hand();
    match open(source).await {
        Ok(_) => "it opened".into(),
        Err(error) => told(&error.to_string(), error.hint(&hand), error.exit_code()),
    }
}

/// What the only pod's failure says.
pub fn only_failure(moment: &Moment) -> String {
    match &moment.pods[..] {
        [pod] => match &pod.page {
            Ok(page) => format!("it answered: {}", String::from_utf8_lossy(&page.body)),
            Err(fault) => told(
                &fault.to_string(),
                fault.hint(&ByHand::default()),
                fault.exit_code(),
            ),
        },
        pods => format!("{} pods", pods.len()),
    }
}
