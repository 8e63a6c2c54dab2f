//! Where AvePoint's data centers are: the table of facts/avepoint-fluentpro.md §1. [pure]

/// The two hosts of a data center.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Center {
    /// Where tokens come from.
    pub identity: String,
    /// Where the interface is.
    pub graph: String,
}

/// Those of the table; another one needs `--allow-host` for its two hosts.
const NAMES: &[&str] = &[
    "au", "sg", "ca", "ne", "we", "fr", "de", "jp", "kr", "ch", "uk", "us", "uae", "za", "qa", "gov", "aos2", "gcp-au",
    "gcp-jp", "gcp-us", "gcp-we", "gcp-kr", FEDRAMP,
];
/// The one of U.S. agencies, which has no name in its addresses.
const FEDRAMP: &str = "fedramp";

/// The names that are known.
pub fn names() -> impl Iterator<Item = &'static str> {
    NAMES.iter().copied()
}

/// The hosts of all data centers that are known.
pub fn hosts() -> impl Iterator<Item = String> {
    names().map(of).flat_map(|center| [center.identity, center.graph])
}

/// The hosts of a data center, known or not.
pub fn of(name: &str) -> Center {
    if name == FEDRAMP {
        return Center { identity: "identity.online15.net".to_owned(), graph: "graphusgovapi.online15.net".to_owned() };
    }
    let identity = match name {
        "gov" => "identity-gov.avepointonlineservices.com",
        "aos2" => "identity-aos2.avepointonlineservices.com",
        _ => "identity.avepointonlineservices.com",
    };
    Center { identity: identity.to_owned(), graph: format!("graph-{name}.avepointonlineservices.com") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_reference_names_every_one() {
        let schema = schemars::schema_for!(crate::vendors::avepoint::Spec);
        let described = schema.as_value()["properties"]["dataCenter"]["description"].as_str().unwrap();
        let known = described.split("Known: ").nth(1).and_then(|it| it.split(';').next()).unwrap();
        assert_eq!(known.split(',').map(str::trim).collect::<Vec<_>>(), NAMES);
    }

    #[test]
    fn every_data_center_has_its_hosts() {
        let hosts = |name: &str| (of(name).identity, of(name).graph);
        let said = |identity: &str, graph: &str| (identity.to_owned(), graph.to_owned());
        assert_eq!(hosts("we"), said("identity.avepointonlineservices.com", "graph-we.avepointonlineservices.com"));
        assert_eq!(
            hosts("gov"),
            said("identity-gov.avepointonlineservices.com", "graph-gov.avepointonlineservices.com")
        );
        assert_eq!(
            hosts("aos2"),
            said("identity-aos2.avepointonlineservices.com", "graph-aos2.avepointonlineservices.com")
        );
        assert_eq!(hosts("fedramp"), said("identity.online15.net", "graphusgovapi.online15.net"));
        assert_eq!(names().count(), 23);
    }
}
