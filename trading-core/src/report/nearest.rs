//! The word that was probably meant.

/// The most similar of the words, if at least half of it is the same: a slip of the fingers.
pub fn nearest<'a>(word: &str, words: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let longer = |it: &str| it.chars().count().max(word.chars().count()).max(1);
    // How much of it differs, in thousandths.
    let difference = |it: &str| strsim::damerau_levenshtein(word, it) * 1_000 / longer(it);
    let ranked = words.into_iter().map(|it| (difference(it), it));
    ranked.filter(|(difference, _)| *difference <= 500).min_by_key(|it| it.0).map(|it| it.1)
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
