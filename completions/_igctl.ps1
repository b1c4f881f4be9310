
using namespace System.Management.Automation
using namespace System.Management.Automation.Language

Register-ArgumentCompleter -Native -CommandName 'igctl' -ScriptBlock {
    param($wordToComplete, $commandAst, $cursorPosition)

    $commandElements = $commandAst.CommandElements
    $command = @(
        'igctl'
        for ($i = 1; $i -lt $commandElements.Count; $i++) {
            $element = $commandElements[$i]
            if ($element -isnot [StringConstantExpressionAst] -or
                $element.StringConstantType -ne [StringConstantType]::BareWord -or
                $element.Value.StartsWith('-') -or
                $element.Value -eq $wordToComplete) {
                break
        }
        $element.Value
    }) -join ';'

    $completions = @(switch ($command) {
        'igctl' {
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Log what igctl does to stderr; twice for more')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Log what igctl does to stderr; twice for more')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('-V', '-V ', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('--version', '--version', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('metrics', 'metrics', [CompletionResultType]::ParameterValue, 'Metrics of endpoint pickers')
            [CompletionResult]::new('smoke', 'smoke', [CompletionResultType]::ParameterValue, 'Assert on what pickers have counted, for pipelines')
            [CompletionResult]::new('completion', 'completion', [CompletionResultType]::ParameterValue, 'Print the completions of a shell')
            [CompletionResult]::new('help', 'help', [CompletionResultType]::ParameterValue, 'Print this message or the help of the given subcommand(s)')
            break
        }
        'igctl;metrics' {
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Log what igctl does to stderr; twice for more')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Log what igctl does to stderr; twice for more')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('-V', '-V ', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('--version', '--version', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('top', 'top', [CompletionResultType]::ParameterValue, 'Show requests, errors and latency per model')
            [CompletionResult]::new('catalog', 'catalog', [CompletionResultType]::ParameterValue, 'List the signals and the metric names that they are read from')
            [CompletionResult]::new('dump', 'dump', [CompletionResultType]::ParameterValue, 'Print the metrics text as it came')
            [CompletionResult]::new('help', 'help', [CompletionResultType]::ParameterValue, 'Print this message or the help of the given subcommand(s)')
            break
        }
        'igctl;metrics;top' {
            [CompletionResult]::new('-f', '-f', [CompletionResultType]::ParameterName, 'Read a saved scrape; `-` is stdin. Several are taken as replicas of one picker')
            [CompletionResult]::new('--file', '--file', [CompletionResultType]::ParameterName, 'Read a saved scrape; `-` is stdin. Several are taken as replicas of one picker')
            [CompletionResult]::new('--url', '--url', [CompletionResultType]::ParameterName, 'Read metrics at an address, without Kubernetes')
            [CompletionResult]::new('-l', '-l', [CompletionResultType]::ParameterName, 'Pods by label, for example app=qwen-epp')
            [CompletionResult]::new('--selector', '--selector', [CompletionResultType]::ParameterName, 'Pods by label, for example app=qwen-epp')
            [CompletionResult]::new('-n', '-n', [CompletionResultType]::ParameterName, 'The namespace; the default is the context''s')
            [CompletionResult]::new('--namespace', '--namespace', [CompletionResultType]::ParameterName, 'The namespace; the default is the context''s')
            [CompletionResult]::new('--context', '--context', [CompletionResultType]::ParameterName, 'The kubeconfig''s context to use')
            [CompletionResult]::new('--kubeconfig', '--kubeconfig', [CompletionResultType]::ParameterName, 'The kubeconfig file')
            [CompletionResult]::new('--as', '--as', [CompletionResultType]::ParameterName, 'The user to act as')
            [CompletionResult]::new('--as-group', '--as-group', [CompletionResultType]::ParameterName, 'A group to act as; may be repeated')
            [CompletionResult]::new('--request-timeout', '--request-timeout', [CompletionResultType]::ParameterName, 'How long one request may take, for example 5s; 0 is without limit')
            [CompletionResult]::new('--metrics-port', '--metrics-port', [CompletionResultType]::ParameterName, 'The pod''s port that serves metrics [default: the port named `metrics`, the picker''s own flag, or 9090]')
            [CompletionResult]::new('--auth', '--auth', [CompletionResultType]::ParameterName, 'How to get a token: `auto` mints one where the picker asks for it')
            [CompletionResult]::new('--service-account', '--service-account', [CompletionResultType]::ParameterName, 'Mint a token of this ServiceAccount, [NAMESPACE/]NAME')
            [CompletionResult]::new('--token-file', '--token-file', [CompletionResultType]::ParameterName, 'Read the token from a file, anew when it is needed')
            [CompletionResult]::new('--token-secret', '--token-secret', [CompletionResultType]::ParameterName, 'Read the token from a Secret of type kubernetes.io/service-account-token, [NAMESPACE/]NAME')
            [CompletionResult]::new('--metrics-ca-file', '--metrics-ca-file', [CompletionResultType]::ParameterName, 'The CA certificates to trust for HTTPS metrics, PEM')
            [CompletionResult]::new('--metrics-client-cert', '--metrics-client-cert', [CompletionResultType]::ParameterName, 'The client certificate for HTTPS metrics, PEM')
            [CompletionResult]::new('--metrics-client-key', '--metrics-client-key', [CompletionResultType]::ParameterName, 'The client certificate''s key, PEM')
            [CompletionResult]::new('--interval', '--interval', [CompletionResultType]::ParameterName, 'Time between two refreshes')
            [CompletionResult]::new('--window', '--window', [CompletionResultType]::ParameterName, 'Show what happened within this time, by two reads; while refreshing, at most so far back [default: 60s]')
            [CompletionResult]::new('-o', '-o', [CompletionResultType]::ParameterName, 'The form of the output')
            [CompletionResult]::new('--output', '--output', [CompletionResultType]::ParameterName, 'The form of the output')
            [CompletionResult]::new('--quantiles', '--quantiles', [CompletionResultType]::ParameterName, 'The quantiles to show, in percent')
            [CompletionResult]::new('--latency', '--latency', [CompletionResultType]::ParameterName, 'Which latency the quantile columns show')
            [CompletionResult]::new('--by', '--by', [CompletionResultType]::ParameterName, 'What a row is about [default: model,target; with several pools also pool]')
            [CompletionResult]::new('--sort', '--sort', [CompletionResultType]::ParameterName, 'Order rows by a column: requests, rate, errors, error-rate, in-flight, name, or a quantile shown, such as p99')
            [CompletionResult]::new('--limit', '--limit', [CompletionResultType]::ParameterName, 'Show at most so many rows; the total still counts all')
            [CompletionResult]::new('-m', '-m', [CompletionResultType]::ParameterName, 'Only models whose name matches, for example ''qwen*''')
            [CompletionResult]::new('--model', '--model', [CompletionResultType]::ParameterName, 'Only models whose name matches, for example ''qwen*''')
            [CompletionResult]::new('--demo', '--demo', [CompletionResultType]::ParameterName, 'Run gateway-core in this process, with made-up traffic')
            [CompletionResult]::new('-A', '-A ', [CompletionResultType]::ParameterName, 'All namespaces')
            [CompletionResult]::new('--all-namespaces', '--all-namespaces', [CompletionResultType]::ParameterName, 'All namespaces')
            [CompletionResult]::new('--direct', '--direct', [CompletionResultType]::ParameterName, 'Connect to the pod''s address instead of forwarding a port: from inside the cluster')
            [CompletionResult]::new('--metrics-insecure-skip-tls-verify', '--metrics-insecure-skip-tls-verify', [CompletionResultType]::ParameterName, 'Do not verify the certificate of HTTPS metrics')
            [CompletionResult]::new('-w', '-w', [CompletionResultType]::ParameterName, 'Refresh, even where the output is no terminal')
            [CompletionResult]::new('--watch', '--watch', [CompletionResultType]::ParameterName, 'Refresh, even where the output is no terminal')
            [CompletionResult]::new('--once', '--once', [CompletionResultType]::ParameterName, 'Print once, even on a terminal')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Log what igctl does to stderr; twice for more')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Log what igctl does to stderr; twice for more')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('-V', '-V ', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('--version', '--version', [CompletionResultType]::ParameterName, 'Print version')
            break
        }
        'igctl;metrics;catalog' {
            [CompletionResult]::new('-f', '-f', [CompletionResultType]::ParameterName, 'Read a saved scrape; `-` is stdin. Several are taken as replicas of one picker')
            [CompletionResult]::new('--file', '--file', [CompletionResultType]::ParameterName, 'Read a saved scrape; `-` is stdin. Several are taken as replicas of one picker')
            [CompletionResult]::new('--url', '--url', [CompletionResultType]::ParameterName, 'Read metrics at an address, without Kubernetes')
            [CompletionResult]::new('-l', '-l', [CompletionResultType]::ParameterName, 'Pods by label, for example app=qwen-epp')
            [CompletionResult]::new('--selector', '--selector', [CompletionResultType]::ParameterName, 'Pods by label, for example app=qwen-epp')
            [CompletionResult]::new('-n', '-n', [CompletionResultType]::ParameterName, 'The namespace; the default is the context''s')
            [CompletionResult]::new('--namespace', '--namespace', [CompletionResultType]::ParameterName, 'The namespace; the default is the context''s')
            [CompletionResult]::new('--context', '--context', [CompletionResultType]::ParameterName, 'The kubeconfig''s context to use')
            [CompletionResult]::new('--kubeconfig', '--kubeconfig', [CompletionResultType]::ParameterName, 'The kubeconfig file')
            [CompletionResult]::new('--as', '--as', [CompletionResultType]::ParameterName, 'The user to act as')
            [CompletionResult]::new('--as-group', '--as-group', [CompletionResultType]::ParameterName, 'A group to act as; may be repeated')
            [CompletionResult]::new('--request-timeout', '--request-timeout', [CompletionResultType]::ParameterName, 'How long one request may take, for example 5s; 0 is without limit')
            [CompletionResult]::new('--metrics-port', '--metrics-port', [CompletionResultType]::ParameterName, 'The pod''s port that serves metrics [default: the port named `metrics`, the picker''s own flag, or 9090]')
            [CompletionResult]::new('--auth', '--auth', [CompletionResultType]::ParameterName, 'How to get a token: `auto` mints one where the picker asks for it')
            [CompletionResult]::new('--service-account', '--service-account', [CompletionResultType]::ParameterName, 'Mint a token of this ServiceAccount, [NAMESPACE/]NAME')
            [CompletionResult]::new('--token-file', '--token-file', [CompletionResultType]::ParameterName, 'Read the token from a file, anew when it is needed')
            [CompletionResult]::new('--token-secret', '--token-secret', [CompletionResultType]::ParameterName, 'Read the token from a Secret of type kubernetes.io/service-account-token, [NAMESPACE/]NAME')
            [CompletionResult]::new('--metrics-ca-file', '--metrics-ca-file', [CompletionResultType]::ParameterName, 'The CA certificates to trust for HTTPS metrics, PEM')
            [CompletionResult]::new('--metrics-client-cert', '--metrics-client-cert', [CompletionResultType]::ParameterName, 'The client certificate for HTTPS metrics, PEM')
            [CompletionResult]::new('--metrics-client-key', '--metrics-client-key', [CompletionResultType]::ParameterName, 'The client certificate''s key, PEM')
            [CompletionResult]::new('-o', '-o', [CompletionResultType]::ParameterName, 'The form of the output')
            [CompletionResult]::new('--output', '--output', [CompletionResultType]::ParameterName, 'The form of the output')
            [CompletionResult]::new('--demo', '--demo', [CompletionResultType]::ParameterName, 'Run gateway-core in this process, with made-up traffic')
            [CompletionResult]::new('-A', '-A ', [CompletionResultType]::ParameterName, 'All namespaces')
            [CompletionResult]::new('--all-namespaces', '--all-namespaces', [CompletionResultType]::ParameterName, 'All namespaces')
            [CompletionResult]::new('--direct', '--direct', [CompletionResultType]::ParameterName, 'Connect to the pod''s address instead of forwarding a port: from inside the cluster')
            [CompletionResult]::new('--metrics-insecure-skip-tls-verify', '--metrics-insecure-skip-tls-verify', [CompletionResultType]::ParameterName, 'Do not verify the certificate of HTTPS metrics')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Log what igctl does to stderr; twice for more')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Log what igctl does to stderr; twice for more')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('-V', '-V ', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('--version', '--version', [CompletionResultType]::ParameterName, 'Print version')
            break
        }
        'igctl;metrics;dump' {
            [CompletionResult]::new('-f', '-f', [CompletionResultType]::ParameterName, 'Read a saved scrape; `-` is stdin. Several are taken as replicas of one picker')
            [CompletionResult]::new('--file', '--file', [CompletionResultType]::ParameterName, 'Read a saved scrape; `-` is stdin. Several are taken as replicas of one picker')
            [CompletionResult]::new('--url', '--url', [CompletionResultType]::ParameterName, 'Read metrics at an address, without Kubernetes')
            [CompletionResult]::new('-l', '-l', [CompletionResultType]::ParameterName, 'Pods by label, for example app=qwen-epp')
            [CompletionResult]::new('--selector', '--selector', [CompletionResultType]::ParameterName, 'Pods by label, for example app=qwen-epp')
            [CompletionResult]::new('-n', '-n', [CompletionResultType]::ParameterName, 'The namespace; the default is the context''s')
            [CompletionResult]::new('--namespace', '--namespace', [CompletionResultType]::ParameterName, 'The namespace; the default is the context''s')
            [CompletionResult]::new('--context', '--context', [CompletionResultType]::ParameterName, 'The kubeconfig''s context to use')
            [CompletionResult]::new('--kubeconfig', '--kubeconfig', [CompletionResultType]::ParameterName, 'The kubeconfig file')
            [CompletionResult]::new('--as', '--as', [CompletionResultType]::ParameterName, 'The user to act as')
            [CompletionResult]::new('--as-group', '--as-group', [CompletionResultType]::ParameterName, 'A group to act as; may be repeated')
            [CompletionResult]::new('--request-timeout', '--request-timeout', [CompletionResultType]::ParameterName, 'How long one request may take, for example 5s; 0 is without limit')
            [CompletionResult]::new('--metrics-port', '--metrics-port', [CompletionResultType]::ParameterName, 'The pod''s port that serves metrics [default: the port named `metrics`, the picker''s own flag, or 9090]')
            [CompletionResult]::new('--auth', '--auth', [CompletionResultType]::ParameterName, 'How to get a token: `auto` mints one where the picker asks for it')
            [CompletionResult]::new('--service-account', '--service-account', [CompletionResultType]::ParameterName, 'Mint a token of this ServiceAccount, [NAMESPACE/]NAME')
            [CompletionResult]::new('--token-file', '--token-file', [CompletionResultType]::ParameterName, 'Read the token from a file, anew when it is needed')
            [CompletionResult]::new('--token-secret', '--token-secret', [CompletionResultType]::ParameterName, 'Read the token from a Secret of type kubernetes.io/service-account-token, [NAMESPACE/]NAME')
            [CompletionResult]::new('--metrics-ca-file', '--metrics-ca-file', [CompletionResultType]::ParameterName, 'The CA certificates to trust for HTTPS metrics, PEM')
            [CompletionResult]::new('--metrics-client-cert', '--metrics-client-cert', [CompletionResultType]::ParameterName, 'The client certificate for HTTPS metrics, PEM')
            [CompletionResult]::new('--metrics-client-key', '--metrics-client-key', [CompletionResultType]::ParameterName, 'The client certificate''s key, PEM')
            [CompletionResult]::new('--demo', '--demo', [CompletionResultType]::ParameterName, 'Run gateway-core in this process, with made-up traffic')
            [CompletionResult]::new('-A', '-A ', [CompletionResultType]::ParameterName, 'All namespaces')
            [CompletionResult]::new('--all-namespaces', '--all-namespaces', [CompletionResultType]::ParameterName, 'All namespaces')
            [CompletionResult]::new('--direct', '--direct', [CompletionResultType]::ParameterName, 'Connect to the pod''s address instead of forwarding a port: from inside the cluster')
            [CompletionResult]::new('--metrics-insecure-skip-tls-verify', '--metrics-insecure-skip-tls-verify', [CompletionResultType]::ParameterName, 'Do not verify the certificate of HTTPS metrics')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Log what igctl does to stderr; twice for more')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Log what igctl does to stderr; twice for more')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('-V', '-V ', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('--version', '--version', [CompletionResultType]::ParameterName, 'Print version')
            break
        }
        'igctl;metrics;help' {
            [CompletionResult]::new('top', 'top', [CompletionResultType]::ParameterValue, 'Show requests, errors and latency per model')
            [CompletionResult]::new('catalog', 'catalog', [CompletionResultType]::ParameterValue, 'List the signals and the metric names that they are read from')
            [CompletionResult]::new('dump', 'dump', [CompletionResultType]::ParameterValue, 'Print the metrics text as it came')
            [CompletionResult]::new('help', 'help', [CompletionResultType]::ParameterValue, 'Print this message or the help of the given subcommand(s)')
            break
        }
        'igctl;metrics;help;top' {
            break
        }
        'igctl;metrics;help;catalog' {
            break
        }
        'igctl;metrics;help;dump' {
            break
        }
        'igctl;metrics;help;help' {
            break
        }
        'igctl;smoke' {
            [CompletionResult]::new('-f', '-f', [CompletionResultType]::ParameterName, 'Read a saved scrape; `-` is stdin. Several are taken as replicas of one picker')
            [CompletionResult]::new('--file', '--file', [CompletionResultType]::ParameterName, 'Read a saved scrape; `-` is stdin. Several are taken as replicas of one picker')
            [CompletionResult]::new('--url', '--url', [CompletionResultType]::ParameterName, 'Read metrics at an address, without Kubernetes')
            [CompletionResult]::new('-l', '-l', [CompletionResultType]::ParameterName, 'Pods by label, for example app=qwen-epp')
            [CompletionResult]::new('--selector', '--selector', [CompletionResultType]::ParameterName, 'Pods by label, for example app=qwen-epp')
            [CompletionResult]::new('-n', '-n', [CompletionResultType]::ParameterName, 'The namespace; the default is the context''s')
            [CompletionResult]::new('--namespace', '--namespace', [CompletionResultType]::ParameterName, 'The namespace; the default is the context''s')
            [CompletionResult]::new('--context', '--context', [CompletionResultType]::ParameterName, 'The kubeconfig''s context to use')
            [CompletionResult]::new('--kubeconfig', '--kubeconfig', [CompletionResultType]::ParameterName, 'The kubeconfig file')
            [CompletionResult]::new('--as', '--as', [CompletionResultType]::ParameterName, 'The user to act as')
            [CompletionResult]::new('--as-group', '--as-group', [CompletionResultType]::ParameterName, 'A group to act as; may be repeated')
            [CompletionResult]::new('--request-timeout', '--request-timeout', [CompletionResultType]::ParameterName, 'How long one request may take, for example 5s; 0 is without limit')
            [CompletionResult]::new('--metrics-port', '--metrics-port', [CompletionResultType]::ParameterName, 'The pod''s port that serves metrics [default: the port named `metrics`, the picker''s own flag, or 9090]')
            [CompletionResult]::new('--auth', '--auth', [CompletionResultType]::ParameterName, 'How to get a token: `auto` mints one where the picker asks for it')
            [CompletionResult]::new('--service-account', '--service-account', [CompletionResultType]::ParameterName, 'Mint a token of this ServiceAccount, [NAMESPACE/]NAME')
            [CompletionResult]::new('--token-file', '--token-file', [CompletionResultType]::ParameterName, 'Read the token from a file, anew when it is needed')
            [CompletionResult]::new('--token-secret', '--token-secret', [CompletionResultType]::ParameterName, 'Read the token from a Secret of type kubernetes.io/service-account-token, [NAMESPACE/]NAME')
            [CompletionResult]::new('--metrics-ca-file', '--metrics-ca-file', [CompletionResultType]::ParameterName, 'The CA certificates to trust for HTTPS metrics, PEM')
            [CompletionResult]::new('--metrics-client-cert', '--metrics-client-cert', [CompletionResultType]::ParameterName, 'The client certificate for HTTPS metrics, PEM')
            [CompletionResult]::new('--metrics-client-key', '--metrics-client-key', [CompletionResultType]::ParameterName, 'The client certificate''s key, PEM')
            [CompletionResult]::new('--assert', '--assert', [CompletionResultType]::ParameterName, 'What must hold, for example ''error_rate < 1%''; may be repeated')
            [CompletionResult]::new('--assert-file', '--assert-file', [CompletionResultType]::ParameterName, 'Assertions from a file, one a line; lines that begin with # are comments')
            [CompletionResult]::new('--min-samples', '--min-samples', [CompletionResultType]::ParameterName, 'Quantiles and rates of errors of fewer samples are inconclusive')
            [CompletionResult]::new('--wait', '--wait', [CompletionResultType]::ParameterName, 'Keep reading until all assertions hold, for at most so long')
            [CompletionResult]::new('--window', '--window', [CompletionResultType]::ParameterName, 'Assert on what happened within this time rather than since the start')
            [CompletionResult]::new('-o', '-o', [CompletionResultType]::ParameterName, 'The form of the output')
            [CompletionResult]::new('--output', '--output', [CompletionResultType]::ParameterName, 'The form of the output')
            [CompletionResult]::new('--demo', '--demo', [CompletionResultType]::ParameterName, 'Run gateway-core in this process, with made-up traffic')
            [CompletionResult]::new('-A', '-A ', [CompletionResultType]::ParameterName, 'All namespaces')
            [CompletionResult]::new('--all-namespaces', '--all-namespaces', [CompletionResultType]::ParameterName, 'All namespaces')
            [CompletionResult]::new('--direct', '--direct', [CompletionResultType]::ParameterName, 'Connect to the pod''s address instead of forwarding a port: from inside the cluster')
            [CompletionResult]::new('--metrics-insecure-skip-tls-verify', '--metrics-insecure-skip-tls-verify', [CompletionResultType]::ParameterName, 'Do not verify the certificate of HTTPS metrics')
            [CompletionResult]::new('--allow-inconclusive', '--allow-inconclusive', [CompletionResultType]::ParameterName, 'Do not fail for what is inconclusive')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Log what igctl does to stderr; twice for more')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Log what igctl does to stderr; twice for more')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('-V', '-V ', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('--version', '--version', [CompletionResultType]::ParameterName, 'Print version')
            break
        }
        'igctl;completion' {
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Log what igctl does to stderr; twice for more')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Log what igctl does to stderr; twice for more')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('-V', '-V ', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('--version', '--version', [CompletionResultType]::ParameterName, 'Print version')
            break
        }
        'igctl;help' {
            [CompletionResult]::new('metrics', 'metrics', [CompletionResultType]::ParameterValue, 'Metrics of endpoint pickers')
            [CompletionResult]::new('smoke', 'smoke', [CompletionResultType]::ParameterValue, 'Assert on what pickers have counted, for pipelines')
            [CompletionResult]::new('completion', 'completion', [CompletionResultType]::ParameterValue, 'Print the completions of a shell')
            [CompletionResult]::new('help', 'help', [CompletionResultType]::ParameterValue, 'Print this message or the help of the given subcommand(s)')
            break
        }
        'igctl;help;metrics' {
            [CompletionResult]::new('top', 'top', [CompletionResultType]::ParameterValue, 'Show requests, errors and latency per model')
            [CompletionResult]::new('catalog', 'catalog', [CompletionResultType]::ParameterValue, 'List the signals and the metric names that they are read from')
            [CompletionResult]::new('dump', 'dump', [CompletionResultType]::ParameterValue, 'Print the metrics text as it came')
            break
        }
        'igctl;help;metrics;top' {
            break
        }
        'igctl;help;metrics;catalog' {
            break
        }
        'igctl;help;metrics;dump' {
            break
        }
        'igctl;help;smoke' {
            break
        }
        'igctl;help;completion' {
            break
        }
        'igctl;help;help' {
            break
        }
    })

    $completions.Where{ $_.CompletionText -like "$wordToComplete*" } |
        Sort-Object -Property ListItemText
}
