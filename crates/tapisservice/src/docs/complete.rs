//! Completes an operation with what follows from the policy and the limits of its route.

use tapisservice_auth::Policy;
use utoipa::ToSchema as _;
use utoipa::openapi::header::HeaderBuilder;
use utoipa::openapi::path::Operation;
use utoipa::openapi::request_body::RequestBody;
use utoipa::openapi::security::{ApiKey, ApiKeyValue, SecurityRequirement, SecurityScheme};
use utoipa::openapi::{ContentBuilder, Ref, RefOr, Response, ResponseBuilder};

use super::{ErrorEnvelope, TOKEN_SCHEME};
use crate::ServiceSettings;
use crate::routes::RouteLimits;

/// The statuses of failures.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Statuses {
    /// Those of `docs/ERRORS.md`.
    Standard,
    /// 400 in place of 401 and 403 (`legacy_error_status`).
    Legacy,
}

impl Statuses {
    /// The statuses of a service.
    pub(crate) fn of(settings: &ServiceSettings) -> Self {
        if settings.legacy_error_status { Self::Legacy } else { Self::Standard }
    }
}

/// `X-Tapis-Token`, as a security scheme.
pub(super) fn token_scheme() -> SecurityScheme {
    let key = ApiKeyValue::with_description("X-Tapis-Token", "A Tapis access token (JWT).");
    SecurityScheme::ApiKey(ApiKey::Header(key))
}

/// Adds the security requirement, and the failures that the author did not declare.
pub(crate) fn complete_operation(
    operation: &mut Operation,
    policy: &Policy,
    limits: RouteLimits,
    statuses: Statuses,
) {
    if operation.security.is_none() {
        operation.security = security(policy);
    }
    let mut failures = failures(operation, policy, limits);
    if statuses == Statuses::Legacy {
        failures.retain(|failure| !matches!(failure, Failure::Unauthorized | Failure::Forbidden));
        if policy.rejects_invalid_token() || policy.requires_tenant() {
            failures.push(Failure::BadRequest);
        }
    }
    for failure in failures {
        let (status, range) = (failure.status(), failure.range());
        let responses = &mut operation.responses.responses;
        if !responses.contains_key(status) && !responses.contains_key(range) {
            responses.insert(status.to_owned(), RefOr::T(failure.response()));
        }
    }
}

/// The requirement of a token, with an empty alternative where requests without a token are allowed, too.
fn security(policy: &Policy) -> Option<Vec<SecurityRequirement>> {
    let token = SecurityRequirement::new(TOKEN_SCHEME, Vec::<String>::new());
    match (policy.requires_token(), policy.ignores_token()) {
        (true, _) => Some(vec![token]),
        (false, true) => None,
        (false, false) => Some(vec![SecurityRequirement::default(), token]),
    }
}

/// A failure that the framework returns before or in place of the handler.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Failure {
    BadRequest,
    Unauthorized,
    Forbidden,
    BodyTimeout,
    BodyTooLarge,
    MediaType,
    Unavailable,
    Timeout,
}

fn failures(operation: &Operation, policy: &Policy, limits: RouteLimits) -> Vec<Failure> {
    let looks_at_token = !policy.ignores_token();
    let has_body = operation.request_body.is_some();
    let has_input = has_body || operation.parameters.as_ref().is_some_and(|list| !list.is_empty());
    let reads_media_type = operation.request_body.as_ref().is_some_and(reads_media_type);
    let possible = [
        (Failure::BadRequest, has_input || looks_at_token || policy.requires_tenant()),
        (Failure::Unauthorized, policy.rejects_invalid_token()),
        (Failure::Forbidden, policy.rejects_invalid_token() || policy.requires_tenant()),
        (Failure::BodyTimeout, has_body),
        (Failure::BodyTooLarge, has_body && !limits.has_unlimited_body()),
        (Failure::MediaType, reads_media_type),
        (Failure::Unavailable, looks_at_token || policy.requires_tenant()),
        (Failure::Timeout, !limits.has_no_timeout()),
    ];
    possible.into_iter().filter_map(|(failure, possible)| possible.then_some(failure)).collect()
}

/// Whether the media type of the body is checked. Raw bytes may have any.
fn reads_media_type(body: &RefOr<RequestBody>) -> bool {
    match body {
        RefOr::T(body) => body.content.keys().any(|kind| kind != "application/octet-stream" && kind != "*/*"),
        RefOr::Ref(_) => true,
    }
}

impl Failure {
    fn status(self) -> &'static str {
        match self {
            Self::BadRequest => "400",
            Self::Unauthorized => "401",
            Self::Forbidden => "403",
            Self::BodyTimeout => "408",
            Self::BodyTooLarge => "413",
            Self::MediaType => "415",
            Self::Unavailable => "503",
            Self::Timeout => "504",
        }
    }

    /// The key for all statuses of its class.
    fn range(self) -> &'static str {
        if self.status().starts_with('4') { "4XX" } else { "5XX" }
    }

    fn description(self) -> &'static str {
        match self {
            Self::BadRequest => "The request is not valid.",
            Self::Unauthorized => "There is no valid Tapis access token.",
            Self::Forbidden => "The caller may not do this.",
            Self::BodyTimeout => "The request body did not arrive in time.",
            Self::BodyTooLarge => "The request body is too large.",
            Self::MediaType => "The media type of the request body is not supported.",
            Self::Unavailable => "Something this service depends on is not available. Try again later.",
            Self::Timeout => "The request took too long.",
        }
    }

    /// The header that belongs to the status, and its description.
    fn header(self) -> Option<(&'static str, &'static str)> {
        match self {
            Self::Unauthorized => Some(("WWW-Authenticate", "`TapisJWT`")),
            Self::Unavailable => Some(("Retry-After", "When to try again, in seconds.")),
            _ => None,
        }
    }

    fn response(self) -> Response {
        let schema = Ref::from_schema_name(ErrorEnvelope::name());
        let content = ContentBuilder::new().schema(Some(schema)).build();
        let response =
            ResponseBuilder::new().description(self.description()).content("application/json", content);
        let header = self.header().map(|(name, text)| (name, HeaderBuilder::new().description(Some(text))));
        header
            .into_iter()
            .fold(response, |response, (name, header)| response.header(name, header.build()))
            .build()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tapisservice_auth::PublicPolicy;
    use utoipa::openapi::path::{OperationBuilder, ParameterBuilder};
    use utoipa::openapi::request_body::RequestBodyBuilder;

    use super::*;
    use crate::BodyLimit;

    fn completed(mut operation: Operation, policy: impl Into<Policy>, limits: RouteLimits) -> Operation {
        complete_operation(&mut operation, &policy.into(), limits, Statuses::Standard);
        operation
    }

    fn statuses(operation: &Operation) -> String {
        operation.responses.responses.keys().cloned().collect::<Vec<_>>().join(" ")
    }

    fn with_body(media_type: &str) -> Operation {
        let content = ContentBuilder::new().build();
        let body = RequestBodyBuilder::new().content(media_type, content).build();
        OperationBuilder::new().request_body(Some(body)).build()
    }

    #[test]
    fn a_policy_gives_an_operation_its_security_and_its_failures() {
        let token = || SecurityRequirement::new(TOKEN_SCHEME, Vec::<String>::new());
        let (required, optional) = (Some(vec![token()]), Some(vec![SecurityRequirement::default(), token()]));
        let public = PublicPolicy::new;
        let callback = Policy::callback("admins", |_| async { Ok(()) });
        let cases: [(Policy, _, &str); 9] = [
            (Policy::authenticated(), &required, "400 401 403 503 504"),
            (Policy::service_only(), &required, "400 401 403 503 504"),
            (callback, &required, "400 401 403 503 504"),
            (Policy::public(), &optional, "400 401 403 503 504"),
            (Policy::public_with_tenant(), &optional, "400 401 403 503 504"),
            (public().with_optional_token().into(), &optional, "400 503 504"),
            (public().with_optional_token().with_tenant().into(), &optional, "400 403 503 504"),
            (public().ignoring_token().into(), &None, "504"),
            (public().ignoring_token().with_tenant().into(), &None, "400 403 503 504"),
        ];
        for (policy, security, expected) in cases {
            let operation = completed(Operation::new(), policy.clone(), RouteLimits::default());
            assert!(operation.security == *security, "{policy}");
            assert_eq!(statuses(&operation), expected, "{policy}");
        }
    }

    #[test]
    fn input_and_limits_give_an_operation_its_failures() {
        let public = || PublicPolicy::new().ignoring_token();
        let parameter = ParameterBuilder::new().name("limit").build();
        let asked = OperationBuilder::new().parameter(parameter).build();
        assert_eq!(statuses(&completed(asked, public(), RouteLimits::default())), "400 504");
        let json = completed(with_body("application/json"), public(), RouteLimits::default());
        assert_eq!(statuses(&json), "400 408 413 415 504");
        let bytes = completed(with_body("application/octet-stream"), public(), RouteLimits::default());
        assert_eq!(statuses(&bytes), "400 408 413 504");
        let mut limits = RouteLimits::default();
        limits.set_timeout(Duration::MAX);
        limits.set_body(BodyLimit::unlimited());
        assert_eq!(statuses(&completed(with_body("application/json"), public(), limits)), "400 408 415");
    }

    #[test]
    fn what_the_author_declared_stays() {
        let own = || ResponseBuilder::new().description("my own").build();
        let operation = OperationBuilder::new()
            .security(SecurityRequirement::new("secret", Vec::<String>::new()))
            .response("401", own())
            .response("5XX", own());
        let operation = completed(operation.build(), Policy::authenticated(), RouteLimits::default());
        assert_eq!(statuses(&operation), "400 401 403 5XX");
        assert!(operation.responses.responses["401"] == RefOr::T(own()));
        assert!(operation.security == Some(vec![SecurityRequirement::new("secret", Vec::<String>::new())]));
    }

    #[test]
    fn legacy_statuses_are_400() {
        let mut operation = Operation::new();
        let limits = RouteLimits::default();
        complete_operation(&mut operation, &Policy::authenticated(), limits, Statuses::Legacy);
        assert_eq!(statuses(&operation), "400 503 504");
    }
}
