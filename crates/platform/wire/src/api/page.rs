//! Long lists come in pages; the cursor of the next page is the owner's secret.

/// The most items a page may be asked to hold.
pub const PAGE_LIMIT_MAX: u32 = 500;

/// A part of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page<T> {
    /// The items, in the list's order.
    pub items: Vec<T>,
    /// Where the next page starts; `None` at the end.
    pub next: Option<String>,
}

impl<T> Page<T> {
    /// The only page of a short list.
    #[must_use]
    pub const fn whole(items: Vec<T>) -> Self {
        Self { items, next: None }
    }
}
