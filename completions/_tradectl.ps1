
using namespace System.Management.Automation
using namespace System.Management.Automation.Language

Register-ArgumentCompleter -Native -CommandName 'tradectl' -ScriptBlock {
    param($wordToComplete, $commandAst, $cursorPosition)

    $commandElements = $commandAst.CommandElements
    $command = @(
        'tradectl'
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
        'tradectl' {
            [CompletionResult]::new('--env', '--env', [CompletionResultType]::ParameterName, 'The environment: `local`, or one that a profile or a settings file names')
            [CompletionResult]::new('--config', '--config', [CompletionResultType]::ParameterName, 'Reads this settings file instead of searching for `tradectl.toml`')
            [CompletionResult]::new('--output', '--output', [CompletionResultType]::ParameterName, 'How the answer is written')
            [CompletionResult]::new('--timeout', '--timeout', [CompletionResultType]::ParameterName, 'The longest that one request may take [default: 10s]')
            [CompletionResult]::new('--deadline', '--deadline', [CompletionResultType]::ParameterName, 'The longest that the command may take [default: 120s]')
            [CompletionResult]::new('--log-file', '--log-file', [CompletionResultType]::ParameterName, 'Writes the tool''s own log to this file (mode 0600)')
            [CompletionResult]::new('--show-account', '--show-account', [CompletionResultType]::ParameterName, 'Shows account ids whole')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Says more of what it does, on stderr; twice: everything')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Says more of what it does, on stderr; twice: everything')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('-V', '-V ', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('--version', '--version', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('config', 'config', [CompletionResultType]::ParameterValue, 'Shows and checks the settings')
            [CompletionResult]::new('engine', 'engine', [CompletionResultType]::ParameterValue, 'The processes that trade: engine and paper venue')
            [CompletionResult]::new('completions', 'completions', [CompletionResultType]::ParameterValue, 'Writes the completion script of a shell')
            break
        }
        'tradectl;config' {
            [CompletionResult]::new('--env', '--env', [CompletionResultType]::ParameterName, 'The environment: `local`, or one that a profile or a settings file names')
            [CompletionResult]::new('--config', '--config', [CompletionResultType]::ParameterName, 'Reads this settings file instead of searching for `tradectl.toml`')
            [CompletionResult]::new('--output', '--output', [CompletionResultType]::ParameterName, 'How the answer is written')
            [CompletionResult]::new('--timeout', '--timeout', [CompletionResultType]::ParameterName, 'The longest that one request may take [default: 10s]')
            [CompletionResult]::new('--deadline', '--deadline', [CompletionResultType]::ParameterName, 'The longest that the command may take [default: 120s]')
            [CompletionResult]::new('--log-file', '--log-file', [CompletionResultType]::ParameterName, 'Writes the tool''s own log to this file (mode 0600)')
            [CompletionResult]::new('--show-account', '--show-account', [CompletionResultType]::ParameterName, 'Shows account ids whole')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Says more of what it does, on stderr; twice: everything')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Says more of what it does, on stderr; twice: everything')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('-V', '-V ', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('--version', '--version', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('show', 'show', [CompletionResultType]::ParameterValue, 'Shows every value with its origin: flag, variable, file, profile or default')
            [CompletionResult]::new('check', 'check', [CompletionResultType]::ParameterValue, 'Checks every settings file and variable, and says everything that is wrong')
            break
        }
        'tradectl;config;show' {
            [CompletionResult]::new('--env', '--env', [CompletionResultType]::ParameterName, 'The environment: `local`, or one that a profile or a settings file names')
            [CompletionResult]::new('--config', '--config', [CompletionResultType]::ParameterName, 'Reads this settings file instead of searching for `tradectl.toml`')
            [CompletionResult]::new('--output', '--output', [CompletionResultType]::ParameterName, 'How the answer is written')
            [CompletionResult]::new('--timeout', '--timeout', [CompletionResultType]::ParameterName, 'The longest that one request may take [default: 10s]')
            [CompletionResult]::new('--deadline', '--deadline', [CompletionResultType]::ParameterName, 'The longest that the command may take [default: 120s]')
            [CompletionResult]::new('--log-file', '--log-file', [CompletionResultType]::ParameterName, 'Writes the tool''s own log to this file (mode 0600)')
            [CompletionResult]::new('--show-account', '--show-account', [CompletionResultType]::ParameterName, 'Shows account ids whole')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Says more of what it does, on stderr; twice: everything')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Says more of what it does, on stderr; twice: everything')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('-V', '-V ', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('--version', '--version', [CompletionResultType]::ParameterName, 'Print version')
            break
        }
        'tradectl;config;check' {
            [CompletionResult]::new('--env', '--env', [CompletionResultType]::ParameterName, 'The environment: `local`, or one that a profile or a settings file names')
            [CompletionResult]::new('--config', '--config', [CompletionResultType]::ParameterName, 'Reads this settings file instead of searching for `tradectl.toml`')
            [CompletionResult]::new('--output', '--output', [CompletionResultType]::ParameterName, 'How the answer is written')
            [CompletionResult]::new('--timeout', '--timeout', [CompletionResultType]::ParameterName, 'The longest that one request may take [default: 10s]')
            [CompletionResult]::new('--deadline', '--deadline', [CompletionResultType]::ParameterName, 'The longest that the command may take [default: 120s]')
            [CompletionResult]::new('--log-file', '--log-file', [CompletionResultType]::ParameterName, 'Writes the tool''s own log to this file (mode 0600)')
            [CompletionResult]::new('--show-account', '--show-account', [CompletionResultType]::ParameterName, 'Shows account ids whole')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Says more of what it does, on stderr; twice: everything')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Says more of what it does, on stderr; twice: everything')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('-V', '-V ', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('--version', '--version', [CompletionResultType]::ParameterName, 'Print version')
            break
        }
        'tradectl;engine' {
            [CompletionResult]::new('--env', '--env', [CompletionResultType]::ParameterName, 'The environment: `local`, or one that a profile or a settings file names')
            [CompletionResult]::new('--config', '--config', [CompletionResultType]::ParameterName, 'Reads this settings file instead of searching for `tradectl.toml`')
            [CompletionResult]::new('--output', '--output', [CompletionResultType]::ParameterName, 'How the answer is written')
            [CompletionResult]::new('--timeout', '--timeout', [CompletionResultType]::ParameterName, 'The longest that one request may take [default: 10s]')
            [CompletionResult]::new('--deadline', '--deadline', [CompletionResultType]::ParameterName, 'The longest that the command may take [default: 120s]')
            [CompletionResult]::new('--log-file', '--log-file', [CompletionResultType]::ParameterName, 'Writes the tool''s own log to this file (mode 0600)')
            [CompletionResult]::new('--show-account', '--show-account', [CompletionResultType]::ParameterName, 'Shows account ids whole')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Says more of what it does, on stderr; twice: everything')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Says more of what it does, on stderr; twice: everything')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('-V', '-V ', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('--version', '--version', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('paper-venue', 'paper-venue', [CompletionResultType]::ParameterValue, 'Serves the paper venue of a local platform until it is told to end')
            break
        }
        'tradectl;engine;paper-venue' {
            [CompletionResult]::new('--seed', '--seed', [CompletionResultType]::ParameterName, 'The seed of the generated markets. The first one used with a platform stays')
            [CompletionResult]::new('--data', '--data', [CompletionResultType]::ParameterName, 'Replays the closes of this comma-separated file (first line: the columns'' names) instead of generating markets')
            [CompletionResult]::new('--bars-per-second', '--bars-per-second', [CompletionResultType]::ParameterName, 'How many bars each market closes per second')
            [CompletionResult]::new('--env', '--env', [CompletionResultType]::ParameterName, 'The environment: `local`, or one that a profile or a settings file names')
            [CompletionResult]::new('--config', '--config', [CompletionResultType]::ParameterName, 'Reads this settings file instead of searching for `tradectl.toml`')
            [CompletionResult]::new('--output', '--output', [CompletionResultType]::ParameterName, 'How the answer is written')
            [CompletionResult]::new('--timeout', '--timeout', [CompletionResultType]::ParameterName, 'The longest that one request may take [default: 10s]')
            [CompletionResult]::new('--deadline', '--deadline', [CompletionResultType]::ParameterName, 'The longest that the command may take [default: 120s]')
            [CompletionResult]::new('--log-file', '--log-file', [CompletionResultType]::ParameterName, 'Writes the tool''s own log to this file (mode 0600)')
            [CompletionResult]::new('--show-account', '--show-account', [CompletionResultType]::ParameterName, 'Shows account ids whole')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Says more of what it does, on stderr; twice: everything')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Says more of what it does, on stderr; twice: everything')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('-V', '-V ', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('--version', '--version', [CompletionResultType]::ParameterName, 'Print version')
            break
        }
        'tradectl;completions' {
            [CompletionResult]::new('--env', '--env', [CompletionResultType]::ParameterName, 'The environment: `local`, or one that a profile or a settings file names')
            [CompletionResult]::new('--config', '--config', [CompletionResultType]::ParameterName, 'Reads this settings file instead of searching for `tradectl.toml`')
            [CompletionResult]::new('--output', '--output', [CompletionResultType]::ParameterName, 'How the answer is written')
            [CompletionResult]::new('--timeout', '--timeout', [CompletionResultType]::ParameterName, 'The longest that one request may take [default: 10s]')
            [CompletionResult]::new('--deadline', '--deadline', [CompletionResultType]::ParameterName, 'The longest that the command may take [default: 120s]')
            [CompletionResult]::new('--log-file', '--log-file', [CompletionResultType]::ParameterName, 'Writes the tool''s own log to this file (mode 0600)')
            [CompletionResult]::new('--show-account', '--show-account', [CompletionResultType]::ParameterName, 'Shows account ids whole')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Says more of what it does, on stderr; twice: everything')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Says more of what it does, on stderr; twice: everything')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('-V', '-V ', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('--version', '--version', [CompletionResultType]::ParameterName, 'Print version')
            break
        }
    })

    $completions.Where{ $_.CompletionText -like "$wordToComplete*" } |
        Sort-Object -Property ListItemText
}
