
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
            [CompletionResult]::new('emergency-stop', 'emergency-stop', [CompletionResultType]::ParameterValue, 'Stops all trading, proves it, and records what a resume needs')
            [CompletionResult]::new('resume', 'resume', [CompletionResultType]::ParameterValue, 'Puts back what a stop changed, and releases the latch')
            [CompletionResult]::new('drill', 'drill', [CompletionResultType]::ParameterValue, 'Exercises on throw-away environments')
            [CompletionResult]::new('config', 'config', [CompletionResultType]::ParameterValue, 'Shows and checks the settings')
            [CompletionResult]::new('engine', 'engine', [CompletionResultType]::ParameterValue, 'The processes that trade: engine and paper venue')
            [CompletionResult]::new('heartbeat', 'heartbeat', [CompletionResultType]::ParameterValue, 'Lists, judges and recovers strategies'' heartbeats')
            [CompletionResult]::new('doctor', 'doctor', [CompletionResultType]::ParameterValue, 'Looks whether this machine, the settings and the environment are fit to be worked with; changes nothing')
            [CompletionResult]::new('status', 'status', [CompletionResultType]::ParameterValue, 'Shows the whole environment on one screen, the worst first')
            [CompletionResult]::new('journal', 'journal', [CompletionResultType]::ParameterValue, 'What operators'' commands did on this machine, read back')
            [CompletionResult]::new('completions', 'completions', [CompletionResultType]::ParameterValue, 'Writes the completion script of a shell')
            [CompletionResult]::new('local', 'local', [CompletionResultType]::ParameterValue, 'The embedded platform: a whole environment on this machine')
            break
        }
        'tradectl;emergency-stop' {
            [CompletionResult]::new('--level', '--level', [CompletionResultType]::ParameterName, '`reduce-only` refuses new entries and lets exits go on; `halt` stops everything')
            [CompletionResult]::new('--scope', '--scope', [CompletionResultType]::ParameterName, 'What to stop: `all`, `strategy=ID`, `service=NAME` or `venue=NAME`')
            [CompletionResult]::new('--include', '--include', [CompletionResultType]::ParameterName, 'Treats a name that the profile does not classify as trading; may be given again')
            [CompletionResult]::new('--reason', '--reason', [CompletionResultType]::ParameterName, 'Why; goes into the latch, the journal and the notifications')
            [CompletionResult]::new('--kill-at', '--kill-at', [CompletionResultType]::ParameterName, 'Dies at the n-th place; drills only')
            [CompletionResult]::new('--env', '--env', [CompletionResultType]::ParameterName, 'The environment: `local`, or one that a profile or a settings file names')
            [CompletionResult]::new('--config', '--config', [CompletionResultType]::ParameterName, 'Reads this settings file instead of searching for `tradectl.toml`')
            [CompletionResult]::new('--output', '--output', [CompletionResultType]::ParameterName, 'How the answer is written')
            [CompletionResult]::new('--timeout', '--timeout', [CompletionResultType]::ParameterName, 'The longest that one request may take [default: 10s]')
            [CompletionResult]::new('--deadline', '--deadline', [CompletionResultType]::ParameterName, 'The longest that the command may take [default: 120s]')
            [CompletionResult]::new('--log-file', '--log-file', [CompletionResultType]::ParameterName, 'Writes the tool''s own log to this file (mode 0600)')
            [CompletionResult]::new('--flatten', '--flatten', [CompletionResultType]::ParameterName, 'Closes positions, reduce-only, once whoever manages them is quiet')
            [CompletionResult]::new('--cancel-protective', '--cancel-protective', [CompletionResultType]::ParameterName, 'Takes protective orders back too')
            [CompletionResult]::new('--keep-compute', '--keep-compute', [CompletionResultType]::ParameterName, 'Leaves services, tasks and autoscaling as they are')
            [CompletionResult]::new('--yes', '--yes', [CompletionResultType]::ParameterName, 'Approves without asking; needs `--env` on the command line')
            [CompletionResult]::new('--dry-run', '--dry-run', [CompletionResultType]::ParameterName, 'Shows what would be done, checks it, and changes nothing')
            [CompletionResult]::new('--show-account', '--show-account', [CompletionResultType]::ParameterName, 'Shows account ids whole')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Says more of what it does, on stderr; twice: everything')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Says more of what it does, on stderr; twice: everything')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('-V', '-V ', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('--version', '--version', [CompletionResultType]::ParameterName, 'Print version')
            break
        }
        'tradectl;resume' {
            [CompletionResult]::new('--reason', '--reason', [CompletionResultType]::ParameterName, 'Why it is safe to trade again')
            [CompletionResult]::new('--leave', '--leave', [CompletionResultType]::ParameterName, 'Leaves an item of the restore record as it is (`strategy=ID`, `service=NAME`, `schedule=NAME`, `autoscaling=NAME`); may be given again')
            [CompletionResult]::new('--take', '--take', [CompletionResultType]::ParameterName, 'Puts an item back although somebody changed it since; may be given again')
            [CompletionResult]::new('--plan', '--plan', [CompletionResultType]::ParameterName, 'With `--dry-run`: saves the plan. Without: does this saved plan, if the world has not moved; good for 15 minutes, and together with `--approve`')
            [CompletionResult]::new('--approve', '--approve', [CompletionResultType]::ParameterName, 'Approves the plan of this digest, and no other')
            [CompletionResult]::new('--kill-at', '--kill-at', [CompletionResultType]::ParameterName, 'Dies at the n-th place; drills only')
            [CompletionResult]::new('--env', '--env', [CompletionResultType]::ParameterName, 'The environment: `local`, or one that a profile or a settings file names')
            [CompletionResult]::new('--config', '--config', [CompletionResultType]::ParameterName, 'Reads this settings file instead of searching for `tradectl.toml`')
            [CompletionResult]::new('--output', '--output', [CompletionResultType]::ParameterName, 'How the answer is written')
            [CompletionResult]::new('--timeout', '--timeout', [CompletionResultType]::ParameterName, 'The longest that one request may take [default: 10s]')
            [CompletionResult]::new('--deadline', '--deadline', [CompletionResultType]::ParameterName, 'The longest that the command may take [default: 120s]')
            [CompletionResult]::new('--log-file', '--log-file', [CompletionResultType]::ParameterName, 'Writes the tool''s own log to this file (mode 0600)')
            [CompletionResult]::new('--yes', '--yes', [CompletionResultType]::ParameterName, 'Approves without asking; needs `--env` on the command line')
            [CompletionResult]::new('--dry-run', '--dry-run', [CompletionResultType]::ParameterName, 'Shows what would be done, checks it, and changes nothing')
            [CompletionResult]::new('--show-account', '--show-account', [CompletionResultType]::ParameterName, 'Shows account ids whole')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Says more of what it does, on stderr; twice: everything')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Says more of what it does, on stderr; twice: everything')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('-V', '-V ', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('--version', '--version', [CompletionResultType]::ParameterName, 'Print version')
            break
        }
        'tradectl;drill' {
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
            [CompletionResult]::new('emergency-stop', 'emergency-stop', [CompletionResultType]::ParameterValue, 'Stops a throw-away environment whose engines trade on the paper venue, and measures')
            break
        }
        'tradectl;drill;emergency-stop' {
            [CompletionResult]::new('--strategies', '--strategies', [CompletionResultType]::ParameterName, 'How many strategies trade')
            [CompletionResult]::new('--engines', '--engines', [CompletionResultType]::ParameterName, 'How many engines run them; of several, one hangs')
            [CompletionResult]::new('--seed', '--seed', [CompletionResultType]::ParameterName, 'The seed of the markets, and of which engine hangs')
            [CompletionResult]::new('--kill-at', '--kill-at', [CompletionResultType]::ParameterName, 'Kills the first stop (as `kill -9` would) at its n-th step; another operator goes on')
            [CompletionResult]::new('--env', '--env', [CompletionResultType]::ParameterName, 'The environment: `local`, or one that a profile or a settings file names')
            [CompletionResult]::new('--config', '--config', [CompletionResultType]::ParameterName, 'Reads this settings file instead of searching for `tradectl.toml`')
            [CompletionResult]::new('--output', '--output', [CompletionResultType]::ParameterName, 'How the answer is written')
            [CompletionResult]::new('--timeout', '--timeout', [CompletionResultType]::ParameterName, 'The longest that one request may take [default: 10s]')
            [CompletionResult]::new('--deadline', '--deadline', [CompletionResultType]::ParameterName, 'The longest that the command may take [default: 120s]')
            [CompletionResult]::new('--log-file', '--log-file', [CompletionResultType]::ParameterName, 'Writes the tool''s own log to this file (mode 0600)')
            [CompletionResult]::new('--keep', '--keep', [CompletionResultType]::ParameterName, 'Keeps the environment''s folder, with its processes ended')
            [CompletionResult]::new('--show-account', '--show-account', [CompletionResultType]::ParameterName, 'Shows account ids whole')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Says more of what it does, on stderr; twice: everything')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Says more of what it does, on stderr; twice: everything')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('-V', '-V ', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('--version', '--version', [CompletionResultType]::ParameterName, 'Print version')
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
            [CompletionResult]::new('run', 'run', [CompletionResultType]::ParameterValue, 'Runs the strategies of a service until it is told to end')
            [CompletionResult]::new('paper-venue', 'paper-venue', [CompletionResultType]::ParameterValue, 'Serves the paper venue of a local platform until it is told to end')
            [CompletionResult]::new('replay', 'replay', [CompletionResultType]::ParameterValue, 'Replays an engine''s event log and compares the states')
            break
        }
        'tradectl;engine;run' {
            [CompletionResult]::new('--service', '--service', [CompletionResultType]::ParameterName, 'The service: the engine runs the strategies whose rows name it')
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
        'tradectl;engine;replay' {
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
        'tradectl;heartbeat' {
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
            [CompletionResult]::new('list', 'list', [CompletionResultType]::ParameterValue, 'Lists the heartbeat of every strategy, the worst first')
            [CompletionResult]::new('check', 'check', [CompletionResultType]::ParameterValue, 'Judges heartbeats: ends with 1 if one is stale')
            break
        }
        'tradectl;heartbeat;list' {
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
        'tradectl;heartbeat;check' {
            [CompletionResult]::new('--consecutive', '--consecutive', [CompletionResultType]::ParameterName, 'Only what is stale in so many reads in a row counts')
            [CompletionResult]::new('--interval', '--interval', [CompletionResultType]::ParameterName, 'The time between two reads')
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
        'tradectl;doctor' {
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
        'tradectl;status' {
            [CompletionResult]::new('--env', '--env', [CompletionResultType]::ParameterName, 'The environment: `local`, or one that a profile or a settings file names')
            [CompletionResult]::new('--config', '--config', [CompletionResultType]::ParameterName, 'Reads this settings file instead of searching for `tradectl.toml`')
            [CompletionResult]::new('--output', '--output', [CompletionResultType]::ParameterName, 'How the answer is written')
            [CompletionResult]::new('--timeout', '--timeout', [CompletionResultType]::ParameterName, 'The longest that one request may take [default: 10s]')
            [CompletionResult]::new('--deadline', '--deadline', [CompletionResultType]::ParameterName, 'The longest that the command may take [default: 120s]')
            [CompletionResult]::new('--log-file', '--log-file', [CompletionResultType]::ParameterName, 'Writes the tool''s own log to this file (mode 0600)')
            [CompletionResult]::new('--all', '--all', [CompletionResultType]::ParameterName, 'Shows every row, and not only what fits on a screen')
            [CompletionResult]::new('--show-account', '--show-account', [CompletionResultType]::ParameterName, 'Shows account ids whole')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Says more of what it does, on stderr; twice: everything')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Says more of what it does, on stderr; twice: everything')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('-V', '-V ', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('--version', '--version', [CompletionResultType]::ParameterName, 'Print version')
            break
        }
        'tradectl;journal' {
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
            [CompletionResult]::new('list', 'list', [CompletionResultType]::ParameterValue, 'Lists the runs of this machine in an environment, the newest first')
            [CompletionResult]::new('show', 'show', [CompletionResultType]::ParameterValue, 'Shows a run, entry by entry')
            [CompletionResult]::new('replay', 'replay', [CompletionResultType]::ParameterValue, 'Tells a run again as whoever watched it saw it')
            [CompletionResult]::new('verify', 'verify', [CompletionResultType]::ParameterValue, 'Says whether journals are what was written: ends with 1 and names the entry if not')
            break
        }
        'tradectl;journal;list' {
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
        'tradectl;journal;show' {
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
        'tradectl;journal;replay' {
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
        'tradectl;journal;verify' {
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
        'tradectl;local' {
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
            [CompletionResult]::new('up', 'up', [CompletionResultType]::ParameterValue, 'Sets the platform up if need be, and supervises its services')
            [CompletionResult]::new('down', 'down', [CompletionResultType]::ParameterValue, 'Ends the supervisor and every task, and shows that they have ended')
            [CompletionResult]::new('status', 'status', [CompletionResultType]::ParameterValue, 'Shows the supervisor, services and tasks')
            [CompletionResult]::new('logs', 'logs', [CompletionResultType]::ParameterValue, 'Shows what the services have written')
            [CompletionResult]::new('supervise', 'supervise', [CompletionResultType]::ParameterValue, 'Supervises until told to end; `local up --detach` starts this')
            break
        }
        'tradectl;local;up' {
            [CompletionResult]::new('--env', '--env', [CompletionResultType]::ParameterName, 'The environment: `local`, or one that a profile or a settings file names')
            [CompletionResult]::new('--config', '--config', [CompletionResultType]::ParameterName, 'Reads this settings file instead of searching for `tradectl.toml`')
            [CompletionResult]::new('--output', '--output', [CompletionResultType]::ParameterName, 'How the answer is written')
            [CompletionResult]::new('--timeout', '--timeout', [CompletionResultType]::ParameterName, 'The longest that one request may take [default: 10s]')
            [CompletionResult]::new('--deadline', '--deadline', [CompletionResultType]::ParameterName, 'The longest that the command may take [default: 120s]')
            [CompletionResult]::new('--log-file', '--log-file', [CompletionResultType]::ParameterName, 'Writes the tool''s own log to this file (mode 0600)')
            [CompletionResult]::new('--detach', '--detach', [CompletionResultType]::ParameterName, 'Goes on in the background and returns once the services run')
            [CompletionResult]::new('--show-account', '--show-account', [CompletionResultType]::ParameterName, 'Shows account ids whole')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Says more of what it does, on stderr; twice: everything')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Says more of what it does, on stderr; twice: everything')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('-V', '-V ', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('--version', '--version', [CompletionResultType]::ParameterName, 'Print version')
            break
        }
        'tradectl;local;down' {
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
        'tradectl;local;status' {
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
        'tradectl;local;logs' {
            [CompletionResult]::new('--group', '--group', [CompletionResultType]::ParameterName, 'Only these services (repeat for several)')
            [CompletionResult]::new('--stream', '--stream', [CompletionResultType]::ParameterName, 'Only tasks whose id begins so')
            [CompletionResult]::new('--since', '--since', [CompletionResultType]::ParameterName, 'Only lines of this last while, such as 10m')
            [CompletionResult]::new('--contains', '--contains', [CompletionResultType]::ParameterName, 'Only lines that contain this text')
            [CompletionResult]::new('--limit', '--limit', [CompletionResultType]::ParameterName, 'At most this many of the newest lines')
            [CompletionResult]::new('--env', '--env', [CompletionResultType]::ParameterName, 'The environment: `local`, or one that a profile or a settings file names')
            [CompletionResult]::new('--config', '--config', [CompletionResultType]::ParameterName, 'Reads this settings file instead of searching for `tradectl.toml`')
            [CompletionResult]::new('--output', '--output', [CompletionResultType]::ParameterName, 'How the answer is written')
            [CompletionResult]::new('--timeout', '--timeout', [CompletionResultType]::ParameterName, 'The longest that one request may take [default: 10s]')
            [CompletionResult]::new('--deadline', '--deadline', [CompletionResultType]::ParameterName, 'The longest that the command may take [default: 120s]')
            [CompletionResult]::new('--log-file', '--log-file', [CompletionResultType]::ParameterName, 'Writes the tool''s own log to this file (mode 0600)')
            [CompletionResult]::new('--follow', '--follow', [CompletionResultType]::ParameterName, 'Goes on showing new lines until Ctrl-C')
            [CompletionResult]::new('--show-account', '--show-account', [CompletionResultType]::ParameterName, 'Shows account ids whole')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Says more of what it does, on stderr; twice: everything')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Says more of what it does, on stderr; twice: everything')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('-V', '-V ', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('--version', '--version', [CompletionResultType]::ParameterName, 'Print version')
            break
        }
        'tradectl;local;supervise' {
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
