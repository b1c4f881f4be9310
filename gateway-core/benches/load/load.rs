//! Requests as fast as they go, from one client and from sixteen.

use std::time::Duration;

use futures::future::join_all;
use tokio::time::Instant;

use crate::exchange::{Answer, Exchange, Stop, chat};
use crate::server::Server;
use crate::through_envoy;

/// Measurements take turns, so that whatever else the machine does meets both
/// servers.
const ROUNDS: usize = 3;

/// Where requests are sent; nobody listens there.
const ENDPOINT: &str = "10.0.0.7:8000";

/// Measures both servers, `seconds` at a time, and prints how they compare.
pub(crate) async fn run(seconds: u64) {
    let span = Duration::from_secs(seconds);
    let traffic = [
        ("completion", Answer::whole()),
        ("stream of 64", Answer::stream()),
    ];
    println!(
        "{:<28}{:>9}{:>10}{:>10}{:>12}{:>10}",
        "", "rps", "p50 ms", "p99 ms", "CPU s/10k", "RSS MiB"
    );
    let mut ratios = Vec::new();
    for (name, answer) in &traffic {
        let exchange = Exchange::completion(&chat("m-a"), answer);
        for clients in [1, 16] {
            let case = format!("{name}, c={clients}");
            let servers = [Server::null(ENDPOINT), Server::gateway_core(ENDPOINT, &[])];
            let [null, ours] = compare(&servers, &exchange, clients, span).await;
            for (server, measured) in servers.iter().zip([&null, &ours]) {
                println!(
                    "{:<28}{:>9.0}{:>10.3}{:>10.3}{:>12.3}{:>10.1}",
                    format!("{case} {}", server.name),
                    measured.rate(),
                    measured.quantile(0.5),
                    measured.quantile(0.99),
                    measured.cpu_per_10k(),
                    server.memory().1,
                );
            }
            ratios.push(format!(
                "{case:<20} rps {:.2}  p50 {:.2}  p99 {:.2}  CPU {:.2}",
                ours.rate() / null.rate(),
                ours.quantile(0.5) / null.quantile(0.5),
                ours.quantile(0.99) / null.quantile(0.99),
                ours.cpu_per_10k() / null.cpu_per_10k(),
            ));
        }
    }
    ratios.push(through_envoy::compare(ROUNDS, span).await);
    println!("\ngateway-core / null\n{}", ratios.join("\n"));
}

/// What a server did, over all rounds.
#[derive(Default)]
struct Measured {
    /// Of each exchange in seconds, sorted.
    latencies: Vec<f64>,
    elapsed: Duration,
    cpu: Duration,
}

impl Measured {
    /// Exchanges per second.
    fn rate(&self) -> f64 {
        self.latencies.len() as f64 / self.elapsed.as_secs_f64()
    }

    /// Milliseconds.
    fn quantile(&self, q: f64) -> f64 {
        self.latencies[(self.latencies.len() as f64 * q) as usize] * 1e3
    }

    /// Seconds of the server's CPU time for ten thousand exchanges.
    fn cpu_per_10k(&self) -> f64 {
        self.cpu.as_secs_f64() / self.latencies.len() as f64 * 1e4
    }
}

async fn compare(
    servers: &[Server; 2],
    exchange: &Exchange,
    clients: usize,
    span: Duration,
) -> [Measured; 2] {
    let mut measured = [Measured::default(), Measured::default()];
    for server in servers {
        drive(server, exchange, clients, span / 10).await;
    }
    for _ in 0..ROUNDS {
        for (server, measured) in servers.iter().zip(&mut measured) {
            let (cpu, started) = (server.cpu(), Instant::now());
            let latencies = drive(server, exchange, clients, span).await;
            measured.elapsed += started.elapsed();
            measured.cpu += server.cpu() - cpu;
            measured.latencies.extend(latencies);
        }
    }
    for measured in &mut measured {
        measured.latencies.sort_by(f64::total_cmp);
    }
    measured
}

/// So many clients on one connection, each with one request after the other;
/// how long each took, in seconds.
async fn drive(server: &Server, exchange: &Exchange, clients: usize, span: Duration) -> Vec<f64> {
    let client = server.connect().await;
    let deadline = Instant::now() + span;
    let loops = (0..clients).map(|_| {
        let mut client = client.clone();
        async move {
            let mut latencies = Vec::new();
            while Instant::now() < deadline {
                let started = Instant::now();
                let played = exchange.play(&mut client, Stop::Never).await;
                played.expect("an exchange without an error");
                latencies.push(started.elapsed().as_secs_f64());
            }
            latencies
        }
    });
    join_all(loops).await.concat()
}
