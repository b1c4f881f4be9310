//! The servers that are measured, each a process of its own.

use std::io::{self, BufRead, BufReader};
use std::net::{Ipv4Addr, SocketAddr};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::Duration;

use gateway_core::proto::envoy::service::ext_proc::v3::external_processor_client::ExternalProcessorClient;
use procfs::process::Process;
use serde_json::Value;
use tonic::transport::Channel;

/// A running server; it is killed when this is dropped.
pub(crate) struct Server {
    pub(crate) name: &'static str,
    pub(crate) grpc: SocketAddr,
    /// Where `/metrics` is, with gateway-core.
    pub(crate) metrics: Option<SocketAddr>,
    process: Child,
}

impl Server {
    /// The server that does nothing, sending requests to this endpoint.
    pub(crate) fn null(endpoint: &str) -> Self {
        let this = std::env::current_exe().expect("the path of this program");
        Self::start("null", Command::new(this).args(["null", endpoint]))
    }

    /// gateway-core with this one endpoint, and further arguments.
    pub(crate) fn gateway_core(endpoint: &str, arguments: &[&str]) -> Self {
        let program = env!("CARGO_BIN_EXE_gateway-core");
        Self::start(
            "gateway-core",
            Command::new(program)
                .env_clear()
                .args(["--grpc-port=0", "--grpc-health-port=0", "--metrics-port=0"])
                .args(["--metrics-endpoint-auth=false", "--log-format=json"])
                .args(["--endpoints", endpoint])
                .args(arguments),
        )
    }

    fn start(name: &'static str, command: &mut Command) -> Self {
        let mut process = command
            .stderr(Stdio::piped())
            .spawn()
            .expect("the server starts");
        let mut log = BufReader::new(process.stderr.take().expect("a pipe"));
        let mut line = String::new();
        log.read_line(&mut line).expect("a first line");
        // A pipe that nobody reads would stop it.
        thread::spawn(move || io::copy(&mut log, &mut io::sink()));

        let listening: Value = serde_json::from_str(&line).expect("a line of JSON");
        let address = |purpose: &str| {
            let address: SocketAddr = listening[purpose].as_str()?.parse().ok()?;
            Some((Ipv4Addr::LOCALHOST, address.port()).into())
        };
        Self {
            name,
            grpc: address("grpc").expect("where it listens"),
            metrics: address("metrics"),
            process,
        }
    }

    /// A connection, as one of Envoy's workers has it.
    pub(crate) async fn connect(&self) -> ExternalProcessorClient<Channel> {
        ExternalProcessorClient::connect(format!("http://{}", self.grpc))
            .await
            .expect("it accepts")
    }

    /// User and system time so far.
    pub(crate) fn cpu(&self) -> Duration {
        let stat = self.read(Process::stat);
        let ticks = (stat.utime + stat.stime) as f64;
        Duration::from_secs_f64(ticks / procfs::ticks_per_second() as f64)
    }

    /// Resident memory in MiB: now, and at most so far.
    pub(crate) fn memory(&self) -> (f64, f64) {
        let status = self.read(Process::status);
        let mebibytes = |kibibytes: Option<u64>| kibibytes.expect("it has memory") as f64 / 1024.0;
        (mebibytes(status.vmrss), mebibytes(status.vmhwm))
    }

    fn read<T>(&self, of: impl Fn(&Process) -> procfs::ProcResult<T>) -> T {
        let process = Process::new(self.process.id() as i32);
        process.and_then(|process| of(&process)).expect("it runs")
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
