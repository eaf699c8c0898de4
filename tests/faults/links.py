"""A cluster for faults: the links of chat.1 and ingest.1 to what they stand on go through proxies, and everybody's to
the storage of files; clients may come through another one."""

import re
import sys
import time
import urllib.request
from pathlib import Path

from cluster import Cluster

sys.path[:0] = [str(Path(__file__).resolve().parents[1])]

from support.tcp_proxy import TcpProxy  # noqa: E402

from tools.cluster.parts import Kafka  # noqa: E402

BELOW = ("redis", "kafka", "directory", "shard.0", "shard.1")
LINKED = ("chat.1", "ingest.1")


class LinkedCluster(Cluster):
    def __init__(self, **options):
        super().__init__(**options)
        self.links = {}  # (part, what it stands on) -> proxy
        self.doors = []  # proxies in front of Nginx

    def up(self):
        state = self.local.state
        state.make_folders()
        kafka = Kafka(self.local, "kafka")
        with state.locked():
            for part in LINKED:
                for below in BELOW:
                    port = kafka.port_of(part) if below == "kafka" else state.port(below)
                    self.links[part, below] = proxy = TcpProxy(port)
                    state.values.setdefault("links", {}).setdefault(part, {})[below] = proxy.port
            self.links["all", "s3"] = TcpProxy(state.port("s3"))
            state.values["links"]["all"] = {"s3": self.links["all", "s3"].port}
            state.save()
        super().up()
        # A link that nothing goes through would prove nothing. (A gateway comes to a shard when
        # somebody reads, and a worker has partitions of one shard or of both.)
        end = time.monotonic() + 30
        always = [each for each in self.links if "shard" not in each[1]]
        if not self.local.counts["media"]:
            always.remove(("all", "s3"))
        while unused := [each for each in always if not self.links[each].served]:
            if time.monotonic() > end:
                raise AssertionError(f"nothing goes through {unused}")
            time.sleep(0.1)
        return self

    def stop(self, delete=True):
        killed = super().stop(delete)
        for proxy in [*self.links.values(), *self.doors]:
            proxy.close()
        self.links, self.doors = {}, []
        return killed

    def link(self, part, below):
        return self.links[part, below]

    def door(self):
        """Where clients come in by way of a proxy: has url and ws_url, and its proxy."""
        return Door(self)

    def wait_shared(self, seconds=30):
        """Until each worker has its share of the partitions: who takes one over needs its shard."""
        end = time.monotonic() + seconds
        while True:
            workers = [self.node(part.name).url for part in self.local.find("ingest")]
            texts = [urllib.request.urlopen(f"{url}/metrics", timeout=10).read().decode() for url in workers]
            counts = [sum(map(int, re.findall(r"^parley_ingest_partitions{.*} (\d+)", text, re.M))) for text in texts]
            if all(counts) and sum(counts) == self.local.options["partitions"]:
                return
            assert time.monotonic() < end, f"the workers have {counts} partitions"
            time.sleep(0.2)

    def heal_links(self):
        for proxy in [*self.links.values(), *self.doors]:
            proxy.heal()


class Door:
    tls = False

    def __init__(self, cluster):
        self.cluster = cluster
        self.proxy = TcpProxy(cluster.port)
        cluster.doors.append(self.proxy)
        self.port = self.proxy.port
        self.url = f"http://127.0.0.1:{self.port}"
        self.ws_url = f"ws://127.0.0.1:{self.port}/v1/ws"

    def __getattr__(self, name):
        return getattr(self.cluster, name)
