//! The word that was probably meant.

/// The most similar of the words, if any is similar enough to be a slip of the fingers.
pub fn nearest<'a>(word: &str, words: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let likeness = |it: &str| strsim::normalized_damerau_levenshtein(word, it);
    let ranked = words.into_iter().map(|it| (likeness(it), it));
    ranked
        .filter(|(likeness, _)| *likeness >= 0.5)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|it| it.1)
}

#[cfg(test)]
mod tests {
    use super::nearest;

    #[test]
    fn a_slip_is_understood_and_a_strange_word_is_not() {
        let words = ["tradai-dev", "tradai-staging", "tradai-prod", "ops-pipeline", "local"];
        assert_eq!(nearest("tradia-dev", words), Some("tradai-dev"));
        assert_eq!(nearest("lcoal", words), Some("local"));
        assert_eq!(nearest("ops_pipeline", words), Some("ops-pipeline"));
        assert_eq!(nearest("xyzzy", words), None);
    }
}
