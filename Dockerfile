# The API: `docker build -t tapis/bookmarks-api .`
#
#   --build-arg BUILD_IMAGE=...                 Rust, a C compiler and CA certificates, on Debian
#   --build-arg RUNTIME_IMAGE=...               glibc of the same age or newer; a shell is not needed (distroless/cc works)
#   --build-arg CARGO_PROFILE_RELEASE_LTO=off, CARGO_PROFILE_RELEASE_OPT_LEVEL=1
#                                               a faster build of a larger and slower program, for trying things out
#   --build-arg VERSION=... REVISION=...        for the labels
#
# Works with the classic builder and with BuildKit. The stages `manifests` and `build` are the same, line by line, in
# Dockerfile-migrations, so that the second build takes the layers of the first; ci/test_images.py compares them.

ARG BUILD_IMAGE=rust:1.95-bookworm
ARG RUNTIME_IMAGE=debian:bookworm-slim

# The manifest and an empty source of each crate. This changes, and invalidates the layer below, only when dependencies do. Files of
# benches and examples are emptied, because a manifest may name them.
FROM ${BUILD_IMAGE} AS manifests
WORKDIR /build
COPY Cargo.toml Cargo.lock ./
COPY crates crates
COPY examples examples
RUN find crates -type f ! -name Cargo.toml ! -path '*/benches/*.rs' ! -path '*/examples/*.rs' -delete \
    && find crates -type d -empty -delete \
    && find crates -name '*.rs' -exec truncate --size 0 {} + \
    && for crate in crates/* examples/*; do mkdir "$crate/src" && touch "$crate/src/lib.rs"; done \
    && echo 'fn main() {}' > crates/bookmarks/src/main.rs

FROM ${BUILD_IMAGE} AS build
RUN groupadd --gid 4872 tapis \
    && useradd --uid 4872 --gid tapis --no-create-home --home-dir /home/tapis --shell /usr/sbin/nologin tapis \
    && mkdir -p /image/home/tapis
WORKDIR /build
ARG CARGO_PROFILE_RELEASE_LTO=thin
ARG CARGO_PROFILE_RELEASE_OPT_LEVEL=3
COPY --from=manifests /build ./
RUN cargo build --release --locked -p bookmarks --no-default-features
COPY . .
# Cargo compares modification times, and these files may be older than what was built from the empty ones.
# Compressed, the line numbers for backtraces take a third of the space.
RUN find crates -name '*.rs' -exec touch {} + \
    && cargo build --release --locked -p bookmarks --no-default-features \
    && objcopy --compress-debug-sections target/release/bookmarks /image/bookmarks

FROM ${RUNTIME_IMAGE}
# User names and certificates are copied, because an image without a shell cannot run the commands that create them.
COPY --from=build /etc/passwd /etc/group /etc/
COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/
COPY --from=build --chown=4872:4872 /image/home/tapis /home/tapis
COPY --from=build /image/bookmarks /usr/local/bin/
USER 4872:4872
WORKDIR /home/tapis
EXPOSE 5000
ENTRYPOINT ["/usr/local/bin/bookmarks"]
HEALTHCHECK --interval=10s --timeout=5s --start-period=10s --retries=3 \
    CMD ["/usr/local/bin/bookmarks", "healthcheck"]
ARG VERSION=dev
ARG REVISION=unknown
LABEL org.opencontainers.image.title="bookmarks" \
      org.opencontainers.image.description="Users keep bookmarks to paths on Tapis systems" \
      org.opencontainers.image.source="https://github.com/tapis-project/tapisservice-rust" \
      org.opencontainers.image.licenses="BSD-3-Clause" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}"
