//! Findings as a page tells them: of many of one kind a handful, and how many more there are.

use super::{Finding, Report};

/// How a page shortens its findings; a document has all of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fold {
    /// How many of one kind are told one by one.
    pub after: usize,
    /// The command that shows all of them.
    pub all: String,
}

/// What stands on a page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Told<'a> {
    /// A finding.
    Whole(&'a Finding),
    /// More like the one before: what they are about, and the command that shows them.
    More {
        /// The first of them.
        like: &'a Finding,
        /// What each is about.
        subjects: Vec<&'a str>,
        /// What to type.
        all: &'a str,
    },
}

impl Report {
    /// The findings for a page, the worst first.
    pub fn told(&self) -> Vec<Told<'_>> {
        let mut findings: Vec<&Finding> = self.findings.iter().collect();
        findings.sort_by_key(|finding| finding.severity);
        let Some(Fold { after, all }) = &self.fold else {
            return findings.into_iter().map(Told::Whole).collect();
        };
        let mut told: Vec<Told<'_>> = Vec::new();
        for finding in findings {
            let same = |it: &Finding| it.id == finding.id && it.severity == finding.severity;
            let of_kind = |it: &Told<'_>| match it {
                Told::Whole(one) => same(one),
                Told::More { like, .. } => same(like),
            };
            let count = told.iter().filter(|it| of_kind(it)).count();
            let last = told.iter().rposition(of_kind);
            match last.and_then(|at| told.get_mut(at)) {
                Some(Told::More { subjects, .. }) => subjects.push(&finding.subject),
                Some(Told::Whole(_)) if count >= *after => {
                    let subjects = vec![finding.subject.as_str()];
                    let at = last.map_or(told.len(), |at| at + 1);
                    told.insert(at, Told::More { like: finding, subjects, all });
                }
                Some(Told::Whole(_)) | None => told.push(Told::Whole(finding)),
            }
        }
        told
    }
}

#[cfg(test)]
mod tests {
    use super::{Fold, Told};
    use crate::report::{Exit, Finding, Report, Severity};

    #[test]
    fn many_of_a_kind_are_folded_where_the_last_of_them_stands_and_no_other_is() {
        let mut report = Report::new("status", "attention", Exit::No);
        let finding = |id, severity, n: usize| Finding::new(id, severity, format!("{id}{n}"), "x");
        report.findings = (0..4).map(|n| finding("a", Severity::Error, n)).collect();
        report.findings.extend((0..2).map(|n| finding("b", Severity::Error, n)));
        report.findings.push(finding("a", Severity::Warning, 9));
        assert_eq!(report.told().len(), 7, "nothing asks for it");

        report.fold = Some(Fold { after: 2, all: "all".to_owned() });
        let words: Vec<String> = report
            .told()
            .into_iter()
            .map(|told| match told {
                Told::Whole(one) => one.subject.clone(),
                Told::More { subjects, all, .. } => format!("{all}: {}", subjects.join(" ")),
            })
            .collect();
        assert_eq!(words, ["a0", "a1", "all: a2 a3", "b0", "b1", "a9"]);
        assert_eq!(report.findings.len(), 7, "the document has all of them");
    }
}
