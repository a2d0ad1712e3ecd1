"""The promises of a service under failure, one function for each: what `ci/test_promises.py` runs."""
