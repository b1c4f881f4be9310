
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
            [CompletionResult]::new('check', 'check', [CompletionResultType]::ParameterValue, 'Find the broken link between you and the metrics, and what mends it')
            [CompletionResult]::new('rbac', 'rbac', [CompletionResultType]::ParameterValue, 'Rights for readers, operators and pickers')
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
            [CompletionResult]::new('diff', 'diff', [CompletionResultType]::ParameterValue, 'Show what changed between two moments')
            [CompletionResult]::new('record', 'record', [CompletionResultType]::ParameterValue, 'Record what all pods say, for later')
            [CompletionResult]::new('help', 'help', [CompletionResultType]::ParameterValue, 'Print this message or the help of the given subcommand(s)')
            break
        }
        'igctl;metrics;top' {
            [CompletionResult]::new('-f', '-f', [CompletionResultType]::ParameterName, 'Read a saved scrape, or a recording; `-` is stdin. Several scrapes are taken as replicas of one picker')
            [CompletionResult]::new('--file', '--file', [CompletionResultType]::ParameterName, 'Read a saved scrape, or a recording; `-` is stdin. Several scrapes are taken as replicas of one picker')
            [CompletionResult]::new('--at', '--at', [CompletionResultType]::ParameterName, 'Which moment of a recording [default: its end]: 2026-11-25T10:05:00Z, 10:05:00, or -5m, so long before its end; UTC without a zone')
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
            [CompletionResult]::new('--max-scrape', '--max-scrape', [CompletionResultType]::ParameterName, 'The longest answer or saved scrape to read, packed and unpacked')
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
            [CompletionResult]::new('-w', '-w', [CompletionResultType]::ParameterName, 'Refresh, even where the output is no terminal; not of what was saved')
            [CompletionResult]::new('--watch', '--watch', [CompletionResultType]::ParameterName, 'Refresh, even where the output is no terminal; not of what was saved')
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
            [CompletionResult]::new('-f', '-f', [CompletionResultType]::ParameterName, 'Read a saved scrape, or a recording; `-` is stdin. Several scrapes are taken as replicas of one picker')
            [CompletionResult]::new('--file', '--file', [CompletionResultType]::ParameterName, 'Read a saved scrape, or a recording; `-` is stdin. Several scrapes are taken as replicas of one picker')
            [CompletionResult]::new('--at', '--at', [CompletionResultType]::ParameterName, 'Which moment of a recording [default: its end]: 2026-11-25T10:05:00Z, 10:05:00, or -5m, so long before its end; UTC without a zone')
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
            [CompletionResult]::new('--max-scrape', '--max-scrape', [CompletionResultType]::ParameterName, 'The longest answer or saved scrape to read, packed and unpacked')
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
            [CompletionResult]::new('-f', '-f', [CompletionResultType]::ParameterName, 'Read a saved scrape, or a recording; `-` is stdin. Several scrapes are taken as replicas of one picker')
            [CompletionResult]::new('--file', '--file', [CompletionResultType]::ParameterName, 'Read a saved scrape, or a recording; `-` is stdin. Several scrapes are taken as replicas of one picker')
            [CompletionResult]::new('--at', '--at', [CompletionResultType]::ParameterName, 'Which moment of a recording [default: its end]: 2026-11-25T10:05:00Z, 10:05:00, or -5m, so long before its end; UTC without a zone')
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
            [CompletionResult]::new('--max-scrape', '--max-scrape', [CompletionResultType]::ParameterName, 'The longest answer or saved scrape to read, packed and unpacked')
            [CompletionResult]::new('--metrics-ca-file', '--metrics-ca-file', [CompletionResultType]::ParameterName, 'The CA certificates to trust for HTTPS metrics, PEM')
            [CompletionResult]::new('--metrics-client-cert', '--metrics-client-cert', [CompletionResultType]::ParameterName, 'The client certificate for HTTPS metrics, PEM')
            [CompletionResult]::new('--metrics-client-key', '--metrics-client-key', [CompletionResultType]::ParameterName, 'The client certificate''s key, PEM')
            [CompletionResult]::new('--export', '--export', [CompletionResultType]::ParameterName, 'Write a whole recording in another form, each sample with its time')
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
        'igctl;metrics;diff' {
            [CompletionResult]::new('-f', '-f', [CompletionResultType]::ParameterName, 'Read a saved scrape, or a recording; `-` is stdin. Several scrapes are taken as replicas of one picker')
            [CompletionResult]::new('--file', '--file', [CompletionResultType]::ParameterName, 'Read a saved scrape, or a recording; `-` is stdin. Several scrapes are taken as replicas of one picker')
            [CompletionResult]::new('--at', '--at', [CompletionResultType]::ParameterName, 'Which moment of a recording [default: its end]: 2026-11-25T10:05:00Z, 10:05:00, or -5m, so long before its end; UTC without a zone')
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
            [CompletionResult]::new('--max-scrape', '--max-scrape', [CompletionResultType]::ParameterName, 'The longest answer or saved scrape to read, packed and unpacked')
            [CompletionResult]::new('--metrics-ca-file', '--metrics-ca-file', [CompletionResultType]::ParameterName, 'The CA certificates to trust for HTTPS metrics, PEM')
            [CompletionResult]::new('--metrics-client-cert', '--metrics-client-cert', [CompletionResultType]::ParameterName, 'The client certificate for HTTPS metrics, PEM')
            [CompletionResult]::new('--metrics-client-key', '--metrics-client-key', [CompletionResultType]::ParameterName, 'The client certificate''s key, PEM')
            [CompletionResult]::new('-o', '-o', [CompletionResultType]::ParameterName, 'The form of the output')
            [CompletionResult]::new('--output', '--output', [CompletionResultType]::ParameterName, 'The form of the output')
            [CompletionResult]::new('--quantiles', '--quantiles', [CompletionResultType]::ParameterName, 'The quantiles to show, in percent')
            [CompletionResult]::new('--latency', '--latency', [CompletionResultType]::ParameterName, 'Which latency the quantile columns show')
            [CompletionResult]::new('-m', '-m', [CompletionResultType]::ParameterName, 'Only models whose name matches, for example ''qwen*''')
            [CompletionResult]::new('--model', '--model', [CompletionResultType]::ParameterName, 'Only models whose name matches, for example ''qwen*''')
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
        'igctl;metrics;record' {
            [CompletionResult]::new('-f', '-f', [CompletionResultType]::ParameterName, 'Read a saved scrape, or a recording; `-` is stdin. Several scrapes are taken as replicas of one picker')
            [CompletionResult]::new('--file', '--file', [CompletionResultType]::ParameterName, 'Read a saved scrape, or a recording; `-` is stdin. Several scrapes are taken as replicas of one picker')
            [CompletionResult]::new('--at', '--at', [CompletionResultType]::ParameterName, 'Which moment of a recording [default: its end]: 2026-11-25T10:05:00Z, 10:05:00, or -5m, so long before its end; UTC without a zone')
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
            [CompletionResult]::new('--max-scrape', '--max-scrape', [CompletionResultType]::ParameterName, 'The longest answer or saved scrape to read, packed and unpacked')
            [CompletionResult]::new('--metrics-ca-file', '--metrics-ca-file', [CompletionResultType]::ParameterName, 'The CA certificates to trust for HTTPS metrics, PEM')
            [CompletionResult]::new('--metrics-client-cert', '--metrics-client-cert', [CompletionResultType]::ParameterName, 'The client certificate for HTTPS metrics, PEM')
            [CompletionResult]::new('--metrics-client-key', '--metrics-client-key', [CompletionResultType]::ParameterName, 'The client certificate''s key, PEM')
            [CompletionResult]::new('--for', '--for', [CompletionResultType]::ParameterName, 'How long [default: until Ctrl-C]')
            [CompletionResult]::new('--every', '--every', [CompletionResultType]::ParameterName, 'Time between two looks')
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
            [CompletionResult]::new('diff', 'diff', [CompletionResultType]::ParameterValue, 'Show what changed between two moments')
            [CompletionResult]::new('record', 'record', [CompletionResultType]::ParameterValue, 'Record what all pods say, for later')
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
        'igctl;metrics;help;diff' {
            break
        }
        'igctl;metrics;help;record' {
            break
        }
        'igctl;metrics;help;help' {
            break
        }
        'igctl;smoke' {
            [CompletionResult]::new('-f', '-f', [CompletionResultType]::ParameterName, 'Read a saved scrape, or a recording; `-` is stdin. Several scrapes are taken as replicas of one picker')
            [CompletionResult]::new('--file', '--file', [CompletionResultType]::ParameterName, 'Read a saved scrape, or a recording; `-` is stdin. Several scrapes are taken as replicas of one picker')
            [CompletionResult]::new('--at', '--at', [CompletionResultType]::ParameterName, 'Which moment of a recording [default: its end]: 2026-11-25T10:05:00Z, 10:05:00, or -5m, so long before its end; UTC without a zone')
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
            [CompletionResult]::new('--max-scrape', '--max-scrape', [CompletionResultType]::ParameterName, 'The longest answer or saved scrape to read, packed and unpacked')
            [CompletionResult]::new('--metrics-ca-file', '--metrics-ca-file', [CompletionResultType]::ParameterName, 'The CA certificates to trust for HTTPS metrics, PEM')
            [CompletionResult]::new('--metrics-client-cert', '--metrics-client-cert', [CompletionResultType]::ParameterName, 'The client certificate for HTTPS metrics, PEM')
            [CompletionResult]::new('--metrics-client-key', '--metrics-client-key', [CompletionResultType]::ParameterName, 'The client certificate''s key, PEM')
            [CompletionResult]::new('--assert', '--assert', [CompletionResultType]::ParameterName, 'What must hold, for example ''error_rate < 1%''; may be repeated')
            [CompletionResult]::new('--assert-file', '--assert-file', [CompletionResultType]::ParameterName, 'Assertions from a file, one a line; lines that begin with # are comments')
            [CompletionResult]::new('--min-samples', '--min-samples', [CompletionResultType]::ParameterName, 'Quantiles and rates of errors of fewer samples are inconclusive')
            [CompletionResult]::new('--wait', '--wait', [CompletionResultType]::ParameterName, 'Keep reading until all assertions hold, for at most so long')
            [CompletionResult]::new('--window', '--window', [CompletionResultType]::ParameterName, 'Assert on what happened within this time rather than since the start')
            [CompletionResult]::new('--probe', '--probe', [CompletionResultType]::ParameterName, 'First send so many small requests through the gateway, which must be counted, and no more')
            [CompletionResult]::new('--probe-url', '--probe-url', [CompletionResultType]::ParameterName, 'Where to send them, for example http://gateway/v1/completions')
            [CompletionResult]::new('--probe-model', '--probe-model', [CompletionResultType]::ParameterName, 'The model to ask for')
            [CompletionResult]::new('--probe-header-file', '--probe-header-file', [CompletionResultType]::ParameterName, 'Headers to send, such as Authorization: one a line, NAME: VALUE')
            [CompletionResult]::new('--probe-ca-file', '--probe-ca-file', [CompletionResultType]::ParameterName, 'The CA certificates to trust for an HTTPS gateway, PEM')
            [CompletionResult]::new('--baseline', '--baseline', [CompletionResultType]::ParameterName, 'What was good: a saved scrape, a recording (or FILE@TIME), or a report of metrics top -o json. Fails where metrics or labels are lost or renamed, or a model''s p99 or error_rate got worse')
            [CompletionResult]::new('--tolerance', '--tolerance', [CompletionResultType]::ParameterName, 'How much worse p99 and error_rate may be, of what they were. An error_rate that is higher by no more than chance explains (in 5 of 100 cases) is inconclusive')
            [CompletionResult]::new('-o', '-o', [CompletionResultType]::ParameterName, 'The form of the output')
            [CompletionResult]::new('--output', '--output', [CompletionResultType]::ParameterName, 'The form of the output')
            [CompletionResult]::new('--demo', '--demo', [CompletionResultType]::ParameterName, 'Run gateway-core in this process, with made-up traffic')
            [CompletionResult]::new('-A', '-A ', [CompletionResultType]::ParameterName, 'All namespaces')
            [CompletionResult]::new('--all-namespaces', '--all-namespaces', [CompletionResultType]::ParameterName, 'All namespaces')
            [CompletionResult]::new('--direct', '--direct', [CompletionResultType]::ParameterName, 'Connect to the pod''s address instead of forwarding a port: from inside the cluster')
            [CompletionResult]::new('--metrics-insecure-skip-tls-verify', '--metrics-insecure-skip-tls-verify', [CompletionResultType]::ParameterName, 'Do not verify the certificate of HTTPS metrics')
            [CompletionResult]::new('--allow-inconclusive', '--allow-inconclusive', [CompletionResultType]::ParameterName, 'Do not fail for what is inconclusive')
            [CompletionResult]::new('--probe-stream', '--probe-stream', [CompletionResultType]::ParameterName, 'Ask for streamed answers')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Log what igctl does to stderr; twice for more')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Log what igctl does to stderr; twice for more')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('-V', '-V ', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('--version', '--version', [CompletionResultType]::ParameterName, 'Print version')
            break
        }
        'igctl;check' {
            [CompletionResult]::new('-f', '-f', [CompletionResultType]::ParameterName, 'Read a saved scrape, or a recording; `-` is stdin. Several scrapes are taken as replicas of one picker')
            [CompletionResult]::new('--file', '--file', [CompletionResultType]::ParameterName, 'Read a saved scrape, or a recording; `-` is stdin. Several scrapes are taken as replicas of one picker')
            [CompletionResult]::new('--at', '--at', [CompletionResultType]::ParameterName, 'Which moment of a recording [default: its end]: 2026-11-25T10:05:00Z, 10:05:00, or -5m, so long before its end; UTC without a zone')
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
            [CompletionResult]::new('--max-scrape', '--max-scrape', [CompletionResultType]::ParameterName, 'The longest answer or saved scrape to read, packed and unpacked')
            [CompletionResult]::new('--metrics-ca-file', '--metrics-ca-file', [CompletionResultType]::ParameterName, 'The CA certificates to trust for HTTPS metrics, PEM')
            [CompletionResult]::new('--metrics-client-cert', '--metrics-client-cert', [CompletionResultType]::ParameterName, 'The client certificate for HTTPS metrics, PEM')
            [CompletionResult]::new('--metrics-client-key', '--metrics-client-key', [CompletionResultType]::ParameterName, 'The client certificate''s key, PEM')
            [CompletionResult]::new('--wait', '--wait', [CompletionResultType]::ParameterName, 'Look again until nothing fails, for at most so long')
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
        'igctl;rbac' {
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Log what igctl does to stderr; twice for more')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Log what igctl does to stderr; twice for more')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('-V', '-V ', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('--version', '--version', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('generate', 'generate', [CompletionResultType]::ParameterValue, 'Print manifests that grant what is needed, for kubectl apply -f -')
            [CompletionResult]::new('help', 'help', [CompletionResultType]::ParameterValue, 'Print this message or the help of the given subcommand(s)')
            break
        }
        'igctl;rbac;generate' {
            [CompletionResult]::new('-n', '-n', [CompletionResultType]::ParameterName, 'The pickers'' namespace: a binding that names another one grants nothing')
            [CompletionResult]::new('--namespace', '--namespace', [CompletionResultType]::ParameterName, 'The pickers'' namespace: a binding that names another one grants nothing')
            [CompletionResult]::new('--only', '--only', [CompletionResultType]::ParameterName, 'The parts to print [default: all; picker where --picker names it]')
            [CompletionResult]::new('--service-account', '--service-account', [CompletionResultType]::ParameterName, 'The reader''s ServiceAccount')
            [CompletionResult]::new('--user', '--user', [CompletionResultType]::ParameterName, 'A user who runs igctl, as kubectl auth whoami has them; may be repeated')
            [CompletionResult]::new('--group', '--group', [CompletionResultType]::ParameterName, 'A group whose members run igctl; may be repeated')
            [CompletionResult]::new('--picker', '--picker', [CompletionResultType]::ParameterName, 'The picker''s ServiceAccount')
            [CompletionResult]::new('--token-secret', '--token-secret', [CompletionResultType]::ParameterName, 'Also a Secret with a token of the reader that does not expire')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Log what igctl does to stderr; twice for more')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Log what igctl does to stderr; twice for more')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('-V', '-V ', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('--version', '--version', [CompletionResultType]::ParameterName, 'Print version')
            break
        }
        'igctl;rbac;help' {
            [CompletionResult]::new('generate', 'generate', [CompletionResultType]::ParameterValue, 'Print manifests that grant what is needed, for kubectl apply -f -')
            [CompletionResult]::new('help', 'help', [CompletionResultType]::ParameterValue, 'Print this message or the help of the given subcommand(s)')
            break
        }
        'igctl;rbac;help;generate' {
            break
        }
        'igctl;rbac;help;help' {
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
            [CompletionResult]::new('check', 'check', [CompletionResultType]::ParameterValue, 'Find the broken link between you and the metrics, and what mends it')
            [CompletionResult]::new('rbac', 'rbac', [CompletionResultType]::ParameterValue, 'Rights for readers, operators and pickers')
            [CompletionResult]::new('completion', 'completion', [CompletionResultType]::ParameterValue, 'Print the completions of a shell')
            [CompletionResult]::new('help', 'help', [CompletionResultType]::ParameterValue, 'Print this message or the help of the given subcommand(s)')
            break
        }
        'igctl;help;metrics' {
            [CompletionResult]::new('top', 'top', [CompletionResultType]::ParameterValue, 'Show requests, errors and latency per model')
            [CompletionResult]::new('catalog', 'catalog', [CompletionResultType]::ParameterValue, 'List the signals and the metric names that they are read from')
            [CompletionResult]::new('dump', 'dump', [CompletionResultType]::ParameterValue, 'Print the metrics text as it came')
            [CompletionResult]::new('diff', 'diff', [CompletionResultType]::ParameterValue, 'Show what changed between two moments')
            [CompletionResult]::new('record', 'record', [CompletionResultType]::ParameterValue, 'Record what all pods say, for later')
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
        'igctl;help;metrics;diff' {
            break
        }
        'igctl;help;metrics;record' {
            break
        }
        'igctl;help;smoke' {
            break
        }
        'igctl;help;check' {
            break
        }
        'igctl;help;rbac' {
            [CompletionResult]::new('generate', 'generate', [CompletionResultType]::ParameterValue, 'Print manifests that grant what is needed, for kubectl apply -f -')
            break
        }
        'igctl;help;rbac;generate' {
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
