//! Every seed, and every input that once went wrong, without libFuzzer: `cargo test --no-default-features`.

use std::{fs, path::Path};

/// One after the other in one thread, because memory is bounded for the whole process.
#[test]
fn seeds_and_regressions_end_well() {
    for target in afterward_fuzz::all() {
        let mut inputs = 0;
        for kind in ["seeds", "regressions"] {
            let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(kind).join(target.name);
            let files = fs::read_dir(&folder).into_iter().flatten().map(|entry| entry.expect("a file").path());
            for file in files {
                println!("{}", file.display());
                (target.run)(&fs::read(&file).expect("a file that can be read"));
                inputs += 1;
            }
        }
        assert!(inputs > 0, "{} has no seeds: `cargo run --no-default-features --example seeds`", target.name);
    }
}
