//! `igctl completion SHELL`

use std::io::{self, Write};

use clap::CommandFactory;

use crate::{cli::Cli, error::Error};

pub(super) fn run(shell: clap_complete::Shell) -> Result<u8, Error> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "igctl", &mut script);
    io::stdout().write_all(&script)?;
    Ok(0)
}
