//! What this service asks the Systems service.

use tapisservice::client::{ClientError, ServiceClient};
use tapisservice::prelude::*;

/// The Systems service, asked on behalf of users. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Systems {
    tapis: ServiceClient,
}

impl Systems {
    /// Asks with this client.
    pub fn new(tapis: ServiceClient) -> Self {
        Self { tapis }
    }

    /// Checks that a system exists and that the user of the request can see it.
    ///
    /// # Errors
    ///
    /// 400 naming the system when it does not, or the user cannot; 503 when Systems does not answer.
    pub async fn check_visible(&self, g: &RequestContext, system_id: &str) -> Result<()> {
        let ask = async {
            self.tapis
                .on_behalf_of(g)?
                .operation("systems", "getSystem")
                .arg("systemId", system_id)
                .send()
                .await
        };
        match ask.await {
            Ok(_) => Ok(()),
            Err(error) if is_invisible(&error) => Err(Error::bad_input(format!(
                "There is no system {system_id:?}, or you have no access to it. A bookmark needs a system that you can see."
            ))),
            Err(error) => Err(error.into()),
        }
    }
}

/// To the user a system that is not there and one that is not shown are the same.
fn is_invisible(error: &ClientError) -> bool {
    matches!(error.status(), Some(StatusCode::NOT_FOUND | StatusCode::FORBIDDEN))
}
