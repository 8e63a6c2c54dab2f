//! What the real service once answered, for tests of whoever reads it.

use serde::Deserialize;
use serde::de::DeserializeOwned;

/// A body that the real service returned; `None` where they are not kept.
pub fn recorded<T: DeserializeOwned>(file: &str) -> Option<T> {
    let text = std::fs::read_to_string(backstay_world::contracts_folder()?.join("powerplatform").join(file)).unwrap();
    Some(serde_json::from_str(&text).unwrap())
}

/// A page of them.
#[derive(Deserialize)]
pub struct List<T> {
    pub value: Vec<T>,
}
