//! The process: the configuration, and the service until a signal ends it.

use std::process::ExitCode;

use tapisservice::{Settings, StartError, report_error, run};

#[tokio::main]
async fn main() -> ExitCode {
    match Settings::loader().settings::<shelf::ShelfSettings>().load() {
        Ok(config) => run(config, async |config, settings| shelf::app(config, settings).await).await,
        Err(error) => report_error(&StartError::from(error)),
    }
}
