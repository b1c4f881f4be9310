//! A real Prometheus reads gateway-core's metrics with a ServiceAccount's token.

use std::fs;
use std::process::Command;

use serde_json::{Value, json};

use crate::cluster::Forward;
use crate::gateway::Gateway;
use crate::process::{Running, wait_for};

#[test]
fn prometheus_counts_what_was_sent() {
    let gateway = Gateway::deploy("prometheus");
    for _ in 0..5 {
        gateway.complete("qwen3-32b");
    }
    let prometheus = Prometheus::scraping(&gateway);

    let requests = wait_for("a scrape of both pickers", || {
        let up = prometheus.ask("sum(up)")?;
        (up == 2.0).then(|| {
            prometheus.ask(r#"sum(inference_model_request_total{model_name="qwen3-32b"})"#)
        })
    });

    assert_eq!(requests, Some(5.0));
}

struct Prometheus {
    url: String,
    _process: Running,
    _forwards: Vec<Forward>,
    _folder: tempfile::TempDir,
}

impl Prometheus {
    /// Starts Prometheus, which scrapes each picker every second as `inference-gateway-sa-metrics-reader`.
    fn scraping(gateway: &Gateway) -> Prometheus {
        let namespace = &gateway.namespace;
        let folder = tempfile::tempdir().expect("a temporary folder");
        let token = namespace.kubectl(["create", "token", "inference-gateway-sa-metrics-reader"]);
        fs::write(folder.path().join("token"), token.trim()).expect("the folder is writable");
        let forwards: Vec<Forward> = namespace
            .of_pods("gateway-core", ".metadata.name")
            .iter()
            .map(|pod| Forward::open(namespace, &format!("pod/{pod}"), 9090))
            .collect();
        let targets: Vec<String> = forwards
            .iter()
            .map(|forward| format!("127.0.0.1:{}", forward.port))
            .collect();
        let config = json!({
            "scrape_configs": [{
                "job_name": "picker",
                "scrape_interval": "1s",
                "scrape_timeout": "1s",
                "authorization": {"credentials_file": "token"},
                "static_configs": [{"targets": targets}],
            }],
        });
        fs::write(folder.path().join("prometheus.yml"), config.to_string())
            .expect("the folder is writable");
        // Prometheus does not tell which port it got for 0.
        let port =
            std::net::TcpListener::bind("127.0.0.1:0").and_then(|socket| socket.local_addr());
        let address = port.expect("a free port").to_string();
        let process = Running::start(
            Command::new("prometheus")
                .current_dir(folder.path())
                .args([
                    "--log.level=error",
                    "--storage.tsdb.path=data",
                    "--config.file=prometheus.yml",
                ])
                .arg(format!("--web.listen-address={address}")),
        );
        Prometheus {
            url: format!("http://{address}"),
            _process: process,
            _forwards: forwards,
            _folder: folder,
        }
    }

    /// The value of an expression that has one, once Prometheus knows it.
    fn ask(&self, expression: &str) -> Option<f64> {
        let response = ureq::get(format!("{}/api/v1/query", self.url))
            .query("query", expression)
            .call()
            .ok()?;
        let answer: Value = serde_json::from_reader(response.into_body().into_reader()).ok()?;
        answer
            .pointer("/data/result/0/value/1")?
            .as_str()?
            .parse()
            .ok()
    }
}
