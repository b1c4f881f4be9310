//! Certificates for the sockets: self-signed, or from files that are read
//! again when they change.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::{CertifiedKey, SingleCertAndKey};
use tokio_rustls::TlsAcceptor;
use tracing::{info, warn};

/// The files of a certificate folder, named as in Secrets of type
/// `kubernetes.io/tls`.
const CERTIFICATE: &str = "tls.crt";
const KEY: &str = "tls.key";

/// Why there is no certificate.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A file cannot be read, or holds no PEM of its kind.
    #[error("reading {}", path.display())]
    Read {
        /// Which file.
        path: PathBuf,
        /// Why not.
        #[source]
        source: rustls::pki_types::pem::Error,
    },
    /// The key is of no known kind, or not the certificate's.
    #[error("using the certificate and the key in {}", folder.display())]
    Pair {
        /// Where they are.
        folder: PathBuf,
        /// Why not.
        #[source]
        source: rustls::Error,
    },
    /// No self-signed certificate.
    #[error("making a self-signed certificate")]
    SelfSigned(#[source] rcgen::Error),
    /// The TLS library does not take it.
    #[error("setting up TLS")]
    Setup(#[source] rustls::Error),
}

/// Accepts TLS with the certificate in `folder`, or a self-signed one. Clients
/// are offered `protocol` (ALPN).
pub(crate) fn acceptor(folder: Option<&Path>, protocol: &[u8]) -> Result<TlsAcceptor, Error> {
    let certificates: Arc<dyn ResolvesServerCert> = match folder {
        Some(folder) => Arc::new(Reloaded::new(folder)?),
        None => Arc::new(SingleCertAndKey::from(self_signed()?)),
    };
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(Error::Setup)?
        .with_no_client_auth()
        .with_cert_resolver(certificates);
    config.alpn_protocols = vec![protocol.to_vec()];
    Ok(Arc::new(config).into())
}

/// Gateways do not verify the certificate of an endpoint picker; the name in
/// it does not matter.
fn self_signed() -> Result<CertifiedKey, Error> {
    let made = rcgen::generate_simple_self_signed(["gateway-core".to_owned()])
        .map_err(Error::SelfSigned)?;
    let key = PrivateKeyDer::try_from(made.signing_key.serialize_der())
        .expect("a key that was just made");
    let key = rustls::crypto::ring::sign::any_supported_type(&key).map_err(Error::Setup)?;
    Ok(CertifiedKey::new(vec![made.cert.der().clone()], key))
}

/// The certificate in a folder, read again when its file changes, as it does
/// when a mounted Secret is renewed.
#[derive(Debug)]
struct Reloaded {
    folder: PathBuf,
    current: Mutex<(Option<SystemTime>, Arc<CertifiedKey>)>,
}

impl Reloaded {
    fn new(folder: &Path) -> Result<Self, Error> {
        Ok(Self {
            folder: folder.to_owned(),
            current: Mutex::new((changed(folder).ok(), Arc::new(read(folder)?))),
        })
    }

    fn certificate(&self) -> Arc<CertifiedKey> {
        let mut current = self.current.lock().unwrap_or_else(PoisonError::into_inner);
        let changed = changed(&self.folder).ok();
        if changed.is_some() && changed != current.0 {
            // Also when it fails: once per change is often enough to say so.
            current.0 = changed;
            match read(&self.folder) {
                Ok(new) => {
                    info!(folder = %self.folder.display(), "using the new certificate");
                    current.1 = Arc::new(new);
                }
                Err(error) => {
                    warn!(%error, "the new certificate is no good; the old one stays in use");
                }
            }
        }
        current.1.clone()
    }
}

impl ResolvesServerCert for Reloaded {
    fn resolve(&self, _hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(self.certificate())
    }
}

fn changed(folder: &Path) -> io::Result<SystemTime> {
    let times = [CERTIFICATE, KEY].map(|name| fs::metadata(folder.join(name))?.modified());
    let [certificate, key] = times;
    Ok(certificate?.max(key?))
}

fn read(folder: &Path) -> Result<CertifiedKey, Error> {
    let path = folder.join(CERTIFICATE);
    let chain = CertificateDer::pem_file_iter(&path)
        .and_then(|certificates| certificates.collect::<Result<Vec<_>, _>>())
        .map_err(|source| Error::Read { path, source })?;
    let path = folder.join(KEY);
    let key = PrivateKeyDer::from_pem_file(&path).map_err(|source| Error::Read { path, source })?;
    let pair = |source| Error::Pair {
        folder: folder.to_owned(),
        source,
    };
    CertifiedKey::from_der(chain, key, &rustls::crypto::ring::default_provider()).map_err(pair)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    fn write(folder: &Path, name: &str) -> Vec<u8> {
        let made = rcgen::generate_simple_self_signed([name.to_owned()]).expect("a certificate");
        fs::write(folder.join(CERTIFICATE), made.cert.pem()).expect("a written file");
        fs::write(folder.join(KEY), made.signing_key.serialize_pem()).expect("a written file");
        made.cert.der().to_vec()
    }

    /// Sets the files' time, since two writes may fall into one tick of it.
    fn touch(folder: &Path, seconds: u64) {
        let time = SystemTime::UNIX_EPOCH + Duration::from_secs(seconds);
        let file = fs::File::options()
            .append(true)
            .open(folder.join(CERTIFICATE));
        file.and_then(|file| file.set_modified(time))
            .expect("a file with a time");
        let file = fs::File::options().append(true).open(folder.join(KEY));
        file.and_then(|file| file.set_modified(time))
            .expect("a file with a time");
    }

    #[test]
    fn a_changed_certificate_is_used_and_a_broken_one_is_not() {
        let folder = tempfile::tempdir().expect("a folder");
        let first = write(folder.path(), "first");
        touch(folder.path(), 1);
        let reloaded = Reloaded::new(folder.path()).expect("a certificate");
        let used = || reloaded.certificate().cert[0].to_vec();
        let mut seen = vec![used()];
        let second = write(folder.path(), "second");
        touch(folder.path(), 2);
        seen.push(used());
        fs::write(folder.path().join(CERTIFICATE), "no PEM").expect("a written file");
        touch(folder.path(), 3);
        seen.push(used());
        assert!(
            seen == [first, second.clone(), second],
            "another certificate was used"
        );
    }

    #[test]
    fn a_folder_without_certificate_says_which_file_is_missing() {
        let folder = tempfile::tempdir().expect("a folder");
        let error = acceptor(Some(folder.path()), b"h2")
            .err()
            .expect("no certificate");
        assert_eq!(
            error.to_string(),
            format!("reading {}", folder.path().join("tls.crt").display())
        );
    }
}
