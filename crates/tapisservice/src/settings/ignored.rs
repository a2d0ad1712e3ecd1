//! Keys of configurations made for the Python framework that have no effect here.

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

/// What is accepted, so that such configurations load, and read by nothing: a configuration that sets one gets a warning.
#[derive(Deserialize, JsonSchema)]
#[serde(default)]
pub(super) struct IgnoredSettings {
    /// Asks the Security Kernel for roles and permissions; accepted and ignored.
    #[schemars(extend("x-no-effect" = true))]
    use_sk: bool,
    /// Server that the OpenAPI document of a Python service must name, or `NO_VALIDATION`; accepted and ignored.
    #[schemars(extend("x-no-effect" = true))]
    tapisservice_spec_expected_server: String,
    /// Web framework of a Python service; accepted and ignored.
    #[schemars(extend("x-no-effect" = true))]
    python_framework_type: Value,
    /// States that an associate site owns the development tenant; accepted and ignored: it has one site, which is the primary one.
    #[schemars(extend("x-no-effect" = true))]
    dev_is_owned_by_associate_site: bool,
    /// Tenants that the development tenant's services may act for; accepted and ignored: there is no other one.
    #[schemars(extend("x-no-effect" = true), inner(length(min = 1)))]
    dev_allowable_x_tenant_ids: Vec<String>,
}

impl Default for IgnoredSettings {
    fn default() -> Self {
        Self {
            use_sk: true,
            tapisservice_spec_expected_server: "NO_VALIDATION".to_owned(),
            python_framework_type: Value::Null,
            dev_is_owned_by_associate_site: false,
            dev_allowable_x_tenant_ids: vec!["dev".to_owned()],
        }
    }
}
