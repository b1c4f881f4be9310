//! The page of metrics: what is on it, in which form, and what strangers can
//! make of it.

mod support;

use std::collections::BTreeSet;
use std::io::Read;

use flate2::read::GzDecoder;
use gateway_core::Config;
use http_body_util::Full;
use hyper::Request;
use support::replay::{Conversations, describe};
use support::{Gateway, config, get, send};

#[tokio::test]
async fn before_the_first_request_there_is_no_family_of_requests() {
    let gateway = Gateway::start(config()).await;
    assert_eq!(gateway.counts().await, [""; 0]);
}

/// Name, type and labels of each family.
type Families = BTreeSet<(String, String, BTreeSet<String>)>;

fn families_of_page(page: &str) -> Families {
    let families = page
        .lines()
        .filter_map(|line| line.strip_prefix("# TYPE ")?.split_once(' '));
    families
        .map(|(name, kind)| {
            let sample = page.lines().find(|line| {
                line.strip_prefix(name)
                    .is_some_and(|rest| rest.starts_with(['{', ' ', '_']))
            });
            let labels = sample.expect("a sample").split('"').step_by(2);
            let labels = labels.filter_map(|part| part.trim_start_matches(',').strip_suffix('='));
            let labels = labels.map(|label| label.rsplit('{').next().unwrap_or(label).to_owned());
            (
                name.to_owned(),
                kind.to_owned(),
                labels.filter(|label| label != "le").collect(),
            )
        })
        .collect()
}

fn families_of_readme() -> Families {
    let readme = include_str!("../README.md");
    let rows = readme
        .lines()
        .skip_while(|line| !line.starts_with("| name | type |"))
        .skip(2);
    rows.take_while(|line| line.starts_with('|'))
        .map(|row| {
            let cells: Vec<_> = row
                .split('|')
                .map(|cell| cell.trim().replace('`', ""))
                .collect();
            let labels = cells[3].split(", ").filter(|label| !label.is_empty());
            (
                cells[1].clone(),
                cells[2].clone(),
                labels.map(str::to_owned).collect(),
            )
        })
        .collect()
}

#[tokio::test]
async fn the_readme_lists_what_is_emitted_and_nothing_else() {
    let page = Gateway::well_used().await.page().await;
    assert_eq!(families_of_readme(), families_of_page(&page));
}

#[tokio::test]
async fn the_duration_has_the_bounds_that_all_pickers_have() {
    let page = Gateway::well_used().await.page().await;
    let bounds: Vec<_> = page
        .lines()
        .filter_map(|line| line.strip_prefix("inference_model_request_duration_seconds_bucket"))
        .filter_map(|line| line.split("le=\"").nth(1)?.split('"').next())
        .collect();
    assert_eq!(
        bounds.join(" "),
        "0.005 0.025 0.05 0.1 0.2 0.4 0.6 0.8 1 1.25 1.5 2 3 4 5 6 8 10 15 20 30 45 60 120 180 \
         240 300 360 480 600 900 1200 1800 2700 3600 +Inf"
    );
}

#[tokio::test]
async fn a_reader_that_takes_gzip_gets_the_same_page_packed() {
    let gateway = Gateway::start(config()).await;
    let request = Request::get("/metrics")
        .header("host", "test")
        .header("accept-encoding", "br, gzip;q=0.5");
    let packed = send(
        gateway.metrics,
        request.body(Full::default()).expect("a request"),
    )
    .await;
    let mut page = String::new();
    GzDecoder::new(&packed.body()[..])
        .read_to_string(&mut page)
        .expect("gzip");
    let kind = &packed.headers()["content-type"];
    assert_eq!(
        (kind.to_str().expect("text"), families_of_page(&page)),
        (
            "text/plain; version=0.0.4; charset=utf-8",
            families_of_page(&gateway.page().await)
        )
    );
}

#[tokio::test]
async fn other_paths_and_methods_are_told_apart() {
    let gateway = Gateway::start(config()).await;
    let post = Request::post("/metrics")
        .header("host", "test")
        .body(Full::default());
    let statuses = [
        get(gateway.metrics, "/healthz").await.status(),
        get(gateway.metrics, "/metrics/").await.status(),
        send(gateway.metrics, post.expect("a request"))
            .await
            .status(),
    ];
    assert_eq!(statuses.map(|status| status.as_u16()), [200, 404, 405]);
}

#[tokio::test]
async fn a_flood_of_model_names_ends_in_one_label() {
    let gateway = Gateway::start(Config {
        models: vec!["m-configured".to_owned()],
        max_model_names: 100,
        ..config()
    })
    .await;
    let flood = (0..150).map(|number| format!("junk-{number:04}"));
    let configured = std::iter::repeat_n("m-configured".to_owned(), 3);
    let bodies = flood
        .chain(configured)
        .map(|model| format!(r#"{{"model":"{model}","prompt":"p"}}"#));
    Conversations::completions(bodies).replay(&gateway).await;
    let counts = gateway.counts().await;
    let total = |model: &str| {
        let series =
            format!("request_total{{model_name=\"{model}\",target_model_name=\"{model}\"}} ");
        counts
            .iter()
            .find_map(|line| line.strip_prefix(&series).map(str::to_owned))
    };
    let names = counts
        .iter()
        .filter(|line| line.starts_with("request_total"))
        .count();
    let running: Vec<_> = counts
        .iter()
        .filter(|line| line.starts_with("running_requests") && !line.ends_with("} 0"))
        .collect();
    assert_eq!(
        (
            total("other"),
            total("m-configured"),
            total("junk-0000"),
            total("junk-0099"),
            names,
            running
        ),
        (
            Some("50".to_owned()),
            Some("3".to_owned()),
            Some("1".to_owned()),
            Some("1".to_owned()),
            102,
            vec![]
        )
    );
}

#[tokio::test]
async fn a_second_flood_adds_no_series() {
    let gateway = Gateway::start(Config {
        max_model_names: 10,
        ..config()
    })
    .await;
    let mut series = Vec::new();
    for flood in ["first", "second"] {
        let bodies = (0..20).map(|number| format!(r#"{{"model":"{flood}-{number}"}}"#));
        Conversations::completions(bodies).replay(&gateway).await;
        let page = gateway.page().await;
        series.push(page.lines().count());
    }
    assert_eq!(series[0], series[1]);
}

#[tokio::test]
async fn only_the_formats_own_escapes_are_written() {
    let gateway = Gateway::start(config()).await;
    let body = r#"{"model":"a\"b\\c\nd{x=\"y\"} 1,\u00e4\t"}"#.to_owned();
    Conversations::completions([body]).replay(&gateway).await;
    let counts = gateway.counts().await;
    let name = "a\\\"b\\\\c\\nd{x=\\\"y\\\"} 1,\u{e4}\t";
    assert_eq!(
        counts.last(),
        Some(&format!("running_requests{{model_name=\"{name}\"}} 0"))
    );
}

#[tokio::test]
async fn a_body_that_is_too_long_is_answered_413() {
    let gateway = Gateway::start(Config {
        max_body: 20,
        ..config()
    })
    .await;
    let body = r#"{"model":"m","prompt":"too long"}"#.to_owned();
    let replies = Conversations::completions([body]).replay(&gateway).await;
    assert_eq!(
        (describe(&replies[0][0]), gateway.counts().await),
        (
            "immediate 413 the request body is longer than 20 bytes".to_owned(),
            vec![
                r#"request_error_total{error_code="PayloadTooLarge",model_name="",target_model_name=""} 1"#
                    .to_owned()
            ]
        )
    );
}

#[tokio::test]
async fn without_an_endpoint_a_request_is_answered_503() {
    let gateway = Gateway::start(Config {
        endpoints: Vec::new(),
        ..config()
    })
    .await;
    let body = r#"{"model":"m"}"#.to_owned();
    let replies = Conversations::completions([body]).replay(&gateway).await;
    assert_eq!(
        (describe(&replies[0][0]), gateway.counts().await),
        (
            "immediate 503 no endpoint is ready for this request".to_owned(),
            vec![
                r#"request_error_total{error_code="ServiceUnavailable",model_name="m",target_model_name="m"} 1"#
                    .to_owned()
            ]
        )
    );
}
