//! MD5, of one text or of several at a time.
//!
//! Each step of MD5 waits for the step before it, so a core has most of its units idle. Two things help. Four texts
//! are digested side by side, a step of each at a time: the entries of a batch take half of the time. And a step's sum
//! is put in such an order that what waits for the step before is added last.
//!
//! Source: RFC 1321. MD5 protects nothing here: SDKs compare it to find bytes that were garbled on the way.

/// The state of this many digests, word by word.
type Lanes<const N: usize> = [u32; N];

/// How many texts go side by side. More than four don't fit into the registers that every x86-64 and ARM has.
const WIDTH: usize = 4;
const BLOCK_BYTES: usize = 64;

const START: [u32; 4] = [0x6745_2301, 0xefcd_ab89, 0x98ba_dcfe, 0x1032_5476];
/// By how much a step rotates, by round and step.
const ROTATIONS: [[u32; 4]; 4] = [[7, 12, 17, 22], [5, 9, 14, 20], [4, 11, 16, 23], [6, 10, 15, 21]];
/// Of step `i`, counted from 1: the integer part of 2³² |sin i|.
#[rustfmt::skip]
const ADDENDS: [u32; 64] = [
    0xd76aa478, 0xe8c7b756, 0x242070db, 0xc1bdceee, 0xf57c0faf, 0x4787c62a, 0xa8304613, 0xfd469501,
    0x698098d8, 0x8b44f7af, 0xffff5bb1, 0x895cd7be, 0x6b901122, 0xfd987193, 0xa679438e, 0x49b40821,
    0xf61e2562, 0xc040b340, 0x265e5a51, 0xe9b6c7aa, 0xd62f105d, 0x02441453, 0xd8a1e681, 0xe7d3fbc8,
    0x21e1cde6, 0xc33707d6, 0xf4d50d87, 0x455a14ed, 0xa9e3e905, 0xfcefa3f8, 0x676f02d9, 0x8d2a4c8a,
    0xfffa3942, 0x8771f681, 0x6d9d6122, 0xfde5380c, 0xa4beea44, 0x4bdecfa9, 0xf6bb4b60, 0xbebfbc70,
    0x289b7ec6, 0xeaa127fa, 0xd4ef3085, 0x04881d05, 0xd9d4d039, 0xe6db99e5, 0x1fa27cf8, 0xc4ac5665,
    0xf4292244, 0x432aff97, 0xab9423a7, 0xfc93a039, 0x655b59c3, 0x8f0ccc92, 0xffeff47d, 0x85845dd1,
    0x6fa87e4f, 0xfe2ce6e0, 0xa3014314, 0x4e0811a1, 0xf7537e82, 0xbd3af235, 0x2ad7d2bb, 0xeb86d391,
];

/// A text's MD5.
pub fn digest(text: &[u8]) -> [u8; 16] {
    let mut state = START.map(|word| [word]);
    (0..blocks(text)).for_each(|index| compress(&mut state, [block(text, index)]));
    bytes(&state, 0)
}

/// The MD5s of several texts, in their order.
pub fn digests(texts: &[&[u8]]) -> Vec<[u8; 16]> {
    // Side by side with others of their length, so that few have to go on alone.
    let mut order: Vec<usize> = (0..texts.len()).collect();
    order.sort_unstable_by_key(|&at| texts[at].len());
    let mut digests = vec![[0; 16]; texts.len()];
    let (groups, rest) = order.as_chunks::<WIDTH>();
    for group in groups {
        for (at, digest) in group.iter().zip(side_by_side(group.map(|at| texts[at]))) {
            digests[*at] = digest;
        }
    }
    match *rest {
        [] => {}
        [at] => digests[at] = digest(texts[at]),
        [first, ..] => {
            // The places left over digest the first text again, and nobody looks.
            let group: [usize; WIDTH] = std::array::from_fn(|place| rest.get(place).copied().unwrap_or(first));
            for (at, digest) in rest.iter().zip(side_by_side(group.map(|at| texts[at]))) {
                digests[*at] = digest;
            }
        }
    }
    digests
}

/// As many blocks as the shortest has side by side, then each the rest of its own.
fn side_by_side(texts: [&[u8]; WIDTH]) -> [[u8; 16]; WIDTH] {
    let mut state = START.map(|word| [word; WIDTH]);
    let together = texts.iter().map(|text| blocks(text)).min().unwrap_or_default();
    for index in 0..together {
        compress(&mut state, texts.map(|text| block(text, index)));
    }
    std::array::from_fn(|place| {
        let mut state = state.map(|word| [word[place]]);
        (together..blocks(texts[place])).for_each(|index| compress(&mut state, [block(texts[place], index)]));
        bytes(&state, 0)
    })
}

/// How many blocks a text has, with the mark of its end and its length behind it.
fn blocks(text: &[u8]) -> usize {
    (text.len() + 9).div_ceil(BLOCK_BYTES)
}

/// A block of a text, padded where the text has ended.
#[inline(always)]
fn block(text: &[u8], index: usize) -> [u8; BLOCK_BYTES] {
    let from = index * BLOCK_BYTES;
    let rest = text.get(from..).unwrap_or_default();
    if let Some(whole) = rest.first_chunk() {
        return *whole;
    }
    let mut block = [0; BLOCK_BYTES];
    block[..rest.len()].copy_from_slice(rest);
    if from <= text.len() {
        block[rest.len()] = 0x80;
    }
    if index + 1 == blocks(text) {
        block[BLOCK_BYTES - 8..].copy_from_slice(&(text.len() as u64 * 8).to_le_bytes());
    }
    block
}

/// The digest at one place of the state.
fn bytes<const N: usize>(state: &[Lanes<N>; 4], place: usize) -> [u8; 16] {
    let mut digest = [0; 16];
    for (four, word) in digest.as_chunks_mut::<4>().0.iter_mut().zip(state) {
        *four = word[place].to_le_bytes();
    }
    digest
}

fn compress<const N: usize>(state: &mut [Lanes<N>; 4], blocks: [[u8; BLOCK_BYTES]; N]) {
    let mut words = [[0; N]; 16];
    for (place, block) in blocks.iter().enumerate() {
        for (word, four) in words.iter_mut().zip(block.as_chunks::<4>().0) {
            word[place] = u32::from_le_bytes(*four);
        }
    }
    let [mut a, mut b, mut c, mut d] = *state;
    macro_rules! steps {
        ($($first:literal)*) => { $(
            step::<N, { $first }>(&mut a, b, c, d, &words);
            step::<N, { $first + 1 }>(&mut d, a, b, c, &words);
            step::<N, { $first + 2 }>(&mut c, d, a, b, &words);
            step::<N, { $first + 3 }>(&mut b, c, d, a, &words);
        )* };
    }
    steps!(0 4 8 12 16 20 24 28 32 36 40 44 48 52 56 60);
    for (sum, word) in state.iter_mut().zip([a, b, c, d]) {
        *sum = std::array::from_fn(|place| sum[place].wrapping_add(word[place]));
    }
}

/// Step `I` of 64, counted from 0. All that depends on `I` is known to the compiler.
#[inline(always)]
fn step<const N: usize, const I: usize>(
    a: &mut Lanes<N>,
    b: Lanes<N>,
    c: Lanes<N>,
    d: Lanes<N>,
    words: &[Lanes<N>; 16],
) {
    let word = match I / 16 {
        0 => I,
        1 => (5 * I + 1) % 16,
        2 => (3 * I + 5) % 16,
        _ => 7 * I % 16,
    };
    let mut next = [0; N];
    for place in 0..N {
        let (b, c, d) = (b[place], c[place], d[place]);
        let sum = a[place].wrapping_add(words[word][place]).wrapping_add(ADDENDS[I]);
        let sum = match I / 16 {
            0 => sum.wrapping_add(d ^ (b & (c ^ d))),
            // `b` where `d` is set and `c` where not: never both, so that their sum is their union.
            1 => sum.wrapping_add(!d & c).wrapping_add(d & b),
            2 => sum.wrapping_add(b ^ (c ^ d)),
            _ => sum.wrapping_add(c ^ (b | !d)),
        };
        next[place] = sum.rotate_left(ROTATIONS[I / 16][I % 4]).wrapping_add(b);
    }
    *a = next;
}

#[cfg(test)]
mod tests {
    use super::*;
    use ::md5::{Digest, Md5};

    /// Texts whose bytes follow from their lengths.
    fn texts(lengths: impl IntoIterator<Item = usize>) -> Vec<Vec<u8>> {
        let text = |length| (0..length).map(|at| (at * 31 + length * 7) as u8).collect();
        lengths.into_iter().map(text).collect()
    }

    fn theirs(text: &[u8]) -> [u8; 16] {
        Md5::digest(text).into()
    }

    #[test]
    fn texts_of_every_length_around_a_block_have_the_digests_that_others_compute() {
        for text in texts((0..=200).chain([1 << 20])) {
            assert_eq!(digest(&text), theirs(&text), "{} bytes", text.len());
        }
    }

    #[test]
    fn several_texts_have_their_own_digests_whatever_their_number_and_lengths() {
        for lengths in [
            vec![],
            vec![5],
            vec![256; 10],
            vec![0, 1, 55, 56, 63, 64, 65, 119, 120, 128],
            vec![300, 2, 70_000, 1],
            vec![64, 64, 64],
            (0..40).map(|at| at * 37 % 200).collect(),
        ] {
            let texts = texts(lengths.iter().copied());
            let slices: Vec<&[u8]> = texts.iter().map(Vec::as_slice).collect();
            let expected: Vec<_> = slices.iter().map(|text| theirs(text)).collect();
            assert_eq!(digests(&slices), expected, "{lengths:?}");
        }
    }
}
