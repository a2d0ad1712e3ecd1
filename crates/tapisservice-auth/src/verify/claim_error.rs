//! Errors of claims.

use std::fmt;

/// Why a claim of a signed token is rejected (rules A7 to A12).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum ClaimError {
    /// A7.
    #[error("claim {0} is not a NumericDate")]
    NotADate(DateClaim),
    /// A7.
    #[error("claim {0} is in the future")]
    InTheFuture(DateClaim),
    /// A8.
    #[error("claim iss is not the tenant's token service")]
    Issuer,
    /// A9.
    #[error("claim aud has no expected audience")]
    Audience,
    /// A10.
    #[error("claim tapis/token_type is not access")]
    TokenType,
    /// A11.
    #[error("claim tapis/username is missing or not a username")]
    Username,
    /// A11.
    #[error("claim sub is not username@tenant_id")]
    Subject,
    /// A11.
    #[error("claim tapis/account_type is neither user nor service")]
    AccountType,
    /// A12.
    #[error("claim tapis/delegation is not a boolean")]
    Delegation,
    /// A12.
    #[error("claim tapis/delegation_sub is not user@tenant")]
    DelegationSubject,
    /// A12: the tenant in `tapis/delegation_sub` may not act for the tenant of the token.
    #[error("claim tapis/delegation_sub names a tenant that may not act for the token's")]
    DelegationTenant,
}

/// A claim that is a `NumericDate` (rule A7).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum DateClaim {
    /// Expiration time.
    Exp,
    /// Not before.
    Nbf,
    /// Issued at.
    Iat,
}

impl fmt::Display for DateClaim {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Exp => "exp",
            Self::Nbf => "nbf",
            Self::Iat => "iat",
        })
    }
}
