//! What starts the next process of a service, however its tasks stand now.

use crate::model::{Gap, GapKind, Reading, Service};

/// Why a service is not at rest, or may not stay so.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Starts<'a> {
    /// It runs something, or is to run something.
    Counts { desired: u32, running: u32, pending: u32 },
    /// It is at 0, and its scaling target can lift it.
    Lifted,
    /// It is at 0, and what can lift it was not read.
    Unread(&'a Gap),
}

impl<'a> Starts<'a> {
    /// `None`: it is at 0 and stays there.
    pub(crate) fn of(service: &'a Service) -> Option<Self> {
        let (desired, running, pending) =
            (service.desired_count, service.running_count, service.pending_count);
        if desired > 0 || running > 0 || pending > 0 {
            return Some(Self::Counts { desired, running, pending });
        }
        Self::of_scaling(service)
    }

    /// The same of its scaling target alone, whatever its counts are.
    pub(crate) fn of_scaling(service: &'a Service) -> Option<Self> {
        match &service.autoscaling {
            Reading::Known { value, .. } => value.can_lift().then_some(Self::Lifted),
            Reading::Gap(gap) => (gap.kind != GapKind::Absent).then_some(Self::Unread(gap)),
        }
    }
}

impl std::fmt::Display for Starts<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Counts { desired, running, pending } => {
                write!(f, "desired {desired}, running {running}, pending {pending}")
            }
            Self::Lifted => f.write_str("at 0, and its scaling target can lift it"),
            Self::Unread(gap) => {
                write!(f, "at 0, and whether something lifts it is not known: {gap}")
            }
        }
    }
}
