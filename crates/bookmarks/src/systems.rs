//! Calls to the Systems service.

use tapisservice::client::{ClientError, ServiceClient};
use tapisservice::prelude::*;

/// A client of the Systems service that acts on behalf of users. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Systems {
    tapis: ServiceClient,
}

impl Systems {
    /// Uses this client.
    pub fn new(tapis: ServiceClient) -> Self {
        Self { tapis }
    }

    /// Checks that a system exists and that the user of the request can see it.
    ///
    /// # Errors
    ///
    /// 400 with the name of the system if it does not exist or the user cannot see it; 503 if Systems is unavailable.
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

/// A user must not be able to tell a system that does not exist from one that is hidden.
fn is_invisible(error: &ClientError) -> bool {
    matches!(error.status(), Some(StatusCode::NOT_FOUND | StatusCode::FORBIDDEN))
}
