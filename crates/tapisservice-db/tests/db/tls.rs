//! Connections to a PostgreSQL with a certificate.

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use tapisservice_core::ServiceError as _;
use tapisservice_db::testing::{PASSWORD, Postgres};
use tapisservice_db::{Database, DatabaseSettings, QueryError};

/// Whether the connection that a setting leads to is encrypted.
async fn is_encrypted(postgres: &Postgres, parameters: &str) -> Result<bool, QueryError> {
    let settings = DatabaseSettings::new(format!("127.0.0.1:{}/tapis{parameters}", postgres.port()));
    let database = Database::connect_lazy(&settings.with_credentials("tapis", PASSWORD)).unwrap();
    let scope = database.across_tenants("the test asks about its own connection");
    scope.query("SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()").fetch_scalar().await
}

fn authority(name: &str) -> CertifiedIssuer<'static, KeyPair> {
    let mut params = CertificateParams::new([]).unwrap();
    params.distinguished_name.push(rcgen::DnType::CommonName, name);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap()
}

fn present(postgres: &Postgres, name: &str, authority: &CertifiedIssuer<'_, KeyPair>) {
    let key = KeyPair::generate().unwrap();
    let certificate = CertificateParams::new([name.to_owned()]).unwrap().signed_by(&key, authority).unwrap();
    postgres.use_certificate(&certificate.pem(), &key.serialize_pem());
    postgres.stop();
    postgres.restart();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_is_trusted_as_far_as_sslmode_says() {
    let Some(postgres) = Postgres::start() else { return };
    assert!(!is_encrypted(&postgres, "").await.unwrap());
    assert_eq!(is_encrypted(&postgres, "?sslmode=require").await.unwrap_err().to_error().status(), 503);

    let (ours, theirs) = (authority("ours"), authority("theirs"));
    let folder = tempfile::tempdir().unwrap();
    let root = |authority: &CertifiedIssuer<'_, KeyPair>, name: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, authority.pem()).unwrap();
        format!("&sslrootcert={}", path.display())
    };
    let (our_root, their_root) = (root(&ours, "ours.pem"), root(&theirs, "theirs.pem"));
    let cases = [
        // What the certificate is for, `sslmode`, the trusted root, whether that connects and is encrypted.
        ("127.0.0.1", "disable", "", Some(false)),
        ("127.0.0.1", "prefer", "", Some(true)),
        ("127.0.0.1", "require", "", Some(true)),
        ("127.0.0.1", "verify-ca", &*our_root, Some(true)),
        ("127.0.0.1", "verify-full", &*our_root, Some(true)),
        ("127.0.0.1", "verify-ca", &*their_root, None),
        ("127.0.0.1", "verify-full", &*their_root, None),
        ("127.0.0.1", "verify-full", "", None),
        ("db.example.org", "verify-ca", &*our_root, Some(true)),
        ("db.example.org", "verify-full", &*our_root, None),
    ];
    let mut presented = "";
    for (name, mode, root, expected) in cases {
        if name != presented {
            tokio::task::block_in_place(|| present(&postgres, name, &ours));
            presented = name;
        }
        let encrypted = is_encrypted(&postgres, &format!("?sslmode={mode}{root}")).await;
        match (encrypted, expected) {
            (Ok(encrypted), Some(expected)) => assert_eq!(encrypted, expected, "{name} {mode} {root}"),
            (Err(error), None) => assert_eq!(error.to_error().status(), 503, "{name} {mode} {root}"),
            (encrypted, _) => panic!("{name} {mode} {root}: {encrypted:?}"),
        }
    }
}
