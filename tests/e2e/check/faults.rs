//! The faults: what is broken, and what `igctl check` is to say of it.

/// One thing that is broken.
pub(super) struct Fault {
    pub(super) name: &'static str,
    /// A script that breaks it; `$N` is the namespace, `$DIR` a folder of its own.
    pub(super) breaks: &'static str,
    /// More arguments of `igctl check`.
    pub(super) arguments: &'static str,
    /// The link that is to be named, and no other.
    pub(super) step: &'static str,
    /// Part of what is said of it.
    pub(super) says: &'static str,
    pub(super) fix: Fix,
    /// A script that clears away what the fix does not.
    pub(super) heals: &'static str,
}

/// What the commands that are offered do when they are pasted.
pub(super) enum Fix {
    /// They make the same check pass.
    Mends,
    /// They are the check with other arguments, and it passes.
    OtherArguments,
    /// They are a check that names the next thing to mend.
    OtherAccount,
    /// Only a person can mend it, and no command is offered.
    None,
}

const fn fault(
    name: &'static str,
    step: &'static str,
    says: &'static str,
    breaks: &'static str,
) -> Fault {
    Fault {
        name,
        breaks,
        arguments: "",
        step,
        says,
        fix: Fix::Mends,
        heals: "",
    }
}

impl Fault {
    const fn with(self, arguments: &'static str) -> Self {
        Self { arguments, ..self }
    }

    const fn fix(self, fix: Fix) -> Self {
        Self { fix, ..self }
    }

    const fn then(self, heals: &'static str) -> Self {
        Self { heals, ..self }
    }
}

#[rustfmt::skip] // a table
pub(super) const FAULTS: &[Fault] = &[
    fault("the reader's account is missing", "reader's right", "no ServiceAccount",
        "kubectl -n $N delete serviceaccount inference-gateway-sa-metrics-reader"),
    fault("nothing binds the reader", "reader's right", "no ClusterRoleBinding",
        "kubectl delete clusterrolebinding inference-gateway-sa-metrics-reader-role-binding-$N"),
    fault("the reader's role is missing", "reader's right", "which does not exist",
        "kubectl delete clusterrole inference-gateway-metrics-reader"),
    fault("the role is for another verb", "reader's right", "does not let it get /metrics",
        r#"kubectl patch clusterrole inference-gateway-metrics-reader --type=json -p '[{"op":"replace","path":"/rules/0/verbs","value":["post"]}]'"#),
    fault("the role is for another path", "reader's right", "does not let it get /metrics",
        r#"kubectl patch clusterrole inference-gateway-metrics-reader --type=json -p '[{"op":"replace","path":"/rules/0/nonResourceURLs","value":["/metrics/*"]}]'"#),
    fault("the binding names another namespace", "reader's right", r#"in namespace "default""#,
        r#"kubectl patch clusterrolebinding inference-gateway-sa-metrics-reader-role-binding-$N --type=json -p '[{"op":"replace","path":"/subjects/0/namespace","value":"default"}]'"#),
    fault("the binding names another account", "reader's right", "names ServiceAccount reader instead",
        r#"kubectl patch clusterrolebinding inference-gateway-sa-metrics-reader-role-binding-$N --type=json -p '[{"op":"replace","path":"/subjects/0/name","value":"reader"}]'"#),
    fault("the binding names a user", "reader's right", "names it as a User",
        r#"kubectl patch clusterrolebinding inference-gateway-sa-metrics-reader-role-binding-$N --type=json -p '[{"op":"replace","path":"/subjects/0","value":{"kind":"User","apiGroup":"rbac.authorization.k8s.io","name":"inference-gateway-sa-metrics-reader"}}]'"#),
    fault("the binding is to another role", "reader's right", "grants it ClusterRole view",
        "kubectl delete clusterrolebinding inference-gateway-sa-metrics-reader-role-binding-$N; kubectl create clusterrolebinding inference-gateway-sa-metrics-reader-role-binding-$N --clusterrole=view --serviceaccount=$N:inference-gateway-sa-metrics-reader"),
    fault("the binding is of a namespace", "reader's right", "it takes a ClusterRoleBinding",
        "kubectl delete clusterrolebinding inference-gateway-sa-metrics-reader-role-binding-$N; kubectl -n $N create rolebinding reader --clusterrole=inference-gateway-metrics-reader --serviceaccount=$N:inference-gateway-sa-metrics-reader")
        .then("kubectl -n $N delete rolebinding reader"),
    fault("the account that was named is missing", "reader's right", "no ServiceAccount",
        "true").with("--service-account nobody")
        .then("kubectl -n $N delete serviceaccount nobody; kubectl delete clusterrolebinding nobody-role-binding-$N"),
    fault("the token is none", "reader's right", "does not accept the token",
        "echo nonsense > $DIR/token").with("--token-file $DIR/token").fix(Fix::OtherArguments),
    fault("the token is for another audience", "reader's right", "made out to vault",
        "kubectl -n $N create token inference-gateway-sa-metrics-reader --audience vault > $DIR/token").with("--token-file $DIR/token").fix(Fix::OtherArguments),
    fault("the token's owner may not", "reader's right", "default may not get /metrics",
        "kubectl -n $N create token default > $DIR/token").with("--token-file $DIR/token")
        .then("kubectl delete clusterrolebinding default-role-binding-$N"),
    fault("the token's owner was deleted", "reader's right", "its owner is system:serviceaccount",
        "kubectl -n $N create serviceaccount gone; kubectl -n $N create token gone > $DIR/token; kubectl -n $N delete serviceaccount gone").with("--token-file $DIR/token").fix(Fix::OtherAccount),
    fault("the token file is missing", "reader's right", "cannot read the token file",
        "true").with("--token-file $DIR/none").fix(Fix::None),
    fault("the Secret is missing", "reader's right", "there is no Secret",
        "true").with("--token-secret inference-gateway-sa-metrics-reader-secret")
        .then("kubectl -n $N delete secret inference-gateway-sa-metrics-reader-secret"),
    fault("the Secret is of another type", "reader's right", "Opaque",
        "kubectl -n $N create secret generic other --from-literal=token=x").with("--token-secret other").fix(Fix::None)
        .then("kubectl -n $N delete secret other"),
    fault("no token shall be sent", "metrics", "wants a token",
        "true").with("--auth none").fix(Fix::OtherArguments),
    fault("nothing lets the picker review tokens", "picker's right", "tokenreviews",
        "kubectl delete --ignore-not-found clusterrolebinding gateway-core-$N gateway-core-auth-delegator-$N"),
    fault("the delegator's binding names another namespace", "picker's right", "tokenreviews",
        "kubectl delete --ignore-not-found clusterrolebinding gateway-core-$N gateway-core-auth-delegator-$N; kubectl create clusterrolebinding gateway-core-$N --clusterrole=system:auth-delegator --serviceaccount=default:gateway-core"),
    fault("the picker may review tokens and no rights", "picker's right", "subjectaccessreviews",
        "kubectl delete --ignore-not-found clusterrolebinding gateway-core-$N gateway-core-auth-delegator-$N; kubectl create clusterrole only-tokens-$N --verb=create --resource=tokenreviews.authentication.k8s.io; kubectl create clusterrolebinding only-tokens-$N --clusterrole=only-tokens-$N --serviceaccount=$N:gateway-core")
        .then("kubectl delete clusterrolebinding/only-tokens-$N clusterrole/only-tokens-$N"),
    fault("the picker's account is deleted under it", "picker's right", "does not exist any more",
        "kubectl -n $N delete serviceaccount gateway-core"),
    fault("the picker's account is made anew", "picker's right", "was made after the pod",
        "kubectl -n $N delete serviceaccount gateway-core; kubectl -n $N create serviceaccount gateway-core"),
    fault("the pool that was named is missing", "pool", "no InferencePool qwen",
        "true").with("pool/qwen").fix(Fix::OtherArguments),
    fault("there is no pool", "pool", "no InferencePool in",
        "kubectl -n $N delete inferencepools.inference.networking.k8s.io model-server").fix(Fix::None).then("true"),
    fault("the pool selects no pod", "pool", "no pod is labelled",
        r#"kubectl -n $N patch inferencepools.inference.networking.k8s.io model-server --type=merge -p '{"spec":{"selector":{"matchLabels":{"app":"wrong"}}}}'"#),
    fault("the pool's endpoints are scaled to none", "pool", "scaled to 0",
        "kubectl -n $N scale deployment model-server --replicas=0; kubectl -n $N wait --for=delete pod -l app=model-server --timeout=120s"),
    fault("the pool's port is closed", "pool", "nothing listens on port 8765",
        r#"kubectl -n $N patch inferencepools.inference.networking.k8s.io model-server --type=merge -p '{"spec":{"targetPorts":[{"number":8765}]}}'"#).fix(Fix::None).then("true"),
    fault("no endpoint is ready", "pool", "no endpoint that is ready",
        r#"kubectl -n $N patch deployment model-server --type=json -p '[{"op":"replace","path":"/spec/strategy","value":{"type":"Recreate"}}]'; kubectl -n $N patch deployment model-server -p '{"spec":{"template":{"spec":{"nodeSelector":{"disk":"none"}}}}}'"#),
    fault("the picker's Service is missing", "picker", "which does not exist",
        "kubectl -n $N delete service gateway-core"),
    fault("the pool names another Service", "picker", "which does not exist",
        r#"kubectl -n $N patch inferencepools.inference.networking.k8s.io model-server --type=merge -p '{"spec":{"endpointPickerRef":{"name":"wrong"}}}'"#),
    fault("the pool names another port", "picker", "asks for port 9009",
        r#"kubectl -n $N patch inferencepools.inference.networking.k8s.io model-server --type=merge -p '{"spec":{"endpointPickerRef":{"port":{"number":9009}}}}'"#),
    fault("the Service selects no pod", "picker", "selects no pod",
        r#"kubectl -n $N patch service gateway-core -p '{"spec":{"selector":{"app":"wrong"}}}'"#),
    fault("the Service is another name for a host", "picker", "it leads to example.test",
        r#"kubectl -n $N patch service gateway-core -p '{"spec":{"type":"ExternalName","externalName":"example.test"}}'"#),
    fault("the Service has no selector", "picker", "has no selector",
        r#"kubectl -n $N patch service gateway-core --type=json -p '[{"op":"remove","path":"/spec/selector"}]'"#),
    fault("the Service leads to a closed port", "picker", "nothing listens on port 9999",
        r#"kubectl -n $N patch service gateway-core --type=json -p '[{"op":"replace","path":"/spec/ports/0/targetPort","value":9999}]'"#),
    fault("the Service leads to a port of no name", "picker", "which its pods do not have",
        r#"kubectl -n $N patch service gateway-core --type=json -p '[{"op":"replace","path":"/spec/ports/0/targetPort","value":"http"}]'"#),
    fault("the picker is scaled to none", "picker", "scaled to 0",
        "kubectl -n $N scale deployment gateway-core --replicas=0; kubectl -n $N wait --for=delete pod -l app=gateway-core --timeout=120s"),
    fault("the picker's image is missing", "picker", "Image",
        r#"kubectl -n $N patch deployment gateway-core --type=json -p '[{"op":"replace","path":"/spec/strategy","value":{"type":"Recreate"}}]'; kubectl -n $N set image deployment gateway-core gateway-core=localhost/none:1"#),
    fault("the picker ends as it starts", "picker", "--nonsense",
        r#"kubectl -n $N patch deployment gateway-core --type=json -p '[{"op":"replace","path":"/spec/strategy","value":{"type":"Recreate"}}]'; kubectl -n $N patch deployment gateway-core --type=json -p '[{"op":"add","path":"/spec/template/spec/containers/0/args/-","value":"--nonsense"}]'"#),
    fault("the picker picks for another pool", "picker", "/other, not for",
        r#"kubectl -n $N patch deployment gateway-core --type=json -p '[{"op":"replace","path":"/spec/strategy","value":{"type":"Recreate"}}]'; kubectl -n $N patch deployment gateway-core --type=json -p '[{"op":"replace","path":"/spec/template/spec/containers/0/args/0","value":"--pool-name=other"}]'"#),
    fault("no node takes the picker", "picker", "waits for a node",
        r#"kubectl -n $N patch deployment gateway-core --type=json -p '[{"op":"replace","path":"/spec/strategy","value":{"type":"Recreate"}}]'; kubectl -n $N patch deployment gateway-core -p '{"spec":{"template":{"spec":{"nodeSelector":{"disk":"none"}}}}}'"#),
    fault("the picker never becomes ready", "picker", "Unhealthy",
        r#"kubectl -n $N patch deployment gateway-core --type=json -p '[{"op":"replace","path":"/spec/strategy","value":{"type":"Recreate"}}]'; kubectl -n $N patch deployment gateway-core --type=json -p '[{"op":"replace","path":"/spec/template/spec/containers/0/readinessProbe","value":{"tcpSocket":{"port":9}}}]'"#),
    fault("the picker may not read its pool", "picker", "may not list",
        "kubectl -n $N delete role gateway-core; kubectl -n $N delete pod -l app=gateway-core")
        .then("kubectl -n $N delete --ignore-not-found role,rolebinding gateway-core-pods gateway-core-inferencepools"),
    fault("the picker may list its pool and not watch it", "picker", "may not watch pods",
        "kubectl -n $N get role gateway-core -o json | jq 'del(.rules[].verbs[] | select(. == \"watch\"))' | kubectl apply -f -")
        .then("kubectl -n $N delete --ignore-not-found role,rolebinding gateway-core-pods gateway-core-inferencepools"),
    fault("no account to make the picker's pods with", "picker", "not found",
        "kubectl -n $N delete serviceaccount gateway-core; kubectl -n $N delete pod -l app=gateway-core"),
    fault("the port of metrics is declared wrong", "metrics", "nothing listens on port 9999",
        r#"kubectl -n $N patch deployment gateway-core --type=json -p '[{"op":"replace","path":"/spec/strategy","value":{"type":"Recreate"}}]'; kubectl -n $N patch deployment gateway-core --type=json -p '[{"op":"replace","path":"/spec/template/spec/containers/0/ports/2/containerPort","value":9999}]'; kubectl -n $N rollout status deployment gateway-core --timeout=180s"#),
    fault("another port is asked for", "metrics", "nothing listens on port 9999",
        "true").with("--metrics-port 9999").fix(Fix::OtherArguments),
    fault("the port of something else is asked for", "metrics", "its metrics are on port 9090",
        "true").with("--metrics-port 9003").fix(Fix::OtherArguments),
    fault("I may do nothing", "my rights", "nor list pods",
        "true").with("--as jane-$N"),
    fault("I may not get Services", "my rights", "may not get services",
        r#"igctl rbac generate -n $N --only operator --user jane-$N | kubectl apply -f -; kubectl -n $N get role igctl-operator -o json | jq '.rules[0].resources -= ["services"]' | kubectl apply -f -"#).with("--as jane-$N"),
    fault("I may not list pods", "my rights", "may not list pods",
        r#"igctl rbac generate -n $N --only operator --user jane-$N | kubectl apply -f -; kubectl -n $N get role igctl-operator -o json | jq '.rules[0].resources -= ["pods"]' | kubectl apply -f -"#).with("--as jane-$N"),
    fault("I may not forward ports", "my rights", "may not get pods/portforward",
        r#"igctl rbac generate -n $N --only operator --user jane-$N | kubectl apply -f -; kubectl -n $N get role igctl-operator -o json | jq 'del(.rules[] | select(.resources == ["pods/portforward"]))' | kubectl apply -f -"#).with("--as jane-$N"),
    fault("I may not mint tokens", "my rights", "may not create serviceaccounts/token",
        r#"igctl rbac generate -n $N --only operator --user jane-$N | kubectl apply -f -; kubectl -n $N get role igctl-operator -o json | jq 'del(.rules[] | select(.resources == ["serviceaccounts/token"]))' | kubectl apply -f -"#).with("--as jane-$N"),
    fault("nothing listens at the API server's address", "kubeconfig", "cannot reach",
        r#"kubectl config view --raw --minify -o json | jq '.clusters[0].cluster.server = "https://127.0.0.1:1"' > $DIR/kubeconfig"#).with("--kubeconfig $DIR/kubeconfig").fix(Fix::None),
    fault("the user's token is none", "kubeconfig", "does not accept",
        r#"kubectl config view --raw --minify -o json | jq '.users[0].user = {token: "nonsense"}' > $DIR/kubeconfig"#).with("--kubeconfig $DIR/kubeconfig").fix(Fix::None),
    fault("the credential plugin is missing", "kubeconfig", "get it from the shop",
        r#"kubectl config view --raw --minify -o json | jq '.users[0].user = {exec: {apiVersion: "client.authentication.k8s.io/v1", command: "no-such-plugin", installHint: "get it from the shop", interactiveMode: "Never"}}' > $DIR/kubeconfig"#).with("--kubeconfig $DIR/kubeconfig").fix(Fix::None),
    fault("the API server's certificate is for another name", "kubeconfig", "example.test",
        r#"kubectl config view --raw --minify -o json | jq '.clusters[0].cluster."tls-server-name" = "example.test"' > $DIR/kubeconfig"#).with("--kubeconfig $DIR/kubeconfig").fix(Fix::None),
    fault("the API server's certificate is by an unknown CA", "kubeconfig", "UnknownIssuer",
        r#"kubectl config view --raw --minify -o json | jq 'del(.clusters[0].cluster."certificate-authority-data", .clusters[0].cluster."certificate-authority")' > $DIR/kubeconfig"#).with("--kubeconfig $DIR/kubeconfig").fix(Fix::None),
    fault("the proxy is down", "kubeconfig", "through the proxy 127.0.0.1:1",
        r#"kubectl config view --raw --minify -o json | jq '.clusters[0].cluster."proxy-url" = "http://127.0.0.1:1"' > $DIR/kubeconfig"#).with("--kubeconfig $DIR/kubeconfig").fix(Fix::None),
    fault("the context's cluster is missing", "kubeconfig", "cannot use",
        r#"kubectl config view --raw --minify -o json | jq '.contexts[0].context.cluster = "gone"' > $DIR/kubeconfig"#).with("--kubeconfig $DIR/kubeconfig").fix(Fix::None),
    fault("there is no current context", "kubeconfig", "no current context",
        r#"kubectl config view --raw --minify -o json | jq 'del(."current-context")' > $DIR/kubeconfig"#).with("--kubeconfig $DIR/kubeconfig"),
    fault("the kubeconfig is missing", "kubeconfig", "cannot read",
        "true").with("--kubeconfig $DIR/none").fix(Fix::None),
    fault("there is no such context", "kubeconfig", r#"no context "nope""#,
        "true").with("--context nope").fix(Fix::OtherArguments),
    fault("a Secret that the picker mounts is missing", "picker", r#"secret "none" not found"#,
        r#"kubectl -n $N patch deployment gateway-core --type=json -p '[{"op":"replace","path":"/spec/strategy","value":{"type":"Recreate"}},{"op":"add","path":"/spec/template/spec/volumes","value":[{"name":"v","secret":{"secretName":"none"}}]},{"op":"add","path":"/spec/template/spec/containers/0/volumeMounts","value":[{"name":"v","mountPath":"/v"}]}]'"#),
    fault("a ConfigMap that the picker takes variables from is missing", "picker", r#"configmap "none" not found"#,
        r#"kubectl -n $N patch deployment gateway-core --type=json -p '[{"op":"replace","path":"/spec/strategy","value":{"type":"Recreate"}},{"op":"add","path":"/spec/template/spec/containers/0/envFrom","value":[{"configMapRef":{"name":"none"}}]}]'"#),
    fault("the picker's program is missing", "picker", "no such file",
        r#"kubectl -n $N patch deployment gateway-core --type=json -p '[{"op":"replace","path":"/spec/strategy","value":{"type":"Recreate"}},{"op":"add","path":"/spec/template/spec/containers/0/command","value":["/none"]}]'"#),
    fault("the picker's start is probed wrong", "picker", "Startup probe failed",
        r#"kubectl -n $N patch deployment gateway-core --type=json -p '[{"op":"replace","path":"/spec/strategy","value":{"type":"Recreate"}},{"op":"add","path":"/spec/template/spec/containers/0/startupProbe","value":{"tcpSocket":{"port":9},"periodSeconds":1,"failureThreshold":100}}]'"#),
    fault("the picker asks for more than any node has", "picker", "Insufficient cpu",
        r#"kubectl -n $N patch deployment gateway-core --type=json -p '[{"op":"replace","path":"/spec/strategy","value":{"type":"Recreate"}},{"op":"replace","path":"/spec/template/spec/containers/0/resources","value":{"requests":{"cpu":"500"}}}]'"#),
    fault("an init container never ends", "picker", "init container wait: runs and has not ended",
        r#"image=$(kubectl -n $N get deployment gateway-core -o jsonpath='{.spec.template.spec.containers[0].image}'); kubectl -n $N patch deployment gateway-core --type=json -p '[{"op":"replace","path":"/spec/strategy","value":{"type":"Recreate"}},{"op":"add","path":"/spec/template/spec/initContainers","value":[{"name":"wait","image":"'$image'","args":["--endpoints=127.0.0.1:1","--metrics-endpoint-auth=false"]}]}]'"#),
    fault("a readiness gate is not met", "picker", "readiness gate example.test/ok is not met",
        r#"kubectl -n $N patch deployment gateway-core --type=json -p '[{"op":"replace","path":"/spec/strategy","value":{"type":"Recreate"}},{"op":"add","path":"/spec/template/spec/readinessGates","value":[{"conditionType":"example.test/ok"}]}]'"#),
    fault("a quota leaves the picker no room", "picker", "exceeded quota",
        "kubectl -n $N create quota small --hard=pods=1; kubectl -n $N delete pod -l app=gateway-core").fix(Fix::None)
        .then("kubectl -n $N delete quota small; kubectl -n $N rollout restart deployment gateway-core"),
    fault("endpoints are not admitted", "pool", "violates PodSecurity",
        "kubectl label namespace $N pod-security.kubernetes.io/enforce=restricted; kubectl -n $N delete pod -l app=model-server").fix(Fix::None)
        .then("kubectl label namespace $N pod-security.kubernetes.io/enforce-; kubectl -n $N rollout restart deployment model-server; kubectl -n $N rollout status deployment model-server --timeout=180s"),
    fault("the picker is told to be asked on another port", "picker", "told to serve gRPC on port 9102",
        r#"kubectl -n $N patch deployment gateway-core --type=json -p '[{"op":"replace","path":"/spec/strategy","value":{"type":"Recreate"}},{"op":"add","path":"/spec/template/spec/containers/0/args/-","value":"--grpc-port=9102"}]'; kubectl -n $N rollout status deployment gateway-core --timeout=180s"#)
        .then("kubectl -n $N delete deployment/gateway-core service/gateway-core"),
    fault("the picker is told to serve metrics on another port", "metrics", "its metrics are on port 9190",
        r#"kubectl -n $N patch deployment gateway-core --type=json -p '[{"op":"replace","path":"/spec/strategy","value":{"type":"Recreate"}},{"op":"add","path":"/spec/template/spec/containers/0/args/-","value":"--metrics-port=9190"}]'; kubectl -n $N rollout status deployment gateway-core --timeout=180s"#)
        .then("kubectl -n $N delete deployment gateway-core"),
    fault("a variable tells the picker of another pool", "picker", "/other, not for",
        r#"kubectl -n $N patch deployment gateway-core --type=json -p '[{"op":"replace","path":"/spec/strategy","value":{"type":"Recreate"}},{"op":"replace","path":"/spec/template/spec/containers/0/args","value":[]},{"op":"add","path":"/spec/template/spec/containers/0/env","value":[{"name":"IGW_POOL_NAME","value":"other"}]}]'"#)
        .then("kubectl -n $N delete deployment gateway-core"),
    fault("the picker looks for its pool in another namespace", "picker", "InferencePool other/model-server",
        r#"kubectl -n $N patch deployment gateway-core --type=json -p '[{"op":"replace","path":"/spec/strategy","value":{"type":"Recreate"}},{"op":"add","path":"/spec/template/spec/containers/0/args/-","value":"--pool-namespace=other"}]'"#)
        .then("kubectl -n $N delete deployment gateway-core"),
    fault("the Service's port is for UDP", "picker", "gRPC needs TCP",
        r#"kubectl -n $N patch service gateway-core --type=json -p '[{"op":"replace","path":"/spec/ports/0/protocol","value":"UDP"}]'"#),
    fault("the Service leads to the metrics", "picker", "where their metrics are",
        r#"kubectl -n $N patch service gateway-core --type=json -p '[{"op":"replace","path":"/spec/ports/0/targetPort","value":9090}]'"#),
    fault("the Service leads to the health", "picker", "where they tell their health",
        r#"kubectl -n $N patch service gateway-core --type=json -p '[{"op":"replace","path":"/spec/ports/0/targetPort","value":9003}]'"#),
    fault("the Service leads to what listens on localhost alone", "picker", "its container is told \"127.0.0.1:9102\"",
        r#"image=$(kubectl -n $N get deployment model-server -o jsonpath='{.spec.template.spec.containers[0].image}'); kubectl -n $N patch deployment gateway-core --type=json -p '[{"op":"replace","path":"/spec/strategy","value":{"type":"Recreate"}},{"op":"add","path":"/spec/template/spec/containers/-","value":{"name":"local","image":"'$image'","args":["127.0.0.1:9102"]}}]'; kubectl -n $N patch service gateway-core --type=json -p '[{"op":"replace","path":"/spec/ports/0/targetPort","value":9102}]'; kubectl -n $N rollout status deployment gateway-core --timeout=180s"#)
        .then("kubectl -n $N delete deployment gateway-core"),
    fault("the endpoints listen on localhost alone", "pool", "on port 8765 on its localhost alone",
        r#"kubectl -n $N patch deployment model-server --type=json -p '[{"op":"replace","path":"/spec/strategy","value":{"type":"Recreate"}},{"op":"add","path":"/spec/template/spec/containers/-","value":{"name":"local","image":"'$(kubectl -n $N get deployment model-server -o jsonpath='{.spec.template.spec.containers[0].image}')'","args":["127.0.0.1:8765"]}}]'; kubectl -n $N rollout status deployment model-server --timeout=180s; kubectl -n $N patch inferencepools.inference.networking.k8s.io model-server --type=merge -p '{"spec":{"targetPorts":[{"number":8765}]}}'"#).fix(Fix::None)
        .then("kubectl -n $N rollout undo deployment model-server; kubectl -n $N rollout status deployment model-server --timeout=180s"),
    fault("the pool's reference is of another group", "pool", "only a Service can be followed",
        r#"kubectl -n $N patch inferencepools.inference.networking.k8s.io model-server --type=merge -p '{"spec":{"endpointPickerRef":{"group":"gateway.networking.k8s.io"}}}'"#),
    fault("another pool names the same picker", "picker", "the pods of Service gateway-core pick for InferencePool",
        r#"kubectl -n $N get inferencepools.inference.networking.k8s.io model-server -o json | jq '.metadata = {name: "other"} | del(.status)' | kubectl -n $N create -f -"#).fix(Fix::None)
        .then("kubectl -n $N delete inferencepools.inference.networking.k8s.io other"),
    fault("the picker's binding names another account", "picker", "may not list",
        r#"kubectl -n $N patch rolebinding gateway-core --type=json -p '[{"op":"replace","path":"/subjects/0/name","value":"epp"}]'; kubectl -n $N delete pod -l app=gateway-core"#)
        .then("kubectl -n $N delete --ignore-not-found role,rolebinding gateway-core-pods gateway-core-inferencepools"),
    fault("the token file is a kubeconfig", "reader's right", "holds no token",
        "true").with("--token-file $KUBECONFIG").fix(Fix::None),
    fault("a policy forbids forwarding", "metrics", "not here",
        r#"sed s/NAMESPACE/$N/ <<< '{"apiVersion":"v1","kind":"List","items":[{"apiVersion":"admissionregistration.k8s.io/v1","kind":"ValidatingAdmissionPolicy","metadata":{"name":"no-forwarding"},"spec":{"matchConstraints":{"namespaceSelector":{"matchLabels":{"kubernetes.io/metadata.name":"NAMESPACE"}},"resourceRules":[{"apiGroups":[""],"apiVersions":["v1"],"operations":["CONNECT"],"resources":["pods/portforward"]}]},"validations":[{"expression":"false","message":"not here"}]}},{"apiVersion":"admissionregistration.k8s.io/v1","kind":"ValidatingAdmissionPolicyBinding","metadata":{"name":"no-forwarding"},"spec":{"policyName":"no-forwarding","validationActions":["Deny"]}}]}' | kubectl apply -f -"#).fix(Fix::None)
        .then("kubectl delete validatingadmissionpolicybinding/no-forwarding validatingadmissionpolicy/no-forwarding; igctl check -n $N --wait 150s"),
    fault("a policy forbids minting", "reader's right", "ask the vault",
        r#"sed s/NAMESPACE/$N/ <<< '{"apiVersion":"v1","kind":"List","items":[{"apiVersion":"admissionregistration.k8s.io/v1","kind":"ValidatingAdmissionPolicy","metadata":{"name":"no-minting"},"spec":{"matchConstraints":{"namespaceSelector":{"matchLabels":{"kubernetes.io/metadata.name":"NAMESPACE"}},"resourceRules":[{"apiGroups":[""],"apiVersions":["v1"],"operations":["CREATE"],"resources":["serviceaccounts/token"]}]},"validations":[{"expression":"false","message":"ask the vault"}]}},{"apiVersion":"admissionregistration.k8s.io/v1","kind":"ValidatingAdmissionPolicyBinding","metadata":{"name":"no-minting"},"spec":{"policyName":"no-minting","validationActions":["Deny"]}}]}' | kubectl apply -f -"#).fix(Fix::None)
        .then("kubectl delete validatingadmissionpolicybinding/no-minting validatingadmissionpolicy/no-minting; igctl check -n $N --wait 150s"),
    fault("the credential plugin prints something else", "kubeconfig", "printed no ExecCredential",
        r#"kubectl config view --raw --minify -o json | jq '.users[0].user = {exec: {apiVersion: "client.authentication.k8s.io/v1", command: "sh", args: ["-c", "echo hello"], interactiveMode: "Never"}}' > $DIR/kubeconfig"#).with("--kubeconfig $DIR/kubeconfig").fix(Fix::None),
    fault("the credential plugin fails", "kubeconfig", "token expired, log in",
        r#"kubectl config view --raw --minify -o json | jq '.users[0].user = {exec: {apiVersion: "client.authentication.k8s.io/v1", command: "sh", args: ["-c", "echo token expired, log in >&2; exit 1"], interactiveMode: "Never"}}' > $DIR/kubeconfig"#).with("--kubeconfig $DIR/kubeconfig").fix(Fix::None),
    fault("the credential plugin hangs", "kubeconfig", "did not end",
        r#"kubectl config view --raw --minify -o json | jq '.users[0].user = {exec: {apiVersion: "client.authentication.k8s.io/v1", command: "sh", args: ["-c", "sleep 60"], interactiveMode: "Never"}}' > $DIR/kubeconfig"#).with("--kubeconfig $DIR/kubeconfig --request-timeout 2s").fix(Fix::None),
    fault("the user's certificate is missing", "kubeconfig", "cannot read /none.crt",
        r#"kubectl config view --raw --minify -o json | jq '.users[0].user = {"client-certificate": "/none.crt", "client-key": "/none.key"}' > $DIR/kubeconfig"#).with("--kubeconfig $DIR/kubeconfig").fix(Fix::None),
    fault("the context's user is missing", "my rights", "takes you for nobody",
        r#"kubectl config view --raw --minify -o json | jq '.contexts[0].context.user = "gone"' > $DIR/kubeconfig"#).with("--kubeconfig $DIR/kubeconfig").fix(Fix::None),
];
