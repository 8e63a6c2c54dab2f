//! Where the process starts.

use std::process::ExitCode;

fn main() -> ExitCode {
    backstay::cli::main()
}
