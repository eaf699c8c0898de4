"""A cluster that has a real S3 server and the edge in front of it."""

import contextlib

import pytest
from cluster import Cluster, missing_programs

from tools import versitygw


@contextlib.contextmanager
def cluster_with_files(counts):
    missing = missing_programs()
    assert not missing, f"not installed: {', '.join(missing)}"
    if why := versitygw.why_not():
        pytest.skip(f"no S3 server: {why}")
    with Cluster(counts=counts) as cluster:
        yield cluster
