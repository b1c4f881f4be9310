//! PEM files of the command line → whom an HTTP client trusts, and what it shows.

use std::error::Error as _;
use std::fs;
use std::path::Path;

use reqwest::{Certificate, ClientBuilder, Identity};

use super::ScrapeError;
use crate::cause;
use crate::config::Tls;

pub(super) fn with_tls(builder: ClientBuilder, tls: &Tls) -> Result<ClientBuilder, ScrapeError> {
    let builder = builder.tls_danger_accept_invalid_certs(tls.insecure_skip_verify);
    let Some(certificate) = &tls.client_cert else {
        return Ok(builder);
    };
    let mut pem = read(certificate)?;
    if let Some(key) = &tls.client_key {
        pem.push(b'\n');
        pem.extend(read(key)?);
    }
    let identity = Identity::from_pem(&pem).map_err(|fault| unusable(certificate, &fault))?;
    Ok(builder.identity(identity))
}

pub(crate) fn certificates(path: &Path) -> Result<Vec<Certificate>, ScrapeError> {
    let found =
        Certificate::from_pem_bundle(&read(path)?).map_err(|fault| unusable(path, &fault))?;
    match found.is_empty() {
        true => Err(ScrapeError::TlsFile {
            path: path.into(),
            reason: "it has no PEM certificate".into(),
        }),
        false => Ok(found),
    }
}

fn read(path: &Path) -> Result<Vec<u8>, ScrapeError> {
    fs::read(path).map_err(|fault| ScrapeError::TlsFile {
        path: path.into(),
        reason: fault.to_string(),
    })
}

fn unusable(path: &Path, fault: &reqwest::Error) -> ScrapeError {
    ScrapeError::TlsFile {
        path: path.into(),
        reason: fault
            .source()
            .map_or_else(|| fault.to_string(), cause::innermost),
    }
}
