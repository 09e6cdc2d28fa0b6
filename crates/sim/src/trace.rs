//! What happened in a run, line by line, and its hash: one seed gives one trace.

/// A run's trace.
#[derive(Debug, Clone)]
pub struct Trace {
    hash: u64,
    lines: Vec<String>,
    keep: bool,
}

impl Trace {
    /// Keeps its lines only where they are asked for: hundreds of runs need no more than their hashes.
    pub fn new(keep: bool) -> Trace {
        Trace { hash: 0xcbf2_9ce4_8422_2325, lines: Vec::new(), keep }
    }

    /// Adds a line.
    pub fn line(&mut self, line: String) {
        for byte in line.bytes().chain([b'\n']) {
            self.hash = (self.hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
        }
        if self.keep {
            self.lines.push(line);
        }
    }

    /// FNV-1a of all lines.
    pub fn hash(&self) -> u64 {
        self.hash
    }

    /// The lines, if they were kept.
    pub fn lines(&self) -> &[String] {
        &self.lines
    }
}
