"""The promises of a service under failure, one function for each: what `ci/promises.py` runs."""
