//! What may I do? Asked of the API server, right by right, before anything is tried.
//! <https://kubernetes.io/docs/reference/access-authn-authz/authorization/#checking-api-access>

use futures::future::join_all;
use k8s_openapi::api::authentication::v1::SelfSubjectReview;
use k8s_openapi::api::authorization::v1::{
    ResourceAttributes, SelfSubjectAccessReview, SelfSubjectAccessReviewSpec, SubjectAccessReview,
    SubjectAccessReviewSpec,
};
use kube::Api;
use kube::api::PostParams;

use super::bindings;
use super::step::{Name, Step};
use crate::auth::Account;
use crate::cluster::{ApiError, Cluster, Right};
use crate::config::{ClusterSource, Select, TokenSource};
use crate::rbac::{OPERATOR_ROLE, Operator, READER};
use crate::shell::word;

const NAME: Name = Name::MyRights;
/// Who shows no credential, as Kubernetes names them.
const ANONYMOUS: &str = "system:anonymous";
/// The first Kubernetes, 1.x, whose port-forward by WebSocket asks for `create` too.
const ASKS_FOR_CREATE: u32 = 35;

/// What I may do in a namespace.
pub(super) struct Granted {
    answers: Vec<(Need, Result<bool, ApiError>)>,
}

/// A right, and what is lost without it.
struct Need {
    right: Right,
    purpose: Purpose,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Purpose {
    FindPools,
    FindPods,
    Forward,
    /// By which newer API servers forward.
    ForwardLater,
    Mint,
    ReadSecret,
    /// Nice to have.
    TellLeader,
}

impl Purpose {
    fn text(self) -> &'static str {
        match self {
            Self::FindPools => "list pools",
            Self::FindPods => "list pods",
            Self::Forward => "port-forward",
            Self::ForwardLater => "port-forward from Kubernetes 1.35 on",
            Self::Mint => "mint tokens",
            Self::ReadSecret => "read the Secret",
            Self::TellLeader => "list leases",
        }
    }
}

pub(super) async fn ask(cluster: &Cluster, source: &ClusterSource, namespace: &str) -> Granted {
    let needs = needs(source, namespace);
    let answers = join_all(needs.iter().map(|need| may_i(cluster, &need.right))).await;
    Granted {
        answers: needs.into_iter().zip(answers).collect(),
    }
}

fn needs(source: &ClusterSource, namespace: &str) -> Vec<Need> {
    let right = |purpose, verb, group, resource, namespace: &str| Need {
        purpose,
        right: Right {
            verb,
            group,
            resource,
            namespace: Some(namespace.into()),
            name: None,
        },
    };
    let here = |purpose, verb, group, resource| right(purpose, verb, group, resource, namespace);
    let mut needs = Vec::new();
    if let Select::Pools | Select::Pool(_) = source.select {
        let verb = match source.select {
            Select::Pool(_) => "get",
            _ => "list",
        };
        needs.push(here(
            Purpose::FindPools,
            verb,
            "inference.networking.k8s.io",
            "inferencepools",
        ));
    }
    if let Select::Pools | Select::Pool(_) | Select::Service(_) = source.select {
        needs.push(here(Purpose::FindPods, "get", "", "services"));
    }
    needs.push(match source.select {
        Select::Pod(_) => here(Purpose::FindPods, "get", "", "pods"),
        _ => here(Purpose::FindPods, "list", "", "pods"),
    });
    if let Select::Deployment(_) = source.select {
        needs.push(here(Purpose::FindPods, "get", "apps", "deployments"));
    }
    if !source.direct {
        needs.push(here(Purpose::Forward, "get", "", "pods/portforward"));
        needs.push(here(
            Purpose::ForwardLater,
            "create",
            "",
            "pods/portforward",
        ));
    }
    match &source.token {
        // The right may be for one account's tokens alone.
        TokenSource::Auto => {
            let mut need = here(Purpose::Mint, "create", "", "serviceaccounts/token");
            need.right.name = Some(READER.into());
            needs.push(need);
        }
        TokenSource::ServiceAccount { namespace, name } => {
            let mut need = right(
                Purpose::Mint,
                "create",
                "",
                "serviceaccounts/token",
                namespace,
            );
            need.right.name = Some(name.clone());
            needs.push(need);
        }
        TokenSource::Secret { namespace, name } => {
            let mut need = right(Purpose::ReadSecret, "get", "", "secrets", namespace);
            need.right.name = Some(name.clone());
            needs.push(need);
        }
        TokenSource::None | TokenSource::File(_) => {}
    }
    needs.push(here(
        Purpose::TellLeader,
        "list",
        "coordination.k8s.io",
        "leases",
    ));
    needs
}

/// What else is known that decides whether a missing right matters.
pub(super) struct Circumstances {
    pub(super) minor: Option<u32>,
    /// Pools were asked for, and refused.
    pub(super) pools_refused: bool,
    /// Pickers were found all the same.
    pub(super) pickers_found: bool,
    /// Whether the picker asks for a token; `None` where that is not known.
    pub(super) guarded: Option<bool>,
}

pub(super) async fn judge(
    cluster: &Cluster,
    granted: &Granted,
    namespace: &str,
    circumstances: &Circumstances,
) -> Step {
    let missing: Vec<&Need> = granted.missing().collect();
    let matters = |need: &&&Need| match need.purpose {
        Purpose::FindPools => circumstances.pools_refused && !circumstances.pickers_found,
        Purpose::ForwardLater => circumstances
            .minor
            .is_some_and(|minor| minor >= ASKS_FOR_CREATE),
        Purpose::Mint => circumstances.guarded != Some(false),
        Purpose::TellLeader => false,
        Purpose::FindPods | Purpose::Forward | Purpose::ReadSecret => true,
    };
    let lacking: Vec<&Need> = missing.iter().filter(matters).copied().collect();
    let later: Vec<&Need> = missing
        .iter()
        .filter(|need| !matters(need))
        .copied()
        .collect();
    if !lacking.is_empty() {
        let found = format!("you may not {}", lacking[0].right);
        let further = lacking[1..]
            .iter()
            .map(|need| format!("nor {}", need.right));
        return Step::fail(NAME, found)
            .because(further)
            .because(["the rules that are missing:"])
            .because(lacking.iter().map(|need| need.right.rule()))
            .mended_by(grant(cluster, namespace, &lacking).await);
    }
    if let Some(ApiError::Forbidden { message, .. }) = granted.unknown()
        && message.contains(ANONYMOUS)
    {
        return Step::fail(
            NAME,
            format!("the API server takes you for nobody, {ANONYMOUS}"),
        )
        .because(["the kubeconfig's user is missing, or has no credential"])
        .because([format!("{} config view --minify", cluster.admin)]);
    }
    match granted.unknown() {
        Some(ApiError::Forbidden { message, .. }) => {
            return Step::skip(NAME, "you may not ask what you may")
                .because([format!("the API server says: {message}")]);
        }
        Some(fault) => return Step::skip_with(NAME, "what you may is not known", fault),
        None => {}
    }
    let held = held(granted);
    let is_worth_a_warning = |need: &&&Need| match need.purpose {
        Purpose::FindPools => circumstances.pools_refused,
        purpose => purpose == Purpose::ForwardLater,
    };
    let warned: Vec<&&Need> = later.iter().filter(is_worth_a_warning).collect();
    let asides = later
        .iter()
        .filter(|need| need.purpose == Purpose::TellLeader)
        .map(|need| {
            format!(
                "you may not {}: the leader is told by its metrics",
                need.right
            )
        });
    if warned.is_empty() {
        return Step::ok(NAME, held).because(asides);
    }
    let mut step = Step::warn(NAME, held);
    let warned: Vec<&Need> = warned.into_iter().copied().collect();
    for need in &warned {
        step = step.because([
            match need.purpose {
                Purpose::FindPools => {
                    format!("you may not {}: name the Service, svc/NAME", need.right)
                }
                _ => format!("you may not {}, which Kubernetes 1.35 asks for", need.right),
            },
            format!("the rule that is missing: {}", need.right.rule()),
        ]);
    }
    step.because(asides)
        .mended_by(grant(cluster, namespace, &warned).await)
}

fn held(granted: &Granted) -> String {
    let mut held: Vec<&str> = Vec::new();
    for (need, answer) in &granted.answers {
        let text = need.purpose.text();
        let is_aside = matches!(need.purpose, Purpose::ForwardLater | Purpose::TellLeader);
        if matches!(answer, Ok(true)) && !is_aside && !held.contains(&text) {
            held.push(text);
        }
    }
    held.join(", ")
}

impl Granted {
    fn missing(&self) -> impl Iterator<Item = &Need> {
        let missing = self
            .answers
            .iter()
            .filter(|(_, answer)| matches!(answer, Ok(false)));
        missing.map(|(need, _)| need)
    }

    fn unknown(&self) -> Option<&ApiError> {
        self.answers
            .iter()
            .find_map(|(_, answer)| answer.as_ref().err())
    }

    fn lacks(&self, purpose: Purpose) -> Option<&Right> {
        self.missing()
            .find(|need| need.purpose == purpose)
            .map(|need| &need.right)
    }

    /// The missing right without which no port is forwarded.
    pub(super) fn lacks_forward(&self) -> Option<&Right> {
        self.lacks(Purpose::Forward)
    }
}

/// The commands by which an admin grants these: by the Role of all who run igctl, which is about the pickers' namespace
/// and gives no Secret away, or by one for this alone.
async fn grant(cluster: &Cluster, namespace: &str, needs: &[&Need]) -> Vec<String> {
    let user = who_am_i(cluster).await;
    let user = user.unwrap_or_else(|| "YOU".into());
    let is_of_operators = |need: &&&Need| {
        need.purpose != Purpose::ReadSecret && need.right.namespace.as_deref() == Some(namespace)
    };
    let mut commands = Vec::new();
    if needs.iter().any(|need| is_of_operators(&need)) {
        let binding = Operator::User(user.clone()).binding_of(OPERATOR_ROLE);
        let in_the_way =
            bindings::in_the_way(cluster, Some(namespace), &binding, OPERATOR_ROLE).await;
        commands.extend(in_the_way);
        commands.push(format!(
            "igctl rbac generate -n {} --only operator --user {} | {} apply -f -",
            word(namespace),
            word(&user),
            cluster.admin
        ));
    }
    for need in needs.iter().filter(|need| !is_of_operators(need)) {
        commands.extend(grant_alone(cluster, &need.right, &user));
    }
    commands
}

/// The commands that grant one right in a namespace.
fn grant_alone(cluster: &Cluster, right: &Right, user: &str) -> [String; 2] {
    let (resource, subresource) = right.parts();
    let what = subresource.unwrap_or(resource);
    let namespace = right.namespace.as_deref().unwrap_or_default();
    let thing = right.name.as_deref().unwrap_or("all");
    let role = format!("igctl-{what}-{thing}");
    let name = right
        .name
        .iter()
        .map(|name| format!(" --resource-name={}", word(name)));
    [
        format!(
            "{} create role {} -n {} --verb={} --resource={}{}",
            cluster.admin,
            word(&role),
            word(namespace),
            right.verb,
            right.resource,
            name.collect::<String>()
        ),
        format!(
            "{} create rolebinding {} -n {} --role={} --user={}",
            cluster.admin,
            word(&Operator::User(user.to_owned()).binding_of(&role)),
            word(namespace),
            word(&role),
            word(user)
        ),
    ]
}

async fn who_am_i(cluster: &Cluster) -> Option<String> {
    let reviews: Api<SelfSubjectReview> = Api::all(cluster.client.clone());
    let right = review_right("authentication.k8s.io", "selfsubjectreviews");
    let (params, review) = (PostParams::default(), SelfSubjectReview::default());
    let answer = cluster.ask(right, reviews.create(&params, &review)).await;
    answer.ok()?.status?.user_info?.username
}

fn review_right(group: &'static str, resource: &'static str) -> Right {
    Right {
        verb: "create",
        group,
        resource,
        namespace: None,
        name: None,
    }
}

async fn may_i(cluster: &Cluster, right: &Right) -> Result<bool, ApiError> {
    let review = SelfSubjectAccessReview {
        spec: SelfSubjectAccessReviewSpec {
            resource_attributes: Some(attributes(right)),
            ..Default::default()
        },
        ..Default::default()
    };
    let reviews: Api<SelfSubjectAccessReview> = Api::all(cluster.client.clone());
    let to_ask = review_right("authorization.k8s.io", "selfsubjectaccessreviews");
    let answer = cluster
        .ask(to_ask, reviews.create(&PostParams::default(), &review))
        .await?;
    Ok(answer.status.is_some_and(|status| status.allowed))
}

/// Whether a ServiceAccount may; to ask this takes a right that few users have.
pub(super) async fn may_it(
    cluster: &Cluster,
    account: &Account,
    right: &Right,
) -> Result<bool, ApiError> {
    let Account { namespace, name } = account;
    let review = SubjectAccessReview {
        spec: SubjectAccessReviewSpec {
            user: Some(format!("system:serviceaccount:{namespace}:{name}")),
            groups: Some(vec![
                "system:serviceaccounts".into(),
                format!("system:serviceaccounts:{namespace}"),
                "system:authenticated".into(),
            ]),
            resource_attributes: Some(attributes(right)),
            ..Default::default()
        },
        ..Default::default()
    };
    let reviews: Api<SubjectAccessReview> = Api::all(cluster.client.clone());
    let to_ask = review_right("authorization.k8s.io", "subjectaccessreviews");
    let answer = cluster
        .ask(to_ask, reviews.create(&PostParams::default(), &review))
        .await?;
    Ok(answer.status.is_some_and(|status| status.allowed))
}

fn attributes(right: &Right) -> ResourceAttributes {
    let (resource, subresource) = right.parts();
    ResourceAttributes {
        verb: Some(right.verb.into()),
        group: Some(right.group.into()),
        resource: Some(resource.into()),
        subresource: subresource.map(Into::into),
        namespace: right.namespace.clone(),
        name: right.name.clone(),
        ..Default::default()
    }
}
