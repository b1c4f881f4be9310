//! gateway-core under load, beside a server that does nothing, in one run.
//!
//! ```sh
//! cargo bench -p gateway-core --bench load                # latencies, CPU, memory
//! cargo bench -p gateway-core --bench load -- soak 10     # ten minutes of everything that can happen
//! ```
//!
//! Both servers are processes of their own, so what they cost is theirs alone.
//! `null` is the same tonic with the same messages and no work. Where
//! `IGCTL_TEST_ENVOY` names an Envoy and `wrk` is on the PATH, both are driven
//! through Envoy too.
#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a report is what this is for"
)]

mod exchange;
mod load;
mod null;
mod server;
mod soak;
#[path = "../../tests/support/mod.rs"]
mod support;
mod through_envoy;

use clap::{Parser, Subcommand};

#[derive(Parser)]
struct Arguments {
    /// What cargo gives every benchmark.
    #[arg(long, hide = true)]
    bench: bool,
    #[command(subcommand)]
    mode: Option<Mode>,
}

#[derive(Clone, Subcommand)]
enum Mode {
    /// Latencies, CPU and memory (what is done by default)
    Load {
        /// Seconds of each measurement
        #[arg(default_value_t = 3)]
        seconds: u64,
    },
    /// Answers, errors and cancellations for minutes; fails if a count is wrong or memory grows
    Soak {
        /// How long
        #[arg(default_value_t = 10.0)]
        minutes: f64,
    },
    /// The server that does nothing; the other modes start it
    #[command(hide = true)]
    Null {
        /// The destination of all requests
        endpoint: String,
    },
}

fn main() {
    let mode = Arguments::parse().mode;
    let runtime = match &mode {
        // As gateway-core has it.
        Some(Mode::Null { .. }) => tokio::runtime::Builder::new_multi_thread(),
        // The driver shares the machine with what it drives.
        _ => tokio::runtime::Builder::new_current_thread(),
    }
    .enable_all()
    .build()
    .expect("a runtime");
    runtime.block_on(async {
        match mode.unwrap_or(Mode::Load { seconds: 3 }) {
            Mode::Load { seconds } => load::run(seconds).await,
            Mode::Soak { minutes } => soak::run(minutes).await,
            Mode::Null { endpoint } => null::run(endpoint).await,
        }
    });
}
