"""Runs nginx and Apache with the shipped files, but on other ports and with own certificates."""

import contextlib
import os
import pwd
import shutil
import socket
import subprocess
import tempfile
import time
from pathlib import Path

from bench.processes import ROOT
from tests.conftest import PATIENCE
from tests.ports import free_ports

NAME = "pairs.example.com"
USER = "nobody"  # they run as this user if the tests run as root
NGINX = """
pid {home}/nginx.pid;
error_log {home}/error.log;
daemon off;
events {{ worker_connections 256; }}
http {{
    access_log {home}/access.log;
    client_body_temp_path {home}/body;
    proxy_temp_path {home}/proxy;
    fastcgi_temp_path {home}/fastcgi;
    uwsgi_temp_path {home}/uwsgi;
    scgi_temp_path {home}/scgi;
    include {home}/site.conf;
}}
"""
MODULES = (
    *("mpm_event", "authz_core", "socache_shmcb", "ssl", "rewrite", "headers"),
    *("alias", "proxy", "proxy_http", "proxy_wstunnel"),
)
APACHE = """
ServerName {name}
ServerRoot {home}
PidFile {home}/apache.pid
DefaultRuntimeDir {home}
ErrorLog {home}/error.log
LogFormat "%h %r" short
CustomLog {home}/access.log short
Listen 127.0.0.1:{http}
Listen 127.0.0.1:{https}
"""
# The configuration of a shared host, which reads the .htaccess in the site's folder.
HOSTED = """
DocumentRoot {home}/site
<Directory {home}/site>
    AllowOverride FileInfo
    Require all granted
</Directory>
<VirtualHost *:{http}>
</VirtualHost>
<VirtualHost *:{https}>
    SSLEngine on
    SSLCertificateFile {home}/cert.pem
    SSLCertificateKeyFile {home}/key.pem
</VirtualHost>
"""


class Proxy:
    """A proxy in front of a port; `http` and `https` are its own ports."""

    def __init__(self, kind, target, home):
        self.home = Path(home)
        (self.http, self.https), self._target = free_ports(2), target
        self.name, self._modules = NAME, MODULES
        _certificate(self.home)
        command = getattr(self, f"_{kind}")()
        if os.geteuid() == 0:
            self._give_away()
        else:
            self._user = None
        with (self.home / "out.log").open("wb") as out:
            self._process = subprocess.Popen(
                command, stdout=out, stderr=out, user=self._user, cwd=self.home
            )
        self._wait()

    def _give_away(self):
        self._user = pwd.getpwnam(USER).pw_uid
        for path in [self.home, *self.home.rglob("*")]:
            os.chown(path, self._user, -1)

    def _shipped(self, name, *, keep=()):
        """The text of a file of deploy/, with the ports and the certificate of this proxy.

        Fails if a text to replace is not in the file.
        """
        text = (ROOT / "deploy" / name).read_text("utf-8")
        changes = {
            "127.0.0.1:5000": f"127.0.0.1:{self._target}",
            f"/etc/letsencrypt/live/{NAME}/fullchain.pem": f"{self.home}/cert.pem",
            f"/etc/letsencrypt/live/{NAME}/privkey.pem": f"{self.home}/key.pem",
            "listen 80;": f"listen 127.0.0.1:{self.http};",
            "listen 443 ssl": f"listen 127.0.0.1:{self.https} ssl",
            "<VirtualHost *:80>": f"<VirtualHost *:{self.http}>",
            "<VirtualHost *:443>": f"<VirtualHost *:{self.https}>",
        }
        assert "127.0.0.1:5000" in text
        for old, new in changes.items():
            text = text.replace(old, new)
        return text

    def _nginx(self):
        (self.home / "site.conf").write_text(self._shipped("nginx.conf"))
        (self.home / "nginx.conf").write_text(NGINX.format(home=self.home))
        return [tool("nginx"), "-e", f"{self.home}/error.log", "-c", f"{self.home}/nginx.conf"]

    def _apache(self):
        return self._httpd(self._shipped("apache.conf"))

    def _htaccess(self):
        site = self.home / "site"
        site.mkdir()
        (site / ".htaccess").write_text(self._shipped("htaccess"))
        values = {"home": self.home, "http": self.http, "https": self.https}
        return self._httpd(HOSTED.format(**values))

    def _poor(self):
        """A shared host with .htaccess, whose Apache has no module for websockets."""
        self._modules = [each for each in MODULES if each != "proxy_wstunnel"]
        return self._htaccess()

    def _httpd(self, site):
        modules = "".join(
            f"LoadModule {name}_module /usr/lib/apache2/modules/mod_{name}.so\n"
            for name in self._modules
        )
        values = {"name": NAME, "home": self.home, "http": self.http, "https": self.https}
        (self.home / "httpd.conf").write_text(modules + APACHE.format(**values) + site)
        return [tool("apache2"), "-f", f"{self.home}/httpd.conf", "-D", "FOREGROUND"]

    def _wait(self):
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            assert self._process.poll() is None, self.said()
            with contextlib.suppress(OSError):
                socket.create_connection(("127.0.0.1", self.https)).close()
                return
        raise TimeoutError(self.said())

    def said(self):
        """The text of the proxy's logs."""
        return "".join(path.read_text() for path in self.home.glob("*.log"))

    def close(self):
        """Ends the proxy."""
        self._process.terminate()
        self._process.wait(PATIENCE)


def tool(name):
    """The path of a program, also if it is in /usr/sbin and PATH lacks this directory."""
    found = shutil.which(name, path=os.environ.get("PATH", "") + ":/usr/sbin")
    assert found, f"{name} is missing: make system"
    return found


def _certificate(home):
    """Makes a self-signed certificate for the name in the examples."""
    subprocess.run(
        [tool("openssl"), "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2"]
        + ["-subj", f"/CN={NAME}", "-addext", f"subjectAltName=DNS:{NAME},IP:127.0.0.1"]
        + ["-keyout", home / "key.pem", "-out", home / "cert.pem"],
        check=True,
        capture_output=True,
    )


@contextlib.contextmanager
def proxy(kind, target):
    """Runs a proxy in front of the port for the block."""
    with tempfile.TemporaryDirectory(prefix="pairs-proxy-") as home:
        running = Proxy(kind, target, home)
        try:
            yield running
        finally:
            running.close()
