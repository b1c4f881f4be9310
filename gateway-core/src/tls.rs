//! TLS for the sockets, with a certificate that is self-signed, or from files
//! that are read again when they change.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

use openssl::error::ErrorStack;
use openssl::pkey::PKey;
use openssl::ssl::{AlpnError, Ssl, SslAcceptor, SslMethod, select_next_proto};
use openssl::x509::X509;
use tokio::net::TcpStream;
use tokio_openssl::SslStream;
use tracing::{info, warn};

use crate::watching::cause;

/// The files of a certificate folder, named as in Secrets of type
/// `kubernetes.io/tls`.
const CERTIFICATE: &str = "tls.crt";
const KEY: &str = "tls.key";

/// Why there is no certificate.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A file cannot be read.
    #[error("reading {}", path.display())]
    Read {
        /// Which file.
        path: PathBuf,
        /// Why not.
        #[source]
        source: io::Error,
    },
    /// They are no PEM, or the key is not the certificate's.
    #[error("using the certificate and the key in {}", folder.display())]
    Pair {
        /// Where they are.
        folder: PathBuf,
        /// Why not.
        #[source]
        source: ErrorStack,
    },
    /// No self-signed certificate.
    #[error("making a self-signed certificate")]
    SelfSigned(#[source] rcgen::Error),
    /// The TLS library does not take it.
    #[error("setting up TLS")]
    Setup(#[source] ErrorStack),
}

/// Accepts TLS with the certificate in a folder, read again when a file changes,
/// as it does when a mounted Secret is renewed; without a folder with a
/// self-signed one.
///
/// By OpenSSL, which takes any server name: Istio's gateways send their own name
/// of the picker's cluster, `outbound|9002||picker.llm.svc.cluster.local`, which
/// is no host name, and so nothing that rustls goes on with.
#[derive(Clone)]
pub(crate) struct Acceptor(Arc<Shared>);

struct Shared {
    folder: Option<PathBuf>,
    protocol: &'static [u8],
    current: Mutex<(Option<[SystemTime; 2]>, SslAcceptor)>,
}

impl Acceptor {
    /// Clients are offered `protocol` (ALPN), its length before it (RFC 7301, 3.1).
    pub(crate) fn new(folder: Option<&Path>, protocol: &'static [u8]) -> Result<Self, Error> {
        let (changed, acceptor) = match folder {
            Some(folder) => (changed(folder).ok(), of_folder(folder, protocol)?),
            None => (None, self_signed(protocol)?),
        };
        Ok(Self(Arc::new(Shared {
            folder: folder.map(Path::to_owned),
            protocol,
            current: Mutex::new((changed, acceptor)),
        })))
    }

    pub(crate) async fn accept(&self, socket: TcpStream) -> io::Result<SslStream<TcpStream>> {
        let session = Ssl::new(self.current().context())?;
        let mut stream = SslStream::new(session, socket)?;
        Pin::new(&mut stream)
            .accept()
            .await
            .map_err(io::Error::other)?;
        Ok(stream)
    }

    fn current(&self) -> SslAcceptor {
        let mut current = self
            .0
            .current
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let Some(folder) = &self.0.folder else {
            return current.1.clone();
        };
        let changed = changed(folder).ok();
        if changed.is_some() && changed != current.0 {
            // Also when it fails: once per change is often enough to say so.
            current.0 = changed;
            match of_folder(folder, self.0.protocol) {
                Ok(new) => {
                    info!(folder = %folder.display(), "using the new certificate");
                    current.1 = new;
                }
                Err(error) => {
                    warn!(
                        error = cause(&error),
                        "the new certificate is no good; the old one stays in use"
                    );
                }
            }
        }
        current.1.clone()
    }
}

/// When the files were last changed.
fn changed(folder: &Path) -> io::Result<[SystemTime; 2]> {
    let changed = |name| fs::metadata(folder.join(name))?.modified();
    Ok([changed(CERTIFICATE)?, changed(KEY)?])
}

fn of_folder(folder: &Path, protocol: &'static [u8]) -> Result<SslAcceptor, Error> {
    let read = |name| {
        let path = folder.join(name);
        fs::read(&path).map_err(|source| Error::Read { path, source })
    };
    let (certificates, key) = (read(CERTIFICATE)?, read(KEY)?);
    acceptor(&certificates, &key, protocol).map_err(|source| Error::Pair {
        folder: folder.to_owned(),
        source,
    })
}

/// Gateways do not verify the certificate of an endpoint picker; the name in
/// it does not matter.
fn self_signed(protocol: &'static [u8]) -> Result<SslAcceptor, Error> {
    let made = rcgen::generate_simple_self_signed(["gateway-core".to_owned()])
        .map_err(Error::SelfSigned)?;
    let (certificate, key) = (made.cert.pem(), made.signing_key.serialize_pem());
    acceptor(certificate.as_bytes(), key.as_bytes(), protocol).map_err(Error::Setup)
}

/// Shows the first of `certificates` with the others as its chain, all PEM.
fn acceptor(
    certificates: &[u8],
    key: &[u8],
    protocol: &'static [u8],
) -> Result<SslAcceptor, ErrorStack> {
    let mut builder = SslAcceptor::mozilla_intermediate_v5(SslMethod::tls_server())?;
    let mut chain = X509::stack_from_pem(certificates)?.into_iter();
    match chain.next() {
        Some(certificate) => builder.set_certificate(&certificate)?,
        // Says what is missing.
        None => drop(X509::from_pem(certificates)?),
    }
    for certificate in chain {
        builder.add_extra_chain_cert(certificate)?;
    }
    // With a passphrase, if an empty one: without, OpenSSL would ask at the terminal.
    let key = PKey::private_key_from_pem_passphrase(key, b"")?;
    builder.set_private_key(&key)?;
    builder.check_private_key()?;
    builder.set_alpn_select_callback(move |_, theirs| {
        select_next_proto(protocol, theirs).ok_or(AlpnError::ALERT_FATAL)
    });
    Ok(builder.build())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    use openssl::ssl::SslContext;
    use tokio::net::TcpListener;

    fn write(folder: &Path, name: &str) -> Vec<u8> {
        let made = rcgen::generate_simple_self_signed([name.to_owned()]).expect("a certificate");
        fs::write(folder.join(CERTIFICATE), made.cert.pem()).expect("a written file");
        fs::write(folder.join(KEY), made.signing_key.serialize_pem()).expect("a written file");
        made.cert.der().to_vec()
    }

    fn certificate(acceptor: &Acceptor) -> Vec<u8> {
        let current = acceptor.current();
        let shown = current.context().certificate().expect("a certificate");
        shown.to_der().expect("DER")
    }

    /// Sets the files' times, since two writes may fall into one tick of it.
    fn touch(folder: &Path, [certificate, key]: [u64; 2]) {
        for (name, seconds) in [(CERTIFICATE, certificate), (KEY, key)] {
            let time = SystemTime::UNIX_EPOCH + Duration::from_secs(seconds);
            let file = fs::File::options().append(true).open(folder.join(name));
            file.and_then(|file| file.set_modified(time))
                .expect("a file with a time");
        }
    }

    #[test]
    fn a_changed_certificate_is_used_and_a_broken_one_is_not() {
        let folder = tempfile::tempdir().expect("a folder");
        let first = write(folder.path(), "first");
        touch(folder.path(), [1, 1]);
        let acceptor = Acceptor::new(Some(folder.path()), b"\x02h2").expect("a certificate");
        let used = || certificate(&acceptor);
        let mut seen = vec![used()];
        let second = write(folder.path(), "second");
        touch(folder.path(), [2, 2]);
        seen.push(used());
        fs::write(folder.path().join(CERTIFICATE), "no PEM").expect("a written file");
        touch(folder.path(), [3, 3]);
        seen.push(used());
        assert!(
            seen == [first, second.clone(), second],
            "another certificate was used"
        );
    }

    #[test]
    fn a_pair_that_is_older_than_the_last_is_a_change_too() {
        let folder = tempfile::tempdir().expect("a folder");
        write(folder.path(), "half renewed");
        touch(folder.path(), [1, 5]);
        let acceptor = Acceptor::new(Some(folder.path()), b"\x02h2").expect("a certificate");
        let second = write(folder.path(), "second");
        touch(folder.path(), [2, 5]);
        let used = certificate(&acceptor);
        assert!(used == second, "the first certificate was used");
    }

    #[test]
    fn a_folder_without_certificate_says_which_file_is_missing() {
        let folder = tempfile::tempdir().expect("a folder");
        let error = Acceptor::new(Some(folder.path()), b"\x02h2")
            .err()
            .expect("no certificate");
        assert_eq!(
            error.to_string(),
            format!("reading {}", folder.path().join("tls.crt").display())
        );
    }

    #[tokio::test]
    async fn a_server_name_that_is_no_host_is_taken() {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("a bound socket");
        let acceptor = Acceptor::new(None, b"\x02h2").expect("a certificate");
        let server = async {
            let (socket, _) = listener.accept().await.expect("a client");
            acceptor.accept(socket).await
        };
        let client = async {
            let context = SslContext::builder(SslMethod::tls_client()).expect("a context");
            let mut session = Ssl::new(&context.build()).expect("a session");
            session
                .set_hostname("outbound|9002||picker.llm.svc.cluster.local")
                .expect("a server name");
            let socket = TcpStream::connect(address).await.expect("somebody listens");
            let mut stream = SslStream::new(session, socket).expect("a stream");
            let connected = Pin::new(&mut stream).connect().await;
            (connected, stream)
        };
        let (accepted, (connected, _stream)) = tokio::join!(server, client);
        assert!(
            accepted.is_ok() && connected.is_ok(),
            "{accepted:?}, {connected:?}"
        );
    }

    #[test]
    fn a_key_under_a_passphrase_is_refused_and_not_asked_for() {
        let folder = tempfile::tempdir().expect("a folder");
        write(folder.path(), "encrypted");
        let path = folder.path().join(KEY);
        let key = fs::read(&path).expect("a key");
        let key = PKey::private_key_from_pem(&key).expect("a key");
        let cipher = openssl::symm::Cipher::aes_256_cbc();
        let encrypted = key.private_key_to_pem_pkcs8_passphrase(cipher, b"secret");
        fs::write(&path, encrypted.expect("PEM")).expect("a written file");

        let error = Acceptor::new(Some(folder.path()), b"\x02h2").err();
        assert!(matches!(error, Some(Error::Pair { .. })), "{error:?}");
    }
}
