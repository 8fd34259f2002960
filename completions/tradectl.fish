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
complete -c tradectl -n "__fish_tradectl_needs_command" -l deadline -d 'The longest that the command may take [default: 120s]' -r
complete -c tradectl -n "__fish_tradectl_needs_command" -l log-file -d 'Writes the tool\'s own log to this file (mode 0600)' -r -F
complete -c tradectl -n "__fish_tradectl_needs_command" -l show-account -d 'Shows account ids whole'
complete -c tradectl -n "__fish_tradectl_needs_command" -s v -l verbose -d 'Says more of what it does, on stderr; twice: everything'
complete -c tradectl -n "__fish_tradectl_needs_command" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c tradectl -n "__fish_tradectl_needs_command" -s V -l version -d 'Print version'
complete -c tradectl -n "__fish_tradectl_needs_command" -f -a "config" -d 'Shows and checks the settings'
complete -c tradectl -n "__fish_tradectl_needs_command" -f -a "engine" -d 'The processes that trade: engine and paper venue'
complete -c tradectl -n "__fish_tradectl_needs_command" -f -a "completions" -d 'Writes the completion script of a shell'
complete -c tradectl -n "__fish_tradectl_using_subcommand config; and not __fish_seen_subcommand_from show check" -l env -d 'The environment: `local`, or one that a profile or a settings file names' -r
complete -c tradectl -n "__fish_tradectl_using_subcommand config; and not __fish_seen_subcommand_from show check" -l config -d 'Reads this settings file instead of searching for `tradectl.toml`' -r -F
complete -c tradectl -n "__fish_tradectl_using_subcommand config; and not __fish_seen_subcommand_from show check" -l output -d 'How the answer is written' -r -f -a "human\t'One screen for a person'
json\t'Exactly one JSON document on stdout'
jsonl\t'A stream of JSON events that ends with the same document'"
complete -c tradectl -n "__fish_tradectl_using_subcommand config; and not __fish_seen_subcommand_from show check" -l timeout -d 'The longest that one request may take [default: 10s]' -r
complete -c tradectl -n "__fish_tradectl_using_subcommand config; and not __fish_seen_subcommand_from show check" -l deadline -d 'The longest that the command may take [default: 120s]' -r
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
complete -c tradectl -n "__fish_tradectl_using_subcommand config; and __fish_seen_subcommand_from show" -l deadline -d 'The longest that the command may take [default: 120s]' -r
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
complete -c tradectl -n "__fish_tradectl_using_subcommand config; and __fish_seen_subcommand_from check" -l deadline -d 'The longest that the command may take [default: 120s]' -r
complete -c tradectl -n "__fish_tradectl_using_subcommand config; and __fish_seen_subcommand_from check" -l log-file -d 'Writes the tool\'s own log to this file (mode 0600)' -r -F
complete -c tradectl -n "__fish_tradectl_using_subcommand config; and __fish_seen_subcommand_from check" -l show-account -d 'Shows account ids whole'
complete -c tradectl -n "__fish_tradectl_using_subcommand config; and __fish_seen_subcommand_from check" -s v -l verbose -d 'Says more of what it does, on stderr; twice: everything'
complete -c tradectl -n "__fish_tradectl_using_subcommand config; and __fish_seen_subcommand_from check" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c tradectl -n "__fish_tradectl_using_subcommand config; and __fish_seen_subcommand_from check" -s V -l version -d 'Print version'
complete -c tradectl -n "__fish_tradectl_using_subcommand engine; and not __fish_seen_subcommand_from paper-venue" -l env -d 'The environment: `local`, or one that a profile or a settings file names' -r
complete -c tradectl -n "__fish_tradectl_using_subcommand engine; and not __fish_seen_subcommand_from paper-venue" -l config -d 'Reads this settings file instead of searching for `tradectl.toml`' -r -F
complete -c tradectl -n "__fish_tradectl_using_subcommand engine; and not __fish_seen_subcommand_from paper-venue" -l output -d 'How the answer is written' -r -f -a "human\t'One screen for a person'
json\t'Exactly one JSON document on stdout'
jsonl\t'A stream of JSON events that ends with the same document'"
complete -c tradectl -n "__fish_tradectl_using_subcommand engine; and not __fish_seen_subcommand_from paper-venue" -l timeout -d 'The longest that one request may take [default: 10s]' -r
complete -c tradectl -n "__fish_tradectl_using_subcommand engine; and not __fish_seen_subcommand_from paper-venue" -l deadline -d 'The longest that the command may take [default: 120s]' -r
complete -c tradectl -n "__fish_tradectl_using_subcommand engine; and not __fish_seen_subcommand_from paper-venue" -l log-file -d 'Writes the tool\'s own log to this file (mode 0600)' -r -F
complete -c tradectl -n "__fish_tradectl_using_subcommand engine; and not __fish_seen_subcommand_from paper-venue" -l show-account -d 'Shows account ids whole'
complete -c tradectl -n "__fish_tradectl_using_subcommand engine; and not __fish_seen_subcommand_from paper-venue" -s v -l verbose -d 'Says more of what it does, on stderr; twice: everything'
complete -c tradectl -n "__fish_tradectl_using_subcommand engine; and not __fish_seen_subcommand_from paper-venue" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c tradectl -n "__fish_tradectl_using_subcommand engine; and not __fish_seen_subcommand_from paper-venue" -s V -l version -d 'Print version'
complete -c tradectl -n "__fish_tradectl_using_subcommand engine; and not __fish_seen_subcommand_from paper-venue" -f -a "paper-venue" -d 'Serves the paper venue of a local platform until it is told to end'
complete -c tradectl -n "__fish_tradectl_using_subcommand engine; and __fish_seen_subcommand_from paper-venue" -l seed -d 'The seed of the generated markets. The first one used with a platform stays' -r
complete -c tradectl -n "__fish_tradectl_using_subcommand engine; and __fish_seen_subcommand_from paper-venue" -l data -d 'Replays the closes of this comma-separated file (first line: the columns\' names) instead of generating markets' -r -F
complete -c tradectl -n "__fish_tradectl_using_subcommand engine; and __fish_seen_subcommand_from paper-venue" -l bars-per-second -d 'How many bars each market closes per second' -r
complete -c tradectl -n "__fish_tradectl_using_subcommand engine; and __fish_seen_subcommand_from paper-venue" -l env -d 'The environment: `local`, or one that a profile or a settings file names' -r
complete -c tradectl -n "__fish_tradectl_using_subcommand engine; and __fish_seen_subcommand_from paper-venue" -l config -d 'Reads this settings file instead of searching for `tradectl.toml`' -r -F
complete -c tradectl -n "__fish_tradectl_using_subcommand engine; and __fish_seen_subcommand_from paper-venue" -l output -d 'How the answer is written' -r -f -a "human\t'One screen for a person'
json\t'Exactly one JSON document on stdout'
jsonl\t'A stream of JSON events that ends with the same document'"
complete -c tradectl -n "__fish_tradectl_using_subcommand engine; and __fish_seen_subcommand_from paper-venue" -l timeout -d 'The longest that one request may take [default: 10s]' -r
complete -c tradectl -n "__fish_tradectl_using_subcommand engine; and __fish_seen_subcommand_from paper-venue" -l deadline -d 'The longest that the command may take [default: 120s]' -r
complete -c tradectl -n "__fish_tradectl_using_subcommand engine; and __fish_seen_subcommand_from paper-venue" -l log-file -d 'Writes the tool\'s own log to this file (mode 0600)' -r -F
complete -c tradectl -n "__fish_tradectl_using_subcommand engine; and __fish_seen_subcommand_from paper-venue" -l show-account -d 'Shows account ids whole'
complete -c tradectl -n "__fish_tradectl_using_subcommand engine; and __fish_seen_subcommand_from paper-venue" -s v -l verbose -d 'Says more of what it does, on stderr; twice: everything'
complete -c tradectl -n "__fish_tradectl_using_subcommand engine; and __fish_seen_subcommand_from paper-venue" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c tradectl -n "__fish_tradectl_using_subcommand engine; and __fish_seen_subcommand_from paper-venue" -s V -l version -d 'Print version'
complete -c tradectl -n "__fish_tradectl_using_subcommand completions" -l env -d 'The environment: `local`, or one that a profile or a settings file names' -r
complete -c tradectl -n "__fish_tradectl_using_subcommand completions" -l config -d 'Reads this settings file instead of searching for `tradectl.toml`' -r -F
complete -c tradectl -n "__fish_tradectl_using_subcommand completions" -l output -d 'How the answer is written' -r -f -a "human\t'One screen for a person'
json\t'Exactly one JSON document on stdout'
jsonl\t'A stream of JSON events that ends with the same document'"
complete -c tradectl -n "__fish_tradectl_using_subcommand completions" -l timeout -d 'The longest that one request may take [default: 10s]' -r
complete -c tradectl -n "__fish_tradectl_using_subcommand completions" -l deadline -d 'The longest that the command may take [default: 120s]' -r
complete -c tradectl -n "__fish_tradectl_using_subcommand completions" -l log-file -d 'Writes the tool\'s own log to this file (mode 0600)' -r -F
complete -c tradectl -n "__fish_tradectl_using_subcommand completions" -l show-account -d 'Shows account ids whole'
complete -c tradectl -n "__fish_tradectl_using_subcommand completions" -s v -l verbose -d 'Says more of what it does, on stderr; twice: everything'
complete -c tradectl -n "__fish_tradectl_using_subcommand completions" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c tradectl -n "__fish_tradectl_using_subcommand completions" -s V -l version -d 'Print version'
