//! Message bodies that can be told apart, and checked byte for byte, without remembering any.
//!
//! A body is a fixed text that looks random, then the run and the message's number in hexadecimal. All the rest is
//! recomputed from these two. The digest of the fixed part is kept half done: checking an MD5 costs the generator, which
//! shares its cores with the server, two blocks instead of five.

use md5::{Digest, Md5};

/// `RRRRRRRR-NNNNNNNN`.
const TAIL: usize = 17;

/// A body's size in every row of the table.
pub const BODY_BYTES: usize = 256;

/// The bodies of one run.
#[derive(Debug, Clone)]
pub struct Bodies {
    run: u32,
    text: Vec<u8>,
    /// The digest of all but the tail.
    begun: Md5,
}

impl Bodies {
    /// Bodies of `bytes` bytes, at least 32, which no other run's equal.
    pub fn new(bytes: usize) -> Bodies {
        let mut seed = [0; 4];
        let run = match getrandom::fill(&mut seed) {
            Ok(()) => u32::from_ne_bytes(seed),
            Err(_) => std::process::id(),
        };
        let mut text = scribble(bytes.max(32));
        let fixed = text.len() - TAIL;
        write_tail(&mut text[fixed..], run, 0);
        let begun = Md5::new_with_prefix(&text[..fixed]);
        Bodies { run, text, begun }
    }

    /// How long each is.
    pub fn bytes(&self) -> usize {
        self.text.len()
    }

    /// A body to put into a request's template; [`Bodies::number`] gives it its number later.
    pub fn template(&self) -> &[u8] {
        &self.text
    }

    /// Gives the body that stands in `place` the number `number`.
    pub fn number(&self, place: &mut [u8], number: u32) {
        let at = place.len() - 8;
        hex(number, &mut place[at..]);
    }

    /// The MD5 of body `number`, in hexadecimal.
    pub fn md5(&self, number: u32) -> [u8; 32] {
        let mut tail = [0; TAIL];
        write_tail(&mut tail, self.run, number);
        let digest = self.begun.clone().chain_update(tail).finalize();
        let mut text = [0; 32];
        for (pair, byte) in text.chunks_exact_mut(2).zip(digest) {
            pair.copy_from_slice(&[digit(byte >> 4), digit(byte & 15)]);
        }
        text
    }

    /// The number of a body of this run, if every byte of it is right.
    pub fn recognize(&self, body: &[u8]) -> Option<u32> {
        let fixed = self.text.len() - 8;
        let (head, number) = body.split_at_checked(fixed)?;
        if head != &self.text[..fixed] || number.len() != 8 {
            return None;
        }
        u32::from_str_radix(std::str::from_utf8(number).ok()?, 16).ok()
    }
}

/// Letters and digits that need no escape in JSON and compress badly.
fn scribble(bytes: usize) -> Vec<u8> {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let mut state = 0x2545_F491_4F6C_DD1D_u64;
    let next = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        LETTERS[(state >> 58) as usize]
    };
    std::iter::repeat_with(next).take(bytes).collect()
}

fn write_tail(place: &mut [u8], run: u32, number: u32) {
    hex(run, &mut place[..8]);
    place[8] = b'-';
    hex(number, &mut place[9..]);
}

fn hex(value: u32, place: &mut [u8]) {
    for (at, byte) in place.iter_mut().enumerate() {
        *byte = digit((value >> (28 - 4 * at)) as u8 & 15);
    }
}

fn digit(value: u8) -> u8 {
    b"0123456789abcdef"[usize::from(value & 15)]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_body_is_recognized_by_its_number_and_has_the_digest_that_md5_gives_it() {
        for bytes in [32, 256, 4096] {
            let bodies = Bodies::new(bytes);
            let mut body = bodies.template().to_vec();
            for number in [0, 1, 0xfedc_ba98, u32::MAX] {
                bodies.number(&mut body, number);
                assert_eq!(bodies.recognize(&body), Some(number));
                let whole = format!("{:x}", Md5::digest(&body));
                assert_eq!(whole.as_bytes(), bodies.md5(number));
            }
        }
    }

    #[test]
    fn a_body_with_one_wrong_byte_is_not_recognized() {
        let bodies = Bodies::new(64);
        let body = bodies.template().to_vec();
        for at in 0..56 {
            let mut wrong = body.clone();
            wrong[at] ^= 1;
            assert_eq!(bodies.recognize(&wrong), None, "byte {at}");
        }
        assert_eq!(bodies.recognize(&body[..63]), None);
        assert_eq!(Bodies::new(64).recognize(&body), None, "another run's");
    }
}
