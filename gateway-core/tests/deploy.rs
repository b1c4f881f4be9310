//! The manifests in `deploy/` and the page that explains them.
#![allow(missing_docs)]

#[test]
fn the_page_shows_the_metrics_readers_manifest_as_it_is() {
    let page = include_str!("../README.md");
    let manifest = include_str!("../deploy/metrics-reader.yaml");
    assert!(
        page.contains(&format!("```yaml\n{manifest}```\n")),
        "README.md has no block that is\n{manifest}"
    );
}
