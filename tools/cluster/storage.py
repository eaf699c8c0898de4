"""The storage of a cluster's files on one machine: VersityGW, a real S3 server, and the Nginx edge in
front of it.
"""

import os

from tools import versitygw
from tools.cluster import nginx
from tools.cluster.parts import Nginx, Part, clean_environment, http_status
from tools.cluster.state import LOOPBACK

ACCESS_KEY = "parley"


class S3(Part):
    role = "s3"

    @property
    def url(self):
        """For everybody, since it is under the signatures; tests put a proxy there (`links` of all)."""
        port = self.state.values.get("links", {}).get("all", {}).get(self.name, self.port)
        return f"http://{LOOPBACK}:{port}"

    def command(self):
        return versitygw.command(versitygw.fetch(), self.folder, self.port)

    def environment(self):
        # Not among the arguments, which can be read by everybody.
        return clean_environment(ROOT_ACCESS_KEY_ID=ACCESS_KEY, ROOT_SECRET_ACCESS_KEY=self.state.secret("s3.key"))

    def answers(self):
        return http_status(self.port, "/") is not None


class Cdn(Nginx):
    role = "cdn"

    @property
    def port(self):
        return self.state.port(self.name)

    @property
    def purge_port(self):
        return self.state.port("cdn-purge")

    @property
    def url(self):
        return f"http://{LOOPBACK}:{self.port}"

    @property
    def settings_file(self):
        return self.folder / "cdn.conf"

    def prepare(self):
        self.folder.mkdir(exist_ok=True)
        (storage,) = self.cluster.of_role("s3")
        text = nginx.render_cdn(
            f"{LOOPBACK}:{self.port}",
            storage.url,
            self.state.secret("cdn.secret"),
            purge_listen=f"{LOOPBACK}:{self.purge_port}",
            prefix=self.folder,
            cache_size="2g",
            workers=1,
            connections=4_000,
            open_files=9_000,
            error_log=self.state.log("cdn"),
            access_log=self.state.log("cdn-access"),
            run_as="www-data" if os.geteuid() == 0 else None,
        )
        self.settings_file.touch(mode=0o600)  # the secret is in it
        self.settings_file.write_text(text)

    def answers(self):
        return http_status(self.port, "/") == 404
