# Print an optspec for argparse to handle cmd's options that are independent of any subcommand.
function __fish_tradectl_global_optspecs
    string join \n env= config= output= show-account timeout= deadline= v/verbose log-file= h/help V/version
end

function __fish_tradectl_needs_command
    # Figure out if the current invocation already has a command.
    set -l cmd (commandline -opc)
    set -e cmd[1]
    argparse -s (__fish_tradectl_global_optspecs) -- $cmd 2>/dev/null
    or return
    if set -q argv[1]
        # Also print the command, so this can be used to figure out what it is.
        echo $argv[1]
        return 1
    end
    return 0
end

function __fish_tradectl_using_subcommand
    set -l cmd (__fish_tradectl_needs_command)
    test -z "$cmd"
    and return 1
    contains -- $cmd[1] $argv
end

complete -c tradectl -n "__fish_tradectl_needs_command" -l env -d 'The environment: `local`, or one that a profile or a settings file names' -r
complete -c tradectl -n "__fish_tradectl_needs_command" -l config -d 'Reads this settings file instead of searching for `tradectl.toml`' -r -F
complete -c tradectl -n "__fish_tradectl_needs_command" -l output -d 'How the answer is written' -r -f -a "human\t'One screen for a person'
json\t'Exactly one JSON document on stdout'
jsonl\t'A stream of JSON events that ends with the same document'"
complete -c tradectl -n "__fish_tradectl_needs_command" -l timeout -d 'The longest that one request may take [default: 10s]' -r
complete -c tradectl -n "__fish_tradectl_needs_command" -l deadline -d 'The longest that the command may take; answers that are on their way then are waited for up to 3 s more [default: 120s]' -r
complete -c tradectl -n "__fish_tradectl_needs_command" -l log-file -d 'Writes the tool\'s own log to this file (mode 0600)' -r -F
complete -c tradectl -n "__fish_tradectl_needs_command" -l show-account -d 'Shows account ids whole'
complete -c tradectl -n "__fish_tradectl_needs_command" -s v -l verbose -d 'Says more of what it does, on stderr; twice: everything'
complete -c tradectl -n "__fish_tradectl_needs_command" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c tradectl -n "__fish_tradectl_needs_command" -s V -l version -d 'Print version'
complete -c tradectl -n "__fish_tradectl_needs_command" -f -a "emergency-stop" -d 'Stops all trading, proves it, and records what a resume needs'
complete -c tradectl -n "__fish_tradectl_needs_command" -f -a "resume" -d 'Puts back what a stop changed, and releases the latch'
complete -c tradectl -n "__fish_tradectl_needs_command" -f -a "drill" -d 'Exercises on throw-away environments'
complete -c tradectl -n "__fish_tradectl_needs_command" -f -a "config" -d 'Shows and checks the settings'
complete -c tradectl -n "__fish_tradectl_needs_command" -f -a "engine" -d 'The processes that trade: engine and paper venue'
complete -c tradectl -n "__fish_tradectl_needs_command" -f -a "heartbeat" -d 'Lists, judges and recovers strategies\' heartbeats'
complete -c tradectl -n "__fish_tradectl_needs_command" -f -a "doctor" -d 'Looks whether this machine, the settings and the environment are fit to be worked with; changes nothing'
complete -c tradectl -n "__fish_tradectl_needs_command" -f -a "status" -d 'Shows the whole environment on one screen, the worst first'
complete -c tradectl -n "__fish_tradectl_needs_command" -f -a "journal" -d 'What operators\' commands did on this machine, read back'
complete -c tradectl -n "__fish_tradectl_needs_command" -f -a "iam-policy" -d 'Writes the permissions that an environment on AWS needs, as a policy of IAM'
complete -c tradectl -n "__fish_tradectl_needs_command" -f -a "completions" -d 'Writes the completion script of a shell'
complete -c tradectl -n "__fish_tradectl_needs_command" -f -a "local" -d 'The embedded platform: a whole environment on this machine'
complete -c tradectl -n "__fish_tradectl_using_subcommand emergency-stop" -l level -d '`reduce-only` refuses new entries and lets exits go on; `halt` stops everything' -r
complete -c tradectl -n "__fish_tradectl_using_subcommand emergency-stop" -l scope -d 'What to stop: `all`, `strategy=ID`, `service=NAME` or `venue=NAME`' -r
complete -c tradectl -n "__fish_tradectl_using_subcommand emergency-stop" -l include -d 'Treats a name that the profile does not classify as trading; may be given again' -r
complete -c tradectl -n "__fish_tradectl_using_subcommand emergency-stop" -l reason -d 'Why; goes into the latch, the journal and the notifications' -r
complete -c tradectl -n "__fish_tradectl_using_subcommand emergency-stop" -l kill-at -d 'Dies at the n-th place; drills only' -r
complete -c tradectl -n "__fish_tradectl_using_subcommand emergency-stop" -l env -d 'The environment: `local`, or one that a profile or a settings file names' -r
complete -c tradectl -n "__fish_tradectl_using_subcommand emergency-stop" -l config -d 'Reads this settings file instead of searching for `tradectl.toml`' -r -F
complete -c tradectl -n "__fish_tradectl_using_subcommand emergency-stop" -l output -d 'How the answer is written' -r -f -a "human\t'One screen for a person'
json\t'Exactly one JSON document on stdout'
jsonl\t'A stream of JSON events that ends with the same document'"
complete -c tradectl -n "__fish_tradectl_using_subcommand emergency-stop" -l timeout -d 'The longest that one request may take [default: 10s]' -r
complete -c tradectl -n "__fish_tradectl_using_subcommand emergency-stop" -l deadline -d 'The longest that the command may take; answers that are on their way then are waited for up to 3 s more [default: 120s]' -r
complete -c tradectl -n "__fish_tradectl_using_subcommand emergency-stop" -l log-file -d 'Writes the tool\'s own log to this file (mode 0600)' -r -F
complete -c tradectl -n "__fish_tradectl_using_subcommand emergency-stop" -l flatten -d 'Closes positions, reduce-only, once whoever manages them is quiet. Needs level `halt`'
complete -c tradectl -n "__fish_tradectl_using_subcommand emergency-stop" -l cancel-protective -d 'Takes protective orders back too. Needs level `halt`'
complete -c tradectl -n "__fish_tradectl_using_subcommand emergency-stop" -l keep-compute -d 'Leaves services, tasks and autoscaling as they are'
complete -c tradectl -n "__fish_tradectl_using_subcommand emergency-stop" -l yes -d 'Approves without asking; needs `--env` on the command line'
complete -c tradectl -n "__fish_tradectl_using_subcommand emergency-stop" -l dry-run -d 'Shows what would be done, checks it, and changes nothing'
complete -c tradectl -n "__fish_tradectl_using_subcommand emergency-stop" -l show-account -d 'Shows account ids whole'
complete -c tradectl -n "__fish_tradectl_using_subcommand emergency-stop" -s v -l verbose -d 'Says more of what it does, on stderr; twice: everything'
complete -c tradectl -n "__fish_tradectl_using_subcommand emergency-stop" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c tradectl -n "__fish_tradectl_using_subcommand emergency-stop" -s V -l version -d 'Print version'
complete -c tradectl -n "__fish_tradectl_using_subcommand resume" -l reason -d 'Why it is safe to trade again' -r
complete -c tradectl -n "__fish_tradectl_using_subcommand resume" -l leave -d 'Leaves an item of the restore record as it is (`strategy=ID`, `service=NAME`, `schedule=NAME`, `autoscaling=NAME`), does without a lost part of it (`record=RUN/N`), or answers for an order whose outcome no venue can settle (`order=ID`); may be given again' -r
complete -c tradectl -n "__fish_tradectl_using_subcommand resume" -l take -d 'Puts an item back although somebody changed it since; may be given again' -r
complete -c tradectl -n "__fish_tradectl_using_subcommand resume" -l record -d 'Adds restore records that the state store did not take: a stop\'s JSON document, the lines of its output that begin with `restore record:`, or a copy of its journal; may be given again' -r -F
complete -c tradectl -n "__fish_tradectl_using_subcommand resume" -l plan -d 'With `--dry-run`: saves the plan. Without: does this saved plan, if the world has not moved; good for 15 minutes, and together with `--approve`' -r -F
complete -c tradectl -n "__fish_tradectl_using_subcommand resume" -l approve -d 'Approves the saved plan of this digest, and no other; together with `--plan`' -r
complete -c tradectl -n "__fish_tradectl_using_subcommand resume" -l kill-at -d 'Dies at the n-th place; drills only' -r
complete -c tradectl -n "__fish_tradectl_using_subcommand resume" -l env -d 'The environment: `local`, or one that a profile or a settings file names' -r
complete -c tradectl -n "__fish_tradectl_using_subcommand resume" -l config -d 'Reads this settings file instead of searching for `tradectl.toml`' -r -F
complete -c tradectl -n "__fish_tradectl_using_subcommand resume" -l output -d 'How the answer is written' -r -f -a "human\t'One screen for a person'
json\t'Exactly one JSON document on stdout'
jsonl\t'A stream of JSON events that ends with the same document'"
complete -c tradectl -n "__fish_tradectl_using_subcommand resume" -l timeout -d 'The longest that one request may take [default: 10s]' -r
complete -c tradectl -n "__fish_tradectl_using_subcommand resume" -l deadline -d 'The longest that the command may take; answers that are on their way then are waited for up to 3 s more [default: 120s]' -r
complete -c tradectl -n "__fish_tradectl_using_subcommand resume" -l log-file -d 'Writes the tool\'s own log to this file (mode 0600)' -r -F
complete -c tradectl -n "__fish_tradectl_using_subcommand resume" -l yes -d 'Approves without asking; needs `--env` on the command line'
complete -c tradectl -n "__fish_tradectl_using_subcommand resume" -l dry-run -d 'Shows what would be done, checks it, and changes nothing'
complete -c tradectl -n "__fish_tradectl_using_subcommand resume" -l show-account -d 'Shows account ids whole'
complete -c tradectl -n "__fish_tradectl_using_subcommand resume" -s v -l verbose -d 'Says more of what it does, on stderr; twice: everything'
complete -c tradectl -n "__fish_tradectl_using_subcommand resume" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c tradectl -n "__fish_tradectl_using_subcommand resume" -s V -l version -d 'Print version'
complete -c tradectl -n "__fish_tradectl_using_subcommand drill; and not __fish_seen_subcommand_from emergency-stop" -l env -d 'The environment: `local`, or one that a profile or a settings file names' -r
complete -c tradectl -n "__fish_tradectl_using_subcommand drill; and not __fish_seen_subcommand_from emergency-stop" -l config -d 'Reads this settings file instead of searching for `tradectl.toml`' -r -F
complete -c tradectl -n "__fish_tradectl_using_subcommand drill; and not __fish_seen_subcommand_from emergency-stop" -l output -d 'How the answer is written' -r -f -a "human\t'One screen for a person'
json\t'Exactly one JSON document on stdout'
jsonl\t'A stream of JSON events that ends with the same document'"
complete -c tradectl -n "__fish_tradectl_using_subcommand drill; and not __fish_seen_subcommand_from emergency-stop" -l timeout -d 'The longest that one request may take [default: 10s]' -r
complete -c tradectl -n "__fish_tradectl_using_subcommand drill; and not __fish_seen_subcommand_from emergency-stop" -l deadline -d 'The longest that the command may take; answers that are on their way then are waited for up to 3 s more [default: 120s]' -r
complete -c tradectl -n "__fish_tradectl_using_subcommand drill; and not __fish_seen_subcommand_from emergency-stop" -l log-file -d 'Writes the tool\'s own log to this file (mode 0600)' -r -F
complete -c tradectl -n "__fish_tradectl_using_subcommand drill; and not __fish_seen_subcommand_from emergency-stop" -l show-account -d 'Shows account ids whole'
complete -c tradectl -n "__fish_tradectl_using_subcommand drill; and not __fish_seen_subcommand_from emergency-stop" -s v -l verbose -d 'Says more of what it does, on stderr; twice: everything'
complete -c tradectl -n "__fish_tradectl_using_subcommand drill; and not __fish_seen_subcommand_from emergency-stop" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c tradectl -n "__fish_tradectl_using_subcommand drill; and not __fish_seen_subcommand_from emergency-stop" -s V -l version -d 'Print version'
complete -c tradectl -n "__fish_tradectl_using_subcommand drill; and not __fish_seen_subcommand_from emergency-stop" -f -a "emergency-stop" -d 'Stops a throw-away environment whose engines trade on the paper venue, and measures'
complete -c tradectl -n "__fish_tradectl_using_subcommand drill; and __fish_seen_subcommand_from emergency-stop" -l strategies -d 'How many strategies trade' -r
complete -c tradectl -n "__fish_tradectl_using_subcommand drill; and __fish_seen_subcommand_from emergency-stop" -l engines -d 'How many engines run them; of several, one hangs' -r
complete -c tradectl -n "__fish_tradectl_using_subcommand drill; and __fish_seen_subcommand_from emergency-stop" -l seed -d 'The seed of the markets, and of which engine hangs' -r
complete -c tradectl -n "__fish_tradectl_using_subcommand drill; and __fish_seen_subcommand_from emergency-stop" -l kill-at -d 'Kills the first stop (as `kill -9` would) at its n-th step; another operator goes on' -r
complete -c tradectl -n "__fish_tradectl_using_subcommand drill; and __fish_seen_subcommand_from emergency-stop" -l env -d 'The environment: `local`, or one that a profile or a settings file names' -r
complete -c tradectl -n "__fish_tradectl_using_subcommand drill; and __fish_seen_subcommand_from emergency-stop" -l config -d 'Reads this settings file instead of searching for `tradectl.toml`' -r -F
complete -c tradectl -n "__fish_tradectl_using_subcommand drill; and __fish_seen_subcommand_from emergency-stop" -l output -d 'How the answer is written' -r -f -a "human\t'One screen for a person'
json\t'Exactly one JSON document on stdout'
jsonl\t'A stream of JSON events that ends with the same document'"
complete -c tradectl -n "__fish_tradectl_using_subcommand drill; and __fish_seen_subcommand_from emergency-stop" -l timeout -d 'The longest that one request may take [default: 10s]' -r
complete -c tradectl -n "__fish_tradectl_using_subcommand drill; and __fish_seen_subcommand_from emergency-stop" -l deadline -d 'The longest that the command may take; answers that are on their way then are waited for up to 3 s more [default: 120s]' -r
complete -c tradectl -n "__fish_tradectl_using_subcommand drill; and __fish_seen_subcommand_from emergency-stop" -l log-file -d 'Writes the tool\'s own log to this file (mode 0600)' -r -F
complete -c tradectl -n "__fish_tradectl_using_subcommand drill; and __fish_seen_subcommand_from emergency-stop" -l keep -d 'Keeps the environment\'s folder, with its processes ended'
complete -c tradectl -n "__fish_tradectl_using_subcommand drill; and __fish_seen_subcommand_from emergency-stop" -l show-account -d 'Shows account ids whole'
complete -c tradectl -n "__fish_tradectl_using_subcommand drill; and __fish_seen_subcommand_from emergency-stop" -s v -l verbose -d 'Says more of what it does, on stderr; twice: everything'
complete -c tradectl -n "__fish_tradectl_using_subcommand drill; and __fish_seen_subcommand_from emergency-stop" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c tradectl -n "__fish_tradectl_using_subcommand drill; and __fish_seen_subcommand_from emergency-stop" -s V -l version -d 'Print version'
complete -c tradectl -n "__fish_tradectl_using_subcommand config; and not __fish_seen_subcommand_from show check" -l env -d 'The environment: `local`, or one that a profile or a settings file names' -r
complete -c tradectl -n "__fish_tradectl_using_subcommand config; and not __fish_seen_subcommand_from show check" -l config -d 'Reads this settings file instead of searching for `tradectl.toml`' -r -F
complete -c tradectl -n "__fish_tradectl_using_subcommand config; and not __fish_seen_subcommand_from show check" -l output -d 'How the answer is written' -r -f -a "human\t'One screen for a person'
json\t'Exactly one JSON document on stdout'
jsonl\t'A stream of JSON events that ends with the same document'"
complete -c tradectl -n "__fish_tradectl_using_subcommand config; and not __fish_seen_subcommand_from show check" -l timeout -d 'The longest that one request may take [default: 10s]' -r
complete -c tradectl -n "__fish_tradectl_using_subcommand config; and not __fish_seen_subcommand_from show check" -l deadline -d 'The longest that the command may take; answers that are on their way then are waited for up to 3 s more [default: 120s]' -r
complete -c tradectl -n "__fish_tradectl_using_subcommand config; and not __fish_seen_subcommand_from show check" -l log-file -d 'Writes the tool\'s own log to this file (mode 0600)' -r -F
complete -c tradectl -n "__fish_tradectl_using_subcommand config; and not __fish_seen_subcommand_from show check" -l show-account -d 'Shows account ids whole'
complete -c tradectl -n "__fish_tradectl_using_subcommand config; and not __fish_seen_subcommand_from show check" -s v -l verbose -d 'Says more of what it does, on stderr; twice: everything'
complete -c tradectl -n "__fish_tradectl_using_subcommand config; and not __fish_seen_subcommand_from show check" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c tradectl -n "__fish_tradectl_using_subcommand config; and not __fish_seen_subcommand_from show check" -s V -l version -d 'Print version'
complete -c tradectl -n "__fish_tradectl_using_subcommand config; and not __fish_seen_subcommand_from show check" -f -a "show" -d 'Shows every value with its origin: flag, variable, file, profile or default'
complete -c tradectl -n "__fish_tradectl_using_subcommand config; and not __fish_seen_subcommand_from show check" -f -a "check" -d 'Checks every settings file and variable, and says everything that is wrong'
complete -c tradectl -n "__fish_tradectl_using_subcommand config; and __fish_seen_subcommand_from show" -l env -d 'The environment: `local`, or one that a profile or a settings file names' -r
complete -c tradectl -n "__fish_tradectl_using_subcommand config; and __fish_seen_subcommand_from show" -l config -d 'Reads this settings file instead of searching for `tradectl.toml`' -r -F
complete -c tradectl -n "__fish_tradectl_using_subcommand config; and __fish_seen_subcommand_from show" -l output -d 'How the answer is written' -r -f -a "human\t'One screen for a person'
json\t'Exactly one JSON document on stdout'
jsonl\t'A stream of JSON events that ends with the same document'"
complete -c tradectl -n "__fish_tradectl_using_subcommand config; and __fish_seen_subcommand_from show" -l timeout -d 'The longest that one request may take [default: 10s]' -r
complete -c tradectl -n "__fish_tradectl_using_subcommand config; and __fish_seen_subcommand_from show" -l deadline -d 'The longest that the command may take; answers that are on their way then are waited for up to 3 s more [default: 120s]' -r
complete -c tradectl -n "__fish_tradectl_using_subcommand config; and __fish_seen_subcommand_from show" -l log-file -d 'Writes the tool\'s own log to this file (mode 0600)' -r -F
complete -c tradectl -n "__fish_tradectl_using_subcommand config; and __fish_seen_subcommand_from show" -l show-account -d 'Shows account ids whole'
complete -c tradectl -n "__fish_tradectl_using_subcommand config; and __fish_seen_subcommand_from show" -s v -l verbose -d 'Says more of what it does, on stderr; twice: everything'
complete -c tradectl -n "__fish_tradectl_using_subcommand config; and __fish_seen_subcommand_from show" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c tradectl -n "__fish_tradectl_using_subcommand config; and __fish_seen_subcommand_from show" -s V -l version -d 'Print version'
complete -c tradectl -n "__fish_tradectl_using_subcommand config; and __fish_seen_subcommand_from check" -l env -d 'The environment: `local`, or one that a profile or a settings file names' -r
complete -c tradectl -n "__fish_tradectl_using_subcommand config; and __fish_seen_subcommand_from check" -l config -d 'Reads this settings file instead of searching for `tradectl.toml`' -r -F
complete -c tradectl -n "__fish_tradectl_using_subcommand config; and __fish_seen_subcommand_from check" -l output -d 'How the answer is written' -r -f -a "human\t'One screen for a person'
json\t'Exactly one JSON document on stdout'
jsonl\t'A stream of JSON events that ends with the same document'"
complete -c tradectl -n "__fish_tradectl_using_subcommand config; and __fish_seen_subcommand_from check" -l timeout -d 'The longest that one request may take [default: 10s]' -r
complete -c tradectl -n "__fish_tradectl_using_subcommand config; and __fish_seen_subcommand_from check" -l deadline -d 'The longest that the command may take; answers that are on their way then are waited for up to 3 s more [default: 120s]' -r
complete -c tradectl -n "__fish_tradectl_using_subcommand config; and __fish_seen_subcommand_from check" -l log-file -d 'Writes the tool\'s own log to this file (mode 0600)' -r -F
complete -c tradectl -n "__fish_tradectl_using_subcommand config; and __fish_seen_subcommand_from check" -l show-account -d 'Shows account ids whole'
complete -c tradectl -n "__fish_tradectl_using_subcommand config; and __fish_seen_subcommand_from check" -s v -l verbose -d 'Says more of what it does, on stderr; twice: everything'
complete -c tradectl -n "__fish_tradectl_using_subcommand config; and __fish_seen_subcommand_from check" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c tradectl -n "__fish_tradectl_using_subcommand config; and __fish_seen_subcommand_from check" -s V -l version -d 'Print version'
complete -c tradectl -n "__fish_tradectl_using_subcommand engine; and not __fish_seen_subcommand_from run paper-venue replay" -l env -d 'The environment: `local`, or one that a profile or a settings file names' -r
complete -c tradectl -n "__fish_tradectl_using_subcommand engine; and not __fish_seen_subcommand_from run paper-venue replay" -l config -d 'Reads this settings file instead of searching for `tradectl.toml`' -r -F
complete -c tradectl -n "__fish_tradectl_using_subcommand engine; and not __fish_seen_subcommand_from run paper-venue replay" -l output -d 'How the answer is written' -r -f -a "human\t'One screen for a person'
json\t'Exactly one JSON document on stdout'
jsonl\t'A stream of JSON events that ends with the same document'"
complete -c tradectl -n "__fish_tradectl_using_subcommand engine; and not __fish_seen_subcommand_from run paper-venue replay" -l timeout -d 'The longest that one request may take [default: 10s]' -r
complete -c tradectl -n "__fish_tradectl_using_subcommand engine; and not __fish_seen_subcommand_from run paper-venue replay" -l deadline -d 'The longest that the command may take; answers that are on their way then are waited for up to 3 s more [default: 120s]' -r
complete -c tradectl -n "__fish_tradectl_using_subcommand engine; and not __fish_seen_subcommand_from run paper-venue replay" -l log-file -d 'Writes the tool\'s own log to this file (mode 0600)' -r -F
complete -c tradectl -n "__fish_tradectl_using_subcommand engine; and not __fish_seen_subcommand_from run paper-venue replay" -l show-account -d 'Shows account ids whole'
complete -c tradectl -n "__fish_tradectl_using_subcommand engine; and not __fish_seen_subcommand_from run paper-venue replay" -s v -l verbose -d 'Says more of what it does, on stderr; twice: everything'
complete -c tradectl -n "__fish_tradectl_using_subcommand engine; and not __fish_seen_subcommand_from run paper-venue replay" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c tradectl -n "__fish_tradectl_using_subcommand engine; and not __fish_seen_subcommand_from run paper-venue replay" -s V -l version -d 'Print version'
complete -c tradectl -n "__fish_tradectl_using_subcommand engine; and not __fish_seen_subcommand_from run paper-venue replay" -f -a "run" -d 'Runs the strategies of a service until it is told to end'
complete -c tradectl -n "__fish_tradectl_using_subcommand engine; and not __fish_seen_subcommand_from run paper-venue replay" -f -a "paper-venue" -d 'Serves the paper venue of a local platform until it is told to end'
complete -c tradectl -n "__fish_tradectl_using_subcommand engine; and not __fish_seen_subcommand_from run paper-venue replay" -f -a "replay" -d 'Replays an engine\'s event log and compares the states'
complete -c tradectl -n "__fish_tradectl_using_subcommand engine; and __fish_seen_subcommand_from run" -l service -d 'The service: the engine runs the strategies whose rows name it' -r
complete -c tradectl -n "__fish_tradectl_using_subcommand engine; and __fish_seen_subcommand_from run" -l loosened-by -d 'Sets an engine that tightened its own trading state (see its log) active again, in the name of this person' -r
complete -c tradectl -n "__fish_tradectl_using_subcommand engine; and __fish_seen_subcommand_from run" -l reason -d 'Why it may trade again' -r
complete -c tradectl -n "__fish_tradectl_using_subcommand engine; and __fish_seen_subcommand_from run" -l env -d 'The environment: `local`, or one that a profile or a settings file names' -r
complete -c tradectl -n "__fish_tradectl_using_subcommand engine; and __fish_seen_subcommand_from run" -l config -d 'Reads this settings file instead of searching for `tradectl.toml`' -r -F
complete -c tradectl -n "__fish_tradectl_using_subcommand engine; and __fish_seen_subcommand_from run" -l output -d 'How the answer is written' -r -f -a "human\t'One screen for a person'
json\t'Exactly one JSON document on stdout'
jsonl\t'A stream of JSON events that ends with the same document'"
complete -c tradectl -n "__fish_tradectl_using_subcommand engine; and __fish_seen_subcommand_from run" -l timeout -d 'The longest that one request may take [default: 10s]' -r
complete -c tradectl -n "__fish_tradectl_using_subcommand engine; and __fish_seen_subcommand_from run" -l deadline -d 'The longest that the command may take; answers that are on their way then are waited for up to 3 s more [default: 120s]' -r
complete -c tradectl -n "__fish_tradectl_using_subcommand engine; and __fish_seen_subcommand_from run" -l log-file -d 'Writes the tool\'s own log to this file (mode 0600)' -r -F
complete -c tradectl -n "__fish_tradectl_using_subcommand engine; and __fish_seen_subcommand_from run" -l show-account -d 'Shows account ids whole'
complete -c tradectl -n "__fish_tradectl_using_subcommand engine; and __fish_seen_subcommand_from run" -s v -l verbose -d 'Says more of what it does, on stderr; twice: everything'
complete -c tradectl -n "__fish_tradectl_using_subcommand engine; and __fish_seen_subcommand_from run" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c tradectl -n "__fish_tradectl_using_subcommand engine; and __fish_seen_subcommand_from run" -s V -l version -d 'Print version'
complete -c tradectl -n "__fish_tradectl_using_subcommand engine; and __fish_seen_subcommand_from paper-venue" -l seed -d 'The seed of the generated markets. The first one used with a platform stays' -r
complete -c tradectl -n "__fish_tradectl_using_subcommand engine; and __fish_seen_subcommand_from paper-venue" -l data -d 'Replays the closes of this comma-separated file (first line: the columns\' names) instead of generating markets' -r -F
complete -c tradectl -n "__fish_tradectl_using_subcommand engine; and __fish_seen_subcommand_from paper-venue" -l bars-per-second -d 'How many bars each market closes per second' -r
complete -c tradectl -n "__fish_tradectl_using_subcommand engine; and __fish_seen_subcommand_from paper-venue" -l env -d 'The environment: `local`, or one that a profile or a settings file names' -r
complete -c tradectl -n "__fish_tradectl_using_subcommand engine; and __fish_seen_subcommand_from paper-venue" -l config -d 'Reads this settings file instead of searching for `tradectl.toml`' -r -F
complete -c tradectl -n "__fish_tradectl_using_subcommand engine; and __fish_seen_subcommand_from paper-venue" -l output -d 'How the answer is written' -r -f -a "human\t'One screen for a person'
json\t'Exactly one JSON document on stdout'
jsonl\t'A stream of JSON events that ends with the same document'"
complete -c tradectl -n "__fish_tradectl_using_subcommand engine; and __fish_seen_subcommand_from paper-venue" -l timeout -d 'The longest that one request may take [default: 10s]' -r
complete -c tradectl -n "__fish_tradectl_using_subcommand engine; and __fish_seen_subcommand_from paper-venue" -l deadline -d 'The longest that the command may take; answers that are on their way then are waited for up to 3 s more [default: 120s]' -r
complete -c tradectl -n "__fish_tradectl_using_subcommand engine; and __fish_seen_subcommand_from paper-venue" -l log-file -d 'Writes the tool\'s own log to this file (mode 0600)' -r -F
complete -c tradectl -n "__fish_tradectl_using_subcommand engine; and __fish_seen_subcommand_from paper-venue" -l show-account -d 'Shows account ids whole'
complete -c tradectl -n "__fish_tradectl_using_subcommand engine; and __fish_seen_subcommand_from paper-venue" -s v -l verbose -d 'Says more of what it does, on stderr; twice: everything'
complete -c tradectl -n "__fish_tradectl_using_subcommand engine; and __fish_seen_subcommand_from paper-venue" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c tradectl -n "__fish_tradectl_using_subcommand engine; and __fish_seen_subcommand_from paper-venue" -s V -l version -d 'Print version'
complete -c tradectl -n "__fish_tradectl_using_subcommand engine; and __fish_seen_subcommand_from replay" -l env -d 'The environment: `local`, or one that a profile or a settings file names' -r
complete -c tradectl -n "__fish_tradectl_using_subcommand engine; and __fish_seen_subcommand_from replay" -l config -d 'Reads this settings file instead of searching for `tradectl.toml`' -r -F
complete -c tradectl -n "__fish_tradectl_using_subcommand engine; and __fish_seen_subcommand_from replay" -l output -d 'How the answer is written' -r -f -a "human\t'One screen for a person'
json\t'Exactly one JSON document on stdout'
jsonl\t'A stream of JSON events that ends with the same document'"
complete -c tradectl -n "__fish_tradectl_using_subcommand engine; and __fish_seen_subcommand_from replay" -l timeout -d 'The longest that one request may take [default: 10s]' -r
complete -c tradectl -n "__fish_tradectl_using_subcommand engine; and __fish_seen_subcommand_from replay" -l deadline -d 'The longest that the command may take; answers that are on their way then are waited for up to 3 s more [default: 120s]' -r
complete -c tradectl -n "__fish_tradectl_using_subcommand engine; and __fish_seen_subcommand_from replay" -l log-file -d 'Writes the tool\'s own log to this file (mode 0600)' -r -F
complete -c tradectl -n "__fish_tradectl_using_subcommand engine; and __fish_seen_subcommand_from replay" -l show-account -d 'Shows account ids whole'
complete -c tradectl -n "__fish_tradectl_using_subcommand engine; and __fish_seen_subcommand_from replay" -s v -l verbose -d 'Says more of what it does, on stderr; twice: everything'
complete -c tradectl -n "__fish_tradectl_using_subcommand engine; and __fish_seen_subcommand_from replay" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c tradectl -n "__fish_tradectl_using_subcommand engine; and __fish_seen_subcommand_from replay" -s V -l version -d 'Print version'
complete -c tradectl -n "__fish_tradectl_using_subcommand heartbeat; and not __fish_seen_subcommand_from list check recover" -l env -d 'The environment: `local`, or one that a profile or a settings file names' -r
complete -c tradectl -n "__fish_tradectl_using_subcommand heartbeat; and not __fish_seen_subcommand_from list check recover" -l config -d 'Reads this settings file instead of searching for `tradectl.toml`' -r -F
complete -c tradectl -n "__fish_tradectl_using_subcommand heartbeat; and not __fish_seen_subcommand_from list check recover" -l output -d 'How the answer is written' -r -f -a "human\t'One screen for a person'
json\t'Exactly one JSON document on stdout'
jsonl\t'A stream of JSON events that ends with the same document'"
complete -c tradectl -n "__fish_tradectl_using_subcommand heartbeat; and not __fish_seen_subcommand_from list check recover" -l timeout -d 'The longest that one request may take [default: 10s]' -r
complete -c tradectl -n "__fish_tradectl_using_subcommand heartbeat; and not __fish_seen_subcommand_from list check recover" -l deadline -d 'The longest that the command may take; answers that are on their way then are waited for up to 3 s more [default: 120s]' -r
complete -c tradectl -n "__fish_tradectl_using_subcommand heartbeat; and not __fish_seen_subcommand_from list check recover" -l log-file -d 'Writes the tool\'s own log to this file (mode 0600)' -r -F
complete -c tradectl -n "__fish_tradectl_using_subcommand heartbeat; and not __fish_seen_subcommand_from list check recover" -l show-account -d 'Shows account ids whole'
complete -c tradectl -n "__fish_tradectl_using_subcommand heartbeat; and not __fish_seen_subcommand_from list check recover" -s v -l verbose -d 'Says more of what it does, on stderr; twice: everything'
complete -c tradectl -n "__fish_tradectl_using_subcommand heartbeat; and not __fish_seen_subcommand_from list check recover" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c tradectl -n "__fish_tradectl_using_subcommand heartbeat; and not __fish_seen_subcommand_from list check recover" -s V -l version -d 'Print version'
complete -c tradectl -n "__fish_tradectl_using_subcommand heartbeat; and not __fish_seen_subcommand_from list check recover" -f -a "list" -d 'Lists the heartbeat of every strategy, the worst first'
complete -c tradectl -n "__fish_tradectl_using_subcommand heartbeat; and not __fish_seen_subcommand_from list check recover" -f -a "check" -d 'Judges heartbeats: ends with 1 if one is stale'
complete -c tradectl -n "__fish_tradectl_using_subcommand heartbeat; and not __fish_seen_subcommand_from list check recover" -f -a "recover" -d 'Stops, drains and starts a strategy that does not beat, and sees it beat again'
complete -c tradectl -n "__fish_tradectl_using_subcommand heartbeat; and __fish_seen_subcommand_from list" -l env -d 'The environment: `local`, or one that a profile or a settings file names' -r
complete -c tradectl -n "__fish_tradectl_using_subcommand heartbeat; and __fish_seen_subcommand_from list" -l config -d 'Reads this settings file instead of searching for `tradectl.toml`' -r -F
complete -c tradectl -n "__fish_tradectl_using_subcommand heartbeat; and __fish_seen_subcommand_from list" -l output -d 'How the answer is written' -r -f -a "human\t'One screen for a person'
json\t'Exactly one JSON document on stdout'
jsonl\t'A stream of JSON events that ends with the same document'"
complete -c tradectl -n "__fish_tradectl_using_subcommand heartbeat; and __fish_seen_subcommand_from list" -l timeout -d 'The longest that one request may take [default: 10s]' -r
complete -c tradectl -n "__fish_tradectl_using_subcommand heartbeat; and __fish_seen_subcommand_from list" -l deadline -d 'The longest that the command may take; answers that are on their way then are waited for up to 3 s more [default: 120s]' -r
complete -c tradectl -n "__fish_tradectl_using_subcommand heartbeat; and __fish_seen_subcommand_from list" -l log-file -d 'Writes the tool\'s own log to this file (mode 0600)' -r -F
complete -c tradectl -n "__fish_tradectl_using_subcommand heartbeat; and __fish_seen_subcommand_from list" -l show-account -d 'Shows account ids whole'
complete -c tradectl -n "__fish_tradectl_using_subcommand heartbeat; and __fish_seen_subcommand_from list" -s v -l verbose -d 'Says more of what it does, on stderr; twice: everything'
complete -c tradectl -n "__fish_tradectl_using_subcommand heartbeat; and __fish_seen_subcommand_from list" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c tradectl -n "__fish_tradectl_using_subcommand heartbeat; and __fish_seen_subcommand_from list" -s V -l version -d 'Print version'
complete -c tradectl -n "__fish_tradectl_using_subcommand heartbeat; and __fish_seen_subcommand_from check" -l consecutive -d 'Only what is stale in so many reads in a row counts' -r
complete -c tradectl -n "__fish_tradectl_using_subcommand heartbeat; and __fish_seen_subcommand_from check" -l interval -d 'The time between two reads' -r
complete -c tradectl -n "__fish_tradectl_using_subcommand heartbeat; and __fish_seen_subcommand_from check" -l env -d 'The environment: `local`, or one that a profile or a settings file names' -r
complete -c tradectl -n "__fish_tradectl_using_subcommand heartbeat; and __fish_seen_subcommand_from check" -l config -d 'Reads this settings file instead of searching for `tradectl.toml`' -r -F
complete -c tradectl -n "__fish_tradectl_using_subcommand heartbeat; and __fish_seen_subcommand_from check" -l output -d 'How the answer is written' -r -f -a "human\t'One screen for a person'
json\t'Exactly one JSON document on stdout'
jsonl\t'A stream of JSON events that ends with the same document'"
complete -c tradectl -n "__fish_tradectl_using_subcommand heartbeat; and __fish_seen_subcommand_from check" -l timeout -d 'The longest that one request may take [default: 10s]' -r
complete -c tradectl -n "__fish_tradectl_using_subcommand heartbeat; and __fish_seen_subcommand_from check" -l deadline -d 'The longest that the command may take; answers that are on their way then are waited for up to 3 s more [default: 120s]' -r
complete -c tradectl -n "__fish_tradectl_using_subcommand heartbeat; and __fish_seen_subcommand_from check" -l log-file -d 'Writes the tool\'s own log to this file (mode 0600)' -r -F
complete -c tradectl -n "__fish_tradectl_using_subcommand heartbeat; and __fish_seen_subcommand_from check" -l show-account -d 'Shows account ids whole'
complete -c tradectl -n "__fish_tradectl_using_subcommand heartbeat; and __fish_seen_subcommand_from check" -s v -l verbose -d 'Says more of what it does, on stderr; twice: everything'
complete -c tradectl -n "__fish_tradectl_using_subcommand heartbeat; and __fish_seen_subcommand_from check" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c tradectl -n "__fish_tradectl_using_subcommand heartbeat; and __fish_seen_subcommand_from check" -s V -l version -d 'Print version'
complete -c tradectl -n "__fish_tradectl_using_subcommand heartbeat; and __fish_seen_subcommand_from recover" -l reason -d 'Why; goes into the journal, and is the stopped reason of a task that has to be ended' -r
complete -c tradectl -n "__fish_tradectl_using_subcommand heartbeat; and __fish_seen_subcommand_from recover" -l soak -d 'Watches it for so long after its first fresh beat, such as `10m`' -r
complete -c tradectl -n "__fish_tradectl_using_subcommand heartbeat; and __fish_seen_subcommand_from recover" -l plan -d 'With `--dry-run`: saves the plan. Without: does this saved plan, if the world has not moved; good for 15 minutes, and together with `--approve`' -r -F
complete -c tradectl -n "__fish_tradectl_using_subcommand heartbeat; and __fish_seen_subcommand_from recover" -l approve -d 'Approves the saved plan of this digest, and no other; together with `--plan`' -r
complete -c tradectl -n "__fish_tradectl_using_subcommand heartbeat; and __fish_seen_subcommand_from recover" -l kill-at -d 'Dies at the n-th place; drills only' -r
complete -c tradectl -n "__fish_tradectl_using_subcommand heartbeat; and __fish_seen_subcommand_from recover" -l env -d 'The environment: `local`, or one that a profile or a settings file names' -r
complete -c tradectl -n "__fish_tradectl_using_subcommand heartbeat; and __fish_seen_subcommand_from recover" -l config -d 'Reads this settings file instead of searching for `tradectl.toml`' -r -F
complete -c tradectl -n "__fish_tradectl_using_subcommand heartbeat; and __fish_seen_subcommand_from recover" -l output -d 'How the answer is written' -r -f -a "human\t'One screen for a person'
json\t'Exactly one JSON document on stdout'
jsonl\t'A stream of JSON events that ends with the same document'"
complete -c tradectl -n "__fish_tradectl_using_subcommand heartbeat; and __fish_seen_subcommand_from recover" -l timeout -d 'The longest that one request may take [default: 10s]' -r
complete -c tradectl -n "__fish_tradectl_using_subcommand heartbeat; and __fish_seen_subcommand_from recover" -l deadline -d 'The longest that the command may take; answers that are on their way then are waited for up to 3 s more [default: 120s]' -r
complete -c tradectl -n "__fish_tradectl_using_subcommand heartbeat; and __fish_seen_subcommand_from recover" -l log-file -d 'Writes the tool\'s own log to this file (mode 0600)' -r -F
complete -c tradectl -n "__fish_tradectl_using_subcommand heartbeat; and __fish_seen_subcommand_from recover" -l anyway -d 'Recovers it also if it beats'
complete -c tradectl -n "__fish_tradectl_using_subcommand heartbeat; and __fish_seen_subcommand_from recover" -l yes -d 'Approves without asking; needs `--env` on the command line'
complete -c tradectl -n "__fish_tradectl_using_subcommand heartbeat; and __fish_seen_subcommand_from recover" -l dry-run -d 'Shows what would be done, checks it, and changes nothing'
complete -c tradectl -n "__fish_tradectl_using_subcommand heartbeat; and __fish_seen_subcommand_from recover" -l show-account -d 'Shows account ids whole'
complete -c tradectl -n "__fish_tradectl_using_subcommand heartbeat; and __fish_seen_subcommand_from recover" -s v -l verbose -d 'Says more of what it does, on stderr; twice: everything'
complete -c tradectl -n "__fish_tradectl_using_subcommand heartbeat; and __fish_seen_subcommand_from recover" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c tradectl -n "__fish_tradectl_using_subcommand heartbeat; and __fish_seen_subcommand_from recover" -s V -l version -d 'Print version'
complete -c tradectl -n "__fish_tradectl_using_subcommand doctor" -l env -d 'The environment: `local`, or one that a profile or a settings file names' -r
complete -c tradectl -n "__fish_tradectl_using_subcommand doctor" -l config -d 'Reads this settings file instead of searching for `tradectl.toml`' -r -F
complete -c tradectl -n "__fish_tradectl_using_subcommand doctor" -l output -d 'How the answer is written' -r -f -a "human\t'One screen for a person'
json\t'Exactly one JSON document on stdout'
jsonl\t'A stream of JSON events that ends with the same document'"
complete -c tradectl -n "__fish_tradectl_using_subcommand doctor" -l timeout -d 'The longest that one request may take [default: 10s]' -r
complete -c tradectl -n "__fish_tradectl_using_subcommand doctor" -l deadline -d 'The longest that the command may take; answers that are on their way then are waited for up to 3 s more [default: 120s]' -r
complete -c tradectl -n "__fish_tradectl_using_subcommand doctor" -l log-file -d 'Writes the tool\'s own log to this file (mode 0600)' -r -F
complete -c tradectl -n "__fish_tradectl_using_subcommand doctor" -l show-account -d 'Shows account ids whole'
complete -c tradectl -n "__fish_tradectl_using_subcommand doctor" -s v -l verbose -d 'Says more of what it does, on stderr; twice: everything'
complete -c tradectl -n "__fish_tradectl_using_subcommand doctor" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c tradectl -n "__fish_tradectl_using_subcommand doctor" -s V -l version -d 'Print version'
complete -c tradectl -n "__fish_tradectl_using_subcommand status" -l scope -d 'What to look at: `all`, `strategy=ID` or `service=NAME`' -r
complete -c tradectl -n "__fish_tradectl_using_subcommand status" -l env -d 'The environment: `local`, or one that a profile or a settings file names' -r
complete -c tradectl -n "__fish_tradectl_using_subcommand status" -l config -d 'Reads this settings file instead of searching for `tradectl.toml`' -r -F
complete -c tradectl -n "__fish_tradectl_using_subcommand status" -l output -d 'How the answer is written' -r -f -a "human\t'One screen for a person'
json\t'Exactly one JSON document on stdout'
jsonl\t'A stream of JSON events that ends with the same document'"
complete -c tradectl -n "__fish_tradectl_using_subcommand status" -l timeout -d 'The longest that one request may take [default: 10s]' -r
complete -c tradectl -n "__fish_tradectl_using_subcommand status" -l deadline -d 'The longest that the command may take; answers that are on their way then are waited for up to 3 s more [default: 120s]' -r
complete -c tradectl -n "__fish_tradectl_using_subcommand status" -l log-file -d 'Writes the tool\'s own log to this file (mode 0600)' -r -F
complete -c tradectl -n "__fish_tradectl_using_subcommand status" -l all -d 'Shows every row, and not only what fits on a screen'
complete -c tradectl -n "__fish_tradectl_using_subcommand status" -l show-account -d 'Shows account ids whole'
complete -c tradectl -n "__fish_tradectl_using_subcommand status" -s v -l verbose -d 'Says more of what it does, on stderr; twice: everything'
complete -c tradectl -n "__fish_tradectl_using_subcommand status" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c tradectl -n "__fish_tradectl_using_subcommand status" -s V -l version -d 'Print version'
complete -c tradectl -n "__fish_tradectl_using_subcommand journal; and not __fish_seen_subcommand_from list show replay verify undo" -l env -d 'The environment: `local`, or one that a profile or a settings file names' -r
complete -c tradectl -n "__fish_tradectl_using_subcommand journal; and not __fish_seen_subcommand_from list show replay verify undo" -l config -d 'Reads this settings file instead of searching for `tradectl.toml`' -r -F
complete -c tradectl -n "__fish_tradectl_using_subcommand journal; and not __fish_seen_subcommand_from list show replay verify undo" -l output -d 'How the answer is written' -r -f -a "human\t'One screen for a person'
json\t'Exactly one JSON document on stdout'
jsonl\t'A stream of JSON events that ends with the same document'"
complete -c tradectl -n "__fish_tradectl_using_subcommand journal; and not __fish_seen_subcommand_from list show replay verify undo" -l timeout -d 'The longest that one request may take [default: 10s]' -r
complete -c tradectl -n "__fish_tradectl_using_subcommand journal; and not __fish_seen_subcommand_from list show replay verify undo" -l deadline -d 'The longest that the command may take; answers that are on their way then are waited for up to 3 s more [default: 120s]' -r
complete -c tradectl -n "__fish_tradectl_using_subcommand journal; and not __fish_seen_subcommand_from list show replay verify undo" -l log-file -d 'Writes the tool\'s own log to this file (mode 0600)' -r -F
complete -c tradectl -n "__fish_tradectl_using_subcommand journal; and not __fish_seen_subcommand_from list show replay verify undo" -l show-account -d 'Shows account ids whole'
complete -c tradectl -n "__fish_tradectl_using_subcommand journal; and not __fish_seen_subcommand_from list show replay verify undo" -s v -l verbose -d 'Says more of what it does, on stderr; twice: everything'
complete -c tradectl -n "__fish_tradectl_using_subcommand journal; and not __fish_seen_subcommand_from list show replay verify undo" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c tradectl -n "__fish_tradectl_using_subcommand journal; and not __fish_seen_subcommand_from list show replay verify undo" -s V -l version -d 'Print version'
complete -c tradectl -n "__fish_tradectl_using_subcommand journal; and not __fish_seen_subcommand_from list show replay verify undo" -f -a "list" -d 'Lists the runs of this machine in an environment, the newest first'
complete -c tradectl -n "__fish_tradectl_using_subcommand journal; and not __fish_seen_subcommand_from list show replay verify undo" -f -a "show" -d 'Shows a run, entry by entry'
complete -c tradectl -n "__fish_tradectl_using_subcommand journal; and not __fish_seen_subcommand_from list show replay verify undo" -f -a "replay" -d 'Tells a run again as whoever watched it saw it'
complete -c tradectl -n "__fish_tradectl_using_subcommand journal; and not __fish_seen_subcommand_from list show replay verify undo" -f -a "verify" -d 'Says whether journals are what was written: ends with 1 and names the entry if not'
complete -c tradectl -n "__fish_tradectl_using_subcommand journal; and not __fish_seen_subcommand_from list show replay verify undo" -f -a "undo" -d 'Sets back what a run changed, where nobody has changed it since'
complete -c tradectl -n "__fish_tradectl_using_subcommand journal; and __fish_seen_subcommand_from list" -l env -d 'The environment: `local`, or one that a profile or a settings file names' -r
complete -c tradectl -n "__fish_tradectl_using_subcommand journal; and __fish_seen_subcommand_from list" -l config -d 'Reads this settings file instead of searching for `tradectl.toml`' -r -F
complete -c tradectl -n "__fish_tradectl_using_subcommand journal; and __fish_seen_subcommand_from list" -l output -d 'How the answer is written' -r -f -a "human\t'One screen for a person'
json\t'Exactly one JSON document on stdout'
jsonl\t'A stream of JSON events that ends with the same document'"
complete -c tradectl -n "__fish_tradectl_using_subcommand journal; and __fish_seen_subcommand_from list" -l timeout -d 'The longest that one request may take [default: 10s]' -r
complete -c tradectl -n "__fish_tradectl_using_subcommand journal; and __fish_seen_subcommand_from list" -l deadline -d 'The longest that the command may take; answers that are on their way then are waited for up to 3 s more [default: 120s]' -r
complete -c tradectl -n "__fish_tradectl_using_subcommand journal; and __fish_seen_subcommand_from list" -l log-file -d 'Writes the tool\'s own log to this file (mode 0600)' -r -F
complete -c tradectl -n "__fish_tradectl_using_subcommand journal; and __fish_seen_subcommand_from list" -l show-account -d 'Shows account ids whole'
complete -c tradectl -n "__fish_tradectl_using_subcommand journal; and __fish_seen_subcommand_from list" -s v -l verbose -d 'Says more of what it does, on stderr; twice: everything'
complete -c tradectl -n "__fish_tradectl_using_subcommand journal; and __fish_seen_subcommand_from list" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c tradectl -n "__fish_tradectl_using_subcommand journal; and __fish_seen_subcommand_from list" -s V -l version -d 'Print version'
complete -c tradectl -n "__fish_tradectl_using_subcommand journal; and __fish_seen_subcommand_from show" -l env -d 'The environment: `local`, or one that a profile or a settings file names' -r
complete -c tradectl -n "__fish_tradectl_using_subcommand journal; and __fish_seen_subcommand_from show" -l config -d 'Reads this settings file instead of searching for `tradectl.toml`' -r -F
complete -c tradectl -n "__fish_tradectl_using_subcommand journal; and __fish_seen_subcommand_from show" -l output -d 'How the answer is written' -r -f -a "human\t'One screen for a person'
json\t'Exactly one JSON document on stdout'
jsonl\t'A stream of JSON events that ends with the same document'"
complete -c tradectl -n "__fish_tradectl_using_subcommand journal; and __fish_seen_subcommand_from show" -l timeout -d 'The longest that one request may take [default: 10s]' -r
complete -c tradectl -n "__fish_tradectl_using_subcommand journal; and __fish_seen_subcommand_from show" -l deadline -d 'The longest that the command may take; answers that are on their way then are waited for up to 3 s more [default: 120s]' -r
complete -c tradectl -n "__fish_tradectl_using_subcommand journal; and __fish_seen_subcommand_from show" -l log-file -d 'Writes the tool\'s own log to this file (mode 0600)' -r -F
complete -c tradectl -n "__fish_tradectl_using_subcommand journal; and __fish_seen_subcommand_from show" -l show-account -d 'Shows account ids whole'
complete -c tradectl -n "__fish_tradectl_using_subcommand journal; and __fish_seen_subcommand_from show" -s v -l verbose -d 'Says more of what it does, on stderr; twice: everything'
complete -c tradectl -n "__fish_tradectl_using_subcommand journal; and __fish_seen_subcommand_from show" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c tradectl -n "__fish_tradectl_using_subcommand journal; and __fish_seen_subcommand_from show" -s V -l version -d 'Print version'
complete -c tradectl -n "__fish_tradectl_using_subcommand journal; and __fish_seen_subcommand_from replay" -l env -d 'The environment: `local`, or one that a profile or a settings file names' -r
complete -c tradectl -n "__fish_tradectl_using_subcommand journal; and __fish_seen_subcommand_from replay" -l config -d 'Reads this settings file instead of searching for `tradectl.toml`' -r -F
complete -c tradectl -n "__fish_tradectl_using_subcommand journal; and __fish_seen_subcommand_from replay" -l output -d 'How the answer is written' -r -f -a "human\t'One screen for a person'
json\t'Exactly one JSON document on stdout'
jsonl\t'A stream of JSON events that ends with the same document'"
complete -c tradectl -n "__fish_tradectl_using_subcommand journal; and __fish_seen_subcommand_from replay" -l timeout -d 'The longest that one request may take [default: 10s]' -r
complete -c tradectl -n "__fish_tradectl_using_subcommand journal; and __fish_seen_subcommand_from replay" -l deadline -d 'The longest that the command may take; answers that are on their way then are waited for up to 3 s more [default: 120s]' -r
complete -c tradectl -n "__fish_tradectl_using_subcommand journal; and __fish_seen_subcommand_from replay" -l log-file -d 'Writes the tool\'s own log to this file (mode 0600)' -r -F
complete -c tradectl -n "__fish_tradectl_using_subcommand journal; and __fish_seen_subcommand_from replay" -l show-account -d 'Shows account ids whole'
complete -c tradectl -n "__fish_tradectl_using_subcommand journal; and __fish_seen_subcommand_from replay" -s v -l verbose -d 'Says more of what it does, on stderr; twice: everything'
complete -c tradectl -n "__fish_tradectl_using_subcommand journal; and __fish_seen_subcommand_from replay" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c tradectl -n "__fish_tradectl_using_subcommand journal; and __fish_seen_subcommand_from replay" -s V -l version -d 'Print version'
complete -c tradectl -n "__fish_tradectl_using_subcommand journal; and __fish_seen_subcommand_from verify" -l env -d 'The environment: `local`, or one that a profile or a settings file names' -r
complete -c tradectl -n "__fish_tradectl_using_subcommand journal; and __fish_seen_subcommand_from verify" -l config -d 'Reads this settings file instead of searching for `tradectl.toml`' -r -F
complete -c tradectl -n "__fish_tradectl_using_subcommand journal; and __fish_seen_subcommand_from verify" -l output -d 'How the answer is written' -r -f -a "human\t'One screen for a person'
json\t'Exactly one JSON document on stdout'
jsonl\t'A stream of JSON events that ends with the same document'"
complete -c tradectl -n "__fish_tradectl_using_subcommand journal; and __fish_seen_subcommand_from verify" -l timeout -d 'The longest that one request may take [default: 10s]' -r
complete -c tradectl -n "__fish_tradectl_using_subcommand journal; and __fish_seen_subcommand_from verify" -l deadline -d 'The longest that the command may take; answers that are on their way then are waited for up to 3 s more [default: 120s]' -r
complete -c tradectl -n "__fish_tradectl_using_subcommand journal; and __fish_seen_subcommand_from verify" -l log-file -d 'Writes the tool\'s own log to this file (mode 0600)' -r -F
complete -c tradectl -n "__fish_tradectl_using_subcommand journal; and __fish_seen_subcommand_from verify" -l show-account -d 'Shows account ids whole'
complete -c tradectl -n "__fish_tradectl_using_subcommand journal; and __fish_seen_subcommand_from verify" -s v -l verbose -d 'Says more of what it does, on stderr; twice: everything'
complete -c tradectl -n "__fish_tradectl_using_subcommand journal; and __fish_seen_subcommand_from verify" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c tradectl -n "__fish_tradectl_using_subcommand journal; and __fish_seen_subcommand_from verify" -s V -l version -d 'Print version'
complete -c tradectl -n "__fish_tradectl_using_subcommand journal; and __fish_seen_subcommand_from undo" -l reason -d 'Why; goes into the journal' -r
complete -c tradectl -n "__fish_tradectl_using_subcommand journal; and __fish_seen_subcommand_from undo" -l plan -d 'With `--dry-run`: saves the plan. Without: does this saved plan, if the world has not moved; good for 15 minutes, and together with `--approve`' -r -F
complete -c tradectl -n "__fish_tradectl_using_subcommand journal; and __fish_seen_subcommand_from undo" -l approve -d 'Approves the saved plan of this digest, and no other; together with `--plan`' -r
complete -c tradectl -n "__fish_tradectl_using_subcommand journal; and __fish_seen_subcommand_from undo" -l kill-at -d 'Dies at the n-th place; drills only' -r
complete -c tradectl -n "__fish_tradectl_using_subcommand journal; and __fish_seen_subcommand_from undo" -l env -d 'The environment: `local`, or one that a profile or a settings file names' -r
complete -c tradectl -n "__fish_tradectl_using_subcommand journal; and __fish_seen_subcommand_from undo" -l config -d 'Reads this settings file instead of searching for `tradectl.toml`' -r -F
complete -c tradectl -n "__fish_tradectl_using_subcommand journal; and __fish_seen_subcommand_from undo" -l output -d 'How the answer is written' -r -f -a "human\t'One screen for a person'
json\t'Exactly one JSON document on stdout'
jsonl\t'A stream of JSON events that ends with the same document'"
complete -c tradectl -n "__fish_tradectl_using_subcommand journal; and __fish_seen_subcommand_from undo" -l timeout -d 'The longest that one request may take [default: 10s]' -r
complete -c tradectl -n "__fish_tradectl_using_subcommand journal; and __fish_seen_subcommand_from undo" -l deadline -d 'The longest that the command may take; answers that are on their way then are waited for up to 3 s more [default: 120s]' -r
complete -c tradectl -n "__fish_tradectl_using_subcommand journal; and __fish_seen_subcommand_from undo" -l log-file -d 'Writes the tool\'s own log to this file (mode 0600)' -r -F
complete -c tradectl -n "__fish_tradectl_using_subcommand journal; and __fish_seen_subcommand_from undo" -l yes -d 'Approves without asking; needs `--env` on the command line'
complete -c tradectl -n "__fish_tradectl_using_subcommand journal; and __fish_seen_subcommand_from undo" -l dry-run -d 'Shows what would be done, checks it, and changes nothing'
complete -c tradectl -n "__fish_tradectl_using_subcommand journal; and __fish_seen_subcommand_from undo" -l show-account -d 'Shows account ids whole'
complete -c tradectl -n "__fish_tradectl_using_subcommand journal; and __fish_seen_subcommand_from undo" -s v -l verbose -d 'Says more of what it does, on stderr; twice: everything'
complete -c tradectl -n "__fish_tradectl_using_subcommand journal; and __fish_seen_subcommand_from undo" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c tradectl -n "__fish_tradectl_using_subcommand journal; and __fish_seen_subcommand_from undo" -s V -l version -d 'Print version'
complete -c tradectl -n "__fish_tradectl_using_subcommand iam-policy" -l env -d 'The environment: `local`, or one that a profile or a settings file names' -r
complete -c tradectl -n "__fish_tradectl_using_subcommand iam-policy" -l config -d 'Reads this settings file instead of searching for `tradectl.toml`' -r -F
complete -c tradectl -n "__fish_tradectl_using_subcommand iam-policy" -l output -d 'How the answer is written' -r -f -a "human\t'One screen for a person'
json\t'Exactly one JSON document on stdout'
jsonl\t'A stream of JSON events that ends with the same document'"
complete -c tradectl -n "__fish_tradectl_using_subcommand iam-policy" -l timeout -d 'The longest that one request may take [default: 10s]' -r
complete -c tradectl -n "__fish_tradectl_using_subcommand iam-policy" -l deadline -d 'The longest that the command may take; answers that are on their way then are waited for up to 3 s more [default: 120s]' -r
complete -c tradectl -n "__fish_tradectl_using_subcommand iam-policy" -l log-file -d 'Writes the tool\'s own log to this file (mode 0600)' -r -F
complete -c tradectl -n "__fish_tradectl_using_subcommand iam-policy" -l readonly -d 'For commands that only read'
complete -c tradectl -n "__fish_tradectl_using_subcommand iam-policy" -l operator -d 'For every command (the default)'
complete -c tradectl -n "__fish_tradectl_using_subcommand iam-policy" -l emergency-stop -d 'For an emergency stop and nothing else'
complete -c tradectl -n "__fish_tradectl_using_subcommand iam-policy" -l show-account -d 'Shows account ids whole'
complete -c tradectl -n "__fish_tradectl_using_subcommand iam-policy" -s v -l verbose -d 'Says more of what it does, on stderr; twice: everything'
complete -c tradectl -n "__fish_tradectl_using_subcommand iam-policy" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c tradectl -n "__fish_tradectl_using_subcommand iam-policy" -s V -l version -d 'Print version'
complete -c tradectl -n "__fish_tradectl_using_subcommand completions" -l env -d 'The environment: `local`, or one that a profile or a settings file names' -r
complete -c tradectl -n "__fish_tradectl_using_subcommand completions" -l config -d 'Reads this settings file instead of searching for `tradectl.toml`' -r -F
complete -c tradectl -n "__fish_tradectl_using_subcommand completions" -l output -d 'How the answer is written' -r -f -a "human\t'One screen for a person'
json\t'Exactly one JSON document on stdout'
jsonl\t'A stream of JSON events that ends with the same document'"
complete -c tradectl -n "__fish_tradectl_using_subcommand completions" -l timeout -d 'The longest that one request may take [default: 10s]' -r
complete -c tradectl -n "__fish_tradectl_using_subcommand completions" -l deadline -d 'The longest that the command may take; answers that are on their way then are waited for up to 3 s more [default: 120s]' -r
complete -c tradectl -n "__fish_tradectl_using_subcommand completions" -l log-file -d 'Writes the tool\'s own log to this file (mode 0600)' -r -F
complete -c tradectl -n "__fish_tradectl_using_subcommand completions" -l show-account -d 'Shows account ids whole'
complete -c tradectl -n "__fish_tradectl_using_subcommand completions" -s v -l verbose -d 'Says more of what it does, on stderr; twice: everything'
complete -c tradectl -n "__fish_tradectl_using_subcommand completions" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c tradectl -n "__fish_tradectl_using_subcommand completions" -s V -l version -d 'Print version'
complete -c tradectl -n "__fish_tradectl_using_subcommand local; and not __fish_seen_subcommand_from up down status logs supervise" -l env -d 'The environment: `local`, or one that a profile or a settings file names' -r
complete -c tradectl -n "__fish_tradectl_using_subcommand local; and not __fish_seen_subcommand_from up down status logs supervise" -l config -d 'Reads this settings file instead of searching for `tradectl.toml`' -r -F
complete -c tradectl -n "__fish_tradectl_using_subcommand local; and not __fish_seen_subcommand_from up down status logs supervise" -l output -d 'How the answer is written' -r -f -a "human\t'One screen for a person'
json\t'Exactly one JSON document on stdout'
jsonl\t'A stream of JSON events that ends with the same document'"
complete -c tradectl -n "__fish_tradectl_using_subcommand local; and not __fish_seen_subcommand_from up down status logs supervise" -l timeout -d 'The longest that one request may take [default: 10s]' -r
complete -c tradectl -n "__fish_tradectl_using_subcommand local; and not __fish_seen_subcommand_from up down status logs supervise" -l deadline -d 'The longest that the command may take; answers that are on their way then are waited for up to 3 s more [default: 120s]' -r
complete -c tradectl -n "__fish_tradectl_using_subcommand local; and not __fish_seen_subcommand_from up down status logs supervise" -l log-file -d 'Writes the tool\'s own log to this file (mode 0600)' -r -F
complete -c tradectl -n "__fish_tradectl_using_subcommand local; and not __fish_seen_subcommand_from up down status logs supervise" -l show-account -d 'Shows account ids whole'
complete -c tradectl -n "__fish_tradectl_using_subcommand local; and not __fish_seen_subcommand_from up down status logs supervise" -s v -l verbose -d 'Says more of what it does, on stderr; twice: everything'
complete -c tradectl -n "__fish_tradectl_using_subcommand local; and not __fish_seen_subcommand_from up down status logs supervise" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c tradectl -n "__fish_tradectl_using_subcommand local; and not __fish_seen_subcommand_from up down status logs supervise" -s V -l version -d 'Print version'
complete -c tradectl -n "__fish_tradectl_using_subcommand local; and not __fish_seen_subcommand_from up down status logs supervise" -f -a "up" -d 'Sets the platform up if need be, and supervises its services'
complete -c tradectl -n "__fish_tradectl_using_subcommand local; and not __fish_seen_subcommand_from up down status logs supervise" -f -a "down" -d 'Ends the supervisor and every task, and shows that they have ended'
complete -c tradectl -n "__fish_tradectl_using_subcommand local; and not __fish_seen_subcommand_from up down status logs supervise" -f -a "status" -d 'Shows the supervisor, services and tasks'
complete -c tradectl -n "__fish_tradectl_using_subcommand local; and not __fish_seen_subcommand_from up down status logs supervise" -f -a "logs" -d 'Shows what the services have written'
complete -c tradectl -n "__fish_tradectl_using_subcommand local; and not __fish_seen_subcommand_from up down status logs supervise" -f -a "supervise" -d 'Supervises until told to end; `local up --detach` starts this'
complete -c tradectl -n "__fish_tradectl_using_subcommand local; and __fish_seen_subcommand_from up" -l env -d 'The environment: `local`, or one that a profile or a settings file names' -r
complete -c tradectl -n "__fish_tradectl_using_subcommand local; and __fish_seen_subcommand_from up" -l config -d 'Reads this settings file instead of searching for `tradectl.toml`' -r -F
complete -c tradectl -n "__fish_tradectl_using_subcommand local; and __fish_seen_subcommand_from up" -l output -d 'How the answer is written' -r -f -a "human\t'One screen for a person'
json\t'Exactly one JSON document on stdout'
jsonl\t'A stream of JSON events that ends with the same document'"
complete -c tradectl -n "__fish_tradectl_using_subcommand local; and __fish_seen_subcommand_from up" -l timeout -d 'The longest that one request may take [default: 10s]' -r
complete -c tradectl -n "__fish_tradectl_using_subcommand local; and __fish_seen_subcommand_from up" -l deadline -d 'The longest that the command may take; answers that are on their way then are waited for up to 3 s more [default: 120s]' -r
complete -c tradectl -n "__fish_tradectl_using_subcommand local; and __fish_seen_subcommand_from up" -l log-file -d 'Writes the tool\'s own log to this file (mode 0600)' -r -F
complete -c tradectl -n "__fish_tradectl_using_subcommand local; and __fish_seen_subcommand_from up" -l detach -d 'Goes on in the background and returns once the services run'
complete -c tradectl -n "__fish_tradectl_using_subcommand local; and __fish_seen_subcommand_from up" -l show-account -d 'Shows account ids whole'
complete -c tradectl -n "__fish_tradectl_using_subcommand local; and __fish_seen_subcommand_from up" -s v -l verbose -d 'Says more of what it does, on stderr; twice: everything'
complete -c tradectl -n "__fish_tradectl_using_subcommand local; and __fish_seen_subcommand_from up" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c tradectl -n "__fish_tradectl_using_subcommand local; and __fish_seen_subcommand_from up" -s V -l version -d 'Print version'
complete -c tradectl -n "__fish_tradectl_using_subcommand local; and __fish_seen_subcommand_from down" -l env -d 'The environment: `local`, or one that a profile or a settings file names' -r
complete -c tradectl -n "__fish_tradectl_using_subcommand local; and __fish_seen_subcommand_from down" -l config -d 'Reads this settings file instead of searching for `tradectl.toml`' -r -F
complete -c tradectl -n "__fish_tradectl_using_subcommand local; and __fish_seen_subcommand_from down" -l output -d 'How the answer is written' -r -f -a "human\t'One screen for a person'
json\t'Exactly one JSON document on stdout'
jsonl\t'A stream of JSON events that ends with the same document'"
complete -c tradectl -n "__fish_tradectl_using_subcommand local; and __fish_seen_subcommand_from down" -l timeout -d 'The longest that one request may take [default: 10s]' -r
complete -c tradectl -n "__fish_tradectl_using_subcommand local; and __fish_seen_subcommand_from down" -l deadline -d 'The longest that the command may take; answers that are on their way then are waited for up to 3 s more [default: 120s]' -r
complete -c tradectl -n "__fish_tradectl_using_subcommand local; and __fish_seen_subcommand_from down" -l log-file -d 'Writes the tool\'s own log to this file (mode 0600)' -r -F
complete -c tradectl -n "__fish_tradectl_using_subcommand local; and __fish_seen_subcommand_from down" -l show-account -d 'Shows account ids whole'
complete -c tradectl -n "__fish_tradectl_using_subcommand local; and __fish_seen_subcommand_from down" -s v -l verbose -d 'Says more of what it does, on stderr; twice: everything'
complete -c tradectl -n "__fish_tradectl_using_subcommand local; and __fish_seen_subcommand_from down" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c tradectl -n "__fish_tradectl_using_subcommand local; and __fish_seen_subcommand_from down" -s V -l version -d 'Print version'
complete -c tradectl -n "__fish_tradectl_using_subcommand local; and __fish_seen_subcommand_from status" -l env -d 'The environment: `local`, or one that a profile or a settings file names' -r
complete -c tradectl -n "__fish_tradectl_using_subcommand local; and __fish_seen_subcommand_from status" -l config -d 'Reads this settings file instead of searching for `tradectl.toml`' -r -F
complete -c tradectl -n "__fish_tradectl_using_subcommand local; and __fish_seen_subcommand_from status" -l output -d 'How the answer is written' -r -f -a "human\t'One screen for a person'
json\t'Exactly one JSON document on stdout'
jsonl\t'A stream of JSON events that ends with the same document'"
complete -c tradectl -n "__fish_tradectl_using_subcommand local; and __fish_seen_subcommand_from status" -l timeout -d 'The longest that one request may take [default: 10s]' -r
complete -c tradectl -n "__fish_tradectl_using_subcommand local; and __fish_seen_subcommand_from status" -l deadline -d 'The longest that the command may take; answers that are on their way then are waited for up to 3 s more [default: 120s]' -r
complete -c tradectl -n "__fish_tradectl_using_subcommand local; and __fish_seen_subcommand_from status" -l log-file -d 'Writes the tool\'s own log to this file (mode 0600)' -r -F
complete -c tradectl -n "__fish_tradectl_using_subcommand local; and __fish_seen_subcommand_from status" -l show-account -d 'Shows account ids whole'
complete -c tradectl -n "__fish_tradectl_using_subcommand local; and __fish_seen_subcommand_from status" -s v -l verbose -d 'Says more of what it does, on stderr; twice: everything'
complete -c tradectl -n "__fish_tradectl_using_subcommand local; and __fish_seen_subcommand_from status" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c tradectl -n "__fish_tradectl_using_subcommand local; and __fish_seen_subcommand_from status" -s V -l version -d 'Print version'
complete -c tradectl -n "__fish_tradectl_using_subcommand local; and __fish_seen_subcommand_from logs" -l group -d 'Only these services (repeat for several)' -r
complete -c tradectl -n "__fish_tradectl_using_subcommand local; and __fish_seen_subcommand_from logs" -l stream -d 'Only tasks whose id begins so' -r
complete -c tradectl -n "__fish_tradectl_using_subcommand local; and __fish_seen_subcommand_from logs" -l since -d 'Only lines of this last while, such as 10m' -r
complete -c tradectl -n "__fish_tradectl_using_subcommand local; and __fish_seen_subcommand_from logs" -l until -d 'Only lines that are older than this, such as 5m' -r
complete -c tradectl -n "__fish_tradectl_using_subcommand local; and __fish_seen_subcommand_from logs" -l contains -d 'Only lines that contain this text' -r
complete -c tradectl -n "__fish_tradectl_using_subcommand local; and __fish_seen_subcommand_from logs" -l limit -d 'At most this many of the newest lines' -r
complete -c tradectl -n "__fish_tradectl_using_subcommand local; and __fish_seen_subcommand_from logs" -l env -d 'The environment: `local`, or one that a profile or a settings file names' -r
complete -c tradectl -n "__fish_tradectl_using_subcommand local; and __fish_seen_subcommand_from logs" -l config -d 'Reads this settings file instead of searching for `tradectl.toml`' -r -F
complete -c tradectl -n "__fish_tradectl_using_subcommand local; and __fish_seen_subcommand_from logs" -l output -d 'How the answer is written' -r -f -a "human\t'One screen for a person'
json\t'Exactly one JSON document on stdout'
jsonl\t'A stream of JSON events that ends with the same document'"
complete -c tradectl -n "__fish_tradectl_using_subcommand local; and __fish_seen_subcommand_from logs" -l timeout -d 'The longest that one request may take [default: 10s]' -r
complete -c tradectl -n "__fish_tradectl_using_subcommand local; and __fish_seen_subcommand_from logs" -l deadline -d 'The longest that the command may take; answers that are on their way then are waited for up to 3 s more [default: 120s]' -r
complete -c tradectl -n "__fish_tradectl_using_subcommand local; and __fish_seen_subcommand_from logs" -l log-file -d 'Writes the tool\'s own log to this file (mode 0600)' -r -F
complete -c tradectl -n "__fish_tradectl_using_subcommand local; and __fish_seen_subcommand_from logs" -l follow -d 'Goes on showing new lines until Ctrl-C'
complete -c tradectl -n "__fish_tradectl_using_subcommand local; and __fish_seen_subcommand_from logs" -l show-account -d 'Shows account ids whole'
complete -c tradectl -n "__fish_tradectl_using_subcommand local; and __fish_seen_subcommand_from logs" -s v -l verbose -d 'Says more of what it does, on stderr; twice: everything'
complete -c tradectl -n "__fish_tradectl_using_subcommand local; and __fish_seen_subcommand_from logs" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c tradectl -n "__fish_tradectl_using_subcommand local; and __fish_seen_subcommand_from logs" -s V -l version -d 'Print version'
complete -c tradectl -n "__fish_tradectl_using_subcommand local; and __fish_seen_subcommand_from supervise" -l env -d 'The environment: `local`, or one that a profile or a settings file names' -r
complete -c tradectl -n "__fish_tradectl_using_subcommand local; and __fish_seen_subcommand_from supervise" -l config -d 'Reads this settings file instead of searching for `tradectl.toml`' -r -F
complete -c tradectl -n "__fish_tradectl_using_subcommand local; and __fish_seen_subcommand_from supervise" -l output -d 'How the answer is written' -r -f -a "human\t'One screen for a person'
json\t'Exactly one JSON document on stdout'
jsonl\t'A stream of JSON events that ends with the same document'"
complete -c tradectl -n "__fish_tradectl_using_subcommand local; and __fish_seen_subcommand_from supervise" -l timeout -d 'The longest that one request may take [default: 10s]' -r
complete -c tradectl -n "__fish_tradectl_using_subcommand local; and __fish_seen_subcommand_from supervise" -l deadline -d 'The longest that the command may take; answers that are on their way then are waited for up to 3 s more [default: 120s]' -r
complete -c tradectl -n "__fish_tradectl_using_subcommand local; and __fish_seen_subcommand_from supervise" -l log-file -d 'Writes the tool\'s own log to this file (mode 0600)' -r -F
complete -c tradectl -n "__fish_tradectl_using_subcommand local; and __fish_seen_subcommand_from supervise" -l show-account -d 'Shows account ids whole'
complete -c tradectl -n "__fish_tradectl_using_subcommand local; and __fish_seen_subcommand_from supervise" -s v -l verbose -d 'Says more of what it does, on stderr; twice: everything'
complete -c tradectl -n "__fish_tradectl_using_subcommand local; and __fish_seen_subcommand_from supervise" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c tradectl -n "__fish_tradectl_using_subcommand local; and __fish_seen_subcommand_from supervise" -s V -l version -d 'Print version'
