//! Under which hosts does a data center of AvePoint answer? (facts: avepoint-fluentpro §1)

/// The hosts of one data center.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hosts {
    /// Gives tokens at `/connect/token`.
    pub identity: &'static str,
    /// Answers the API.
    pub graph: String,
}

const COMMERCIAL: &str = "identity.avepointonlineservices.com";
const US_GOVERNMENT: &str = "identity-gov.avepointonlineservices.com";
const AOS2: &str = "identity-aos2.avepointonlineservices.com";
const FEDRAMP: &str = "identity.online15.net";

/// All of the table; those of Google's cloud come last.
const DATA_CENTERS: &[&str] = &[
    "au", "sg", "ca", "ne", "we", "fr", "de", "jp", "kr", "ch", "uk", "us", "uae", "za", "qa", "gov", "aos2",
    "fedramp", "gcp-au", "gcp-jp", "gcp-us", "gcp-we", "gcp-kr",
];

/// `None`: there is no such data center.
pub fn hosts(data_center: &str) -> Option<Hosts> {
    let name = DATA_CENTERS.iter().find(|it| **it == data_center)?;
    // That every regional data center shares the commercial identity host is how the table of token endpoints reads [I].
    let identity = match *name {
        "gov" => US_GOVERNMENT,
        "aos2" => AOS2,
        "fedramp" => FEDRAMP,
        _ => COMMERCIAL,
    };
    let graph = match *name {
        "fedramp" => "graphusgovapi.online15.net".to_owned(),
        name => format!("graph-{name}.avepointonlineservices.com"),
    };
    Some(Hosts { identity, graph })
}

pub fn is_identity_host(host: &str) -> bool {
    [COMMERCIAL, US_GOVERNMENT, AOS2, FEDRAMP].contains(&host)
}

/// The data center behind an API host.
pub fn of_graph_host(host: &str) -> Option<Hosts> {
    DATA_CENTERS.iter().filter_map(|name| hosts(name)).find(|it| it.graph == host)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_data_center_has_the_hosts_of_the_table() {
        let of = |name: &str| hosts(name).map(|it| (it.identity, it.graph));
        assert_eq!(of("we"), Some((COMMERCIAL, "graph-we.avepointonlineservices.com".into())));
        assert_eq!(of("gov"), Some((US_GOVERNMENT, "graph-gov.avepointonlineservices.com".into())));
        assert_eq!(of("aos2"), Some((AOS2, "graph-aos2.avepointonlineservices.com".into())));
        assert_eq!(of("fedramp"), Some((FEDRAMP, "graphusgovapi.online15.net".into())));
        assert_eq!(of("gcp-kr"), Some((COMMERCIAL, "graph-gcp-kr.avepointonlineservices.com".into())));
        assert_eq!(of("mars"), None);
        // The region-free host is of Elements only (facts: avepoint-fluentpro §1).
        assert_eq!(of_graph_host("graph.avepointonlineservices.com"), None);
        assert_eq!(of_graph_host("graph-us.avepointonlineservices.com"), hosts("us"));
    }
}
