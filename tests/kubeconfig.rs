//! Kubeconfigs as they are in the wild: what kubectl takes, igctl takes; and where it cannot, it says what is missing.
//!
//! The faults are from public reports against kubie, k9s, kube-ops-view and kube-rs.

mod support;

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use igctl::cluster::Cluster;
use igctl::config::{ClusterSource, Select};
use igctl::kubeconfig::connect;
use support::api::Api;
use support::told;
use tempfile::TempDir;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use tokio_rustls::TlsAcceptor;

/// A folder with these files.
fn folder(files: &[(&str, &str)]) -> TempDir {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let folder = tempfile::tempdir().expect("a temporary folder");
    for (name, text) in files {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().expect("it is in the folder")).expect("a folder");
        fs::write(&path, text).expect("a file");
        let mode = if text.starts_with("#!") { 0o755 } else { 0o644 };
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).expect("our own file");
    }
    folder
}

fn source(kubeconfig: PathBuf) -> ClusterSource {
    ClusterSource {
        kubeconfig: Some(kubeconfig),
        ..ClusterSource::default()
    }
}

async fn connected(source: ClusterSource) -> Cluster {
    connect(&source)
        .await
        .unwrap_or_else(|error| panic!("{error}"))
}

/// What is said, with the folder's name, which differs from run to run, as FOLDER.
async fn refused(source: ClusterSource, folder: &Path) -> String {
    let text = match connect(&source).await {
        Ok(cluster) => format!("it connects to {}", cluster.server()),
        Err(error) => told(
            &error.to_string(),
            error.hint(&source.by_hand()),
            error.exit_code(),
        ),
    };
    text.replace(&folder.display().to_string(), "FOLDER")
}

const GOOD: &str = "
apiVersion: v1
kind: Config
clusters: [{name: c1, cluster: {server: 'https://api.example.test:6443'}}]
users: [{name: u1, user: {token: t-not-real}}]
contexts: [{name: x1, context: {cluster: c1, user: u1, namespace: obs}}]
";

#[tokio::test]
async fn a_context_that_is_named_needs_no_current_one() {
    let folder = folder(&[("kc.yaml", &format!("{GOOD}current-context: ''\n"))]);
    let file = folder.path().join("kc.yaml");
    let named = |context: &str| ClusterSource {
        context: Some(context.into()),
        ..source(file.clone())
    };

    let cluster = connected(named("x1")).await;

    assert_eq!(
        (cluster.server(), cluster.namespace()),
        ("https://api.example.test:6443".into(), "obs")
    );
    let unnamed = refused(source(file.clone()), folder.path()).await;
    let unknown = refused(named("nope"), folder.path()).await;
    insta::assert_snapshot!(format!("{unnamed}\n---\n{unknown}"));
}

/// A kubeconfig of this cluster and this user.
fn of(cluster: &str, user: &str) -> String {
    format!(
        "apiVersion: v1\ncurrent-context: x1\ncontexts: [{{name: x1, context: {{cluster: c, user: u}}}}]\n\
         clusters: [{{name: c, cluster: {{{cluster}}}}}]\nusers: [{{name: u, user: {{{user}}}}}]\n"
    )
}

#[tokio::test]
async fn servers_and_tokens_that_kube_would_panic_at_or_show() {
    let server = |server: &str| of(&format!("server: '{server}'"), "token: t");
    let token = |user: &str| of("server: 'https://h:6443'", user);
    let files = [
        (
            "no-scheme.yaml",
            of(
                "server: 'h:6443', insecure-skip-tls-verify: true",
                "token: t",
            ),
        ),
        ("no-scheme-no-tls.yaml", server("u:s3cr3t@h:6443")),
        ("password.yaml", server("https://u:s3cr3t@h:6443/k8s")),
        (
            "proxy.yaml",
            of(
                "server: 'https://h', proxy-url: 'ftp://u:s3cr3t@h'",
                "token: t",
            ),
        ),
        ("newline.yaml", token("token: \"s3cr3t\\n\"")),
        ("two-words.yaml", token("token: \"s3cr3t\\nof: jane\"")),
        ("blank.yaml", token("token: ''")),
        ("file.yaml", token("tokenFile: tok")),
        ("no-file.yaml", token("tokenFile: gone")),
        (
            "provider.yaml",
            token("auth-provider: {name: oidc, config: {id-token: \"s3cr3t of jane\"}}"),
        ),
    ];
    let mut written: Vec<(&str, &str)> = files
        .iter()
        .map(|(name, text)| (*name, &text[..]))
        .collect();
    written.push(("tok", "s3cr3t\n"));
    let folder = folder(&written);
    let mut told = Vec::new();
    for (file, _) in files {
        let refused = refused(source(folder.path().join(file)), folder.path()).await;
        told.push(format!("--- {file}\n{refused}"));
    }

    let told = told.join("\n");
    assert!(!told.contains("s3cr3t"), "{told}");
    insta::assert_snapshot!(told);
}

#[tokio::test]
async fn a_token_is_sent_without_the_line_end_of_its_file() {
    let api = Api::start().await;
    api.has_pods(vec![support::api::pod("epp-a", "u1")]);
    let server = connected(api.source()).await.server();
    let folder = folder(&[
        (
            "kc.yaml",
            &of(&format!("server: '{server}'"), "tokenFile: tok"),
        ),
        ("tok", "of-the-file\n"),
    ]);

    support::opened(ClusterSource {
        namespace: Some("llm".into()),
        select: Select::Labels("app=epp".into()),
        ..source(folder.path().join("kc.yaml"))
    })
    .await;

    let token = api.calls().pop().expect("it asked").token;
    assert_eq!(token.as_deref(), Some("Bearer of-the-file"));
}

#[tokio::test]
async fn lists_that_are_null_and_files_that_are_broken() {
    let folder = folder(&[
        (
            "null.yaml",
            "apiVersion: v1\nkind: Config\nclusters: null\ncontexts: null\nusers: null\ncurrent-context: x1\n",
        ),
        ("empty.yaml", ""),
        (
            "broken.yaml",
            "apiVersion: v1\nusers: [{name: u1, user: {token: s3cr3t\n",
        ),
        (
            "typed.yaml",
            "apiVersion: v1\nusers: [{name: u1, user: {token: [s3cr3t]}}]\n",
        ),
        (
            "no-cluster.yaml",
            "apiVersion: v1\ncontexts: [{name: x1, context: {cluster: gone}}]\ncurrent-context: x1\n",
        ),
        (
            "no-ca.yaml",
            "apiVersion: v1\ncurrent-context: x1\ncontexts: [{name: x1, context: {cluster: c}}]\n\
             clusters: [{name: c, cluster: {server: 'https://h', certificate-authority: ca.crt}}]\n",
        ),
    ]);
    let mut told = Vec::new();
    for file in [
        "null.yaml",
        "empty.yaml",
        "broken.yaml",
        "typed.yaml",
        "no-cluster.yaml",
        "no-ca.yaml",
        "missing.yaml",
    ] {
        let refused = refused(source(folder.path().join(file)), folder.path()).await;
        assert!(!refused.contains("s3cr3t"), "{refused}");
        told.push(format!("--- {file}\n{refused}"));
    }

    insta::assert_snapshot!(told.join("\n"));
}

fn with_plugin(server: &str, exec: &str) -> String {
    format!(
        "apiVersion: v1\nkind: Config\ncurrent-context: x1\n\
         clusters: [{{name: c1, cluster: {{server: '{server}'}}}}]\n\
         users: [{{name: u1, user: {{exec: {{apiVersion: client.authentication.k8s.io/v1, {exec}}}}}}}]\n\
         contexts: [{{name: x1, context: {{cluster: c1, user: u1, namespace: llm}}}}]\n"
    )
}

/// Prints a credential, and writes a line into `runs` beside it each time it runs.
const PLUGIN: &str = "#!/bin/sh
echo run >>\"$(dirname \"$0\")/runs\"
echo \"$KUBERNETES_EXEC_INFO\" >\"$(dirname \"$0\")/info\"
cat <<END
{\"apiVersion\": \"client.authentication.k8s.io/v1\", \"kind\": \"ExecCredential\", \"status\": {\"token\": \"of-the-plugin\"}}
END
";

#[tokio::test]
async fn a_plugin_is_found_from_the_kubeconfigs_folder_and_runs_once() {
    let api = Api::start().await;
    api.has_pods(vec![support::api::pod("epp-a", "u1")]);
    let server = connected(api.source()).await.server();
    let exec = "command: ../bin/tok.sh, interactiveMode: Never, env: null, args: null, provideClusterInfo: true";
    let folder = folder(&[
        ("conf/kc.yaml", &with_plugin(&server, exec)),
        ("bin/tok.sh", PLUGIN),
    ]);

    let kubeconfig = source(folder.path().join("conf/kc.yaml"));
    support::opened(ClusterSource {
        select: Select::Labels("app=epp".into()),
        ..kubeconfig
    })
    .await;

    let read =
        |file: &str| fs::read_to_string(folder.path().join("bin").join(file)).expect("it ran");
    let token = api.calls().pop().expect("it asked").token;
    assert_eq!(token.as_deref(), Some("Bearer of-the-plugin"));
    assert_eq!(read("runs"), "run\n");
    let info: serde_json::Value = serde_json::from_str(&read("info")).expect("JSON");
    assert_eq!(
        (
            &info["spec"]["interactive"],
            &info["spec"]["cluster"]["server"]
        ),
        (&false.into(), &server.into())
    );
}

#[tokio::test]
async fn what_is_told_where_a_plugin_fails() {
    let script = |text: &str| format!("#!/bin/sh\n{text}\n");
    let folder = folder(&[
        (
            "bin/fails",
            &script(
                "echo s3cr3t; echo 'token has expired' >&2; printf 'run: \\033[1mlogin\\n' >&2; exit 3",
            ),
        ),
        ("bin/hangs", &script("exec sleep 60")),
        ("bin/babbles", &script("echo 's3cr3t: [not a credential'")),
        (
            "bin/empty",
            &script("echo '{\"kind\": \"ExecCredential\", \"status\": {}}'"),
        ),
    ]);
    let mut told = Vec::new();
    for (what, exec) in [
        (
            "missing",
            "command: ../bin/missing, interactiveMode: Never, installHint: see wiki/tok",
        ),
        (
            "missing from the PATH",
            "command: no-such-plugin, interactiveMode: Never",
        ),
        ("fails", "command: ../bin/fails, interactiveMode: Never"),
        ("hangs", "command: ../bin/hangs, interactiveMode: Never"),
        ("babbles", "command: ../bin/babbles, interactiveMode: Never"),
        ("empty", "command: ../bin/empty, interactiveMode: Never"),
    ] {
        let file = folder.path().join("conf/kc.yaml");
        fs::create_dir_all(folder.path().join("conf")).expect("a folder");
        fs::write(&file, with_plugin("https://127.0.0.1:1", exec)).expect("a file");
        let timed = ClusterSource {
            request_timeout: Some(Duration::from_secs(2)),
            ..source(file)
        };
        let refused = refused(timed, folder.path()).await;
        assert!(!refused.contains("s3cr3t"), "{refused}");
        told.push(format!("--- {what}\n{refused}"));
    }

    insta::assert_snapshot!(told.join("\n"));
}

/// An HTTP proxy for one connection; gives the line that it was asked with.
async fn proxy() -> (String, JoinHandle<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("bound").to_string();
    let asked = tokio::spawn(async move {
        let (mut client, _) = listener.accept().await.expect("igctl comes by");
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            head.push(client.read_u8().await.expect("a request"));
        }
        let line = String::from_utf8_lossy(&head)
            .lines()
            .next()
            .unwrap_or_default()
            .to_owned();
        let server = line.split(' ').nth(1).expect("CONNECT HOST:PORT HTTP/1.1");
        let mut server = TcpStream::connect(server)
            .await
            .expect("the API server runs");
        client
            .write_all(b"HTTP/1.1 200 OK\r\n\r\n")
            .await
            .expect("igctl waits");
        tokio::spawn(async move { tokio::io::copy_bidirectional(&mut client, &mut server).await });
        line
    });
    (address, asked)
}

#[tokio::test]
async fn a_proxy_of_the_kubeconfig_is_gone_through() {
    let api = Api::start().await;
    api.answers(
        "GET /api/v1/namespaces/default/pods/epp-a",
        support::api::pod("epp-a", "u1"),
    );
    let server = connected(api.source()).await.server();
    let (proxy, asked) = proxy().await;
    let folder = folder(&[(
        "kc.yaml",
        &format!(
            "apiVersion: v1\ncurrent-context: x1\ncontexts: [{{name: x1, context: {{cluster: c}}}}]\n\
             clusters: [{{name: c, cluster: {{server: '{server}', proxy-url: 'http://{proxy}'}}}}]\n"
        ),
    )]);
    let select = Select::Pod("epp-a".into());

    support::opened(ClusterSource {
        select,
        ..source(folder.path().join("kc.yaml"))
    })
    .await;

    let connect = server.replace("http://", "CONNECT ") + " HTTP/1.1";
    assert_eq!(asked.await.expect("the proxy ran"), connect);
}

#[tokio::test]
async fn tls_server_name_is_what_the_certificate_is_held_against() {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let signed = rcgen::generate_simple_self_signed(["kubernetes.default.svc".to_owned()])
        .expect("a certificate");
    let config = rustls::ServerConfig::builder()
        .with_no_client_auth()
        .with_single_cert(
            vec![signed.cert.der().clone()],
            signed
                .signing_key
                .serialize_der()
                .try_into()
                .expect("a key"),
        )
        .expect("a certificate and its key");
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("bound");
    let acceptor = TlsAcceptor::from(Arc::new(config));
    tokio::spawn(async move {
        while let Ok((socket, _)) = listener.accept().await {
            if let Ok(mut socket) = acceptor.accept(socket).await {
                let _ = socket
                    .write_all(b"HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
                    .await;
                let _ = socket.shutdown().await;
            }
        }
    });
    let kubeconfig = |name: &str| {
        format!(
            "apiVersion: v1\ncurrent-context: x1\ncontexts: [{{name: x1, context: {{cluster: c}}}}]\n\
             clusters: [{{name: c, cluster: {{server: 'https://{address}', certificate-authority: ca.crt{name}}}}}]\n"
        )
    };
    let folder = folder(&[
        ("ca.crt", &signed.cert.pem()),
        (
            "named.yaml",
            &kubeconfig(", tls-server-name: kubernetes.default.svc"),
        ),
        ("unnamed.yaml", &kubeconfig("")),
    ]);
    let ask = async |file: &str| {
        let select = Select::Pod("epp".into());
        let told = support::refusal(ClusterSource {
            select,
            ..source(folder.path().join(file))
        })
        .await;
        told.replace(&address.to_string(), "SERVER")
            .replace(&folder.path().display().to_string(), "FOLDER")
    };

    insta::assert_snapshot!(format!(
        "{}\n---\n{}",
        ask("named.yaml").await,
        ask("unnamed.yaml").await
    ));
}
