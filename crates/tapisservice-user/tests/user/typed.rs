use serde::{Deserialize, Serialize};
use tapisservice_client::spec::Catalog;
use tapisservice_client::{
    ClientError, ClientSettings, Operations as _, ServiceClient, TenantsApi, TypedOperation,
};
use tapisservice_core::{TenantId, Username};
use tapisservice_tenants::TenantCache;

use crate::helpers::{site, with};

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct GetSystem<'a> {
    system_id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    select: Option<&'a str>,
}

#[derive(Deserialize)]
struct System {
    id: String,
    host: String,
}

impl TypedOperation for GetSystem<'_> {
    const RESOURCE: &'static str = "systems";
    const OPERATION_ID: &'static str = "getSystem";
    type Output = System;
}

#[tokio::test]
async fn a_typed_operation_is_called_and_its_result_read() {
    let site = site().await;
    let tapis = with(&site, site.token_for_user("tacc", "alice")).await;
    let system = tapis.run(&GetSystem { system_id: "alice-private", select: None }).await.unwrap();
    assert_eq!((system.id.as_str(), system.host.as_str()), ("alice-private", "alice-private.example.org"));
    let missing = tapis.run(&GetSystem { system_id: "nowhere", select: Some("id") }).await;
    assert_eq!(missing.err().and_then(|error| error.status()).map(|status| status.as_u16()), Some(404));
}

#[tokio::test]
async fn a_service_calls_it_on_behalf_of_a_user_in_the_same_way() {
    let site = site().await;
    let settings = serde_json::from_value(site.config_json("bookmarks").unwrap()).unwrap();
    let registry = ClientSettings::new(site.primary_site_admin_tenant_base_url());
    let tenants = TenantCache::builder(TenantsApi::new(&registry).unwrap()).build();
    tenants.refresh().await.unwrap();
    let tapis = ServiceClient::builder(settings, tenants).build().unwrap();
    let alice = (TenantId::new("tacc").unwrap(), Username::new("alice").unwrap());
    let session = tapis.on_behalf_of_user(alice.0, alice.1).unwrap();
    let system = session.run(&GetSystem { system_id: "alice-private", select: None }).await.unwrap();
    assert_eq!(system.id, "alice-private");
}

#[test]
fn a_typed_operation_that_fits_the_specification_passes_its_check() {
    GetSystem { system_id: "", select: None }.check(&Catalog::bundled()).unwrap();
}

macro_rules! operation {
    ($type:ident { $($field:ident),* } $resource:literal $id:literal) => {
        #[derive(Default, Serialize)]
        #[serde(rename_all = "camelCase")]
        struct $type { $($field: u8),* }

        impl TypedOperation for $type {
            const RESOURCE: &'static str = $resource;
            const OPERATION_ID: &'static str = $id;
            type Output = serde_json::Value;
        }
    };
}

operation!(Misspelt { system_id, selekt } "systems" "getSystem");
operation!(Incomplete { select } "systems" "getSystem");
operation!(NoOperation { system_id } "systems" "getSytem");
operation!(NoResource { system_id } "sistems" "getSystem");
operation!(Body { role_name, role_tenant, description } "sk" "createRole");

#[test]
fn what_does_not_fit_the_specification_is_named() {
    fn fault(operation: &impl TypedOperation) -> String {
        operation.check(&Catalog::bundled()).unwrap_err().to_string()
    }
    assert!(fault(&Misspelt::default()).contains("systems.getSystem has no argument selekt"));
    assert!(fault(&Incomplete::default()).contains("systems.getSystem requires systemId"));
    assert!(fault(&NoOperation::default()).contains("getSystem"));
    assert!(fault(&NoResource::default()).contains("systems"));
    Body::default().check(&Catalog::bundled()).unwrap();
    let error = Misspelt::default().check(&Catalog::bundled()).unwrap_err();
    assert!(matches!(error, ClientError::Arguments(_)), "{error:?}");
}
