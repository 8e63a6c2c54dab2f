//! Does Microsoft's list of permissions let an app do what the world let it do?

use super::csdl::{Metadata, short};
use super::path::{named, segments};
use crate::http::Request;

/// graph-permissions.csv: which permission is enough for which call.
#[derive(Debug)]
pub struct Permissions(Vec<Row>);

#[derive(Debug)]
struct Row {
    method: String,
    /// In lower case; `{}` is any one segment.
    path: Vec<String>,
    permission: String,
    also: Vec<String>,
}

impl Permissions {
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut reader = csv::Reader::from_reader(text.as_bytes());
        let mut rows = Vec::new();
        for record in reader.records() {
            let record = record.map_err(|error| format!("graph-permissions.csv: {error}"))?;
            let cell = |i: usize| record.get(i).unwrap_or_default();
            rows.push(Row {
                method: cell(0).to_owned(),
                path: cell(1).trim_matches('/').to_lowercase().split('/').map(template).collect(),
                permission: cell(2).to_owned(),
                also: cell(4).split(',').filter(|name| !name.is_empty()).map(str::to_owned).collect(),
            });
        }
        if rows.is_empty() { Err("graph-permissions.csv: it has no rows".into()) } else { Ok(Self(rows)) }
    }

    /// Whether some call begins with this segment.
    pub fn know_root(&self, name: &str) -> bool {
        self.0.iter().any(|row| row.path.first().is_some_and(|first| *first == name.to_lowercase()))
    }

    /// Whether an app with these permissions may do this.
    pub fn check(&self, metadata: &Metadata, request: &Request, held: &[String]) -> Result<(), String> {
        let asked = asked(metadata, &request.path);
        let rows: Vec<(usize, &Row)> = self
            .0
            .iter()
            .filter(|row| row.method == request.method)
            .filter_map(|row| Some((row.literally(&asked)?, row)))
            .collect();
        // `/users/delta` is not the user "delta".
        let Some(best) = rows.iter().map(|(literal, _)| *literal).max() else {
            return Err(format!("graph-permissions.csv has no row for {} /{}", request.method, asked.join("/")));
        };
        let rows: Vec<&Row> = rows.into_iter().filter(|(literal, _)| *literal == best).map(|(_, row)| row).collect();
        let holds = |name: &String| held.iter().any(|it| it.eq_ignore_ascii_case(name));
        // Of what is asked for besides, one is enough: one entry names both Application.Read.All and Directory.Read.All.
        if rows.iter().any(|row| holds(&row.permission) && (row.also.is_empty() || row.also.iter().any(holds))) {
            return Ok(());
        }
        let mut enough: Vec<&str> = rows.iter().map(|row| row.permission.as_str()).collect();
        enough.sort_unstable();
        enough.dedup();
        Err(format!("the app holds none of {}", enough.join(", ")))
    }
}

impl Row {
    /// How many segments are the same, if the path is of this row.
    fn literally(&self, asked: &[String]) -> Option<usize> {
        let fits = self.path.len() == asked.len();
        let fits = fits && self.path.iter().zip(asked).all(|(row, asked)| row == "{}" || row == asked);
        fits.then(|| self.path.iter().zip(asked).filter(|(row, asked)| row == asked).count())
    }
}

/// `{id}` and `(appid={value})`, whatever stands between the braces.
fn template(segment: &str) -> String {
    match (segment.find('{'), segment.rfind('}')) {
        (Some(start), Some(end)) => format!("{}{{}}{}", &segment[..start], &segment[end + 1..]),
        _ => segment.to_owned(),
    }
}

/// The path as the list writes it: without version, casts, `$ref` and `$count`; a key in parentheses is a segment of its own.
fn asked(metadata: &Metadata, path: &str) -> Vec<String> {
    let mut asked = Vec::new();
    for segment in segments(path).into_iter().filter(|segment| !segment.is_empty()).skip(1) {
        let (name, inside) = named(segment);
        let cast = name.starts_with("microsoft.graph.") && metadata.structure(short(name)).is_some();
        if cast || segment.starts_with('$') {
            continue;
        }
        let name = short(name).to_lowercase();
        match inside {
            None | Some("") => asked.push(name),
            Some(key) => match key.split_once('=') {
                Some((key, _)) => asked.push(format!("{name}({}={{}})", key.to_lowercase())),
                None => asked.extend([name, key.to_owned()]),
            },
        }
    }
    asked
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::contract::sample::{CSDL, PERMISSIONS};

    fn may(method: &str, path: &str, held: &[&str]) -> Result<(), String> {
        let held: Vec<String> = held.iter().map(|name| (*name).to_owned()).collect();
        let request = Request::new(method, "graph.microsoft.com", path);
        Permissions::parse(PERMISSIONS).unwrap().check(&Metadata::parse(CSDL).unwrap(), &request, &held)
    }

    #[test]
    fn a_call_finds_its_row_however_it_is_written() {
        let reader = ["User.Read.All"];
        for path in [
            "/v1.0/users",
            "/v1.0//users",
            "/v1.0/users/1",
            "/v1.0/users('1')",
            "/v1.0/users/delta()",
            "/v1.0/users/1/transitiveMemberOf",
            "/v1.0/users/1/transitiveMemberOf/microsoft.graph.group/$count",
        ] {
            assert_eq!(may("GET", path, &reader), Ok(()), "{path}");
        }
        assert_eq!(may("GET", "/v1.0/servicePrincipals(appId='1')", &["Application.Read.All"]), Ok(()));
        let roles = ["RoleManagement.Read.Directory"];
        assert_eq!(may("GET", "/v1.0/roleManagement/directory/roleAssignmentScheduleRequests/1", &roles), Ok(()));
        assert!(may("DELETE", "/v1.0/users/1", &reader).is_err());
    }

    #[test]
    fn the_row_that_says_it_literally_wins() {
        assert_eq!(may("GET", "/v1.0/users/1", &["User.ReadBasic.All"]), Ok(()));
        assert!(may("GET", "/v1.0/users/delta", &["User.ReadBasic.All"]).is_err());
    }

    #[test]
    fn what_is_asked_for_besides_is_asked_for() {
        let grant = "/v1.0/servicePrincipals/1/appRoleAssignments";
        assert!(may("POST", grant, &["AppRoleAssignment.ReadWrite.All"]).is_err());
        assert_eq!(may("POST", grant, &["AppRoleAssignment.ReadWrite.All", "Directory.Read.All"]), Ok(()));
    }
}
