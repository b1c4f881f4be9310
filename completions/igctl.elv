
use builtin;
use str;

set edit:completion:arg-completer[igctl] = {|@words|
    fn spaces {|n|
        builtin:repeat $n ' ' | str:join ''
    }
    fn cand {|text desc|
        edit:complex-candidate $text &display=$text' '(spaces (- 14 (wcswidth $text)))$desc
    }
    var command = 'igctl'
    for word $words[1..-1] {
        if (str:has-prefix $word '-') {
            break
        }
        set command = $command';'$word
    }
    var completions = [
        &'igctl'= {
            cand -v 'Log what igctl does to stderr; twice for more'
            cand --verbose 'Log what igctl does to stderr; twice for more'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
            cand -V 'Print version'
            cand --version 'Print version'
            cand metrics 'Metrics of endpoint pickers'
            cand smoke 'Assert on what pickers have counted, for pipelines'
            cand check 'Find the broken link between you and the metrics, and what mends it'
            cand rbac 'Rights for readers, operators and pickers'
            cand completion 'Print the completions of a shell'
            cand help 'Print this message or the help of the given subcommand(s)'
        }
        &'igctl;metrics'= {
            cand -v 'Log what igctl does to stderr; twice for more'
            cand --verbose 'Log what igctl does to stderr; twice for more'
            cand -h 'Print help'
            cand --help 'Print help'
            cand -V 'Print version'
            cand --version 'Print version'
            cand top 'Show requests, errors and latency per model'
            cand catalog 'List the signals and the metric names that they are read from'
            cand dump 'Print the metrics text as it came'
            cand diff 'Show what changed between two moments'
            cand record 'Record what all pods say, for later'
            cand help 'Print this message or the help of the given subcommand(s)'
        }
        &'igctl;metrics;top'= {
            cand -f 'Read a saved scrape, or a recording; `-` is stdin. Several scrapes are taken as replicas of one picker'
            cand --file 'Read a saved scrape, or a recording; `-` is stdin. Several scrapes are taken as replicas of one picker'
            cand --at 'Which moment of a recording [default: its end]: 2026-11-25T10:05:00Z, 10:05:00, or -5m, so long before its end; UTC without a zone'
            cand --url 'Read metrics at an address, without Kubernetes'
            cand -l 'Pods by label, for example app=qwen-epp'
            cand --selector 'Pods by label, for example app=qwen-epp'
            cand -n 'The namespace; the default is the context''s'
            cand --namespace 'The namespace; the default is the context''s'
            cand --context 'The kubeconfig''s context to use'
            cand --kubeconfig 'The kubeconfig file'
            cand --as 'The user to act as'
            cand --as-group 'A group to act as; may be repeated'
            cand --request-timeout 'How long one request may take, for example 5s; 0 is without limit'
            cand --metrics-port 'The pod''s port that serves metrics [default: the port named `metrics`, the picker''s own flag, or 9090]'
            cand --auth 'How to get a token: `auto` mints one where the picker asks for it'
            cand --service-account 'Mint a token of this ServiceAccount, [NAMESPACE/]NAME'
            cand --token-file 'Read the token from a file, anew when it is needed'
            cand --token-secret 'Read the token from a Secret of type kubernetes.io/service-account-token, [NAMESPACE/]NAME'
            cand --max-scrape 'The longest answer or saved scrape to read, packed and unpacked'
            cand --metrics-ca-file 'The CA certificates to trust for HTTPS metrics, PEM'
            cand --metrics-client-cert 'The client certificate for HTTPS metrics, PEM'
            cand --metrics-client-key 'The client certificate''s key, PEM'
            cand --interval 'Time between two refreshes'
            cand --window 'Show what happened within this time, by two reads; while refreshing, at most so far back [default: 60s]'
            cand -o 'The form of the output'
            cand --output 'The form of the output'
            cand --quantiles 'The quantiles to show, in percent'
            cand --latency 'Which latency the quantile columns show'
            cand --by 'What a row is about [default: model,target; with several pools also pool]'
            cand --sort 'Order rows by a column: requests, rate, errors, error-rate, in-flight, name, or a quantile shown, such as p99'
            cand --limit 'Show at most so many rows; the total still counts all'
            cand -m 'Only models whose name matches, for example ''qwen*'''
            cand --model 'Only models whose name matches, for example ''qwen*'''
            cand --demo 'Run gateway-core in this process, with made-up traffic'
            cand -A 'All namespaces'
            cand --all-namespaces 'All namespaces'
            cand --direct 'Connect to the pod''s address instead of forwarding a port: from inside the cluster'
            cand --metrics-insecure-skip-tls-verify 'Do not verify the certificate of HTTPS metrics'
            cand -w 'Refresh, even where the output is no terminal; not of what was saved'
            cand --watch 'Refresh, even where the output is no terminal; not of what was saved'
            cand --once 'Print once, even on a terminal'
            cand -v 'Log what igctl does to stderr; twice for more'
            cand --verbose 'Log what igctl does to stderr; twice for more'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
            cand -V 'Print version'
            cand --version 'Print version'
        }
        &'igctl;metrics;catalog'= {
            cand -f 'Read a saved scrape, or a recording; `-` is stdin. Several scrapes are taken as replicas of one picker'
            cand --file 'Read a saved scrape, or a recording; `-` is stdin. Several scrapes are taken as replicas of one picker'
            cand --at 'Which moment of a recording [default: its end]: 2026-11-25T10:05:00Z, 10:05:00, or -5m, so long before its end; UTC without a zone'
            cand --url 'Read metrics at an address, without Kubernetes'
            cand -l 'Pods by label, for example app=qwen-epp'
            cand --selector 'Pods by label, for example app=qwen-epp'
            cand -n 'The namespace; the default is the context''s'
            cand --namespace 'The namespace; the default is the context''s'
            cand --context 'The kubeconfig''s context to use'
            cand --kubeconfig 'The kubeconfig file'
            cand --as 'The user to act as'
            cand --as-group 'A group to act as; may be repeated'
            cand --request-timeout 'How long one request may take, for example 5s; 0 is without limit'
            cand --metrics-port 'The pod''s port that serves metrics [default: the port named `metrics`, the picker''s own flag, or 9090]'
            cand --auth 'How to get a token: `auto` mints one where the picker asks for it'
            cand --service-account 'Mint a token of this ServiceAccount, [NAMESPACE/]NAME'
            cand --token-file 'Read the token from a file, anew when it is needed'
            cand --token-secret 'Read the token from a Secret of type kubernetes.io/service-account-token, [NAMESPACE/]NAME'
            cand --max-scrape 'The longest answer or saved scrape to read, packed and unpacked'
            cand --metrics-ca-file 'The CA certificates to trust for HTTPS metrics, PEM'
            cand --metrics-client-cert 'The client certificate for HTTPS metrics, PEM'
            cand --metrics-client-key 'The client certificate''s key, PEM'
            cand -o 'The form of the output'
            cand --output 'The form of the output'
            cand --demo 'Run gateway-core in this process, with made-up traffic'
            cand -A 'All namespaces'
            cand --all-namespaces 'All namespaces'
            cand --direct 'Connect to the pod''s address instead of forwarding a port: from inside the cluster'
            cand --metrics-insecure-skip-tls-verify 'Do not verify the certificate of HTTPS metrics'
            cand -v 'Log what igctl does to stderr; twice for more'
            cand --verbose 'Log what igctl does to stderr; twice for more'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
            cand -V 'Print version'
            cand --version 'Print version'
        }
        &'igctl;metrics;dump'= {
            cand -f 'Read a saved scrape, or a recording; `-` is stdin. Several scrapes are taken as replicas of one picker'
            cand --file 'Read a saved scrape, or a recording; `-` is stdin. Several scrapes are taken as replicas of one picker'
            cand --at 'Which moment of a recording [default: its end]: 2026-11-25T10:05:00Z, 10:05:00, or -5m, so long before its end; UTC without a zone'
            cand --url 'Read metrics at an address, without Kubernetes'
            cand -l 'Pods by label, for example app=qwen-epp'
            cand --selector 'Pods by label, for example app=qwen-epp'
            cand -n 'The namespace; the default is the context''s'
            cand --namespace 'The namespace; the default is the context''s'
            cand --context 'The kubeconfig''s context to use'
            cand --kubeconfig 'The kubeconfig file'
            cand --as 'The user to act as'
            cand --as-group 'A group to act as; may be repeated'
            cand --request-timeout 'How long one request may take, for example 5s; 0 is without limit'
            cand --metrics-port 'The pod''s port that serves metrics [default: the port named `metrics`, the picker''s own flag, or 9090]'
            cand --auth 'How to get a token: `auto` mints one where the picker asks for it'
            cand --service-account 'Mint a token of this ServiceAccount, [NAMESPACE/]NAME'
            cand --token-file 'Read the token from a file, anew when it is needed'
            cand --token-secret 'Read the token from a Secret of type kubernetes.io/service-account-token, [NAMESPACE/]NAME'
            cand --max-scrape 'The longest answer or saved scrape to read, packed and unpacked'
            cand --metrics-ca-file 'The CA certificates to trust for HTTPS metrics, PEM'
            cand --metrics-client-cert 'The client certificate for HTTPS metrics, PEM'
            cand --metrics-client-key 'The client certificate''s key, PEM'
            cand --export 'Write a whole recording in another form, each sample with its time'
            cand --demo 'Run gateway-core in this process, with made-up traffic'
            cand -A 'All namespaces'
            cand --all-namespaces 'All namespaces'
            cand --direct 'Connect to the pod''s address instead of forwarding a port: from inside the cluster'
            cand --metrics-insecure-skip-tls-verify 'Do not verify the certificate of HTTPS metrics'
            cand -v 'Log what igctl does to stderr; twice for more'
            cand --verbose 'Log what igctl does to stderr; twice for more'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
            cand -V 'Print version'
            cand --version 'Print version'
        }
        &'igctl;metrics;diff'= {
            cand -f 'Read a saved scrape, or a recording; `-` is stdin. Several scrapes are taken as replicas of one picker'
            cand --file 'Read a saved scrape, or a recording; `-` is stdin. Several scrapes are taken as replicas of one picker'
            cand --at 'Which moment of a recording [default: its end]: 2026-11-25T10:05:00Z, 10:05:00, or -5m, so long before its end; UTC without a zone'
            cand --url 'Read metrics at an address, without Kubernetes'
            cand -l 'Pods by label, for example app=qwen-epp'
            cand --selector 'Pods by label, for example app=qwen-epp'
            cand -n 'The namespace; the default is the context''s'
            cand --namespace 'The namespace; the default is the context''s'
            cand --context 'The kubeconfig''s context to use'
            cand --kubeconfig 'The kubeconfig file'
            cand --as 'The user to act as'
            cand --as-group 'A group to act as; may be repeated'
            cand --request-timeout 'How long one request may take, for example 5s; 0 is without limit'
            cand --metrics-port 'The pod''s port that serves metrics [default: the port named `metrics`, the picker''s own flag, or 9090]'
            cand --auth 'How to get a token: `auto` mints one where the picker asks for it'
            cand --service-account 'Mint a token of this ServiceAccount, [NAMESPACE/]NAME'
            cand --token-file 'Read the token from a file, anew when it is needed'
            cand --token-secret 'Read the token from a Secret of type kubernetes.io/service-account-token, [NAMESPACE/]NAME'
            cand --max-scrape 'The longest answer or saved scrape to read, packed and unpacked'
            cand --metrics-ca-file 'The CA certificates to trust for HTTPS metrics, PEM'
            cand --metrics-client-cert 'The client certificate for HTTPS metrics, PEM'
            cand --metrics-client-key 'The client certificate''s key, PEM'
            cand -o 'The form of the output'
            cand --output 'The form of the output'
            cand --quantiles 'The quantiles to show, in percent'
            cand --latency 'Which latency the quantile columns show'
            cand -m 'Only models whose name matches, for example ''qwen*'''
            cand --model 'Only models whose name matches, for example ''qwen*'''
            cand --demo 'Run gateway-core in this process, with made-up traffic'
            cand -A 'All namespaces'
            cand --all-namespaces 'All namespaces'
            cand --direct 'Connect to the pod''s address instead of forwarding a port: from inside the cluster'
            cand --metrics-insecure-skip-tls-verify 'Do not verify the certificate of HTTPS metrics'
            cand -v 'Log what igctl does to stderr; twice for more'
            cand --verbose 'Log what igctl does to stderr; twice for more'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
            cand -V 'Print version'
            cand --version 'Print version'
        }
        &'igctl;metrics;record'= {
            cand -f 'Read a saved scrape, or a recording; `-` is stdin. Several scrapes are taken as replicas of one picker'
            cand --file 'Read a saved scrape, or a recording; `-` is stdin. Several scrapes are taken as replicas of one picker'
            cand --at 'Which moment of a recording [default: its end]: 2026-11-25T10:05:00Z, 10:05:00, or -5m, so long before its end; UTC without a zone'
            cand --url 'Read metrics at an address, without Kubernetes'
            cand -l 'Pods by label, for example app=qwen-epp'
            cand --selector 'Pods by label, for example app=qwen-epp'
            cand -n 'The namespace; the default is the context''s'
            cand --namespace 'The namespace; the default is the context''s'
            cand --context 'The kubeconfig''s context to use'
            cand --kubeconfig 'The kubeconfig file'
            cand --as 'The user to act as'
            cand --as-group 'A group to act as; may be repeated'
            cand --request-timeout 'How long one request may take, for example 5s; 0 is without limit'
            cand --metrics-port 'The pod''s port that serves metrics [default: the port named `metrics`, the picker''s own flag, or 9090]'
            cand --auth 'How to get a token: `auto` mints one where the picker asks for it'
            cand --service-account 'Mint a token of this ServiceAccount, [NAMESPACE/]NAME'
            cand --token-file 'Read the token from a file, anew when it is needed'
            cand --token-secret 'Read the token from a Secret of type kubernetes.io/service-account-token, [NAMESPACE/]NAME'
            cand --max-scrape 'The longest answer or saved scrape to read, packed and unpacked'
            cand --metrics-ca-file 'The CA certificates to trust for HTTPS metrics, PEM'
            cand --metrics-client-cert 'The client certificate for HTTPS metrics, PEM'
            cand --metrics-client-key 'The client certificate''s key, PEM'
            cand --for 'How long [default: until Ctrl-C]'
            cand --every 'Time between two looks'
            cand --demo 'Run gateway-core in this process, with made-up traffic'
            cand -A 'All namespaces'
            cand --all-namespaces 'All namespaces'
            cand --direct 'Connect to the pod''s address instead of forwarding a port: from inside the cluster'
            cand --metrics-insecure-skip-tls-verify 'Do not verify the certificate of HTTPS metrics'
            cand -v 'Log what igctl does to stderr; twice for more'
            cand --verbose 'Log what igctl does to stderr; twice for more'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
            cand -V 'Print version'
            cand --version 'Print version'
        }
        &'igctl;metrics;help'= {
            cand top 'Show requests, errors and latency per model'
            cand catalog 'List the signals and the metric names that they are read from'
            cand dump 'Print the metrics text as it came'
            cand diff 'Show what changed between two moments'
            cand record 'Record what all pods say, for later'
            cand help 'Print this message or the help of the given subcommand(s)'
        }
        &'igctl;metrics;help;top'= {
        }
        &'igctl;metrics;help;catalog'= {
        }
        &'igctl;metrics;help;dump'= {
        }
        &'igctl;metrics;help;diff'= {
        }
        &'igctl;metrics;help;record'= {
        }
        &'igctl;metrics;help;help'= {
        }
        &'igctl;smoke'= {
            cand -f 'Read a saved scrape, or a recording; `-` is stdin. Several scrapes are taken as replicas of one picker'
            cand --file 'Read a saved scrape, or a recording; `-` is stdin. Several scrapes are taken as replicas of one picker'
            cand --at 'Which moment of a recording [default: its end]: 2026-11-25T10:05:00Z, 10:05:00, or -5m, so long before its end; UTC without a zone'
            cand --url 'Read metrics at an address, without Kubernetes'
            cand -l 'Pods by label, for example app=qwen-epp'
            cand --selector 'Pods by label, for example app=qwen-epp'
            cand -n 'The namespace; the default is the context''s'
            cand --namespace 'The namespace; the default is the context''s'
            cand --context 'The kubeconfig''s context to use'
            cand --kubeconfig 'The kubeconfig file'
            cand --as 'The user to act as'
            cand --as-group 'A group to act as; may be repeated'
            cand --request-timeout 'How long one request may take, for example 5s; 0 is without limit'
            cand --metrics-port 'The pod''s port that serves metrics [default: the port named `metrics`, the picker''s own flag, or 9090]'
            cand --auth 'How to get a token: `auto` mints one where the picker asks for it'
            cand --service-account 'Mint a token of this ServiceAccount, [NAMESPACE/]NAME'
            cand --token-file 'Read the token from a file, anew when it is needed'
            cand --token-secret 'Read the token from a Secret of type kubernetes.io/service-account-token, [NAMESPACE/]NAME'
            cand --max-scrape 'The longest answer or saved scrape to read, packed and unpacked'
            cand --metrics-ca-file 'The CA certificates to trust for HTTPS metrics, PEM'
            cand --metrics-client-cert 'The client certificate for HTTPS metrics, PEM'
            cand --metrics-client-key 'The client certificate''s key, PEM'
            cand --assert 'What must hold, for example ''error_rate < 1%''; may be repeated'
            cand --assert-file 'Assertions from a file, one a line; lines that begin with # are comments'
            cand --min-samples 'Quantiles and rates of errors of fewer samples are inconclusive'
            cand --wait 'Keep reading until all assertions hold, for at most so long'
            cand --window 'Assert on what happened within this time rather than since the start'
            cand --probe 'First send so many small requests through the gateway, which must be counted, and no more'
            cand --probe-url 'Where to send them, for example http://gateway/v1/completions'
            cand --probe-model 'The model to ask for'
            cand --probe-header-file 'Headers to send, such as Authorization: one a line, NAME: VALUE'
            cand --probe-ca-file 'The CA certificates to trust for an HTTPS gateway, PEM'
            cand --baseline 'What was good: a saved scrape, a recording (or FILE@TIME), or a report of metrics top -o json. Fails where metrics or labels are lost or renamed, or a model''s p99 or error_rate got worse'
            cand --tolerance 'How much worse p99 and error_rate may be, of what they were. An error_rate that is higher by no more than chance explains (in 5 of 100 cases) is inconclusive'
            cand -o 'The form of the output'
            cand --output 'The form of the output'
            cand --demo 'Run gateway-core in this process, with made-up traffic'
            cand -A 'All namespaces'
            cand --all-namespaces 'All namespaces'
            cand --direct 'Connect to the pod''s address instead of forwarding a port: from inside the cluster'
            cand --metrics-insecure-skip-tls-verify 'Do not verify the certificate of HTTPS metrics'
            cand --allow-inconclusive 'Do not fail for what is inconclusive'
            cand --probe-stream 'Ask for streamed answers'
            cand -v 'Log what igctl does to stderr; twice for more'
            cand --verbose 'Log what igctl does to stderr; twice for more'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
            cand -V 'Print version'
            cand --version 'Print version'
        }
        &'igctl;check'= {
            cand -f 'Read a saved scrape, or a recording; `-` is stdin. Several scrapes are taken as replicas of one picker'
            cand --file 'Read a saved scrape, or a recording; `-` is stdin. Several scrapes are taken as replicas of one picker'
            cand --at 'Which moment of a recording [default: its end]: 2026-11-25T10:05:00Z, 10:05:00, or -5m, so long before its end; UTC without a zone'
            cand --url 'Read metrics at an address, without Kubernetes'
            cand -l 'Pods by label, for example app=qwen-epp'
            cand --selector 'Pods by label, for example app=qwen-epp'
            cand -n 'The namespace; the default is the context''s'
            cand --namespace 'The namespace; the default is the context''s'
            cand --context 'The kubeconfig''s context to use'
            cand --kubeconfig 'The kubeconfig file'
            cand --as 'The user to act as'
            cand --as-group 'A group to act as; may be repeated'
            cand --request-timeout 'How long one request may take, for example 5s; 0 is without limit'
            cand --metrics-port 'The pod''s port that serves metrics [default: the port named `metrics`, the picker''s own flag, or 9090]'
            cand --auth 'How to get a token: `auto` mints one where the picker asks for it'
            cand --service-account 'Mint a token of this ServiceAccount, [NAMESPACE/]NAME'
            cand --token-file 'Read the token from a file, anew when it is needed'
            cand --token-secret 'Read the token from a Secret of type kubernetes.io/service-account-token, [NAMESPACE/]NAME'
            cand --max-scrape 'The longest answer or saved scrape to read, packed and unpacked'
            cand --metrics-ca-file 'The CA certificates to trust for HTTPS metrics, PEM'
            cand --metrics-client-cert 'The client certificate for HTTPS metrics, PEM'
            cand --metrics-client-key 'The client certificate''s key, PEM'
            cand --wait 'Look again until nothing fails, for at most so long'
            cand -o 'The form of the output'
            cand --output 'The form of the output'
            cand --demo 'Run gateway-core in this process, with made-up traffic'
            cand -A 'All namespaces'
            cand --all-namespaces 'All namespaces'
            cand --direct 'Connect to the pod''s address instead of forwarding a port: from inside the cluster'
            cand --metrics-insecure-skip-tls-verify 'Do not verify the certificate of HTTPS metrics'
            cand -v 'Log what igctl does to stderr; twice for more'
            cand --verbose 'Log what igctl does to stderr; twice for more'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
            cand -V 'Print version'
            cand --version 'Print version'
        }
        &'igctl;rbac'= {
            cand -v 'Log what igctl does to stderr; twice for more'
            cand --verbose 'Log what igctl does to stderr; twice for more'
            cand -h 'Print help'
            cand --help 'Print help'
            cand -V 'Print version'
            cand --version 'Print version'
            cand generate 'Print manifests that grant what is needed, for kubectl apply -f -'
            cand help 'Print this message or the help of the given subcommand(s)'
        }
        &'igctl;rbac;generate'= {
            cand -n 'The pickers'' namespace: a binding that names another one grants nothing'
            cand --namespace 'The pickers'' namespace: a binding that names another one grants nothing'
            cand --only 'The parts to print [default: all; picker where --picker names it]'
            cand --service-account 'The reader''s ServiceAccount'
            cand --user 'A user who runs igctl, as kubectl auth whoami has them; may be repeated'
            cand --group 'A group whose members run igctl; may be repeated'
            cand --picker 'The picker''s ServiceAccount'
            cand --token-secret 'Also a Secret with a token of the reader that does not expire'
            cand -v 'Log what igctl does to stderr; twice for more'
            cand --verbose 'Log what igctl does to stderr; twice for more'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
            cand -V 'Print version'
            cand --version 'Print version'
        }
        &'igctl;rbac;help'= {
            cand generate 'Print manifests that grant what is needed, for kubectl apply -f -'
            cand help 'Print this message or the help of the given subcommand(s)'
        }
        &'igctl;rbac;help;generate'= {
        }
        &'igctl;rbac;help;help'= {
        }
        &'igctl;completion'= {
            cand -v 'Log what igctl does to stderr; twice for more'
            cand --verbose 'Log what igctl does to stderr; twice for more'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
            cand -V 'Print version'
            cand --version 'Print version'
        }
        &'igctl;help'= {
            cand metrics 'Metrics of endpoint pickers'
            cand smoke 'Assert on what pickers have counted, for pipelines'
            cand check 'Find the broken link between you and the metrics, and what mends it'
            cand rbac 'Rights for readers, operators and pickers'
            cand completion 'Print the completions of a shell'
            cand help 'Print this message or the help of the given subcommand(s)'
        }
        &'igctl;help;metrics'= {
            cand top 'Show requests, errors and latency per model'
            cand catalog 'List the signals and the metric names that they are read from'
            cand dump 'Print the metrics text as it came'
            cand diff 'Show what changed between two moments'
            cand record 'Record what all pods say, for later'
        }
        &'igctl;help;metrics;top'= {
        }
        &'igctl;help;metrics;catalog'= {
        }
        &'igctl;help;metrics;dump'= {
        }
        &'igctl;help;metrics;diff'= {
        }
        &'igctl;help;metrics;record'= {
        }
        &'igctl;help;smoke'= {
        }
        &'igctl;help;check'= {
        }
        &'igctl;help;rbac'= {
            cand generate 'Print manifests that grant what is needed, for kubectl apply -f -'
        }
        &'igctl;help;rbac;generate'= {
        }
        &'igctl;help;completion'= {
        }
        &'igctl;help;help'= {
        }
    ]
    $completions[$command]
}
