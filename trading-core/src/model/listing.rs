//! What could be read of many things that are asked for part by part.

use super::{Gap, Reading, Utc};

/// Many things of one kind. They are asked for in several questions, or one by one: what does
/// not answer, or is not understood, hides none of the others, and stands beside them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listing<T> {
    /// What was read.
    pub found: Vec<T>,
    /// What was sought and not read: a single one, its name or id as the source, or a part of
    /// the whole. One that was read in part stands in both.
    pub gaps: Vec<Gap>,
}

impl<T> Listing<T> {
    /// All that there is.
    pub fn whole(found: Vec<T>) -> Self {
        Self { found, gaps: Vec::new() }
    }
    /// Everything that was sought was read: what is not here is nowhere.
    pub fn is_whole(&self) -> bool {
        self.gaps.is_empty()
    }
    /// All of them, or why they are not all.
    pub fn all(self) -> Result<Vec<T>, Gap> {
        match self.gaps.into_iter().next() {
            Some(gap) => Err(gap),
            None => Ok(self.found),
        }
    }
    /// As a read answers it: nothing but gaps is no empty list.
    pub fn reading(self, source: &str, at: Utc) -> Reading<Self> {
        match Gap::of_all(source, &self.gaps) {
            Some(gap) if self.found.is_empty() => Reading::Gap(gap),
            _ => Reading::known(self, source, at),
        }
    }
    /// Why one that is not among those read may be there all the same; `None`: it is confirmed
    /// not to be.
    pub fn hides(&self, name: &str) -> Option<&Gap> {
        self.gaps.iter().find(|gap| gap.source == name).or_else(|| self.gaps.first())
    }
    /// One of them. `Err`: it was not read.
    pub fn one(&self, name: &str, is: impl Fn(&T) -> bool) -> Result<Option<&T>, &Gap> {
        match (self.found.iter().find(|it| is(it)), self.hides(name)) {
            (None, Some(gap)) => Err(gap),
            (found, _) => Ok(found),
        }
    }
}

impl<T> Default for Listing<T> {
    fn default() -> Self {
        Self::whole(Vec::new())
    }
}

impl<'a, T> IntoIterator for &'a Listing<T> {
    type Item = &'a T;
    type IntoIter = std::slice::Iter<'a, T>;
    fn into_iter(self) -> Self::IntoIter {
        self.found.iter()
    }
}

#[cfg(test)]
mod tests {
    use super::{Gap, Listing, Reading, Utc};
    use crate::model::GapKind;

    fn gap(source: &str) -> Gap {
        Gap { kind: GapKind::Unparsed, source: source.to_owned(), why: "odd".to_owned() }
    }

    #[test]
    fn nothing_but_gaps_is_no_empty_list_and_what_is_missing_is_not_gone() {
        let read = |found: Vec<u8>, gaps: Vec<Gap>| {
            Listing { found, gaps }.reading("numbers", Utc::UNIX_EPOCH)
        };
        assert!(matches!(read(vec![], vec![]), Reading::Known { .. }), "there are none");
        assert_eq!(read(vec![], vec![gap("7")]).as_gap(), Some(&gap("7")));
        let part = read(vec![1], vec![gap("8"), gap("7")]).into_result().unwrap();
        assert_eq!(part.clone().all(), Err(gap("8")));
        assert_eq!(part.one("1", |it| *it == 1), Ok(Some(&1)));
        assert_eq!(part.one("7", |it| *it == 7), Err(&gap("7")));
        assert_eq!(part.one("9", |it| *it == 9), Err(&gap("8")), "it may be in any part");
        assert_eq!(Listing::whole(vec![1]).one("9", |it| *it == 9), Ok(None));
    }

    #[test]
    fn many_gaps_of_one_cause_are_told_in_one_line() {
        let gaps: Vec<Gap> = (0..40).map(|it| gap(&it.to_string())).collect();
        let one = Gap::of_all("numbers", &gaps).unwrap();
        assert_eq!(one.why, "0, 1, 2, 3, 4 and 35 more: odd");
    }
}
