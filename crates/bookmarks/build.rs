//! The migrations are compiled into the service: a new one has to have it built again.

fn main() {
    println!("cargo:rerun-if-changed=../../migrations");
}
