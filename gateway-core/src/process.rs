//! The usual `process_*` series, read from `/proc/self` at each scrape.
//!
//! Readers find restarts by `process_start_time_seconds`; the other series
//! exist on Linux only.

use std::fmt;
use std::time::{SystemTime, UNIX_EPOCH};

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric};
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;

/// What the process uses, as one collector.
#[derive(Debug)]
pub(crate) struct ProcessCollector {
    /// Unix time in seconds.
    started: f64,
}

impl ProcessCollector {
    /// To be made when the process starts.
    pub(crate) fn new() -> Self {
        let now = SystemTime::now().duration_since(UNIX_EPOCH);
        Self {
            started: now.unwrap_or_default().as_secs_f64(),
        }
    }
}

impl Collector for ProcessCollector {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), fmt::Error> {
        #[cfg(target_os = "linux")]
        if let Ok(usage) = linux::Usage::read() {
            usage.encode(&mut encoder)?;
        }
        gauge(
            &mut encoder,
            "process_start_time_seconds",
            "Start time of the process since unix epoch in seconds",
            self.started,
        )
    }
}

fn gauge(encoder: &mut DescriptorEncoder<'_>, name: &str, help: &str, value: f64) -> fmt::Result {
    let gauge = ConstGauge::new(value);
    gauge.encode(encoder.encode_descriptor(name, help, None, gauge.metric_type())?)
}

#[cfg(target_os = "linux")]
mod linux {
    use super::*;
    use procfs::ProcResult;
    use procfs::process::{LimitValue, Process};

    pub(super) struct Usage {
        cpu_seconds: f64,
        open_files: f64,
        max_files: f64,
        resident_bytes: f64,
        virtual_bytes: f64,
    }

    impl Usage {
        pub(super) fn read() -> ProcResult<Self> {
            let process = Process::myself()?;
            let stat = process.stat()?;
            let max_files = match process.limits()?.max_open_files.soft_limit {
                LimitValue::Value(files) => files as f64,
                LimitValue::Unlimited => f64::INFINITY,
            };
            Ok(Self {
                cpu_seconds: (stat.utime + stat.stime) as f64 / procfs::ticks_per_second() as f64,
                open_files: process.fd_count()? as f64,
                max_files,
                resident_bytes: (stat.rss * procfs::page_size()) as f64,
                virtual_bytes: stat.vsize as f64,
            })
        }

        pub(super) fn encode(&self, encoder: &mut DescriptorEncoder<'_>) -> fmt::Result {
            let cpu = ConstCounter::new(self.cpu_seconds);
            cpu.encode(encoder.encode_descriptor(
                "process_cpu_seconds",
                "Total user and system CPU time spent in seconds",
                None,
                cpu.metric_type(),
            )?)?;
            gauge(
                encoder,
                "process_max_fds",
                "Maximum number of open file descriptors",
                self.max_files,
            )?;
            gauge(
                encoder,
                "process_open_fds",
                "Number of open file descriptors",
                self.open_files,
            )?;
            gauge(
                encoder,
                "process_resident_memory_bytes",
                "Resident memory size in bytes",
                self.resident_bytes,
            )?;
            gauge(
                encoder,
                "process_virtual_memory_bytes",
                "Virtual memory size in bytes",
                self.virtual_bytes,
            )
        }
    }
}
