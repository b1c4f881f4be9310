//! What the arguments of `igctl rbac generate` mean.

use super::UsageError;
use crate::cli::{self, Part};
use crate::cluster::is_name;
use crate::rbac::{Grants, Operator, Reader};

/// Who shall be granted what.
///
/// # Errors
/// For names that Kubernetes does not take, and for parts of which something is not said.
pub fn grants(args: &cli::RbacGenerate) -> Result<Grants, UsageError> {
    let names = [
        ("-n", Some(&args.namespace)),
        ("--service-account", Some(&args.service_account)),
        ("--picker", args.picker.as_ref()),
    ];
    for (flag, name) in names {
        if let Some(name) = name.filter(|name| !is_name(name)) {
            return Err(UsageError::new(format!(
                "{flag} {name:?}: not a name in Kubernetes"
            )));
        }
    }
    let wanted = |part| args.only.is_empty() || args.only.contains(&part);
    if args.only.contains(&Part::Picker) && args.picker.is_none() {
        return Err(UsageError::new(
            "--only picker needs --picker NAME: kubectl get pods -o \
             custom-columns=POD:.metadata.name,ACCOUNT:.spec.serviceAccountName"
                .to_owned(),
        ));
    }
    let users = args.users.iter().cloned().map(Operator::User);
    let groups = args.groups.iter().cloned().map(Operator::Group);
    Ok(Grants {
        namespace: args.namespace.clone(),
        reader: wanted(Part::Reader).then(|| Reader {
            account: args.service_account.clone(),
            secret: args.token_secret,
        }),
        operators: wanted(Part::Operator).then(|| users.chain(groups).collect()),
        picker: args.picker.clone().filter(|_| wanted(Part::Picker)),
    })
}
