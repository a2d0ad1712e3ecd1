//! The options of PostgreSQL's driver.

use std::borrow::Cow;
use std::str::FromStr as _;

use percent_encoding::percent_decode_str;
use sqlx::postgres::{PgConnectOptions, PgSslMode};
use url::Url;

use super::unknown;
use crate::settings::{DatabaseSettings, DatabaseSettingsError};

/// Of `postgres://<user>:<password>@<host>:<port>/<database>`.
pub(super) fn options(
    url: &str,
    settings: &DatabaseSettings,
) -> Result<PgConnectOptions, DatabaseSettingsError> {
    let url = Url::parse(url).map_err(|_| DatabaseSettingsError::Malformed)?;
    if url.fragment().is_some() {
        return Err(DatabaseSettingsError::Malformed);
    }
    let mut options = PgConnectOptions::new_without_pgpass()
        .application_name(&settings.application_name)
        .ssl_mode(PgSslMode::Prefer)
        .port(url.port().unwrap_or(5432))
        .database(&decoded(non_empty(url.path().trim_start_matches('/'), "name of the database")?)?);
    let user = Some(decoded(url.username())?).filter(|user| !user.is_empty());
    let user = user.or(settings.postgres_user.as_deref().map(Cow::Borrowed));
    let user = user.unwrap_or_default();
    options = options.username(non_empty(&user, "user, and `postgres_user` is not set")?);
    let password = url.password().map(decoded).transpose()?;
    if let Some(password) =
        password.or(settings.postgres_password.as_ref().map(|p| Cow::Borrowed(p.expose().as_str())))
    {
        options = options.password(&password);
    }
    let mut host = decoded(url.host_str().unwrap_or_default())?;
    for (name, value) in url.query_pairs() {
        match &*name {
            "host" if value.starts_with('/') => host = value,
            _ => options = parameter(options, &name, &value)?,
        }
    }
    if let Some(millis) = settings.statement_timeout_millis() {
        options = options.options([("statement_timeout", format!("{millis}ms"))]);
    }
    let host = non_empty(&host, "host")?;
    Ok(if host.starts_with('/') { options.socket(host) } else { options.host(host) })
}

fn parameter(
    options: PgConnectOptions,
    name: &str,
    value: &str,
) -> Result<PgConnectOptions, DatabaseSettingsError> {
    let invalid = |name, expected| DatabaseSettingsError::Parameter { name, expected };
    Ok(match name {
        "host" => return Err(invalid("host", "the absolute path of the folder of a socket")),
        "sslmode" => {
            let expected = "disable, allow, prefer, require, verify-ca or verify-full";
            options.ssl_mode(PgSslMode::from_str(value).map_err(|_| invalid("sslmode", expected))?)
        }
        "sslrootcert" => options.ssl_root_cert(value),
        "sslcert" => options.ssl_client_cert(value),
        "sslkey" => options.ssl_client_key(value),
        "application_name" => options.application_name(value),
        "statement-cache-capacity" => options.statement_cache_capacity(
            value.parse().map_err(|_| invalid("statement-cache-capacity", "a whole number"))?,
        ),
        _ => return Err(unknown(name)),
    })
}

fn decoded(text: &str) -> Result<Cow<'_, str>, DatabaseSettingsError> {
    percent_decode_str(text).decode_utf8().map_err(|_| DatabaseSettingsError::Malformed)
}

fn non_empty<'t>(text: &'t str, part: &'static str) -> Result<&'t str, DatabaseSettingsError> {
    if text.is_empty() { Err(DatabaseSettingsError::Missing(part)) } else { Ok(text) }
}
