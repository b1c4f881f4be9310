//! `completions/` and `man/` are made from the command line's definition and committed. A file that is
//! stale, missing or left over fails; `UPDATE=1 cargo test --test generated` rewrites them.

use std::{collections::BTreeMap, fs, path::Path};

use clap::{Command, CommandFactory};
use clap_complete::Shell;
use igctl::cli::Cli;

/// File name → content.
type Files = BTreeMap<String, String>;

fn completions() -> Files {
    [
        Shell::Bash,
        Shell::Elvish,
        Shell::Fish,
        Shell::PowerShell,
        Shell::Zsh,
    ]
    .into_iter()
    .map(|shell| {
        let mut script = Vec::new();
        clap_complete::generate(shell, &mut Cli::command(), "igctl", &mut script);
        let name = match shell {
            Shell::Bash => "igctl.bash",
            Shell::Elvish => "igctl.elv",
            Shell::Fish => "igctl.fish",
            Shell::PowerShell => "_igctl.ps1",
            _ => "_igctl",
        };
        (
            name.to_owned(),
            String::from_utf8(script).expect("scripts are text"),
        )
    })
    .collect()
}

/// One page for each command, named by its words.
fn pages() -> Files {
    fn add(command: &Command, pages: &mut Files) {
        let name = command
            .get_display_name()
            .unwrap_or(command.get_name())
            .to_owned();
        let mut page = Vec::new();
        clap_mangen::Man::new(command.clone())
            .render(&mut page)
            .expect("a Vec takes everything");
        pages.insert(
            format!("{name}.1"),
            String::from_utf8(page).expect("pages are text"),
        );
        for sub in command.get_subcommands().filter(|c| !c.is_hide_set()) {
            add(sub, pages);
        }
    }
    let mut command = Cli::command().disable_help_subcommand(true);
    command.build();
    let mut pages = Files::new();
    add(&command, &mut pages);
    pages
}

fn committed(folder: &Path) -> Files {
    let entries = fs::read_dir(folder).unwrap_or_else(|e| panic!("{}: {e}", folder.display()));
    entries
        .map(|entry| entry.expect("a readable folder").path())
        .map(|path| {
            let name = path
                .file_name()
                .expect("a name")
                .to_string_lossy()
                .into_owned();
            (name, fs::read_to_string(&path).expect("a text file"))
        })
        .collect()
}

fn assert_current(folder: &str, files: &Files) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
    if std::env::var_os("UPDATE").is_some() {
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(&folder).expect("a writable folder");
        for (name, content) in files {
            fs::write(folder.join(name), content).expect("a writable file");
        }
    }
    let have = committed(&folder);
    let names = |files: &Files| files.keys().cloned().collect::<Vec<_>>();
    assert_eq!(
        names(&have),
        names(files),
        "missing or left over in {}",
        folder.display()
    );
    let stale: Vec<&String> = files
        .iter()
        .filter(|(name, text)| have[*name] != **text)
        .map(|(name, _)| name)
        .collect();
    assert!(
        stale.is_empty(),
        "stale: {stale:?}; UPDATE=1 cargo test --test generated"
    );
}

#[test]
fn completions_are_current() {
    assert_current("completions", &completions());
}

#[test]
fn man_pages_are_current() {
    assert_current("man", &pages());
}
