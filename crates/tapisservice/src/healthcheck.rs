//! The health check of the image, which has no `curl`.

use std::io::{self, Read as _, Write as _};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpStream};
use std::time::Duration;

use crate::ServiceSettings;

/// The timeout of each step.
const TIMEOUT: Duration = Duration::from_secs(3);

/// The bytes that are read of a response: `HTTP/1.1 200`.
const STATUS_LINE: usize = 12;

/// Why the service is not alive.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum HealthcheckError {
    /// It does not respond.
    #[error("no response from the service at {address}: {source}")]
    Unreachable {
        /// The address of the service.
        address: SocketAddr,
        /// What happened.
        source: io::Error,
    },
    /// It responds with a status other than 200.
    #[error("unexpected response from the service at {address}: {status_line:?}, expected 200")]
    Status {
        /// The address of the service.
        address: SocketAddr,
        /// The beginning of the response, which should be `HTTP/1.1 200`.
        status_line: String,
    },
}

/// Calls `healthcheck` of the local service with these settings (rule D4). Blocks for a few seconds at most.
///
/// # Errors
///
/// When there is no response, or its status is not 200.
pub fn healthcheck(settings: &ServiceSettings) -> Result<(), HealthcheckError> {
    let address = connect_address(settings.listen);
    let path = format!("{}/healthcheck", settings.route_path());
    let status_line =
        get_status(address, &path).map_err(|source| HealthcheckError::Unreachable { address, source })?;
    if status_line.starts_with("HTTP/1.1 200") {
        Ok(())
    } else {
        Err(HealthcheckError::Status { address, status_line })
    }
}

fn get_status(address: SocketAddr, path: &str) -> io::Result<String> {
    let mut connection = TcpStream::connect_timeout(&address, TIMEOUT)?;
    connection.set_read_timeout(Some(TIMEOUT))?;
    connection.set_write_timeout(Some(TIMEOUT))?;
    let request = format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
    connection.write_all(request.as_bytes())?;
    let mut status_line = [0; STATUS_LINE];
    connection.read_exact(&mut status_line)?;
    Ok(String::from_utf8_lossy(&status_line).into_owned())
}

/// The address at which a service on this machine can be reached: the wildcard address (`0.0.0.0`, `[::]`) is for listening
/// only, and becomes the loopback address.
///
/// ```
/// use tapisservice::connect_address;
///
/// assert_eq!(connect_address("0.0.0.0:5000".parse().unwrap()).to_string(), "127.0.0.1:5000");
/// assert_eq!(connect_address("[::]:5000".parse().unwrap()).to_string(), "[::1]:5000");
/// assert_eq!(connect_address("10.1.2.3:5000".parse().unwrap()).to_string(), "10.1.2.3:5000");
/// ```
pub fn connect_address(listening: SocketAddr) -> SocketAddr {
    let ip = match listening.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    };
    SocketAddr::new(ip, listening.port())
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;
    use std::thread;

    use super::*;
    use crate::Settings;

    /// Answers one request with `response` and returns the request.
    fn peer(response: &'static str) -> (SocketAddr, thread::JoinHandle<String>) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let peer = thread::spawn(move || {
            let (mut connection, _) = listener.accept().unwrap();
            let mut request = [0; 1024];
            let length = connection.read(&mut request).unwrap();
            connection.write_all(response.as_bytes()).unwrap();
            String::from_utf8_lossy(&request[..length]).into_owned()
        });
        (address, peer)
    }

    fn settings(listen: &str, more: &[(&str, &str)]) -> ServiceSettings {
        let required = [
            ("service_name", "bookmarks"),
            ("service_site_id", "tacc"),
            ("service_tenant_id", "admin"),
            ("primary_site_admin_tenant_base_url", "http://localhost"),
            ("listen", listen),
        ];
        let config = Settings::loader()
            .environment(required.iter().chain(more).copied())
            .default_schema_path("")
            .default_config_path("")
            .fallback_config("none", r#"{"tenants": []}"#)
            .load()
            .unwrap();
        Settings::from_config(&config).unwrap().service
    }

    #[test]
    fn a_service_that_answers_200_is_healthy() {
        let (address, peer) = peer("HTTP/1.1 200 OK\r\n\r\n");
        healthcheck(&settings(&format!("0.0.0.0:{}", address.port()), &[])).unwrap();
        assert!(peer.join().unwrap().starts_with("GET /v3/bookmarks/healthcheck HTTP/1.1\r\n"));
    }

    #[test]
    fn the_path_follows_the_base_path() {
        let (address, peer) = peer("HTTP/1.1 200 OK\r\n\r\n");
        healthcheck(&settings(&address.to_string(), &[("TAPIS_BASE_PATH", "/")])).unwrap();
        assert!(peer.join().unwrap().starts_with("GET /healthcheck HTTP/1.1\r\n"));
    }

    #[test]
    fn another_status_and_an_early_end_are_unhealthy() {
        for response in ["HTTP/1.1 503 Service Unavailable\r\n\r\n", "", "HTTP"] {
            let (address, peer) = peer(response);
            healthcheck(&settings(&address.to_string(), &[])).unwrap_err();
            peer.join().unwrap();
        }
    }

    #[test]
    fn a_closed_port_is_unhealthy_and_named() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        drop(listener);
        let error = healthcheck(&settings(&address.to_string(), &[])).unwrap_err();
        assert!(error.to_string().contains(&address.to_string()), "{error}");
    }
}
