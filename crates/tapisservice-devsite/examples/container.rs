//! A site in a container, in the network namespace of the service: `container FIRST_PORT RELAY SERVICE=http://HOST:PORT ...`.
//!
//! The site listens on loopback, which nothing outside of the namespace reaches. RELAY is an address that does get
//! connections from outside, `0.0.0.0:5079` say; they are passed on to the site's first port. Whoever publishes it should
//! publish it on the loopback of their machine, under the number of the first port, so that the tenant's base URL holds
//! there, too.

use std::error::Error;
use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use tapisservice_devsite::DevSite;
use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::signal::unix::{SignalKind, signal};

/// What every service behind the site gets its tokens with; `SERVICE_PASSWORD` of a composed service.
const PASSWORD: &str = "devsite-service";

#[tokio::main(flavor = "current_thread")]
#[expect(
    clippy::print_stdout,
    reason = "the addresses are what somebody looks for in the container's output"
)]
async fn main() -> Result<(), Box<dyn Error>> {
    // As the first process of its container, it is ended only by signals that it handles.
    let (mut terminate, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    let mut arguments = std::env::args().skip(1);
    let (Some(first_port), Some(relay)) = (arguments.next(), arguments.next()) else {
        return Err("usage: FIRST_PORT RELAY SERVICE=http://HOST:PORT ...".into());
    };
    let first_port: u16 = first_port.parse()?;
    let routes: Vec<String> = arguments.collect();
    let routes: Option<Vec<_>> = routes.iter().map(|route| route.split_once('=')).collect();
    let routes = routes.ok_or("a route is SERVICE=http://HOST:PORT")?;
    let mut builder = DevSite::builder().server("dev").first_port(first_port).key_folder(".tapis/devsite");
    for (service, _) in &routes {
        builder = builder.service(*service, PASSWORD);
    }
    let site = builder.start().await?;
    for (service, upstream) in routes {
        site.route_to(service, upstream)?;
        println!(
            "curl -H 'X-Tapis-Token: {}' '{}/v3/{service}'",
            site.token_for_user("tacc", "alice"),
            site.url()
        );
    }
    let listener = TcpListener::bind(&relay).await?;
    tokio::select! {
        () = pass_on(listener, SocketAddr::from(([127, 0, 0, 1], first_port))) => {}
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    site.stop().await;
    Ok(())
}

/// Connects every connection with one to the site.
async fn pass_on(listener: TcpListener, site: SocketAddr) {
    loop {
        match listener.accept().await {
            Ok((connection, _)) => drop(tokio::spawn(join(connection, site))),
            // Out of descriptors, say: some will be free again.
            Err(_) => tokio::time::sleep(Duration::from_millis(50)).await,
        }
    }
}

async fn join(mut outside: TcpStream, site: SocketAddr) -> io::Result<()> {
    let mut inside = TcpStream::connect(site).await?;
    copy_bidirectional(&mut outside, &mut inside).await.map(drop)
}
