//! The grammar that all fields share: lists of numbers, names, ranges and steps.

use super::numbers::Numbers;
use crate::{Field, Invalid};

/// What a number may be called.
pub(super) type Names = &'static [(&'static str, u16)];

/// Which numbers a field takes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bounds {
    pub(super) field: Field,
    pub(super) first: u16,
    pub(super) last: u16,
    pub(super) names: Names,
    /// After how many numbers they begin again, if they do: a range may run on from the last one to the first, as in
    /// Amazon's example of `20-2` for hours.
    pub(super) cycle: Option<u16>,
}

/// A part of a list, before its step: where it begins, and where it ends if it says so.
enum Span {
    All,
    From(u16),
    Between(u16, u16),
}

impl Bounds {
    /// Every number.
    pub(super) fn all(&self) -> Numbers {
        let mut numbers = Numbers::none(self.first);
        (self.first..=self.last).for_each(|number| numbers.insert(number));
        numbers
    }

    /// Parses a whole field.
    pub(super) fn parse(&self, text: &str) -> Result<Numbers, Invalid> {
        let mut numbers = Numbers::none(self.first);
        for item in text.split(',') {
            self.parse_item(item, &mut numbers)?;
        }
        Ok(numbers)
    }

    /// Parses what stands between two commas: `*`, `5`, `5-10`, and each of them with `/step`.
    pub(super) fn parse_item(&self, item: &str, into: &mut Numbers) -> Result<(), Invalid> {
        let (span, step) = match item.split_once('/') {
            Some((span, step)) => (self.span(item, span)?, Some(self.step(item, step)?)),
            None => (self.span(item, item)?, None),
        };
        let (first, last) = match span {
            Span::All => (self.first, self.last),
            Span::From(first) if step.is_some() => (first, self.last),
            Span::From(only) => (only, only),
            Span::Between(first, last) => (first, last),
        };
        let step = usize::from(step.unwrap_or(1));
        if first <= last {
            (first..=last).step_by(step).for_each(|number| into.insert(number));
        } else if let Some(cycle) = self.cycle {
            let around = (first..=last + cycle).step_by(step);
            around.for_each(|number| into.insert(self.first + (number - self.first) % cycle));
        } else {
            return Err(self.wrong(item, "the range runs backwards"));
        }
        Ok(())
    }

    fn span(&self, item: &str, text: &str) -> Result<Span, Invalid> {
        match text.split_once('-') {
            _ if text == "*" => Ok(Span::All),
            Some((first, last)) => Ok(Span::Between(self.number(item, first)?, self.number(item, last)?)),
            None => Ok(Span::From(self.number(item, text)?)),
        }
    }

    fn step(&self, item: &str, text: &str) -> Result<u16, Invalid> {
        let count = self.last - self.first + 1;
        digits(text)
            .filter(|step| (1..=count).contains(step))
            .ok_or_else(|| self.wrong(item, &format!("the step is not a number from 1 to {count}")))
    }

    /// Parses one number or name of `item`.
    pub(super) fn number(&self, item: &str, text: &str) -> Result<u16, Invalid> {
        if let Some((_, number)) = self.names.iter().find(|(name, _)| name.eq_ignore_ascii_case(text)) {
            return Ok(*number);
        }
        digits(text).filter(|number| (self.first..=self.last).contains(number)).ok_or_else(|| {
            let names = match (self.names.first(), self.names.last()) {
                (Some((first, _)), Some((last, _))) => format!(", or {first} to {last}"),
                _ => String::new(),
            };
            self.wrong(item, &format!("it takes {} to {}{names}", self.first, self.last))
        })
    }

    /// The refusal of a part of this field.
    pub(super) fn wrong(&self, item: &str, why: &str) -> Invalid {
        Invalid::Field { field: self.field, text: item.to_owned(), why: why.to_owned() }
    }
}

/// A number of at most four digits, and nothing but digits.
fn digits(text: &str) -> Option<u16> {
    Some(text).filter(|text| text.len() <= 4 && text.bytes().all(|byte| byte.is_ascii_digit()))?.parse().ok()
}
