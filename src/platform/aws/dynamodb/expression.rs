//! Conditions and changes as DynamoDB writes them. Every name goes through a placeholder:
//! `status` is one of its reserved words.

use trading_core::model::Attr;

use super::attr;

/// Names and values behind placeholders.
#[derive(Clone, Debug, Default)]
pub(super) struct Placeholders {
    pub(super) names: Vec<(String, String)>,
    pub(super) values: Vec<(String, aws_sdk_dynamodb::types::AttributeValue)>,
}

impl Placeholders {
    /// A placeholder for an attribute's name.
    pub(super) fn name(&mut self, name: &str) -> String {
        if let Some((known, _)) = self.names.iter().find(|(_, it)| it == name) {
            return known.clone();
        }
        let placeholder = format!("#n{}", self.names.len());
        self.names.push((placeholder.clone(), name.to_owned()));
        placeholder
    }
    /// A placeholder for a value; nothing if it cannot be sent.
    pub(super) fn value(&mut self, value: &Attr) -> Option<String> {
        let placeholder = format!(":v{}", self.values.len());
        self.values.push((placeholder.clone(), attr::value(value)?));
        Some(placeholder)
    }
    /// `#n = :v`, or that the attribute is missing.
    pub(super) fn is(&mut self, name: &str, value: Option<&Attr>) -> Option<String> {
        let name = self.name(name);
        Some(match value {
            Some(value) => format!("{name} = {}", self.value(value)?),
            None => format!("attribute_not_exists({name})"),
        })
    }
    /// `SET … REMOVE …`; nothing where there is nothing to change, or a value that cannot
    /// be sent.
    pub(super) fn change<'a>(
        &mut self,
        changes: impl Iterator<Item = (&'a String, Option<&'a Attr>)>,
    ) -> Option<String> {
        let (mut set, mut remove) = (Vec::new(), Vec::new());
        for (name, value) in changes {
            let name = self.name(name);
            match value {
                Some(value) => set.push(format!("{name} = {}", self.value(value)?)),
                None => remove.push(name),
            }
        }
        let part = |word: &str, parts: Vec<String>| {
            (!parts.is_empty()).then(|| format!("{word} {}", parts.join(", ")))
        };
        let parts: Vec<String> =
            [part("SET", set), part("REMOVE", remove)].into_iter().flatten().collect();
        (!parts.is_empty()).then(|| parts.join(" "))
    }
}

/// Puts names and values into a request. The builders share no trait.
macro_rules! with_placeholders {
    ($request:expr, $placeholders:expr) => {{
        let placeholders = $placeholders;
        let mut request = $request;
        for (placeholder, name) in placeholders.names {
            request = request.expression_attribute_names(placeholder, name);
        }
        for (placeholder, value) in placeholders.values {
            request = request.expression_attribute_values(placeholder, value);
        }
        request
    }};
}
pub(super) use with_placeholders;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_sets_and_removes_and_names_nothing_twice() {
        let mut it = Placeholders::default();
        let condition = it.is("status", Some(&Attr::text("running"))).unwrap();
        let (status, ack) = ("status".to_owned(), "stop_ack".to_owned());
        let stopped = Attr::text("stopped");
        let change = it.change([(&status, Some(&stopped)), (&ack, None)].into_iter()).unwrap();
        assert_eq!(condition, "#n0 = :v0");
        assert_eq!(change, "SET #n0 = :v1 REMOVE #n1");
        assert_eq!(it.is("gone", None).unwrap(), "attribute_not_exists(#n2)");
        assert_eq!(it.names.len(), 3);
        assert_eq!(Placeholders::default().change(std::iter::empty()), None);
    }
}
