//! A set of small numbers: the values of one field.

/// How many numbers a set can tell apart: enough for the years 1970 to 2199.
const CAPACITY: u16 = 256;

/// Numbers from `base` to `base + 255`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Numbers {
    base: u16,
    bits: [u64; CAPACITY as usize / 64],
}

impl Numbers {
    /// None yet, of those from `base` on.
    pub(super) fn none(base: u16) -> Numbers {
        Numbers { base, bits: [0; 4] }
    }

    /// Puts a number in; it has to be within the capacity.
    pub(super) fn insert(&mut self, number: u16) {
        let (word, bit) = place(number - self.base);
        self.bits[word] |= 1 << bit;
    }

    /// True if the number is in.
    pub(super) fn contains(&self, number: u16) -> bool {
        self.first_from(number) == Some(number)
    }

    /// The least one that is not less than `from`.
    pub(super) fn first_from(&self, from: u16) -> Option<u16> {
        let from = from.saturating_sub(self.base);
        if from >= CAPACITY {
            return None;
        }
        let (first_word, first_bit) = place(from);
        for word in first_word..self.bits.len() {
            let hidden = if word == first_word { first_bit } else { 0 };
            let left = self.bits[word] >> hidden << hidden;
            if left != 0 {
                return Some(self.base + word as u16 * 64 + left.trailing_zeros() as u16);
            }
        }
        None
    }

    /// Those that are not less than `from`, in their order.
    pub(super) fn from(self, from: u16) -> impl Iterator<Item = u16> {
        std::iter::successors(self.first_from(from), move |last| self.first_from(last + 1))
    }
}

fn place(offset: u16) -> (usize, u32) {
    (usize::from(offset / 64), u32::from(offset % 64))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_numbers_put_in_come_out_in_order_from_anywhere() {
        let mut numbers = Numbers::none(1970);
        let put = [1970, 2033, 2034, 2098, 2199];
        put.into_iter().rev().for_each(|number| numbers.insert(number));
        for from in 1900..2300 {
            let expected: Vec<u16> = put.into_iter().filter(|number| *number >= from).collect();
            assert_eq!(numbers.from(from).collect::<Vec<_>>(), expected, "{from}");
            assert_eq!(numbers.contains(from), put.contains(&from), "{from}");
        }
    }
}
