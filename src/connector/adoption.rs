//! Which of the vendor's connectors this Connector stands for: the one that it follows already, or the one that it may take. [pure]

use super::observed::called;
use crate::api::connector::AdoptionPolicy;
use crate::api::{Connector, Reason};
use crate::runtime::Problem;
use crate::runtime::marks::{CREATING, annotation};
use crate::vendors::VendorConnector;

/// The one that it stands for; `None`: there is none yet. `begun`: this process has tried to create it.
pub fn find<'a>(
    connector: &Connector,
    all: &'a [VendorConnector],
    begun: bool,
) -> Result<Option<&'a VendorConnector>, Problem> {
    let adoption = connector.spec.adoption.as_ref();
    let with_id = |id: &str| all.iter().find(|it| it.id.as_deref() == Some(id));
    // What the spec names counts more than what was followed before.
    if let Some(id) = adoption.and_then(|adoption| adoption.connector_id.as_deref()) {
        let label = connector.spec.vendor.vendor().label();
        return with_id(id).map(Some).ok_or_else(|| {
            Problem::wrong(
                "Provisioned",
                Reason::NotFound,
                format!("{label} shows no connector {id} (spec.adoption.connectorID) to this credential"),
            )
        });
    }
    let known = connector.status.as_ref().and_then(|status| status.connector_id.as_deref());
    if let Some(found) = known.and_then(with_id) {
        return Ok(Some(found));
    }
    let found = by_name(connector, all)?;
    let policy = adoption.map(|adoption| adoption.policy).unwrap_or_default();
    match found {
        Some(found) if policy == AdoptionPolicy::Never && !begun && !was_asked_for(connector) => Err(Problem::wrong(
            "Provisioned",
            Reason::ConnectorExists,
            format!(
                "The vendor account has a connector named \"{}\" already, and spec.adoption.policy is Never; choose another \
                 name, or let it be adopted",
                found.name
            ),
        )),
        found => Ok(found),
    }
}

/// Whether there was none when a person was asked to make it, or when the operator began to: the hand-off is still open, or the
/// mark still there.
fn was_asked_for(connector: &Connector) -> bool {
    if annotation(&connector.metadata, CREATING).is_some() {
        return true;
    }
    let open = connector.status.as_ref().map_or(&[][..], |status| &status.hand_offs);
    open.iter().any(|open| open.name == "create-connector")
}

/// The one connector of the declared name that is not being deleted.
fn by_name<'a>(connector: &Connector, all: &'a [VendorConnector]) -> Result<Option<&'a VendorConnector>, Problem> {
    let name = called(connector).name;
    // One without an id has no name of its own either: the object is all that there is of it.
    let is_it = |it: &VendorConnector| it.id.is_none() || (it.name == name && !it.deleting);
    let named: Vec<&VendorConnector> = all.iter().filter(|it| is_it(it)).collect();
    match named.as_slice() {
        [] => Ok(None),
        [only] => Ok(Some(only)),
        _ => Err(Problem::wrong(
            "Provisioned",
            Reason::Ambiguous,
            format!(
                "The vendor account has {} connectors named \"{name}\"; rename all but one there, or name its id in \
                 spec.adoption (policy: ByID)",
                named.len()
            ),
        )),
    }
}
