//! From what a Keepit connector is created, and whether it may be yet. [pure]

use super::Spec;
use crate::seen::Seen;
use crate::vendors::{Action, Authorization, Creation, VendorConnector, Write};

/// Creates it from the connection of the connector that `createFrom` names. What can't be seen to work is not built upon.
pub fn creation(spec: &Spec, all: &[VendorConnector], name: &str) -> Option<Creation> {
    let from = spec.create_from.as_deref()?;
    let source = all.iter().find(|it| it.id.as_deref() == Some(from));
    let first = match source {
        None => Some(format!("Keepit shows no connector {from} (spec.vendor.keepit.createFrom) to this credential")),
        Some(source) if source.deleting => {
            Some("the connector that createFrom names is scheduled for deletion".to_owned())
        }
        Some(source) if !source.accessible => {
            Some("the API token's user may not look into the connector that createFrom names".to_owned())
        }
        Some(source) if source.authorization != Seen::Known(Authorization::Granted) => {
            Some("the connector that createFrom names has to be seen to work first".to_owned())
        }
        Some(source) if source.link.is_none() => {
            Some("Keepit shows no connection (orglink) of the connector that createFrom names".to_owned())
        }
        Some(_) => None,
    };
    Some(Creation {
        authorization: source.map_or(Seen::Known(Authorization::NoEvidence), |source| source.authorization.clone()),
        write: Write {
            action: Action::Create,
            field: "spec.vendor.keepit.createFrom",
            value: name.to_owned(),
            link: source.and_then(|source| source.link.clone()),
            first,
        },
    })
}
