//! Which pod of a picker leads: the one that holds its Lease.
//!
//! Pickers with leader election (GIE's `--ha-enable-leader-election`) elect by a Lease of their namespace, whose holder is
//! named after the pod: controller-runtime writes `HOSTNAME_UUID`. Leases have names of the picker's own choice, so it is
//! the holder that is looked for. Who may not list Leases does without: the metrics tell, too.

use std::collections::BTreeMap;

use futures::future::join_all;
use k8s_openapi::api::coordination::v1::Lease;
use kube::Api;
use kube::api::ListParams;

use super::Target;
use crate::cluster::{Cluster, Right};

/// The longest hostname; a pod with a longer name has the beginning of it.
const MAX_HOSTNAME: usize = 63;

/// Marks, in each picker that has several pods, the one that holds a Lease and those that do not.
pub(crate) async fn mark_holders(cluster: &Cluster, targets: &mut [Target]) {
    let mut replicas: BTreeMap<String, BTreeMap<Option<String>, Vec<&mut Target>>> =
        BTreeMap::new();
    for target in targets {
        let (namespace, _) = target.key();
        let picker = target.pod.picker.clone();
        replicas
            .entry(namespace)
            .or_default()
            .entry(picker)
            .or_default()
            .push(target);
    }
    replicas.retain(|_, pickers| pickers.values().any(|pods| pods.len() > 1));

    let lists = replicas.into_iter().map(|(namespace, pickers)| async move {
        let leases: Api<Lease> = Api::namespaced(cluster.client.clone(), &namespace);
        let right = Right::list("coordination.k8s.io", "leases", Some(&namespace));
        let list = cluster
            .ask(right, leases.list(&ListParams::default()))
            .await;
        (pickers, list.map_or_else(|_| Vec::new(), |list| list.items))
    });
    for (pickers, leases) in join_all(lists).await {
        let holders: Vec<&str> = leases.iter().filter_map(holder).collect();
        for mut pods in pickers.into_values().filter(|pods| pods.len() > 1) {
            let holds = |target: &Target| {
                holders
                    .iter()
                    .any(|holder| is_hostname_of(holder, &target.pod.name))
            };
            if pods.iter().any(|target| holds(target)) {
                pods.iter_mut()
                    .for_each(|target| target.pod.holds_lease = Some(holds(target)));
            }
        }
    }
}

fn holder(lease: &Lease) -> Option<&str> {
    let identity = lease.spec.as_ref()?.holder_identity.as_deref()?;
    Some(
        identity
            .split_once('_')
            .map_or(identity, |(hostname, _)| hostname),
    )
}

fn is_hostname_of(holder: &str, pod: &str) -> bool {
    let hostname = pod.get(..MAX_HOSTNAME).unwrap_or(pod);
    !holder.is_empty() && holder == hostname.trim_end_matches(['-', '.'])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_name_is_cut_to_a_hostname() {
        let pod = format!("{}-7f9c4-x2", "a".repeat(60));

        assert!(is_hostname_of(&pod[..63], &pod));
        let cut_at_a_dash = format!("{}-7f9c4-x2", "a".repeat(62));
        assert!(is_hostname_of(&"a".repeat(62), &cut_at_a_dash));
        assert!(is_hostname_of("epp-0", "epp-0"));
        assert!(!is_hostname_of("epp", "epp-0"));
    }
}
