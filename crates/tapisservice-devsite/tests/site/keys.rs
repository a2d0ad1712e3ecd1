use std::fs;

use tapisservice_devsite::{DevSite, DevSiteError};

#[tokio::test]
async fn keys_survive_a_restart() {
    let parent = tempfile::tempdir().unwrap();
    let folder = parent.path().join("deep/devsite");
    let start = || DevSite::builder().server("dev").key_folder(&folder).start();
    let keys = |site: &DevSite| site.tenant_ids().iter().map(|id| site.public_key(id)).collect::<Vec<_>>();

    let first = start().await.unwrap();
    let before = keys(&first);
    first.stop().await;
    let second = start().await.unwrap();
    assert_eq!(keys(&second), before);
    second.rotate_key("tacc").await.unwrap();
    let rotated = keys(&second);
    assert_ne!(rotated, before);
    second.stop().await;
    assert_eq!(keys(&start().await.unwrap()), rotated);
    assert_eq!(fs::read_to_string(folder.join(".gitignore")).unwrap(), "*\n");
}

#[cfg(unix)]
#[tokio::test]
async fn nobody_else_can_read_the_keys() {
    use std::os::unix::fs::PermissionsExt as _;

    let folder = tempfile::tempdir().unwrap();
    let mode = |path: &std::path::Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    let start = || DevSite::builder().server("dev").key_folder(folder.path()).start();
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
    start().await.unwrap().stop().await;
    let key = folder.path().join("tacc.pem");
    assert_eq!((mode(folder.path()), mode(&key)), (0o700, 0o600));
    fs::set_permissions(&key, fs::Permissions::from_mode(0o644)).unwrap();
    start().await.unwrap().stop().await;
    assert_eq!(mode(&key), 0o600);
    let files = fs::read_dir(folder.path()).unwrap().count();
    assert_eq!(files, 6, "five keys, .gitignore and no temporary files");
}

#[tokio::test]
async fn a_broken_key_file_is_named_and_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("dev.pem"), "not a key").unwrap();
    let error = DevSite::builder().server("dev").key_folder(folder.path()).start().await.unwrap_err();
    assert!(
        matches!(error, DevSiteError::KeyFile { .. }) && error.to_string().contains("dev.pem"),
        "{error}"
    );
    assert_eq!(fs::read_to_string(folder.path().join("dev.pem")).unwrap(), "not a key");
}

#[tokio::test]
async fn sites_of_one_process_share_their_keys_unless_told_otherwise() {
    let (one, other) = (crate::helpers::site().await, crate::helpers::site().await);
    let fresh = DevSite::builder().server("dev").fresh_keys().start().await.unwrap();
    assert_eq!(one.public_key("tacc"), other.public_key("tacc"));
    assert_ne!(one.public_key("tacc"), fresh.public_key("tacc"));
    assert_ne!(one.public_key("tacc"), one.public_key("dev"));
}
