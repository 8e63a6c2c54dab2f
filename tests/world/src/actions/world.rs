//! What is done to the world itself?

use jiff::SignedDuration;
use serde_json::Value;

use super::{Action, Done, Params, said};
use crate::state::{State, Switches};

pub const ACTIONS: &[Action] = &[
    Action {
        name: "advance",
        does: "move the world's clock forward",
        needs: &[],
        may: &["hours", "minutes", "seconds"],
        run: advance,
    },
    Action {
        name: "set-switch",
        does: "set a switch of the world file, e.g. name=lag.graph_reads value=3",
        needs: &["name", "value"],
        may: &[],
        run: set_switch,
    },
];

fn advance(state: &mut State, params: &Params) -> Done {
    if ["hours", "minutes", "seconds"].iter().all(|key| params.maybe(key).is_none()) {
        return Err("say hours=, minutes= or seconds=".into());
    }
    let part = |key: &str, seconds: i64| {
        let number = params.number(key)?.unwrap_or(0);
        number.checked_mul(seconds).map(SignedDuration::from_secs).ok_or_else(|| "too far".to_owned())
    };
    for step in [part("hours", 3600)?, part("minutes", 60)?, part("seconds", 1)?] {
        state.ahead = state.ahead.checked_add(step).ok_or("too far")?;
    }
    state.pass_time();
    said(format!("it is {} in this world", state.now()))
}

fn set_switch(state: &mut State, params: &Params) -> Done {
    let (name, value) = (params.text("name")?, params.text("value")?);
    let value: Value = serde_json::from_str(&value).unwrap_or(Value::String(value));
    let mut switches = serde_json::to_value(&state.switches).map_err(|error| error.to_string())?;
    let pointer = format!("/{}", name.replace('.', "/"));
    *switches.pointer_mut(&pointer).ok_or_else(|| format!("there is no switch {name:?}"))? = value;
    state.switches = serde_json::from_value::<Switches>(switches).map_err(|error| format!("{name}: {error}"))?;
    said("set")
}
