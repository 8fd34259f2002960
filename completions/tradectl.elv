
use builtin;
use str;

set edit:completion:arg-completer[tradectl] = {|@words|
    fn spaces {|n|
        builtin:repeat $n ' ' | str:join ''
    }
    fn cand {|text desc|
        edit:complex-candidate $text &display=$text' '(spaces (- 14 (wcswidth $text)))$desc
    }
    var command = 'tradectl'
    for word $words[1..-1] {
        if (str:has-prefix $word '-') {
            break
        }
        set command = $command';'$word
    }
    var completions = [
        &'tradectl'= {
            cand --env 'The environment: `local`, or one that a profile or a settings file names'
            cand --config 'Reads this settings file instead of searching for `tradectl.toml`'
            cand --output 'How the answer is written'
            cand --timeout 'The longest that one request may take [default: 10s]'
            cand --deadline 'The longest that the command may take [default: 120s]'
            cand --log-file 'Writes the tool''s own log to this file (mode 0600)'
            cand --show-account 'Shows account ids whole'
            cand -v 'Says more of what it does, on stderr; twice: everything'
            cand --verbose 'Says more of what it does, on stderr; twice: everything'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
            cand -V 'Print version'
            cand --version 'Print version'
            cand config 'Shows and checks the settings'
            cand engine 'The processes that trade: engine and paper venue'
            cand completions 'Writes the completion script of a shell'
        }
        &'tradectl;config'= {
            cand --env 'The environment: `local`, or one that a profile or a settings file names'
            cand --config 'Reads this settings file instead of searching for `tradectl.toml`'
            cand --output 'How the answer is written'
            cand --timeout 'The longest that one request may take [default: 10s]'
            cand --deadline 'The longest that the command may take [default: 120s]'
            cand --log-file 'Writes the tool''s own log to this file (mode 0600)'
            cand --show-account 'Shows account ids whole'
            cand -v 'Says more of what it does, on stderr; twice: everything'
            cand --verbose 'Says more of what it does, on stderr; twice: everything'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
            cand -V 'Print version'
            cand --version 'Print version'
            cand show 'Shows every value with its origin: flag, variable, file, profile or default'
            cand check 'Checks every settings file and variable, and says everything that is wrong'
        }
        &'tradectl;config;show'= {
            cand --env 'The environment: `local`, or one that a profile or a settings file names'
            cand --config 'Reads this settings file instead of searching for `tradectl.toml`'
            cand --output 'How the answer is written'
            cand --timeout 'The longest that one request may take [default: 10s]'
            cand --deadline 'The longest that the command may take [default: 120s]'
            cand --log-file 'Writes the tool''s own log to this file (mode 0600)'
            cand --show-account 'Shows account ids whole'
            cand -v 'Says more of what it does, on stderr; twice: everything'
            cand --verbose 'Says more of what it does, on stderr; twice: everything'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
            cand -V 'Print version'
            cand --version 'Print version'
        }
        &'tradectl;config;check'= {
            cand --env 'The environment: `local`, or one that a profile or a settings file names'
            cand --config 'Reads this settings file instead of searching for `tradectl.toml`'
            cand --output 'How the answer is written'
            cand --timeout 'The longest that one request may take [default: 10s]'
            cand --deadline 'The longest that the command may take [default: 120s]'
            cand --log-file 'Writes the tool''s own log to this file (mode 0600)'
            cand --show-account 'Shows account ids whole'
            cand -v 'Says more of what it does, on stderr; twice: everything'
            cand --verbose 'Says more of what it does, on stderr; twice: everything'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
            cand -V 'Print version'
            cand --version 'Print version'
        }
        &'tradectl;engine'= {
            cand --env 'The environment: `local`, or one that a profile or a settings file names'
            cand --config 'Reads this settings file instead of searching for `tradectl.toml`'
            cand --output 'How the answer is written'
            cand --timeout 'The longest that one request may take [default: 10s]'
            cand --deadline 'The longest that the command may take [default: 120s]'
            cand --log-file 'Writes the tool''s own log to this file (mode 0600)'
            cand --show-account 'Shows account ids whole'
            cand -v 'Says more of what it does, on stderr; twice: everything'
            cand --verbose 'Says more of what it does, on stderr; twice: everything'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
            cand -V 'Print version'
            cand --version 'Print version'
            cand paper-venue 'Serves the paper venue of a local platform until it is told to end'
        }
        &'tradectl;engine;paper-venue'= {
            cand --seed 'The seed of the generated markets. The first one used with a platform stays'
            cand --data 'Replays the closes of this comma-separated file (first line: the columns'' names) instead of generating markets'
            cand --bars-per-second 'How many bars each market closes per second'
            cand --env 'The environment: `local`, or one that a profile or a settings file names'
            cand --config 'Reads this settings file instead of searching for `tradectl.toml`'
            cand --output 'How the answer is written'
            cand --timeout 'The longest that one request may take [default: 10s]'
            cand --deadline 'The longest that the command may take [default: 120s]'
            cand --log-file 'Writes the tool''s own log to this file (mode 0600)'
            cand --show-account 'Shows account ids whole'
            cand -v 'Says more of what it does, on stderr; twice: everything'
            cand --verbose 'Says more of what it does, on stderr; twice: everything'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
            cand -V 'Print version'
            cand --version 'Print version'
        }
        &'tradectl;completions'= {
            cand --env 'The environment: `local`, or one that a profile or a settings file names'
            cand --config 'Reads this settings file instead of searching for `tradectl.toml`'
            cand --output 'How the answer is written'
            cand --timeout 'The longest that one request may take [default: 10s]'
            cand --deadline 'The longest that the command may take [default: 120s]'
            cand --log-file 'Writes the tool''s own log to this file (mode 0600)'
            cand --show-account 'Shows account ids whole'
            cand -v 'Says more of what it does, on stderr; twice: everything'
            cand --verbose 'Says more of what it does, on stderr; twice: everything'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
            cand -V 'Print version'
            cand --version 'Print version'
        }
    ]
    $completions[$command]
}
