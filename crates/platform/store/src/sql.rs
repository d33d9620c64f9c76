//! One SQL text for both databases, its parameters, and the rows it answers.

use crate::{Backend, StoreError};
use sqlx::{
    Any, Arguments, Decode, Encode, Row as _, SqlSafeStr, SqlStr, Type,
    any::{AnyArguments, AnyRow},
    query::Query,
};

/// A statement with its parameters. The text is static: nothing of a request ever becomes SQL.
pub struct Statement {
    text: &'static str,
    arguments: AnyArguments,
    unbindable: Option<sqlx::Error>,
}

/// Starts a statement: `sql("SELECT … WHERE id = $1").bind(id)`.
#[must_use]
pub fn sql(text: &'static str) -> Statement {
    Statement {
        text,
        arguments: AnyArguments::default(),
        unbindable: None,
    }
}

impl Statement {
    /// Binds the next parameter: an integer, text, bytes, a double, or an `Option` of one.
    #[must_use]
    pub fn bind<'v, T: Encode<'v, Any> + Type<Any>>(mut self, value: T) -> Self {
        if let Err(error) = self.arguments.add(value) {
            self.unbindable.get_or_insert(sqlx::Error::Encode(error));
        }
        self
    }

    /// The text, which names the statement in errors.
    pub(crate) const fn text(&self) -> &'static str {
        self.text
    }

    pub(crate) fn query(
        self,
        backend: Backend,
    ) -> Result<Query<'static, Any, AnyArguments>, StoreError> {
        match self.unbindable {
            Some(error) => Err(StoreError::Database(error)),
            None => Ok(sqlx::query_with(
                dialect(self.text, backend),
                self.arguments,
            )),
        }
    }
}

impl std::fmt::Debug for Statement {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Statement")
            .field("text", &self.text)
            .finish_non_exhaustive()
    }
}

/// The row locks of PostgreSQL, strongest first.
const ROW_LOCKS: [&str; 4] = [
    " FOR UPDATE",
    " FOR NO KEY UPDATE",
    " FOR SHARE",
    " FOR KEY SHARE",
];

/// SQLite has no row locks and needs none: its writing transactions are alone from the start.
fn dialect(text: &'static str, backend: Backend) -> SqlStr {
    let text = match backend {
        Backend::Postgres => text,
        Backend::Sqlite => {
            let text = text.trim_end();
            ROW_LOCKS
                .iter()
                .find_map(|lock| text.strip_suffix(lock))
                .unwrap_or(text)
        }
    };
    text.into_sql_str()
}

/// A row of an answer.
pub struct Row(pub(crate) AnyRow);

impl Row {
    /// The value of `column`: `i64`, `String`, `Vec<u8>`, `f64` or an `Option` of one.
    ///
    /// # Errors
    /// [`StoreError::Database`] when there is no such column or it holds another type.
    pub fn get<T>(&self, column: &str) -> Result<T, StoreError>
    where
        T: for<'r> Decode<'r, Any> + Type<Any>,
    {
        self.0.try_get(column).map_err(StoreError::Database)
    }
}

impl std::fmt::Debug for Row {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Row")
            .field("columns", &self.0.columns.len())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn row_locks_are_for_servers() {
        let text = "SELECT a FROM b WHERE c = $1 FOR UPDATE";
        assert_eq!(dialect(text, Backend::Postgres).as_str(), text);
        assert_eq!(
            dialect(text, Backend::Sqlite).as_str(),
            "SELECT a FROM b WHERE c = $1"
        );
        assert_eq!(
            dialect("SELECT 1 FOR SHARE\n", Backend::Sqlite).as_str(),
            "SELECT 1"
        );
    }
}
