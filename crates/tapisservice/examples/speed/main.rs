//! What `ci/speed.py` loads, one process each, and the tokens it sends.
//!
//! ```text
//! speed mint FOLDER COUNT SPREAD TENANTS   a public key, COUNT requests with tokens of one tenant, SPREAD with tokens of many
//! speed bare ADDRESS PUBLIC_KEY            axum and nothing else
//! speed stack                              a service as it is deployed; `TAPIS_CONFIG_PATH` names its configuration
//! ```

mod bare;
mod mint;
mod response;
mod stack;

use std::error::Error;
use std::process::ExitCode;

#[tokio::main]
async fn main() -> Result<ExitCode, Box<dyn Error>> {
    let arguments: Vec<_> = std::env::args().skip(1).collect();
    let arguments: Vec<_> = arguments.iter().map(String::as_str).collect();
    match arguments.as_slice() {
        ["mint", folder, count, spread, tenants] => {
            mint::mint(folder.as_ref(), count.parse()?, spread.parse()?, tenants.parse()?).await?;
        }
        ["bare", address, public_key] => bare::serve(address.parse()?, public_key.as_ref()).await?,
        ["stack"] => return Ok(stack::serve().await),
        _ => return Err("speed mint FOLDER COUNT SPREAD TENANTS | bare ADDRESS PUBLIC_KEY | stack".into()),
    }
    Ok(ExitCode::SUCCESS)
}
