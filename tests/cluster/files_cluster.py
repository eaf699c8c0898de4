"""A cluster that has a real S3 server and the edge in front of it."""

import contextlib

from cluster import Cluster, missing_programs

from tools import versitygw


@contextlib.contextmanager
def cluster_with_files(counts):
    missing = missing_programs()
    assert not missing, f"not installed: {', '.join(missing)}"
    why = versitygw.why_not()
    assert not why, f"no S3 server: {why}"
    with Cluster(counts=counts) as cluster:
        yield cluster
