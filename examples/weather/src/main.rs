//! The program of the service.

tapisservice::main!(service: weather::Weather);
