//! The tokens in use. They are refreshed before they expire, by one refresh at a time.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use arc_swap::ArcSwap;
use futures_util::FutureExt as _;
use futures_util::future::Shared;
use http::header::{HeaderMap, HeaderName, HeaderValue};
use parking_lot::Mutex;
use tapisservice_client::{BoxFuture, ClientError, Credentials};

use super::Tokens;
use super::authenticator::{AuthenticatorApi, Grant};
use super::persistence::Persistence;

const TOKEN: HeaderName = HeaderName::from_static("x-tapis-token");

/// If the token is valid for less than this, a call waits for the refresh.
const MIN_VALIDITY: Duration = Duration::from_secs(5);
/// If the token is valid for less than this, a call starts a refresh and is sent with the old token.
const REFRESH_AHEAD: Duration = Duration::from_mins(1);
/// The pause after a failed refresh. After a successful one, a 401 triggers no refresh for the second time.
const FAILURE_COOLDOWN: Duration = Duration::from_secs(1);
const RENEWAL_COOLDOWN: Duration = Duration::from_secs(30);

/// The tokens of one user. Clones share them.
#[derive(Clone)]
pub(crate) struct UserSession(Arc<Inner>);

struct Inner {
    state: ArcSwap<State>,
    running: Mutex<Option<Refresh>>,
    authenticator: AuthenticatorApi,
    persistence: Persistence,
}

#[derive(Clone)]
struct State {
    tokens: Tokens,
    renewed: Option<Instant>,
    failure: Option<Failure>,
}

/// Why there is no new token. `until` is set if a later attempt may succeed.
#[derive(Debug, Clone)]
struct Failure {
    reason: Arc<str>,
    until: Option<Instant>,
}

type Refresh = Shared<BoxFuture<'static, Result<Tokens, Failure>>>;

impl UserSession {
    pub(crate) fn new(tokens: Tokens, authenticator: AuthenticatorApi, persistence: Persistence) -> Self {
        let state = ArcSwap::from_pointee(State::new(tokens));
        Self(Arc::new(Inner { state, running: Mutex::default(), authenticator, persistence }))
    }

    pub(crate) fn tokens(&self) -> Tokens {
        self.0.state.load().tokens.clone()
    }

    pub(crate) fn persistence(&self) -> &Persistence {
        &self.0.persistence
    }

    pub(crate) fn replace(&self, tokens: Tokens) {
        self.0.state.store(Arc::new(State::new(tokens)));
    }

    /// Refreshes now, however long the old tokens are valid.
    pub(crate) async fn refresh(&self) -> Result<Tokens, ClientError> {
        Ok(self.renewed(&self.tokens()).await?)
    }

    /// An access token that has not expired.
    pub(crate) async fn usable(&self) -> Result<Tokens, ClientError> {
        let state = self.0.state.load_full();
        let tokens = state.tokens.clone();
        match tokens.expires_in() {
            Some(left) if left < MIN_VALIDITY => self.renewed_or(tokens).await,
            Some(left) if left < REFRESH_AHEAD && state.refresh_blocked().is_none() => {
                // The refresh runs in its own task: no call has to wait for it.
                drop(self.join_or_start(&tokens));
                Ok(tokens)
            }
            _ => Ok(tokens),
        }
    }

    /// New tokens, or the old ones while they are valid (F12).
    async fn renewed_or(&self, old: Tokens) -> Result<Tokens, ClientError> {
        match self.renewed(&old).await {
            Ok(new) if !new.is_expired() => Ok(new),
            Ok(_) => Err(ClientError::Credentials {
                reason: "the new access token has expired already; is the clock right?".to_owned(),
                temporary: false,
            }),
            Err(_) if !old.is_expired() => Ok(old),
            Err(failure) => Err(failure.into()),
        }
    }

    async fn renewed(&self, old: &Tokens) -> Result<Tokens, Failure> {
        let outcome = self.join_or_start(old).await;
        let current = self.tokens();
        // The current tokens win: the program may have set others meanwhile.
        if current.is_same(old) { outcome } else { Ok(current) }
    }

    /// Joins the refresh in flight or starts one, unless `old` has been replaced or cannot be refreshed.
    fn join_or_start(&self, old: &Tokens) -> Refresh {
        let mut running = self.0.running.lock();
        if let Some(refresh) = running.as_ref() {
            return refresh.clone();
        }
        let state = self.0.state.load_full();
        let settled = if state.tokens.is_same(old) {
            state.refresh_blocked().map(Err)
        } else {
            Some(Ok(state.tokens.clone()))
        };
        if let Some(outcome) = settled {
            return futures_util::future::ready(outcome).boxed().shared();
        }
        let task = tokio::spawn(refresh(self.0.clone(), old.clone()));
        let refresh = async { task.await.unwrap_or_else(|_| Err(Failure::interrupted())) }.boxed().shared();
        *running = Some(refresh.clone());
        refresh
    }
}

async fn refresh(session: Arc<Inner>, old: Tokens) -> Result<Tokens, Failure> {
    // Clears the slot even if a callback panics.
    let _clear = Clear(&session);
    let outcome = session.request_refresh(&old).await;
    let before = session
        .state
        .rcu(|state| if state.tokens.is_same(&old) { state.next(&outcome).into() } else { state.clone() });
    if let Ok(new) = &outcome
        && before.tokens.is_same(&old)
    {
        session.persistence.save_refreshed(new).await;
    }
    outcome
}

impl Inner {
    async fn request_refresh(&self, old: &Tokens) -> Result<Tokens, Failure> {
        let refresh_token =
            old.refresh_token().ok_or_else(|| Failure::permanent("there is no refresh token"))?;
        let new = self.authenticator.tokens(&Grant::RefreshToken { refresh_token }).await?;
        // RFC 6749 section 6: without a new refresh token the old one stays valid.
        Ok(if new.refresh_token().is_some() { new } else { new.with_refresh_token(refresh_token) })
    }
}

struct Clear<'a>(&'a Inner);

impl Drop for Clear<'_> {
    fn drop(&mut self) {
        *self.0.running.lock() = None;
    }
}

impl State {
    fn new(tokens: Tokens) -> Self {
        Self { tokens, renewed: None, failure: None }
    }

    fn next(&self, outcome: &Result<Tokens, Failure>) -> Self {
        match outcome {
            Ok(new) => Self { tokens: new.clone(), renewed: Some(Instant::now()), failure: None },
            Err(failure) => Self { failure: Some(failure.clone()), ..self.clone() },
        }
    }

    /// Why no refresh is attempted now.
    fn refresh_blocked(&self) -> Option<Failure> {
        let standing = |failure: &&Failure| failure.until.is_none_or(|until| Instant::now() < until);
        if let Some(failure) = self.failure.as_ref().filter(standing) {
            return Some(failure.clone());
        }
        match self.tokens.refresh_token() {
            None if self.tokens.is_expired() => {
                Some(Failure::permanent("the access token has expired and there is no refresh token"))
            }
            None => Some(Failure::permanent("there is no refresh token")),
            Some(_) if !self.tokens.can_refresh() => {
                Some(Failure::permanent("the refresh token has expired"))
            }
            Some(_) => None,
        }
    }
}

impl Failure {
    fn permanent(reason: &str) -> Self {
        Self { reason: reason.into(), until: None }
    }

    fn transient(reason: &str) -> Self {
        Self { reason: reason.into(), until: Some(Instant::now() + FAILURE_COOLDOWN) }
    }

    fn interrupted() -> Self {
        Self::transient("the refresh was interrupted")
    }
}

impl From<ClientError> for Failure {
    fn from(error: ClientError) -> Self {
        let reason = format!("the access token cannot be renewed: {error}");
        let refused = error.status().is_some_and(|status| status.is_client_error()) && !error.is_retryable();
        if refused { Self::permanent(&reason) } else { Self::transient(&reason) }
    }
}

impl From<Failure> for ClientError {
    fn from(failure: Failure) -> Self {
        Self::Credentials { reason: failure.reason.as_ref().to_owned(), temporary: failure.until.is_some() }
    }
}

/// Only `X-Tapis-Token`: the request of a user names no tenant and no user (rule O1).
impl Credentials for UserSession {
    fn headers(&self) -> BoxFuture<'_, Result<HeaderMap, ClientError>> {
        Box::pin(async {
            let tokens = self.usable().await?;
            let mut value =
                HeaderValue::try_from(tokens.access_token()).map_err(|_| ClientError::Credentials {
                    reason: "the access token contains invalid characters".to_owned(),
                    temporary: false,
                })?;
            value.set_sensitive(true);
            Ok(HeaderMap::from_iter([(TOKEN, value)]))
        })
    }

    fn renew<'a>(&'a self, refused: &'a HeaderMap) -> BoxFuture<'a, Result<bool, ClientError>> {
        Box::pin(async move {
            let state = self.0.state.load_full();
            let current = state.tokens.access_token().as_bytes();
            if refused.get_all(TOKEN).iter().all(|sent| sent.as_bytes() != current) {
                return Ok(true);
            }
            let just_renewed = state.renewed.is_some_and(|moment| moment.elapsed() < RENEWAL_COOLDOWN);
            if just_renewed || state.tokens.refresh_token().is_none() {
                return Ok(false);
            }
            self.renewed(&state.tokens).await?;
            Ok(true)
        })
    }
}

impl fmt::Debug for UserSession {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = self.0.state.load();
        f.debug_struct("UserSession")
            .field("tokens", &state.tokens)
            .field("failure", &state.failure)
            .finish_non_exhaustive()
    }
}
