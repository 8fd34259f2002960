//! Client order ids whose rows are no longer kept. An id has at most one effect for ever,
//! also after its order is forgotten: our own ids carry numbers that only rise, so the
//! highest forgotten one speaks for all below it; any other id is remembered as it is.

use crate::model::ClientOrderId;

/// An id as it is remembered once its order is forgotten.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SpentId {
    /// `STRATEGY.GENERATION.COUNTER`: the generation is given once, the counter rises.
    Serial {
        /// The strategy.
        stem: String,
        /// The lease's generation, then the counter: ordered as they were given.
        number: (u64, u64),
    },
    /// Of another shape: only itself speaks for it.
    Name(String),
}

impl From<&ClientOrderId> for SpentId {
    fn from(id: &ClientOrderId) -> Self {
        serial(id.as_str()).unwrap_or_else(|| Self::Name(id.as_str().to_owned()))
    }
}

fn serial(id: &str) -> Option<SpentId> {
    let mut parts = id.rsplitn(3, '.');
    let (counter, generation) = (number(parts.next()?)?, number(parts.next()?)?);
    let stem = parts.next()?.to_owned();
    Some(SpentId::Serial { stem, number: (generation, counter) })
}

/// A number exactly as it is written by us: `007` is another id than `7`.
fn number(text: &str) -> Option<u64> {
    let number: u64 = text.parse().ok()?;
    // What a store can hold and compare.
    (number.to_string() == text && i64::try_from(number).is_ok()).then_some(number)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn only_our_own_shape_is_read_as_numbers() {
        let of = |id: &str| SpentId::from(&ClientOrderId::from(id));
        let serial = |stem: &str, number| SpentId::Serial { stem: stem.into(), number };
        assert_eq!(of("s.1.7"), serial("s", (1, 7)));
        assert_eq!(of("a.b.1.7"), serial("a.b", (1, 7)));
        for other in
            ["s", "s.7", "s.01.7", "s.1.+7", "s.1.", "s.1.99999999999999999999", "stop-1-s.1.2-X-1"]
        {
            assert_eq!(of(other), SpentId::Name(other.into()), "{other}");
        }
    }

    proptest! {
        #[test]
        fn no_two_ids_are_remembered_as_one(a in "[a.]{0,3}[.]?[0-9.+]{0,4}", b in "[a.]{0,3}[.]?[0-9.+]{0,4}") {
            let (spent_a, spent_b) =
                (SpentId::from(&ClientOrderId::new(&*a)), SpentId::from(&ClientOrderId::new(&*b)));
            prop_assert_eq!(spent_a == spent_b, a == b);
        }
    }
}
