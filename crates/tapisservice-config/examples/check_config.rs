//! Prints the configuration the environment describes, secrets masked, or everything that is wrong with it.
//!
//! ```console
//! $ TAPIS_CONFIG_PATH=config.json cargo run --example check_config
//! ```
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "printing is what it is for")]

use std::process::ExitCode;

use tapisservice_config::Config;

/// What the service adds to the base schema.
const SCHEMA: &str = r#"{
    "properties": {
        "sql_db_url": {"type": "string", "writeOnly": true, "default": "sqlite://bookmarks.db"},
        "page_size": {"type": "integer", "minimum": 1, "maximum": 1000, "default": 100}
    }
}"#;

fn main() -> ExitCode {
    match Config::load(SCHEMA) {
        Ok(config) => {
            for warning in config.warnings() {
                eprintln!("warning: {warning}");
            }
            print!("{config}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("{error}");
            error.exit_code()
        }
    }
}
