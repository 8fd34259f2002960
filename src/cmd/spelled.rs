//! Commands that people are told to type, spelled so that they mean the same again.

/// Names the environment with its settings file, unless the text names a file: what was typed is
/// told again as it was typed, and a second `--config` is no command.
pub(super) fn place(text: &mut String, short: &str, whole: &str) {
    if !names_config(text) {
        *text = text.replace(short, whole);
    }
}

fn names_config(text: &str) -> bool {
    text.contains("--config ") || text.contains("--config=")
}

/// Names the settings file in a command of ours that names none, right behind our own name:
/// a text may go on after the command.
pub(super) fn config(text: &mut String, file: &str) {
    if names_config(text) {
        return;
    }
    let starts = text.match_indices("tradectl ").map(|(at, _)| at);
    // No part of a path or of another word.
    let ours = |at: &usize| text[..*at].chars().next_back().is_none_or(|c| " `(".contains(c));
    if let Some(at) = starts.filter(ours).last() {
        text.insert_str(
            at + "tradectl ".len(),
            &format!("--config {} ", super::planned::quoted(file)),
        );
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_settings_file_that_was_named_is_named_in_what_is_typed_next() {
        let told = |text: &str, file: &str| {
            let mut text = text.to_owned();
            super::config(&mut text, file);
            text
        };
        assert_eq!(
            told("tradectl config check", "t.toml"),
            "tradectl --config t.toml config check"
        );
        let edit = "edit t.toml, then: tradectl config check";
        assert_eq!(told(edit, "a b"), "edit t.toml, then: tradectl --config 'a b' config check");
        for same in ["tradectl status --env e --config x", "unset A", "edit /x/tradectl or so"] {
            assert_eq!(told(same, "t.toml"), same);
        }
    }

    #[test]
    fn a_settings_file_that_was_typed_is_named_once() {
        let told = |text: &str| {
            let mut text = text.to_owned();
            super::place(&mut text, "--env e", "--env e --config /x/t.toml");
            text
        };
        assert_eq!(told("tradectl status --env e"), "tradectl status --env e --config /x/t.toml");
        for typed in
            ["--config t.toml --env e", "--env e --config t.toml", "--config=t.toml --env e"]
        {
            let line = format!("next: tradectl {typed} resume --reason r");
            assert_eq!(told(&line), line);
        }
    }
}
