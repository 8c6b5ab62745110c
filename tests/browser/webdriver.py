# SPDX-License-Identifier: Apache-2.0
"""Just enough of the WebDriver protocol to drive headless Chromium, by the standard library."""
import base64
import json
import shutil
import subprocess
import tempfile
import urllib.request

from tests.peer.ports import free_port
from tests.peer.wait import PATIENCE_S, until

FLAGS = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
         "--disable-background-networking", "--disable-component-update", "--disable-sync"]


def available():
    return bool(shutil.which("chromedriver") and shutil.which("chromium"))


class Browser:
    def __init__(self, width=1100, height=900):
        self.profile = tempfile.mkdtemp(prefix="entrepot-browser-")
        self.port = free_port()
        self.driver = subprocess.Popen(["chromedriver", f"--port={self.port}"],
                                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        options = {"args": [*FLAGS, f"--user-data-dir={self.profile}",
                            f"--window-size={width},{height}"],
                   "binary": shutil.which("chromium")}
        want = {"capabilities": {"alwaysMatch": {"goog:chromeOptions": options}}}
        self.session = None
        try:
            until(self.ready, "chromedriver listens")
            self.session = self.call("", want)["sessionId"]
        except BaseException:
            self.close()
            raise

    def ready(self):
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/status", timeout=5) as reply:
                return json.load(reply)["value"]["ready"]
        except OSError:
            return False

    def call(self, path, body=None, method="POST"):
        at = f"http://127.0.0.1:{self.port}/session" + path
        data = None if method == "GET" else json.dumps(body or {}).encode()
        request = urllib.request.Request(at, data, {"Content-Type": "application/json"},
                                         method=method)
        with urllib.request.urlopen(request, timeout=2 * PATIENCE_S) as reply:
            return json.load(reply)["value"]

    def go(self, url):
        self.call(f"/{self.session}/url", {"url": url})

    def script(self, text, *values):
        return self.call(f"/{self.session}/execute/sync", {"script": text, "args": list(values)})

    def devtools(self, command, **parameters):
        self.call(f"/{self.session}/goog/cdp/execute", {"cmd": command, "params": parameters})

    def narrow(self, width, height):
        """A window's own least width is more than a telephone's: this is what the page sees."""
        self.devtools("Emulation.setDeviceMetricsOverride", width=width, height=height,
                      deviceScaleFactor=1, mobile=True)

    def download_to(self, folder):
        self.devtools("Browser.setDownloadBehavior", behavior="allow", downloadPath=folder)

    def screenshot(self, path):
        with open(path, "wb") as file:
            file.write(base64.b64decode(self.call(f"/{self.session}/screenshot", method="GET")))

    def close(self):
        try:
            if self.session:
                self.call(f"/{self.session}", method="DELETE")  # or its browsers outlive the driver
        except OSError:
            pass
        self.driver.kill()
        self.driver.wait()
        shutil.rmtree(self.profile, ignore_errors=True)
