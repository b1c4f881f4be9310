//! The page that tells how to scrape by hand, taken at its word.

use std::borrow::Cow;
use std::fs;
use std::process::Command;

use crate::cluster::{GUIDES_ROLE, Namespace, kubeconfig};
use crate::gateway::Gateway;

#[test]
fn the_page_on_scraping_by_hand_works_as_it_stands() {
    let _guides_role = GUIDES_ROLE.lock();
    let gateway = Gateway::deploy_in(Namespace::default());
    // Envoy takes the two pickers in turn, and the page reads one of them.
    gateway.complete("qwen3-32b");
    gateway.complete("qwen3-32b");
    let page = include_str!("../../gateway-core/README.md");
    let (_, section) = page
        .split_once("## Scraping the metrics by hand")
        .expect("the page has the section");
    let folder = tempfile::tempdir().expect("a temporary folder");
    fs::write(
        folder.path().join("metrics-reader.yaml"),
        code(section, "yaml"),
    )
    .expect("the folder is writable");

    let scrape = Command::new("bash")
        .args(["-euo", "pipefail", "-c", &code(section, "sh")])
        .env("KUBECONFIG", kubeconfig())
        .current_dir(folder.path())
        .output()
        .expect("bash runs");

    let (metrics, complaints) = (text(&scrape.stdout), text(&scrape.stderr));
    let counted =
        r#"inference_model_request_total{model_name="qwen3-32b",target_model_name="qwen3-32b"} 1"#;
    assert!(
        scrape.status.success() && metrics.contains(counted),
        "{}: {metrics}{complaints}",
        scrape.status
    );
}

/// The section's one code block in `language`.
fn code(section: &str, language: &str) -> String {
    let (_, rest) = section
        .split_once(&format!("```{language}\n"))
        .expect("the section has the block");
    let (block, _) = rest.split_once("\n```").expect("the block ends");
    block.to_owned()
}

fn text(bytes: &[u8]) -> Cow<'_, str> {
    String::from_utf8_lossy(bytes)
}
