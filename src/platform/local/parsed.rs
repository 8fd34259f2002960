//! Rows as they were read last. Most stand as they stood, and engines and stops look at
//! hundreds of them again and again: what has the same text is not parsed again.

use std::iter::Peekable;
use std::sync::Arc;
use std::vec::IntoIter;

use rusqlite::types::ValueRef;
use trading_core::model::Row;

use super::document::Document;

/// The rows of one table, in the order of their ids.
#[derive(Debug, Default)]
pub(super) struct Parsed(Vec<Known>);

/// A row, and the text that it was parsed from.
#[derive(Debug)]
struct Known {
    id: Arc<str>,
    text: Box<str>,
    row: Row,
}

impl Parsed {
    /// The rows that a query gives as (id, document), in the order of their ids. `key` is the
    /// key's attribute. What is not among them any more is forgotten.
    pub(super) fn read(
        &mut self,
        mut found: rusqlite::Rows<'_>,
        key: &str,
    ) -> rusqlite::Result<Vec<(Arc<str>, Row)>> {
        let mut rows = Vec::with_capacity(self.0.len());
        let mut before = std::mem::take(&mut self.0).into_iter().peekable();
        while let Some(it) = found.next()? {
            let (id, column) = (it.get_ref(0)?.as_str()?, it.get_ref(1)?);
            rows.push(self.row(&mut before, id, column, key));
        }
        Ok(rows)
    }

    fn row(
        &mut self,
        before: &mut Peekable<IntoIter<Known>>,
        id: &str,
        column: ValueRef<'_>,
        key: &str,
    ) -> (Arc<str>, Row) {
        while before.next_if(|known| *known.id < *id).is_some() {}
        let known = before.next_if(|known| *known.id == *id);
        let parse = || Document::row_from_column(column, (key, id));
        // What is no text is odd, and rare.
        let Ok(text) = column.as_str() else { return (id.into(), parse()) };
        let known = match known {
            Some(known) if *known.text == *text => known,
            other => Known {
                id: other.map_or_else(|| id.into(), |known| known.id),
                text: text.into(),
                row: parse(),
            },
        };
        let row = (Arc::clone(&known.id), known.row.clone());
        self.0.push(known);
        row
    }
}

#[cfg(test)]
mod tests {
    use super::Parsed;
    use rusqlite::Connection;

    #[test]
    fn what_stands_is_told_as_if_it_had_been_parsed_each_time() {
        let db = Connection::open_in_memory().unwrap();
        db.execute_batch(
            r#"CREATE TABLE t (id TEXT PRIMARY KEY, document TEXT) WITHOUT ROWID;
               INSERT INTO t VALUES ('a', '{"status":{"S":"running"}}'), ('b', '{not json'),
                                    ('c', x'ff'), ('d', '{"status":{"S":"paused"}}')"#,
        )
        .unwrap();
        let mut kept = Parsed::default();
        let read = |kept: &mut Parsed| {
            let mut statement = db.prepare("SELECT id, document FROM t ORDER BY id").unwrap();
            kept.read(statement.query([]).unwrap(), "id").unwrap()
        };
        let first = read(&mut kept);
        assert_eq!(read(&mut kept), first);
        for change in [
            r#"UPDATE t SET document = '{"status":{"S":"stopped"}}' WHERE id = 'a'"#,
            "DELETE FROM t WHERE id = 'd'",
            "UPDATE t SET document = x'fe' WHERE id = 'c'",
            r#"INSERT INTO t VALUES ('d', '{"status":{"S":"stopped"}}')"#,
        ] {
            db.execute(change, []).unwrap();
            assert_eq!(read(&mut kept), read(&mut Parsed::default()), "{change}");
        }
        let statuses: Vec<_> = read(&mut kept)
            .iter()
            .map(|(id, row)| (id.clone(), row.text_opt("status").map(str::to_owned)))
            .collect();
        let stopped = || Some("stopped".to_owned());
        let expected = [("a", stopped()), ("b", None), ("c", None), ("d", stopped())];
        assert_eq!(statuses, expected.map(|(id, status)| (id.into(), status)));
    }
}
