//! Which of a tenant's environments a selector means.

use crate::api::shared::{EnvironmentSelector, EnvironmentType};
use crate::tenant::facts::Environment;

/// What a selector takes.
#[derive(Debug)]
pub struct Selected<'a> {
    /// The environments that are meant.
    pub taken: Vec<&'a Environment>,
    /// Those that would be, if they had Dataverse.
    pub without_dataverse: Vec<&'a Environment>,
}

/// The environments that the selector takes. `whose` are `all`: "the tenant's".
///
/// # Errors
/// One sentence, when `include` names an environment that `all` does not have, or that has no Dataverse.
pub fn select<'a>(
    all: &'a [Environment],
    selector: Option<&EnvironmentSelector>,
    whose: &str,
) -> Result<Selected<'a>, String> {
    let everything = EnvironmentSelector::default();
    let EnvironmentSelector { types, include, exclude } = selector.unwrap_or(&everything);
    for id in include {
        match all.iter().find(|environment| environment.id.eq_ignore_ascii_case(id)) {
            None => {
                return Err(format!("spec.environments.include names {id}, which is not among {whose} environments"));
            }
            Some(environment) if environment.dataverse.is_none() => {
                return Err(format!(
                    "spec.environments.include names {id} ({}), which has no Dataverse",
                    environment.name
                ));
            }
            Some(_) => {}
        }
    }
    let named =
        |ids: &[String], environment: &Environment| ids.iter().any(|id| environment.id.eq_ignore_ascii_case(id));
    let unrestricted = types.is_empty() && include.is_empty();
    let taken = |environment: &&Environment| {
        let by_type = types.iter().any(|kind| is_of(environment, *kind));
        (unrestricted || by_type || named(include, environment)) && !named(exclude, environment)
    };
    let (taken, without_dataverse) = all.iter().filter(taken).partition(|environment| environment.dataverse.is_some());
    Ok(Selected { taken, without_dataverse })
}

/// Microsoft's word for the type (`environmentSku`; facts/microsoft.md §2.2).
fn is_of(environment: &Environment, kind: EnvironmentType) -> bool {
    let sku = environment.sku.as_str();
    match kind {
        EnvironmentType::Production => sku == "Production",
        EnvironmentType::Sandbox => sku == "Sandbox",
        EnvironmentType::Default => sku == "Default",
        EnvironmentType::Developer => sku == "Developer",
        EnvironmentType::Teams => sku == "Teams",
        EnvironmentType::Trial => matches!(sku, "Trial" | "SubscriptionBasedTrial"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tenant::facts::Dataverse;

    fn environment(id: &str, sku: &str, dataverse: bool) -> Environment {
        Environment {
            id: id.into(),
            name: format!("{id} name"),
            sku: sku.into(),
            dataverse: dataverse.then(|| Dataverse { origin: "https://x".into(), running: true, security_group: None }),
        }
    }

    fn selected(selector: &str) -> Result<Vec<String>, String> {
        let all = [
            environment("a", "Production", true),
            environment("b", "Sandbox", true),
            environment("c", "Production", false),
            environment("d", "Trial", true),
        ];
        let selector: Option<EnvironmentSelector> = serde_yaml::from_str(selector).unwrap();
        select(&all, selector.as_ref(), "the tenant's")
            .map(|selected| selected.taken.iter().map(|it| it.id.clone()).collect())
    }

    #[test]
    fn types_and_names_add_up_and_exclusion_wins() {
        let ids = |list: &[&str]| Ok(list.iter().map(|id| (*id).to_owned()).collect::<Vec<_>>());
        assert_eq!(selected("null"), ids(&["a", "b", "d"]));
        assert_eq!(selected("{}"), ids(&["a", "b", "d"]));
        assert_eq!(selected("{ exclude: [b] }"), ids(&["a", "d"]));
        assert_eq!(selected("{ types: [Production] }"), ids(&["a"]));
        assert_eq!(selected("{ types: [Production], include: [B] }"), ids(&["a", "b"]));
        assert_eq!(selected("{ include: [d] }"), ids(&["d"]));
        assert_eq!(selected("{ types: [Production, Trial], exclude: [a] }"), ids(&["d"]));
    }

    #[test]
    fn what_has_no_dataverse_is_set_apart_and_not_forgotten() {
        let all = [environment("a", "Production", true), environment("c", "Production", false)];
        let selected = select(&all, None, "the tenant's").unwrap();
        assert_eq!((selected.taken.len(), selected.without_dataverse[0].id.as_str()), (1, "c"));
    }

    #[test]
    fn what_is_named_in_vain_is_said() {
        assert!(selected("{ include: [x] }").unwrap_err().contains("names x, which is not among the tenant's"));
        assert!(selected("{ include: [c] }").unwrap_err().contains("has no Dataverse"));
    }
}
