//! What was given to an account for a time: written down before it is given, taken back whatever becomes of the objects.

mod debts;
pub mod entry;
mod giving;
mod ledger;

pub use debts::serve;
pub use entry::{Entry, Phase};
pub use giving::{ROLE, action};
pub use ledger::Ledger;
