//! Who needs which rights → the manifests that grant them.
//!
//! Names are those of the Gateway API Inference Extension's metrics guide where that has one. What is cluster-wide
//! is bound once per namespace: a binding of one name for all would lose its other subjects with each `kubectl apply`.
//! <https://gateway-api-inference-extension.sigs.k8s.io/guides/metrics-and-observability/>

use serde_json::json;

use crate::shell::word;

/// The account that the guide creates for readers.
pub const READER: &str = "inference-gateway-sa-metrics-reader";
/// The ClusterRole that the guide gives to it.
pub const READER_ROLE: &str = "inference-gateway-metrics-reader";
/// The ClusterRole, one of Kubernetes' own, by which a picker asks about tokens and rights.
pub const PICKER_ROLE: &str = "system:auth-delegator";
/// The Role for those who run igctl.
pub const OPERATOR_ROLE: &str = "igctl-operator";

/// What igctl asks the API server for, as rules of a Role: without the right to forward ports `--direct` is left,
/// without that to Leases a leader is told from its metrics.
const OPERATOR_RULES: &str = "\
- {apiGroups: [\"\"], resources: [pods, services, serviceaccounts], verbs: [get, list]}
- {apiGroups: [\"\"], resources: [pods/portforward], verbs: [get, create]}
- {apiGroups: [\"\"], resources: [serviceaccounts/token], verbs: [create]}
- {apiGroups: [apps], resources: [deployments, statefulsets], verbs: [get, list]}
- {apiGroups: [coordination.k8s.io], resources: [leases], verbs: [list]}
- {apiGroups: [inference.networking.k8s.io, inference.networking.x-k8s.io], resources: [inferencepools], verbs: [get, list]}
";

/// Who shall be granted what in one namespace. A part that is `None` is left out.
#[derive(Debug, Clone, Default)]
pub struct Grants {
    /// Where the pickers are.
    pub namespace: String,
    /// Who may read the pickers' metrics.
    pub reader: Option<Reader>,
    /// Who may run igctl.
    pub operators: Option<Vec<Operator>>,
    /// The ServiceAccount of a picker, which may ask the API server whose a token is and what its owner may do.
    pub picker: Option<String>,
}

/// The account that metrics are read with.
#[derive(Debug, Clone)]
pub struct Reader {
    /// The ServiceAccount's name.
    pub account: String,
    /// Whether to make a Secret with a token that does not expire.
    pub secret: bool,
}

/// Somebody who runs igctl.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Operator {
    /// As `kubectl auth whoami` names them.
    User(String),
    /// A group of users.
    Group(String),
}

/// The name of the binding by which an account of a namespace may read metrics.
pub fn reader_binding(namespace: &str, account: &str) -> String {
    format!("{account}-role-binding-{namespace}")
}

/// The name of the binding by which a picker's account of a namespace may review tokens and rights.
pub fn picker_binding(namespace: &str, account: &str) -> String {
    format!("{account}-auth-delegator-{namespace}")
}

/// The command that lets an account read metrics, with an admin's `kubectl`.
pub fn grant_reader(kubectl: &str, namespace: &str, account: &str) -> String {
    let account = match account {
        READER => String::new(),
        account => format!(" --service-account {}", word(account)),
    };
    let namespace = word(namespace);
    format!("igctl rbac generate -n {namespace} --only reader{account} | {kubectl} apply -f -")
}

/// The command that lets a picker's account ask about tokens and rights, with an admin's `kubectl`.
pub fn grant_picker(kubectl: &str, namespace: &str, account: &str) -> String {
    let (namespace, account) = (word(namespace), word(account));
    format!(
        "igctl rbac generate -n {namespace} --only picker --picker {account} | {kubectl} apply -f -"
    )
}

impl Grants {
    /// The objects, as `kubectl apply -f -` takes them.
    pub fn manifests(&self) -> String {
        let namespace = &self.namespace;
        let mut documents = Vec::new();
        if let Some(reader) = &self.reader {
            documents.extend(of_reader(namespace, reader));
        }
        if let Some(operators) = &self.operators {
            documents.push(operator_role(namespace));
            documents.extend(operators.iter().map(|operator| operator.binding(namespace)));
        }
        if let Some(account) = &self.picker {
            documents.push(cluster_binding(
                &picker_binding(namespace, account),
                PICKER_ROLE,
                namespace,
                account,
            ));
        }
        documents.join("---\n")
    }
}

/// Names are written with quotes: some, such as `null` and `2024`, are something else in YAML.
fn of_reader(namespace: &str, reader: &Reader) -> Vec<String> {
    let Reader { account, secret } = reader;
    let (space, name) = (json!(namespace), json!(account));
    let mut documents = vec![
        format!(
            "apiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRole\nmetadata:\n  name: {READER_ROLE}\n\
             rules:\n- nonResourceURLs: [/metrics]\n  verbs: [get]\n"
        ),
        format!(
            "apiVersion: v1\nkind: ServiceAccount\nmetadata:\n  name: {name}\n  namespace: {space}\n"
        ),
        cluster_binding(
            &reader_binding(namespace, account),
            READER_ROLE,
            namespace,
            account,
        ),
    ];
    if *secret {
        let secret = json!(format!("{account}-secret"));
        documents.push(format!(
            "apiVersion: v1\nkind: Secret\nmetadata:\n  name: {secret}\n  namespace: {space}\n  \
             annotations:\n    kubernetes.io/service-account.name: {name}\n\
             type: kubernetes.io/service-account-token\n"
        ));
    }
    documents
}

fn operator_role(namespace: &str) -> String {
    let space = json!(namespace);
    format!(
        "apiVersion: rbac.authorization.k8s.io/v1\nkind: Role\nmetadata:\n  name: {OPERATOR_ROLE}\n  \
         namespace: {space}\nrules:\n{OPERATOR_RULES}"
    )
}

impl Operator {
    fn parts(&self) -> (&'static str, &str) {
        match self {
            Self::User(name) => ("User", name),
            Self::Group(name) => ("Group", name),
        }
    }

    /// The name of the binding of a role to it: one of its own for each, so that one does not replace another.
    pub fn binding_of(&self, role: &str) -> String {
        let (kind, name) = self.parts();
        // RBAC's names take all but `/` and `%`.
        let escaped = name
            .replace('_', "_5f")
            .replace('/', "_2f")
            .replace('%', "_25");
        format!("{role}-{}-{escaped}", kind.to_lowercase())
    }

    fn binding(&self, namespace: &str) -> String {
        let binding = json!(self.binding_of(OPERATOR_ROLE));
        let (kind, name) = self.parts();
        let (space, name) = (json!(namespace), json!(name));
        format!(
            "apiVersion: rbac.authorization.k8s.io/v1\nkind: RoleBinding\nmetadata:\n  name: {binding}\n  \
             namespace: {space}\nroleRef:\n  apiGroup: rbac.authorization.k8s.io\n  kind: Role\n  \
             name: {OPERATOR_ROLE}\nsubjects:\n- apiGroup: rbac.authorization.k8s.io\n  kind: {kind}\n  name: {name}\n"
        )
    }
}

fn cluster_binding(name: &str, role: &str, namespace: &str, account: &str) -> String {
    let (name, space, account) = (json!(name), json!(namespace), json!(account));
    format!(
        "apiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRoleBinding\nmetadata:\n  name: {name}\n\
         roleRef:\n  apiGroup: rbac.authorization.k8s.io\n  kind: ClusterRole\n  name: {role}\n\
         subjects:\n- kind: ServiceAccount\n  name: {account}\n  namespace: {space}\n"
    )
}
