//! `backstay reader-role`: the commands that let the operator look into environments, and no more.

use clap::Args;

use crate::tenant::reader;

/// For whom, and where.
#[derive(Args)]
pub struct Options {
    /// Client id of the operator's app.
    #[arg(long, value_name = "GUID")]
    client_id: String,
    /// Addresses of environments. Example: `https://contoso.crm4.dynamics.com`
    #[arg(long, value_name = "URL", num_args = 1.., required = true)]
    environment: Vec<String>,
}

/// Prints them.
///
/// # Errors
/// One sentence: what is no client id, or no environment's address.
pub fn print(options: &Options) -> Result<(), String> {
    super::say(&reader::commands(&options.client_id, &options.environment)?)
}
