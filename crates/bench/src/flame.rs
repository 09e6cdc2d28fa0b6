//! A flame graph of the server while it is sent to with 64 connections: Linux's `perf` samples it, `inferno` draws it.

use crate::{
    lab::Lab,
    load::{Extent, Times},
    sqs::Expect,
    trouble::Trouble,
};
use inferno::{
    collapse::{Collapse, perf},
    flamegraph,
};
use std::{
    fs,
    path::Path,
    process::{Command, Stdio},
    time::Duration,
};

/// The picture is for a page: narrower frames are left out until it is no larger.
const MOST_BYTES: usize = 300_000;

/// Samples a second and core: no multiple of any timer's rate.
const HERTZ: &str = "997";

/// Samples a server under load for `time` and draws `svg`.
///
/// # Errors
/// When `perf` is missing or may not sample, or what it saw can't be drawn.
pub async fn draw(lab: &Lab<'_>, time: Duration, svg: &Path) -> Result<(), Trouble> {
    let broker = lab.broker()?;
    let unknown = || Trouble::new("the server's process is not known");
    let pid = broker.target().pid.ok_or_else(unknown)?.to_string();
    let recording = lab.work().join("perf.data");
    let load = lab.load(broker.target()).await?;
    let perf = Command::new("perf")
        .args(["record", "--quiet", "-F", HERTZ, "--call-graph", "fp", "-p", &pid, "-o"])
        .arg(&recording)
        .args(["--", "sleep", &time.as_secs_f64().to_string()])
        .stdin(Stdio::null())
        .spawn();
    let mut perf = perf.map_err(Trouble::because("`perf` can't be started (Debian's package `linux-perf` has it)"))?;
    let times = Times { warm: time / 4, counted: time };
    load.send(64, times, Expect::Broker).await;
    let recorded = perf.wait().map_err(Trouble::because("perf record"))?;
    load.prove(Extent::All).await.check()?;
    if !recorded.success() {
        return Err(Trouble::new("`perf record` failed: may this user sample (kernel.perf_event_paranoid)?"));
    }
    let script = Command::new("perf").args(["script", "-i"]).arg(&recording).stderr(Stdio::null()).output();
    let script = script.map_err(Trouble::because("perf script"))?;
    let _ = fs::remove_file(&recording);
    let picture = picture(&script.stdout)?;
    if let Some(folder) = svg.parent() {
        fs::create_dir_all(folder).map_err(Trouble::because(folder.display()))?;
    }
    fs::write(svg, picture).map_err(Trouble::because(svg.display()))
}

/// The flame graph of `perf script`'s text, small enough.
fn picture(script: &[u8]) -> Result<Vec<u8>, Trouble> {
    let mut folded = Vec::new();
    let folder = &mut perf::Folder::from(perf::Options::default());
    folder.collapse(script, &mut folded).map_err(Trouble::because("perf's samples can't be read"))?;
    if folded.is_empty() {
        return Err(Trouble::new("perf took no samples"));
    }
    let mut narrowest = 0.05;
    loop {
        let mut options = flamegraph::Options::default();
        "SendMessage, 64 connections: where the server's CPU time goes".clone_into(&mut options.title);
        options.min_width = narrowest;
        options.deterministic = true;
        let mut svg = Vec::new();
        let drawn = flamegraph::from_reader(&mut options, &*folded, &mut svg);
        drawn.map_err(Trouble::because("the flame graph can't be drawn"))?;
        if svg.len() <= MOST_BYTES || narrowest > 5.0 {
            return Ok(svg);
        }
        narrowest *= 1.5;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fmt::Write;

    #[test]
    fn samples_become_a_picture_of_at_most_its_size() {
        let mut script = String::new();
        for sample in 0..4000 {
            let _ = writeln!(script, "afterward 7/8 [000] 1.{sample:06}: 1 cycles:");
            for depth in 0..6 {
                let name = sample * 7 % (depth + 1 + sample % 900);
                let _ = writeln!(script, "\t{depth:x} function_{name}_with_a_long_name (afterward)");
            }
            script.push('\n');
        }
        let picture = picture(script.as_bytes()).unwrap();
        assert!(picture.len() <= MOST_BYTES, "{}", picture.len());
        assert!(String::from_utf8(picture).unwrap().contains("function_0_with"));
        assert!(super::picture(b"").is_err());
    }
}
