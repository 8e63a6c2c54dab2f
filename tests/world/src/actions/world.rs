//! What is done to the world itself?

use jiff::SignedDuration;
use serde_json::Value;

use super::{Action, Done, Params, said};
use crate::state::{State, Switches};

pub const ACTIONS: &[Action] = &[
    Action { name: "advance", does: "move the world's clock forward", needs: &["hours"], may: &[], run: advance },
    Action {
        name: "set-switch",
        does: "set a switch of the world file, e.g. name=lag.graph_reads value=3",
        needs: &["name", "value"],
        may: &[],
        run: set_switch,
    },
];

fn advance(state: &mut State, params: &Params) -> Done {
    let hours = SignedDuration::from_hours(params.number("hours")?.unwrap_or(0));
    state.ahead = state.ahead.checked_add(hours).ok_or("too far")?;
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
