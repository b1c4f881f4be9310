//! `igctl rbac generate`

use std::io::{self, Write};

use crate::{error::Error, rbac::Grants};

pub(super) fn run(grants: &Grants) -> Result<u8, Error> {
    io::stdout().write_all(grants.manifests().as_bytes())?;
    Ok(0)
}
