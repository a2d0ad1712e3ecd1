# A name for each step of the gate (`just --list`). The commands are in `.ci/run`.

# Everything the gate runs.
ci *steps:
    bash .ci/run {{ steps }}

# Run this before each commit.
check: (ci "fmt" "clippy" "test")

# Write the formatting.
format:
    cargo fmt --all

# Is the code formatted?
fmt: (ci "fmt")

# Lints, warnings are errors.
clippy: (ci "clippy")

# Unit tests, integration tests, doc tests.
test: (ci "test")

# The documentation, warnings are errors.
doc: (ci "doc")

# Licences and banned dependencies.
deny: (ci "deny")

# Known vulnerabilities of dependencies; needs the network.
advisories: (ci "advisories")

# Spelling, and the Python of the checks.
lint: (ci "lint")

# Unused dependencies, and each feature alone.
features: (ci "unused" "features")

# Public names, and third-party crates in public signatures.
api: (ci "api")

# Breaking changes since the newest release.
semver: (ci "semver")

# The example as it goes into the image.
bare: (ci "bare")

# The conformance suite: single requests, corrected and legacy statuses.
conformance: (ci "conformance" "legacy")

# Forged tokens and hostile headers.
attacks: (ci "attacks")

# The promises under failure, with a measurement for each.
promises: (ci "promises")

# Scenarios that take minutes, and slow clients.
endurance: (ci "endurance")

# The commands of README and other pages, typed and compared.
console: (ci "console")

# The Python packages as clients of the example.
interop: (ci "interop")

# Services of both frameworks, calling each other.
services: (ci "services")

# The objects of deploy/kubernetes.
kubernetes: (ci "kubernetes")

# The fuzz targets, some seconds each.
fuzz: (ci "fuzz")

# The instructions of a request, compared with the recorded ones.
instructions: (ci "instructions")

# The images, built and composed.
images: (ci "images")

# What a request costs, compared with bare axum and, with `--python`, the Python framework.
speed *arguments:
    python3 ci/speed.py {{ arguments }}

# The example service with a Tapis site of its own.
run *arguments:
    cargo run -- {{ arguments }}
