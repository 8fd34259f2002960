//! Which of an account's schedules and rules are an environment's. An account holds those of
//! several systems and stages; to disable another one's is as bad as to overlook one of ours.

use crate::model::{ScheduleTarget, matches};

/// Above this two names are taken for the same one, misspelt.
const ALIKE: f64 = 0.6;

/// What tells an environment's schedules.
#[derive(Clone, Copy, Debug)]
pub struct Membership<'a> {
    /// Its cluster's name.
    pub cluster: Option<&'a str>,
    /// What its schedules' and rules' names look like; `*` stands for any text.
    pub pattern: Option<&'a str>,
}

/// Whether a cluster exists.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Presence {
    /// It does.
    Exists,
    /// Confirmed not to.
    Absent,
    /// It could not be found out.
    Unknown,
}

/// Whose a schedule is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Belongs {
    /// The environment's.
    Ours,
    /// Somebody else's.
    Others,
    /// Ours if this cluster does not exist: it is then ours, misspelt.
    OursUnless(String),
}

impl Membership<'_> {
    /// Whose a schedule of this bare name is that starts these things.
    ///
    /// One that starts tasks or scales a service in our cluster is ours whatever its name. One that names another
    /// cluster is another system's if that exists, however its own name reads: patterns of
    /// names are seldom so exact that they tell two stages apart. One that starts no tasks is
    /// told by its name.
    pub fn of(&self, name: &str, targets: &[ScheduleTarget]) -> Belongs {
        let mut clusters = targets.iter().filter_map(ScheduleTarget::cluster);
        let named = self.pattern.is_some_and(|pattern| matches(pattern, name));
        if clusters.clone().any(|cluster| Some(cluster) == self.cluster) {
            return Belongs::Ours;
        }
        if clusters.clone().next().is_none() {
            return if named { Belongs::Ours } else { Belongs::Others };
        }
        match clusters.find(|cluster| named || self.resembles(cluster)) {
            Some(cluster) => Belongs::OursUnless(cluster.to_owned()),
            None => Belongs::Others,
        }
    }

    fn resembles(&self, cluster: &str) -> bool {
        self.cluster.is_some_and(|ours| {
            ours.contains(cluster)
                || cluster.contains(ours)
                || strsim::normalized_damerau_levenshtein(ours, cluster) >= ALIKE
        })
    }
}

#[cfg(test)]
mod tests {
    use super::{Belongs, Membership, ScheduleTarget};

    const OURS: Membership<'static> =
        Membership { cluster: Some("ops-pipeline-cluster"), pattern: Some("ops-*-dev") };

    fn task(cluster: &str) -> ScheduleTarget {
        ScheduleTarget::Task { cluster: cluster.to_owned(), family: "f".to_owned() }
    }

    fn unless(cluster: &str) -> Belongs {
        Belongs::OursUnless(cluster.to_owned())
    }

    #[test]
    fn what_starts_tasks_in_our_cluster_is_ours_whatever_its_name() {
        assert_eq!(OURS.of("anything", &[task("ops-pipeline-cluster")]), Belongs::Ours);
        let scales = |cluster: &str| {
            [ScheduleTarget::Service { cluster: cluster.to_owned(), service: "s".into() }]
        };
        assert_eq!(OURS.of("anything", &scales("ops-pipeline-cluster")), Belongs::Ours);
        assert_eq!(OURS.of("x", &scales("ops-pipeline")), unless("ops-pipeline"));
        assert_eq!(OURS.of("x", &scales("backtests")), Belongs::Others);
        let both = [ScheduleTarget::Function { name: "g".into() }, task("ops-pipeline-cluster")];
        assert_eq!(OURS.of("anything", &both), Belongs::Ours);
        assert_eq!(OURS.of("x", &[task("other"), task("ops-pipeline-cluster")]), Belongs::Ours);
    }

    #[test]
    fn another_cluster_decides_by_whether_it_exists() {
        assert_eq!(OURS.of("x", &[task("ops-pipeline")]), unless("ops-pipeline"));
        assert_eq!(OURS.of("x", &[task("ops-pipelin-cluster")]), unless("ops-pipelin-cluster"));
        assert_eq!(OURS.of("ops-bars-dev", &[task("backtests")]), unless("backtests"));
        assert_eq!(OURS.of("ops-bars-prod", &[task("backtests")]), Belongs::Others);
    }

    #[test]
    fn what_starts_no_tasks_is_told_by_its_name() {
        let function = [ScheduleTarget::Function { name: "g".into() }];
        assert_eq!(OURS.of("ops-check-dev", &function), Belongs::Ours);
        assert_eq!(OURS.of("ops-check-prod", &function), Belongs::Others);
        assert_eq!(OURS.of("ops-check-dev", &[]), Belongs::Ours);
        let nameless = Membership { cluster: None, pattern: None };
        assert_eq!(nameless.of("ops-check-dev", &function), Belongs::Others);
        assert_eq!(nameless.of("x", &[task("c")]), Belongs::Others);
    }
}
