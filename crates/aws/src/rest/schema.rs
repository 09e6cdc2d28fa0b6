//! What an action looks like on the wire, as data.

use http::Method;

/// An action.
#[derive(Debug)]
pub(crate) struct Operation {
    /// `GET`, …
    pub(crate) method: Method,
    /// The path up to its label, with the slash before that: `/schedules/`; all of it where there is none.
    pub(crate) path: &'static str,
    /// The members of its input.
    pub(crate) input: &'static [Member],
}

/// A member of a structure.
#[derive(Debug)]
pub(crate) struct Member {
    pub(crate) name: &'static str,
    pub(crate) place: Place,
    pub(crate) shape: &'static Shape,
    pub(crate) required: bool,
}

/// Where a member stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    /// In the JSON body, by its own name.
    Body,
    /// At the end of the path.
    Label,
    /// In the query string, by this name.
    Query(&'static str),
}

/// What a value may be.
#[derive(Debug)]
pub(crate) enum Shape {
    Text(Text),
    /// One of these texts.
    Choice(&'static [&'static str]),
    /// A whole number from the first to the second.
    Integer(i64, i64),
    /// Seconds since 1970.
    Time,
    /// At most so many.
    List(&'static Shape, usize),
    Structure(&'static [Member]),
    /// A structure that nothing here looks into.
    Unread,
}

/// A text of so many characters.
#[derive(Debug)]
pub(crate) struct Text {
    pub(crate) least: usize,
    pub(crate) most: usize,
    pub(crate) pattern: Option<&'static Pattern>,
}

/// A regular expression of the model, and what it takes.
#[derive(Debug)]
pub(crate) struct Pattern {
    /// As the model has it, for messages.
    pub(crate) text: &'static str,
    /// Whether a text is of that kind.
    pub(crate) matches: fn(&str) -> bool,
}

impl Member {
    /// One that may be left out.
    pub(crate) const fn optional(name: &'static str, shape: &'static Shape) -> Member {
        Member { name, place: Place::Body, shape, required: false }
    }

    /// One that has to be there.
    pub(crate) const fn required(name: &'static str, shape: &'static Shape) -> Member {
        Member { name, place: Place::Body, shape, required: true }
    }

    /// The end of the path.
    pub(crate) const fn label(name: &'static str, shape: &'static Shape) -> Member {
        Member { name, place: Place::Label, shape, required: true }
    }

    /// One of the query string that may be left out; `wire` is what it is called there.
    pub(crate) const fn query(name: &'static str, wire: &'static str, shape: &'static Shape) -> Member {
        Member { name, place: Place::Query(wire), shape, required: false }
    }
}
