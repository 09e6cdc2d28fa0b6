//! The per-user data directory, by the platform's convention.

use std::path::PathBuf;

/// Where the data is kept unless told otherwise: `$XDG_DATA_HOME/afterward` or `~/.local/share/afterward`; on macOS
/// `~/Library/Application Support/Afterward`; on Windows `%LOCALAPPDATA%\Afterward\data`. `None` where the environment
/// does not say who the user is. `variable` reads the environment.
pub fn default_data_directory(variable: impl Fn(&str) -> Option<String>) -> Option<PathBuf> {
    let set = |name: &str| variable(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    // The XDG specification has relative paths ignored.
    if let Some(data_home) = set("XDG_DATA_HOME").filter(|path| path.is_absolute()) {
        return Some(data_home.join("afterward"));
    }
    if cfg!(windows) {
        return set("LOCALAPPDATA").map(|local| local.join("Afterward").join("data"));
    }
    let home = set("HOME")?;
    if cfg!(target_os = "macos") {
        return Some(home.join("Library").join("Application Support").join("Afterward"));
    }
    Some(home.join(".local").join("share").join("afterward"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(target_os = "linux")]
    #[test]
    fn the_xdg_directory_comes_before_the_one_in_the_home_directory() {
        for (data_home, home, found) in [
            (Some("/data"), Some("/home/ada"), Some("/data/afterward")),
            (None, Some("/home/ada"), Some("/home/ada/.local/share/afterward")),
            (Some(""), Some("/home/ada"), Some("/home/ada/.local/share/afterward")),
            (Some("relative"), Some("/home/ada"), Some("/home/ada/.local/share/afterward")),
            (None, None, None),
            (None, Some(""), None),
        ] {
            let variable = |name: &str| match name {
                "XDG_DATA_HOME" => data_home.map(String::from),
                "HOME" => home.map(String::from),
                _ => None,
            };
            assert_eq!(default_data_directory(variable), found.map(PathBuf::from), "{data_home:?} {home:?}");
        }
    }
}
