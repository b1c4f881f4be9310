# Print an optspec for argparse to handle cmd's options that are independent of any subcommand.
function __fish_igctl_global_optspecs
    string join \n v/verbose h/help V/version
end

function __fish_igctl_needs_command
    # Figure out if the current invocation already has a command.
    set -l cmd (commandline -opc)
    set -e cmd[1]
    argparse -s (__fish_igctl_global_optspecs) -- $cmd 2>/dev/null
    or return
    if set -q argv[1]
        # Also print the command, so this can be used to figure out what it is.
        echo $argv[1]
        return 1
    end
    return 0
end

function __fish_igctl_using_subcommand
    set -l cmd (__fish_igctl_needs_command)
    test -z "$cmd"
    and return 1
    contains -- $cmd[1] $argv
end

complete -c igctl -n "__fish_igctl_needs_command" -s v -l verbose -d 'Log what igctl does to stderr; twice for more'
complete -c igctl -n "__fish_igctl_needs_command" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c igctl -n "__fish_igctl_needs_command" -s V -l version -d 'Print version'
complete -c igctl -n "__fish_igctl_needs_command" -f -a "metrics" -d 'Metrics of endpoint pickers'
complete -c igctl -n "__fish_igctl_needs_command" -f -a "smoke" -d 'Assert on what pickers have counted, for pipelines'
complete -c igctl -n "__fish_igctl_needs_command" -f -a "check" -d 'Find the broken link between you and the metrics, and what mends it'
complete -c igctl -n "__fish_igctl_needs_command" -f -a "rbac" -d 'Rights for readers, operators and pickers'
complete -c igctl -n "__fish_igctl_needs_command" -f -a "completion" -d 'Print the completions of a shell'
complete -c igctl -n "__fish_igctl_needs_command" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c igctl -n "__fish_igctl_using_subcommand metrics; and not __fish_seen_subcommand_from top catalog dump diff record help" -s v -l verbose -d 'Log what igctl does to stderr; twice for more'
complete -c igctl -n "__fish_igctl_using_subcommand metrics; and not __fish_seen_subcommand_from top catalog dump diff record help" -s h -l help -d 'Print help'
complete -c igctl -n "__fish_igctl_using_subcommand metrics; and not __fish_seen_subcommand_from top catalog dump diff record help" -s V -l version -d 'Print version'
complete -c igctl -n "__fish_igctl_using_subcommand metrics; and not __fish_seen_subcommand_from top catalog dump diff record help" -f -a "top" -d 'Show requests, errors and latency per model'
complete -c igctl -n "__fish_igctl_using_subcommand metrics; and not __fish_seen_subcommand_from top catalog dump diff record help" -f -a "catalog" -d 'List the signals and the metric names that they are read from'
complete -c igctl -n "__fish_igctl_using_subcommand metrics; and not __fish_seen_subcommand_from top catalog dump diff record help" -f -a "dump" -d 'Print the metrics text as it came'
complete -c igctl -n "__fish_igctl_using_subcommand metrics; and not __fish_seen_subcommand_from top catalog dump diff record help" -f -a "diff" -d 'Show what changed between two moments'
complete -c igctl -n "__fish_igctl_using_subcommand metrics; and not __fish_seen_subcommand_from top catalog dump diff record help" -f -a "record" -d 'Record what all pods say, for later'
complete -c igctl -n "__fish_igctl_using_subcommand metrics; and not __fish_seen_subcommand_from top catalog dump diff record help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c igctl -n "__fish_igctl_using_subcommand metrics; and __fish_seen_subcommand_from top" -s f -l file -d 'Read a saved scrape, or a recording; `-` is stdin. Several scrapes are taken as replicas of one picker' -r -F
complete -c igctl -n "__fish_igctl_using_subcommand metrics; and __fish_seen_subcommand_from top" -l at -d 'Which moment of a recording [default: its end]: 2026-11-25T10:05:00Z, 10:05:00, or -5m, so long before its end; UTC without a zone' -r
complete -c igctl -n "__fish_igctl_using_subcommand metrics; and __fish_seen_subcommand_from top" -l url -d 'Read metrics at an address, without Kubernetes' -r -f
complete -c igctl -n "__fish_igctl_using_subcommand metrics; and __fish_seen_subcommand_from top" -s l -l selector -d 'Pods by label, for example app=qwen-epp' -r
complete -c igctl -n "__fish_igctl_using_subcommand metrics; and __fish_seen_subcommand_from top" -s n -l namespace -d 'The namespace; the default is the context\'s' -r
complete -c igctl -n "__fish_igctl_using_subcommand metrics; and __fish_seen_subcommand_from top" -l context -d 'The kubeconfig\'s context to use' -r
complete -c igctl -n "__fish_igctl_using_subcommand metrics; and __fish_seen_subcommand_from top" -l kubeconfig -d 'The kubeconfig file' -r -F
complete -c igctl -n "__fish_igctl_using_subcommand metrics; and __fish_seen_subcommand_from top" -l as -d 'The user to act as' -r
complete -c igctl -n "__fish_igctl_using_subcommand metrics; and __fish_seen_subcommand_from top" -l as-group -d 'A group to act as; may be repeated' -r
complete -c igctl -n "__fish_igctl_using_subcommand metrics; and __fish_seen_subcommand_from top" -l request-timeout -d 'How long one request may take, for example 5s; 0 is without limit' -r
complete -c igctl -n "__fish_igctl_using_subcommand metrics; and __fish_seen_subcommand_from top" -l metrics-port -d 'The pod\'s port that serves metrics [default: the port named `metrics`, the picker\'s own flag, or 9090]' -r
complete -c igctl -n "__fish_igctl_using_subcommand metrics; and __fish_seen_subcommand_from top" -l auth -d 'How to get a token: `auto` mints one where the picker asks for it' -r -f -a "auto\t'Try without; where the picker asks for a token, mint one for the metrics reader'
none\t'Never send a token'"
complete -c igctl -n "__fish_igctl_using_subcommand metrics; and __fish_seen_subcommand_from top" -l service-account -d 'Mint a token of this ServiceAccount, [NAMESPACE/]NAME' -r
complete -c igctl -n "__fish_igctl_using_subcommand metrics; and __fish_seen_subcommand_from top" -l token-file -d 'Read the token from a file, anew when it is needed' -r -F
complete -c igctl -n "__fish_igctl_using_subcommand metrics; and __fish_seen_subcommand_from top" -l token-secret -d 'Read the token from a Secret of type kubernetes.io/service-account-token, [NAMESPACE/]NAME' -r
complete -c igctl -n "__fish_igctl_using_subcommand metrics; and __fish_seen_subcommand_from top" -l max-scrape -d 'The longest answer or saved scrape to read, packed and unpacked' -r
complete -c igctl -n "__fish_igctl_using_subcommand metrics; and __fish_seen_subcommand_from top" -l metrics-ca-file -d 'The CA certificates to trust for HTTPS metrics, PEM' -r -F
complete -c igctl -n "__fish_igctl_using_subcommand metrics; and __fish_seen_subcommand_from top" -l metrics-client-cert -d 'The client certificate for HTTPS metrics, PEM' -r -F
complete -c igctl -n "__fish_igctl_using_subcommand metrics; and __fish_seen_subcommand_from top" -l metrics-client-key -d 'The client certificate\'s key, PEM' -r -F
complete -c igctl -n "__fish_igctl_using_subcommand metrics; and __fish_seen_subcommand_from top" -l interval -d 'Time between two refreshes' -r
complete -c igctl -n "__fish_igctl_using_subcommand metrics; and __fish_seen_subcommand_from top" -l window -d 'Show what happened within this time, by two reads; while refreshing, at most so far back [default: 60s]' -r
complete -c igctl -n "__fish_igctl_using_subcommand metrics; and __fish_seen_subcommand_from top" -s o -l output -d 'The form of the output' -r -f -a "table\t'For people'
wide\t'For people with wide terminals: all that is known'
json\t'For programs; with -w one document a line'
yaml\t'The same document as YAML'
csv\t'For spreadsheets: a line for each row'"
complete -c igctl -n "__fish_igctl_using_subcommand metrics; and __fish_seen_subcommand_from top" -l quantiles -d 'The quantiles to show, in percent' -r
complete -c igctl -n "__fish_igctl_using_subcommand metrics; and __fish_seen_subcommand_from top" -l latency -d 'Which latency the quantile columns show' -r -f -a "e2e\t'From the request to the end of the response'
ttft\t'Time to first token, of streamed responses'
tpot\t'Time per output token, of streamed responses'
itl\t'Inter-token latency, of streamed responses'
ntpot\t'Whole duration per output token'"
complete -c igctl -n "__fish_igctl_using_subcommand metrics; and __fish_seen_subcommand_from top" -l by -d 'What a row is about [default: model,target; with several pools also pool]' -r -f -a "model\t'The model that clients name'
target\t'The model that requests are sent to'
pool\t'The InferencePool'
pod\t'The picker\'s pod'
priority\t'The requests\' priority'
fairness\t'The requests\' fairness id'"
complete -c igctl -n "__fish_igctl_using_subcommand metrics; and __fish_seen_subcommand_from top" -l sort -d 'Order rows by a column: requests, rate, errors, error-rate, in-flight, name, or a quantile shown, such as p99' -r
complete -c igctl -n "__fish_igctl_using_subcommand metrics; and __fish_seen_subcommand_from top" -l limit -d 'Show at most so many rows; the total still counts all' -r
complete -c igctl -n "__fish_igctl_using_subcommand metrics; and __fish_seen_subcommand_from top" -s m -l model -d 'Only models whose name matches, for example \'qwen*\'' -r
complete -c igctl -n "__fish_igctl_using_subcommand metrics; and __fish_seen_subcommand_from top" -l demo -d 'Run gateway-core in this process, with made-up traffic'
complete -c igctl -n "__fish_igctl_using_subcommand metrics; and __fish_seen_subcommand_from top" -s A -l all-namespaces -d 'All namespaces'
complete -c igctl -n "__fish_igctl_using_subcommand metrics; and __fish_seen_subcommand_from top" -l direct -d 'Connect to the pod\'s address instead of forwarding a port: from inside the cluster'
complete -c igctl -n "__fish_igctl_using_subcommand metrics; and __fish_seen_subcommand_from top" -l metrics-insecure-skip-tls-verify -d 'Do not verify the certificate of HTTPS metrics'
complete -c igctl -n "__fish_igctl_using_subcommand metrics; and __fish_seen_subcommand_from top" -s w -l watch -d 'Refresh, even where the output is no terminal; not of what was saved'
complete -c igctl -n "__fish_igctl_using_subcommand metrics; and __fish_seen_subcommand_from top" -l once -d 'Print once, even on a terminal'
complete -c igctl -n "__fish_igctl_using_subcommand metrics; and __fish_seen_subcommand_from top" -s v -l verbose -d 'Log what igctl does to stderr; twice for more'
complete -c igctl -n "__fish_igctl_using_subcommand metrics; and __fish_seen_subcommand_from top" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c igctl -n "__fish_igctl_using_subcommand metrics; and __fish_seen_subcommand_from top" -s V -l version -d 'Print version'
complete -c igctl -n "__fish_igctl_using_subcommand metrics; and __fish_seen_subcommand_from catalog" -s f -l file -d 'Read a saved scrape, or a recording; `-` is stdin. Several scrapes are taken as replicas of one picker' -r -F
complete -c igctl -n "__fish_igctl_using_subcommand metrics; and __fish_seen_subcommand_from catalog" -l at -d 'Which moment of a recording [default: its end]: 2026-11-25T10:05:00Z, 10:05:00, or -5m, so long before its end; UTC without a zone' -r
complete -c igctl -n "__fish_igctl_using_subcommand metrics; and __fish_seen_subcommand_from catalog" -l url -d 'Read metrics at an address, without Kubernetes' -r -f
complete -c igctl -n "__fish_igctl_using_subcommand metrics; and __fish_seen_subcommand_from catalog" -s l -l selector -d 'Pods by label, for example app=qwen-epp' -r
complete -c igctl -n "__fish_igctl_using_subcommand metrics; and __fish_seen_subcommand_from catalog" -s n -l namespace -d 'The namespace; the default is the context\'s' -r
complete -c igctl -n "__fish_igctl_using_subcommand metrics; and __fish_seen_subcommand_from catalog" -l context -d 'The kubeconfig\'s context to use' -r
complete -c igctl -n "__fish_igctl_using_subcommand metrics; and __fish_seen_subcommand_from catalog" -l kubeconfig -d 'The kubeconfig file' -r -F
complete -c igctl -n "__fish_igctl_using_subcommand metrics; and __fish_seen_subcommand_from catalog" -l as -d 'The user to act as' -r
complete -c igctl -n "__fish_igctl_using_subcommand metrics; and __fish_seen_subcommand_from catalog" -l as-group -d 'A group to act as; may be repeated' -r
complete -c igctl -n "__fish_igctl_using_subcommand metrics; and __fish_seen_subcommand_from catalog" -l request-timeout -d 'How long one request may take, for example 5s; 0 is without limit' -r
complete -c igctl -n "__fish_igctl_using_subcommand metrics; and __fish_seen_subcommand_from catalog" -l metrics-port -d 'The pod\'s port that serves metrics [default: the port named `metrics`, the picker\'s own flag, or 9090]' -r
complete -c igctl -n "__fish_igctl_using_subcommand metrics; and __fish_seen_subcommand_from catalog" -l auth -d 'How to get a token: `auto` mints one where the picker asks for it' -r -f -a "auto\t'Try without; where the picker asks for a token, mint one for the metrics reader'
none\t'Never send a token'"
complete -c igctl -n "__fish_igctl_using_subcommand metrics; and __fish_seen_subcommand_from catalog" -l service-account -d 'Mint a token of this ServiceAccount, [NAMESPACE/]NAME' -r
complete -c igctl -n "__fish_igctl_using_subcommand metrics; and __fish_seen_subcommand_from catalog" -l token-file -d 'Read the token from a file, anew when it is needed' -r -F
complete -c igctl -n "__fish_igctl_using_subcommand metrics; and __fish_seen_subcommand_from catalog" -l token-secret -d 'Read the token from a Secret of type kubernetes.io/service-account-token, [NAMESPACE/]NAME' -r
complete -c igctl -n "__fish_igctl_using_subcommand metrics; and __fish_seen_subcommand_from catalog" -l max-scrape -d 'The longest answer or saved scrape to read, packed and unpacked' -r
complete -c igctl -n "__fish_igctl_using_subcommand metrics; and __fish_seen_subcommand_from catalog" -l metrics-ca-file -d 'The CA certificates to trust for HTTPS metrics, PEM' -r -F
complete -c igctl -n "__fish_igctl_using_subcommand metrics; and __fish_seen_subcommand_from catalog" -l metrics-client-cert -d 'The client certificate for HTTPS metrics, PEM' -r -F
complete -c igctl -n "__fish_igctl_using_subcommand metrics; and __fish_seen_subcommand_from catalog" -l metrics-client-key -d 'The client certificate\'s key, PEM' -r -F
complete -c igctl -n "__fish_igctl_using_subcommand metrics; and __fish_seen_subcommand_from catalog" -s o -l output -d 'The form of the output' -r -f -a "table\t'For people'
wide\t'For people with wide terminals: all that is known'
json\t'For programs; with -w one document a line'
yaml\t'The same document as YAML'
csv\t'For spreadsheets: a line for each row'"
complete -c igctl -n "__fish_igctl_using_subcommand metrics; and __fish_seen_subcommand_from catalog" -l demo -d 'Run gateway-core in this process, with made-up traffic'
complete -c igctl -n "__fish_igctl_using_subcommand metrics; and __fish_seen_subcommand_from catalog" -s A -l all-namespaces -d 'All namespaces'
complete -c igctl -n "__fish_igctl_using_subcommand metrics; and __fish_seen_subcommand_from catalog" -l direct -d 'Connect to the pod\'s address instead of forwarding a port: from inside the cluster'
complete -c igctl -n "__fish_igctl_using_subcommand metrics; and __fish_seen_subcommand_from catalog" -l metrics-insecure-skip-tls-verify -d 'Do not verify the certificate of HTTPS metrics'
complete -c igctl -n "__fish_igctl_using_subcommand metrics; and __fish_seen_subcommand_from catalog" -s v -l verbose -d 'Log what igctl does to stderr; twice for more'
complete -c igctl -n "__fish_igctl_using_subcommand metrics; and __fish_seen_subcommand_from catalog" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c igctl -n "__fish_igctl_using_subcommand metrics; and __fish_seen_subcommand_from catalog" -s V -l version -d 'Print version'
complete -c igctl -n "__fish_igctl_using_subcommand metrics; and __fish_seen_subcommand_from dump" -s f -l file -d 'Read a saved scrape, or a recording; `-` is stdin. Several scrapes are taken as replicas of one picker' -r -F
complete -c igctl -n "__fish_igctl_using_subcommand metrics; and __fish_seen_subcommand_from dump" -l at -d 'Which moment of a recording [default: its end]: 2026-11-25T10:05:00Z, 10:05:00, or -5m, so long before its end; UTC without a zone' -r
complete -c igctl -n "__fish_igctl_using_subcommand metrics; and __fish_seen_subcommand_from dump" -l url -d 'Read metrics at an address, without Kubernetes' -r -f
complete -c igctl -n "__fish_igctl_using_subcommand metrics; and __fish_seen_subcommand_from dump" -s l -l selector -d 'Pods by label, for example app=qwen-epp' -r
complete -c igctl -n "__fish_igctl_using_subcommand metrics; and __fish_seen_subcommand_from dump" -s n -l namespace -d 'The namespace; the default is the context\'s' -r
complete -c igctl -n "__fish_igctl_using_subcommand metrics; and __fish_seen_subcommand_from dump" -l context -d 'The kubeconfig\'s context to use' -r
complete -c igctl -n "__fish_igctl_using_subcommand metrics; and __fish_seen_subcommand_from dump" -l kubeconfig -d 'The kubeconfig file' -r -F
complete -c igctl -n "__fish_igctl_using_subcommand metrics; and __fish_seen_subcommand_from dump" -l as -d 'The user to act as' -r
complete -c igctl -n "__fish_igctl_using_subcommand metrics; and __fish_seen_subcommand_from dump" -l as-group -d 'A group to act as; may be repeated' -r
complete -c igctl -n "__fish_igctl_using_subcommand metrics; and __fish_seen_subcommand_from dump" -l request-timeout -d 'How long one request may take, for example 5s; 0 is without limit' -r
complete -c igctl -n "__fish_igctl_using_subcommand metrics; and __fish_seen_subcommand_from dump" -l metrics-port -d 'The pod\'s port that serves metrics [default: the port named `metrics`, the picker\'s own flag, or 9090]' -r
complete -c igctl -n "__fish_igctl_using_subcommand metrics; and __fish_seen_subcommand_from dump" -l auth -d 'How to get a token: `auto` mints one where the picker asks for it' -r -f -a "auto\t'Try without; where the picker asks for a token, mint one for the metrics reader'
none\t'Never send a token'"
complete -c igctl -n "__fish_igctl_using_subcommand metrics; and __fish_seen_subcommand_from dump" -l service-account -d 'Mint a token of this ServiceAccount, [NAMESPACE/]NAME' -r
complete -c igctl -n "__fish_igctl_using_subcommand metrics; and __fish_seen_subcommand_from dump" -l token-file -d 'Read the token from a file, anew when it is needed' -r -F
complete -c igctl -n "__fish_igctl_using_subcommand metrics; and __fish_seen_subcommand_from dump" -l token-secret -d 'Read the token from a Secret of type kubernetes.io/service-account-token, [NAMESPACE/]NAME' -r
complete -c igctl -n "__fish_igctl_using_subcommand metrics; and __fish_seen_subcommand_from dump" -l max-scrape -d 'The longest answer or saved scrape to read, packed and unpacked' -r
complete -c igctl -n "__fish_igctl_using_subcommand metrics; and __fish_seen_subcommand_from dump" -l metrics-ca-file -d 'The CA certificates to trust for HTTPS metrics, PEM' -r -F
complete -c igctl -n "__fish_igctl_using_subcommand metrics; and __fish_seen_subcommand_from dump" -l metrics-client-cert -d 'The client certificate for HTTPS metrics, PEM' -r -F
complete -c igctl -n "__fish_igctl_using_subcommand metrics; and __fish_seen_subcommand_from dump" -l metrics-client-key -d 'The client certificate\'s key, PEM' -r -F
complete -c igctl -n "__fish_igctl_using_subcommand metrics; and __fish_seen_subcommand_from dump" -l export -d 'Write a whole recording in another form, each sample with its time' -r -f -a "openmetrics\t'What `promtool tsdb create-blocks-from openmetrics` takes'"
complete -c igctl -n "__fish_igctl_using_subcommand metrics; and __fish_seen_subcommand_from dump" -l demo -d 'Run gateway-core in this process, with made-up traffic'
complete -c igctl -n "__fish_igctl_using_subcommand metrics; and __fish_seen_subcommand_from dump" -s A -l all-namespaces -d 'All namespaces'
complete -c igctl -n "__fish_igctl_using_subcommand metrics; and __fish_seen_subcommand_from dump" -l direct -d 'Connect to the pod\'s address instead of forwarding a port: from inside the cluster'
complete -c igctl -n "__fish_igctl_using_subcommand metrics; and __fish_seen_subcommand_from dump" -l metrics-insecure-skip-tls-verify -d 'Do not verify the certificate of HTTPS metrics'
complete -c igctl -n "__fish_igctl_using_subcommand metrics; and __fish_seen_subcommand_from dump" -s v -l verbose -d 'Log what igctl does to stderr; twice for more'
complete -c igctl -n "__fish_igctl_using_subcommand metrics; and __fish_seen_subcommand_from dump" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c igctl -n "__fish_igctl_using_subcommand metrics; and __fish_seen_subcommand_from dump" -s V -l version -d 'Print version'
complete -c igctl -n "__fish_igctl_using_subcommand metrics; and __fish_seen_subcommand_from diff" -s f -l file -d 'Read a saved scrape, or a recording; `-` is stdin. Several scrapes are taken as replicas of one picker' -r -F
complete -c igctl -n "__fish_igctl_using_subcommand metrics; and __fish_seen_subcommand_from diff" -l at -d 'Which moment of a recording [default: its end]: 2026-11-25T10:05:00Z, 10:05:00, or -5m, so long before its end; UTC without a zone' -r
complete -c igctl -n "__fish_igctl_using_subcommand metrics; and __fish_seen_subcommand_from diff" -l url -d 'Read metrics at an address, without Kubernetes' -r -f
complete -c igctl -n "__fish_igctl_using_subcommand metrics; and __fish_seen_subcommand_from diff" -s l -l selector -d 'Pods by label, for example app=qwen-epp' -r
complete -c igctl -n "__fish_igctl_using_subcommand metrics; and __fish_seen_subcommand_from diff" -s n -l namespace -d 'The namespace; the default is the context\'s' -r
complete -c igctl -n "__fish_igctl_using_subcommand metrics; and __fish_seen_subcommand_from diff" -l context -d 'The kubeconfig\'s context to use' -r
complete -c igctl -n "__fish_igctl_using_subcommand metrics; and __fish_seen_subcommand_from diff" -l kubeconfig -d 'The kubeconfig file' -r -F
complete -c igctl -n "__fish_igctl_using_subcommand metrics; and __fish_seen_subcommand_from diff" -l as -d 'The user to act as' -r
complete -c igctl -n "__fish_igctl_using_subcommand metrics; and __fish_seen_subcommand_from diff" -l as-group -d 'A group to act as; may be repeated' -r
complete -c igctl -n "__fish_igctl_using_subcommand metrics; and __fish_seen_subcommand_from diff" -l request-timeout -d 'How long one request may take, for example 5s; 0 is without limit' -r
complete -c igctl -n "__fish_igctl_using_subcommand metrics; and __fish_seen_subcommand_from diff" -l metrics-port -d 'The pod\'s port that serves metrics [default: the port named `metrics`, the picker\'s own flag, or 9090]' -r
complete -c igctl -n "__fish_igctl_using_subcommand metrics; and __fish_seen_subcommand_from diff" -l auth -d 'How to get a token: `auto` mints one where the picker asks for it' -r -f -a "auto\t'Try without; where the picker asks for a token, mint one for the metrics reader'
none\t'Never send a token'"
complete -c igctl -n "__fish_igctl_using_subcommand metrics; and __fish_seen_subcommand_from diff" -l service-account -d 'Mint a token of this ServiceAccount, [NAMESPACE/]NAME' -r
complete -c igctl -n "__fish_igctl_using_subcommand metrics; and __fish_seen_subcommand_from diff" -l token-file -d 'Read the token from a file, anew when it is needed' -r -F
complete -c igctl -n "__fish_igctl_using_subcommand metrics; and __fish_seen_subcommand_from diff" -l token-secret -d 'Read the token from a Secret of type kubernetes.io/service-account-token, [NAMESPACE/]NAME' -r
complete -c igctl -n "__fish_igctl_using_subcommand metrics; and __fish_seen_subcommand_from diff" -l max-scrape -d 'The longest answer or saved scrape to read, packed and unpacked' -r
complete -c igctl -n "__fish_igctl_using_subcommand metrics; and __fish_seen_subcommand_from diff" -l metrics-ca-file -d 'The CA certificates to trust for HTTPS metrics, PEM' -r -F
complete -c igctl -n "__fish_igctl_using_subcommand metrics; and __fish_seen_subcommand_from diff" -l metrics-client-cert -d 'The client certificate for HTTPS metrics, PEM' -r -F
complete -c igctl -n "__fish_igctl_using_subcommand metrics; and __fish_seen_subcommand_from diff" -l metrics-client-key -d 'The client certificate\'s key, PEM' -r -F
complete -c igctl -n "__fish_igctl_using_subcommand metrics; and __fish_seen_subcommand_from diff" -s o -l output -d 'The form of the output' -r -f -a "table\t'For people'
wide\t'For people with wide terminals: all that is known'
json\t'For programs; with -w one document a line'
yaml\t'The same document as YAML'
csv\t'For spreadsheets: a line for each row'"
complete -c igctl -n "__fish_igctl_using_subcommand metrics; and __fish_seen_subcommand_from diff" -l quantiles -d 'The quantiles to show, in percent' -r
complete -c igctl -n "__fish_igctl_using_subcommand metrics; and __fish_seen_subcommand_from diff" -l latency -d 'Which latency the quantile columns show' -r -f -a "e2e\t'From the request to the end of the response'
ttft\t'Time to first token, of streamed responses'
tpot\t'Time per output token, of streamed responses'
itl\t'Inter-token latency, of streamed responses'
ntpot\t'Whole duration per output token'"
complete -c igctl -n "__fish_igctl_using_subcommand metrics; and __fish_seen_subcommand_from diff" -s m -l model -d 'Only models whose name matches, for example \'qwen*\'' -r
complete -c igctl -n "__fish_igctl_using_subcommand metrics; and __fish_seen_subcommand_from diff" -l demo -d 'Run gateway-core in this process, with made-up traffic'
complete -c igctl -n "__fish_igctl_using_subcommand metrics; and __fish_seen_subcommand_from diff" -s A -l all-namespaces -d 'All namespaces'
complete -c igctl -n "__fish_igctl_using_subcommand metrics; and __fish_seen_subcommand_from diff" -l direct -d 'Connect to the pod\'s address instead of forwarding a port: from inside the cluster'
complete -c igctl -n "__fish_igctl_using_subcommand metrics; and __fish_seen_subcommand_from diff" -l metrics-insecure-skip-tls-verify -d 'Do not verify the certificate of HTTPS metrics'
complete -c igctl -n "__fish_igctl_using_subcommand metrics; and __fish_seen_subcommand_from diff" -s v -l verbose -d 'Log what igctl does to stderr; twice for more'
complete -c igctl -n "__fish_igctl_using_subcommand metrics; and __fish_seen_subcommand_from diff" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c igctl -n "__fish_igctl_using_subcommand metrics; and __fish_seen_subcommand_from diff" -s V -l version -d 'Print version'
complete -c igctl -n "__fish_igctl_using_subcommand metrics; and __fish_seen_subcommand_from record" -s f -l file -d 'Read a saved scrape, or a recording; `-` is stdin. Several scrapes are taken as replicas of one picker' -r -F
complete -c igctl -n "__fish_igctl_using_subcommand metrics; and __fish_seen_subcommand_from record" -l at -d 'Which moment of a recording [default: its end]: 2026-11-25T10:05:00Z, 10:05:00, or -5m, so long before its end; UTC without a zone' -r
complete -c igctl -n "__fish_igctl_using_subcommand metrics; and __fish_seen_subcommand_from record" -l url -d 'Read metrics at an address, without Kubernetes' -r -f
complete -c igctl -n "__fish_igctl_using_subcommand metrics; and __fish_seen_subcommand_from record" -s l -l selector -d 'Pods by label, for example app=qwen-epp' -r
complete -c igctl -n "__fish_igctl_using_subcommand metrics; and __fish_seen_subcommand_from record" -s n -l namespace -d 'The namespace; the default is the context\'s' -r
complete -c igctl -n "__fish_igctl_using_subcommand metrics; and __fish_seen_subcommand_from record" -l context -d 'The kubeconfig\'s context to use' -r
complete -c igctl -n "__fish_igctl_using_subcommand metrics; and __fish_seen_subcommand_from record" -l kubeconfig -d 'The kubeconfig file' -r -F
complete -c igctl -n "__fish_igctl_using_subcommand metrics; and __fish_seen_subcommand_from record" -l as -d 'The user to act as' -r
complete -c igctl -n "__fish_igctl_using_subcommand metrics; and __fish_seen_subcommand_from record" -l as-group -d 'A group to act as; may be repeated' -r
complete -c igctl -n "__fish_igctl_using_subcommand metrics; and __fish_seen_subcommand_from record" -l request-timeout -d 'How long one request may take, for example 5s; 0 is without limit' -r
complete -c igctl -n "__fish_igctl_using_subcommand metrics; and __fish_seen_subcommand_from record" -l metrics-port -d 'The pod\'s port that serves metrics [default: the port named `metrics`, the picker\'s own flag, or 9090]' -r
complete -c igctl -n "__fish_igctl_using_subcommand metrics; and __fish_seen_subcommand_from record" -l auth -d 'How to get a token: `auto` mints one where the picker asks for it' -r -f -a "auto\t'Try without; where the picker asks for a token, mint one for the metrics reader'
none\t'Never send a token'"
complete -c igctl -n "__fish_igctl_using_subcommand metrics; and __fish_seen_subcommand_from record" -l service-account -d 'Mint a token of this ServiceAccount, [NAMESPACE/]NAME' -r
complete -c igctl -n "__fish_igctl_using_subcommand metrics; and __fish_seen_subcommand_from record" -l token-file -d 'Read the token from a file, anew when it is needed' -r -F
complete -c igctl -n "__fish_igctl_using_subcommand metrics; and __fish_seen_subcommand_from record" -l token-secret -d 'Read the token from a Secret of type kubernetes.io/service-account-token, [NAMESPACE/]NAME' -r
complete -c igctl -n "__fish_igctl_using_subcommand metrics; and __fish_seen_subcommand_from record" -l max-scrape -d 'The longest answer or saved scrape to read, packed and unpacked' -r
complete -c igctl -n "__fish_igctl_using_subcommand metrics; and __fish_seen_subcommand_from record" -l metrics-ca-file -d 'The CA certificates to trust for HTTPS metrics, PEM' -r -F
complete -c igctl -n "__fish_igctl_using_subcommand metrics; and __fish_seen_subcommand_from record" -l metrics-client-cert -d 'The client certificate for HTTPS metrics, PEM' -r -F
complete -c igctl -n "__fish_igctl_using_subcommand metrics; and __fish_seen_subcommand_from record" -l metrics-client-key -d 'The client certificate\'s key, PEM' -r -F
complete -c igctl -n "__fish_igctl_using_subcommand metrics; and __fish_seen_subcommand_from record" -l for -d 'How long [default: until Ctrl-C]' -r
complete -c igctl -n "__fish_igctl_using_subcommand metrics; and __fish_seen_subcommand_from record" -l every -d 'Time between two looks' -r
complete -c igctl -n "__fish_igctl_using_subcommand metrics; and __fish_seen_subcommand_from record" -l demo -d 'Run gateway-core in this process, with made-up traffic'
complete -c igctl -n "__fish_igctl_using_subcommand metrics; and __fish_seen_subcommand_from record" -s A -l all-namespaces -d 'All namespaces'
complete -c igctl -n "__fish_igctl_using_subcommand metrics; and __fish_seen_subcommand_from record" -l direct -d 'Connect to the pod\'s address instead of forwarding a port: from inside the cluster'
complete -c igctl -n "__fish_igctl_using_subcommand metrics; and __fish_seen_subcommand_from record" -l metrics-insecure-skip-tls-verify -d 'Do not verify the certificate of HTTPS metrics'
complete -c igctl -n "__fish_igctl_using_subcommand metrics; and __fish_seen_subcommand_from record" -s v -l verbose -d 'Log what igctl does to stderr; twice for more'
complete -c igctl -n "__fish_igctl_using_subcommand metrics; and __fish_seen_subcommand_from record" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c igctl -n "__fish_igctl_using_subcommand metrics; and __fish_seen_subcommand_from record" -s V -l version -d 'Print version'
complete -c igctl -n "__fish_igctl_using_subcommand metrics; and __fish_seen_subcommand_from help" -f -a "top" -d 'Show requests, errors and latency per model'
complete -c igctl -n "__fish_igctl_using_subcommand metrics; and __fish_seen_subcommand_from help" -f -a "catalog" -d 'List the signals and the metric names that they are read from'
complete -c igctl -n "__fish_igctl_using_subcommand metrics; and __fish_seen_subcommand_from help" -f -a "dump" -d 'Print the metrics text as it came'
complete -c igctl -n "__fish_igctl_using_subcommand metrics; and __fish_seen_subcommand_from help" -f -a "diff" -d 'Show what changed between two moments'
complete -c igctl -n "__fish_igctl_using_subcommand metrics; and __fish_seen_subcommand_from help" -f -a "record" -d 'Record what all pods say, for later'
complete -c igctl -n "__fish_igctl_using_subcommand metrics; and __fish_seen_subcommand_from help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c igctl -n "__fish_igctl_using_subcommand smoke" -s f -l file -d 'Read a saved scrape, or a recording; `-` is stdin. Several scrapes are taken as replicas of one picker' -r -F
complete -c igctl -n "__fish_igctl_using_subcommand smoke" -l at -d 'Which moment of a recording [default: its end]: 2026-11-25T10:05:00Z, 10:05:00, or -5m, so long before its end; UTC without a zone' -r
complete -c igctl -n "__fish_igctl_using_subcommand smoke" -l url -d 'Read metrics at an address, without Kubernetes' -r -f
complete -c igctl -n "__fish_igctl_using_subcommand smoke" -s l -l selector -d 'Pods by label, for example app=qwen-epp' -r
complete -c igctl -n "__fish_igctl_using_subcommand smoke" -s n -l namespace -d 'The namespace; the default is the context\'s' -r
complete -c igctl -n "__fish_igctl_using_subcommand smoke" -l context -d 'The kubeconfig\'s context to use' -r
complete -c igctl -n "__fish_igctl_using_subcommand smoke" -l kubeconfig -d 'The kubeconfig file' -r -F
complete -c igctl -n "__fish_igctl_using_subcommand smoke" -l as -d 'The user to act as' -r
complete -c igctl -n "__fish_igctl_using_subcommand smoke" -l as-group -d 'A group to act as; may be repeated' -r
complete -c igctl -n "__fish_igctl_using_subcommand smoke" -l request-timeout -d 'How long one request may take, for example 5s; 0 is without limit' -r
complete -c igctl -n "__fish_igctl_using_subcommand smoke" -l metrics-port -d 'The pod\'s port that serves metrics [default: the port named `metrics`, the picker\'s own flag, or 9090]' -r
complete -c igctl -n "__fish_igctl_using_subcommand smoke" -l auth -d 'How to get a token: `auto` mints one where the picker asks for it' -r -f -a "auto\t'Try without; where the picker asks for a token, mint one for the metrics reader'
none\t'Never send a token'"
complete -c igctl -n "__fish_igctl_using_subcommand smoke" -l service-account -d 'Mint a token of this ServiceAccount, [NAMESPACE/]NAME' -r
complete -c igctl -n "__fish_igctl_using_subcommand smoke" -l token-file -d 'Read the token from a file, anew when it is needed' -r -F
complete -c igctl -n "__fish_igctl_using_subcommand smoke" -l token-secret -d 'Read the token from a Secret of type kubernetes.io/service-account-token, [NAMESPACE/]NAME' -r
complete -c igctl -n "__fish_igctl_using_subcommand smoke" -l max-scrape -d 'The longest answer or saved scrape to read, packed and unpacked' -r
complete -c igctl -n "__fish_igctl_using_subcommand smoke" -l metrics-ca-file -d 'The CA certificates to trust for HTTPS metrics, PEM' -r -F
complete -c igctl -n "__fish_igctl_using_subcommand smoke" -l metrics-client-cert -d 'The client certificate for HTTPS metrics, PEM' -r -F
complete -c igctl -n "__fish_igctl_using_subcommand smoke" -l metrics-client-key -d 'The client certificate\'s key, PEM' -r -F
complete -c igctl -n "__fish_igctl_using_subcommand smoke" -l assert -d 'What must hold, for example \'error_rate < 1%\'; may be repeated' -r
complete -c igctl -n "__fish_igctl_using_subcommand smoke" -l assert-file -d 'Assertions from a file, one a line; lines that begin with # are comments' -r -F
complete -c igctl -n "__fish_igctl_using_subcommand smoke" -l min-samples -d 'Quantiles and rates of errors of fewer samples are inconclusive' -r
complete -c igctl -n "__fish_igctl_using_subcommand smoke" -l wait -d 'Keep reading until all assertions hold, for at most so long' -r
complete -c igctl -n "__fish_igctl_using_subcommand smoke" -l window -d 'Assert on what happened within this time rather than since the start' -r
complete -c igctl -n "__fish_igctl_using_subcommand smoke" -l probe -d 'First send so many small requests through the gateway, which must be counted, and no more' -r
complete -c igctl -n "__fish_igctl_using_subcommand smoke" -l probe-url -d 'Where to send them, for example http://gateway/v1/completions' -r -f
complete -c igctl -n "__fish_igctl_using_subcommand smoke" -l probe-model -d 'The model to ask for' -r
complete -c igctl -n "__fish_igctl_using_subcommand smoke" -l probe-header-file -d 'Headers to send, such as Authorization: one a line, NAME: VALUE' -r -F
complete -c igctl -n "__fish_igctl_using_subcommand smoke" -l probe-ca-file -d 'The CA certificates to trust for an HTTPS gateway, PEM' -r -F
complete -c igctl -n "__fish_igctl_using_subcommand smoke" -l baseline -d 'What was good: a saved scrape, a recording (or FILE@TIME), or a report of metrics top -o json. Fails where metrics or labels are lost or renamed, or a model\'s p99 or error_rate got worse' -r -F
complete -c igctl -n "__fish_igctl_using_subcommand smoke" -l tolerance -d 'How much worse p99 and error_rate may be, of what they were. An error_rate that is higher by no more than chance explains (in 5 of 100 cases) is inconclusive' -r
complete -c igctl -n "__fish_igctl_using_subcommand smoke" -s o -l output -d 'The form of the output' -r -f -a "table\t'For people'
wide\t'For people with wide terminals: all that is known'
json\t'For programs; with -w one document a line'
yaml\t'The same document as YAML'
csv\t'For spreadsheets: a line for each row'
junit\t'For what reads test results'
github\t'For GitHub Actions: annotations, and a summary where GITHUB_STEP_SUMMARY names a file'"
complete -c igctl -n "__fish_igctl_using_subcommand smoke" -l demo -d 'Run gateway-core in this process, with made-up traffic'
complete -c igctl -n "__fish_igctl_using_subcommand smoke" -s A -l all-namespaces -d 'All namespaces'
complete -c igctl -n "__fish_igctl_using_subcommand smoke" -l direct -d 'Connect to the pod\'s address instead of forwarding a port: from inside the cluster'
complete -c igctl -n "__fish_igctl_using_subcommand smoke" -l metrics-insecure-skip-tls-verify -d 'Do not verify the certificate of HTTPS metrics'
complete -c igctl -n "__fish_igctl_using_subcommand smoke" -l allow-inconclusive -d 'Do not fail for what is inconclusive'
complete -c igctl -n "__fish_igctl_using_subcommand smoke" -l probe-stream -d 'Ask for streamed answers'
complete -c igctl -n "__fish_igctl_using_subcommand smoke" -s v -l verbose -d 'Log what igctl does to stderr; twice for more'
complete -c igctl -n "__fish_igctl_using_subcommand smoke" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c igctl -n "__fish_igctl_using_subcommand smoke" -s V -l version -d 'Print version'
complete -c igctl -n "__fish_igctl_using_subcommand check" -s f -l file -d 'Read a saved scrape, or a recording; `-` is stdin. Several scrapes are taken as replicas of one picker' -r -F
complete -c igctl -n "__fish_igctl_using_subcommand check" -l at -d 'Which moment of a recording [default: its end]: 2026-11-25T10:05:00Z, 10:05:00, or -5m, so long before its end; UTC without a zone' -r
complete -c igctl -n "__fish_igctl_using_subcommand check" -l url -d 'Read metrics at an address, without Kubernetes' -r -f
complete -c igctl -n "__fish_igctl_using_subcommand check" -s l -l selector -d 'Pods by label, for example app=qwen-epp' -r
complete -c igctl -n "__fish_igctl_using_subcommand check" -s n -l namespace -d 'The namespace; the default is the context\'s' -r
complete -c igctl -n "__fish_igctl_using_subcommand check" -l context -d 'The kubeconfig\'s context to use' -r
complete -c igctl -n "__fish_igctl_using_subcommand check" -l kubeconfig -d 'The kubeconfig file' -r -F
complete -c igctl -n "__fish_igctl_using_subcommand check" -l as -d 'The user to act as' -r
complete -c igctl -n "__fish_igctl_using_subcommand check" -l as-group -d 'A group to act as; may be repeated' -r
complete -c igctl -n "__fish_igctl_using_subcommand check" -l request-timeout -d 'How long one request may take, for example 5s; 0 is without limit' -r
complete -c igctl -n "__fish_igctl_using_subcommand check" -l metrics-port -d 'The pod\'s port that serves metrics [default: the port named `metrics`, the picker\'s own flag, or 9090]' -r
complete -c igctl -n "__fish_igctl_using_subcommand check" -l auth -d 'How to get a token: `auto` mints one where the picker asks for it' -r -f -a "auto\t'Try without; where the picker asks for a token, mint one for the metrics reader'
none\t'Never send a token'"
complete -c igctl -n "__fish_igctl_using_subcommand check" -l service-account -d 'Mint a token of this ServiceAccount, [NAMESPACE/]NAME' -r
complete -c igctl -n "__fish_igctl_using_subcommand check" -l token-file -d 'Read the token from a file, anew when it is needed' -r -F
complete -c igctl -n "__fish_igctl_using_subcommand check" -l token-secret -d 'Read the token from a Secret of type kubernetes.io/service-account-token, [NAMESPACE/]NAME' -r
complete -c igctl -n "__fish_igctl_using_subcommand check" -l max-scrape -d 'The longest answer or saved scrape to read, packed and unpacked' -r
complete -c igctl -n "__fish_igctl_using_subcommand check" -l metrics-ca-file -d 'The CA certificates to trust for HTTPS metrics, PEM' -r -F
complete -c igctl -n "__fish_igctl_using_subcommand check" -l metrics-client-cert -d 'The client certificate for HTTPS metrics, PEM' -r -F
complete -c igctl -n "__fish_igctl_using_subcommand check" -l metrics-client-key -d 'The client certificate\'s key, PEM' -r -F
complete -c igctl -n "__fish_igctl_using_subcommand check" -l wait -d 'Look again until nothing fails, for at most so long' -r
complete -c igctl -n "__fish_igctl_using_subcommand check" -s o -l output -d 'The form of the output' -r -f -a "table\t'For people'
wide\t'For people with wide terminals: all that is known'
json\t'For programs; with -w one document a line'
yaml\t'The same document as YAML'
csv\t'For spreadsheets: a line for each row'"
complete -c igctl -n "__fish_igctl_using_subcommand check" -l demo -d 'Run gateway-core in this process, with made-up traffic'
complete -c igctl -n "__fish_igctl_using_subcommand check" -s A -l all-namespaces -d 'All namespaces'
complete -c igctl -n "__fish_igctl_using_subcommand check" -l direct -d 'Connect to the pod\'s address instead of forwarding a port: from inside the cluster'
complete -c igctl -n "__fish_igctl_using_subcommand check" -l metrics-insecure-skip-tls-verify -d 'Do not verify the certificate of HTTPS metrics'
complete -c igctl -n "__fish_igctl_using_subcommand check" -s v -l verbose -d 'Log what igctl does to stderr; twice for more'
complete -c igctl -n "__fish_igctl_using_subcommand check" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c igctl -n "__fish_igctl_using_subcommand check" -s V -l version -d 'Print version'
complete -c igctl -n "__fish_igctl_using_subcommand rbac; and not __fish_seen_subcommand_from generate help" -s v -l verbose -d 'Log what igctl does to stderr; twice for more'
complete -c igctl -n "__fish_igctl_using_subcommand rbac; and not __fish_seen_subcommand_from generate help" -s h -l help -d 'Print help'
complete -c igctl -n "__fish_igctl_using_subcommand rbac; and not __fish_seen_subcommand_from generate help" -s V -l version -d 'Print version'
complete -c igctl -n "__fish_igctl_using_subcommand rbac; and not __fish_seen_subcommand_from generate help" -f -a "generate" -d 'Print manifests that grant what is needed, for kubectl apply -f -'
complete -c igctl -n "__fish_igctl_using_subcommand rbac; and not __fish_seen_subcommand_from generate help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c igctl -n "__fish_igctl_using_subcommand rbac; and __fish_seen_subcommand_from generate" -s n -l namespace -d 'The pickers\' namespace: a binding that names another one grants nothing' -r
complete -c igctl -n "__fish_igctl_using_subcommand rbac; and __fish_seen_subcommand_from generate" -l only -d 'The parts to print [default: all; picker where --picker names it]' -r -f -a "reader\t'Who may read metrics'
operator\t'Who may run igctl'
picker\t'What the picker may ask'"
complete -c igctl -n "__fish_igctl_using_subcommand rbac; and __fish_seen_subcommand_from generate" -l service-account -d 'The reader\'s ServiceAccount' -r
complete -c igctl -n "__fish_igctl_using_subcommand rbac; and __fish_seen_subcommand_from generate" -l user -d 'A user who runs igctl, as kubectl auth whoami has them; may be repeated' -r
complete -c igctl -n "__fish_igctl_using_subcommand rbac; and __fish_seen_subcommand_from generate" -l group -d 'A group whose members run igctl; may be repeated' -r
complete -c igctl -n "__fish_igctl_using_subcommand rbac; and __fish_seen_subcommand_from generate" -l picker -d 'The picker\'s ServiceAccount' -r
complete -c igctl -n "__fish_igctl_using_subcommand rbac; and __fish_seen_subcommand_from generate" -l token-secret -d 'Also a Secret with a token of the reader that does not expire'
complete -c igctl -n "__fish_igctl_using_subcommand rbac; and __fish_seen_subcommand_from generate" -s v -l verbose -d 'Log what igctl does to stderr; twice for more'
complete -c igctl -n "__fish_igctl_using_subcommand rbac; and __fish_seen_subcommand_from generate" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c igctl -n "__fish_igctl_using_subcommand rbac; and __fish_seen_subcommand_from generate" -s V -l version -d 'Print version'
complete -c igctl -n "__fish_igctl_using_subcommand rbac; and __fish_seen_subcommand_from help" -f -a "generate" -d 'Print manifests that grant what is needed, for kubectl apply -f -'
complete -c igctl -n "__fish_igctl_using_subcommand rbac; and __fish_seen_subcommand_from help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c igctl -n "__fish_igctl_using_subcommand completion" -s v -l verbose -d 'Log what igctl does to stderr; twice for more'
complete -c igctl -n "__fish_igctl_using_subcommand completion" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c igctl -n "__fish_igctl_using_subcommand completion" -s V -l version -d 'Print version'
complete -c igctl -n "__fish_igctl_using_subcommand help; and not __fish_seen_subcommand_from metrics smoke check rbac completion help" -f -a "metrics" -d 'Metrics of endpoint pickers'
complete -c igctl -n "__fish_igctl_using_subcommand help; and not __fish_seen_subcommand_from metrics smoke check rbac completion help" -f -a "smoke" -d 'Assert on what pickers have counted, for pipelines'
complete -c igctl -n "__fish_igctl_using_subcommand help; and not __fish_seen_subcommand_from metrics smoke check rbac completion help" -f -a "check" -d 'Find the broken link between you and the metrics, and what mends it'
complete -c igctl -n "__fish_igctl_using_subcommand help; and not __fish_seen_subcommand_from metrics smoke check rbac completion help" -f -a "rbac" -d 'Rights for readers, operators and pickers'
complete -c igctl -n "__fish_igctl_using_subcommand help; and not __fish_seen_subcommand_from metrics smoke check rbac completion help" -f -a "completion" -d 'Print the completions of a shell'
complete -c igctl -n "__fish_igctl_using_subcommand help; and not __fish_seen_subcommand_from metrics smoke check rbac completion help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c igctl -n "__fish_igctl_using_subcommand help; and __fish_seen_subcommand_from metrics" -f -a "top" -d 'Show requests, errors and latency per model'
complete -c igctl -n "__fish_igctl_using_subcommand help; and __fish_seen_subcommand_from metrics" -f -a "catalog" -d 'List the signals and the metric names that they are read from'
complete -c igctl -n "__fish_igctl_using_subcommand help; and __fish_seen_subcommand_from metrics" -f -a "dump" -d 'Print the metrics text as it came'
complete -c igctl -n "__fish_igctl_using_subcommand help; and __fish_seen_subcommand_from metrics" -f -a "diff" -d 'Show what changed between two moments'
complete -c igctl -n "__fish_igctl_using_subcommand help; and __fish_seen_subcommand_from metrics" -f -a "record" -d 'Record what all pods say, for later'
complete -c igctl -n "__fish_igctl_using_subcommand help; and __fish_seen_subcommand_from rbac" -f -a "generate" -d 'Print manifests that grant what is needed, for kubectl apply -f -'
