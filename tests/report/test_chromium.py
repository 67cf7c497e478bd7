"""The page in a browser: it is readable, wide and narrow, runs nothing, asks for nothing, and complains of nothing."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from base64 import b64decode
from io import BytesIO
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from kmeans_fast import kmeans, report

fcntl = pytest.importorskip("fcntl", reason="file descriptors are not passed on")
pytest.importorskip("matplotlib")
Image = pytest.importorskip("PIL.Image")

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
OPTIONS = ("--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking")

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium here")


class Browser:
    """Chromium's DevTools protocol over a pipe: JSON, each message ended by a zero byte."""

    def __init__(self, profile: Path) -> None:
        to_us, from_browser = os.pipe()
        to_browser, from_us = os.pipe()

        def connect() -> None:
            ends = [fcntl.fcntl(end, fcntl.F_DUPFD, 10) for end in (to_browser, from_browser)]
            os.dup2(ends[0], 3)
            os.dup2(ends[1], 4)

        self.process = subprocess.Popen(
            [str(CHROMIUM), *OPTIONS, f"--user-data-dir={profile}", "--remote-debugging-pipe"],
            close_fds=False,  # all others are closed by exec
            preexec_fn=connect,
            stderr=subprocess.DEVNULL,
        )
        os.close(to_browser)
        os.close(from_browser)
        self.reader, self.writer = os.fdopen(to_us, "rb"), os.fdopen(from_us, "wb")
        self.ids, self.session, self.events = count(1), None, []
        target = self.ask("Target.createTarget", url="about:blank")["targetId"]
        self.session = self.ask("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Network", "Log", "Runtime"):
            self.ask(f"{domain}.enable")

    def _receive(self) -> dict[str, Any]:
        data = bytearray()
        while (byte := self.reader.read(1)) != b"\0":
            assert byte, "the browser is gone"
            data += byte
        return json.loads(data)

    def ask(self, method: str, **parameters: Any) -> dict[str, Any]:
        number = next(self.ids)
        message = {"id": number, "method": method, "params": parameters}
        if self.session:
            message["sessionId"] = self.session
        self.writer.write(json.dumps(message).encode() + b"\0")
        self.writer.flush()
        while (answer := self._receive()).get("id") != number:
            self.events.append(answer)
        assert "error" not in answer, answer
        return answer["result"]

    def value(self, expression: str) -> Any:
        return self.ask("Runtime.evaluate", expression=expression)["result"].get("value")

    def visit(self, url: str, width: int) -> None:
        self.events = []
        metrics = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": False}
        self.ask("Emulation.setDeviceMetricsOverride", **metrics)
        self.ask("Page.navigate", url=url)
        while not any(event.get("method") == "Page.loadEventFired" for event in self.events):
            self.events.append(self._receive())

    def close(self) -> None:
        self.process.kill()
        self.process.wait()
        self.reader.close()
        self.writer.close()


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    browser = Browser(tmp_path_factory.mktemp("profile"))
    yield browser
    browser.close()


@pytest.fixture(scope="module")
def url(tmp_path_factory):
    rng = np.random.default_rng(0)
    X = np.concatenate([rng.normal(4 * m, 0.5, (60, 5)) for m in range(3)])
    evil = "<img src=http://evil.example/x onerror=\"document.title='hacked'\"><script>document.title='hacked'</script>"
    names = [f"{evil} {i}" for i in range(len(X))]
    path = tmp_path_factory.mktemp("page") / "report.html"
    columns = ["a rather long name of a feature", *"bcd", evil]
    page = report.html(X, kmeans(X, 3, random_state=0, n_init=9), ids=names, feature_names=columns, command=evil * 3)
    path.write_text(page, encoding="utf-8")
    return path.as_uri()


@pytest.mark.parametrize("width", [1280, 360])
def test_a_page_is_dark_on_light_and_as_wide_as_the_window(browser, url, width):
    browser.visit(url, width)
    assert browser.value("document.documentElement.scrollWidth") <= width
    assert browser.value("[...document.images].every(image => image.complete && image.naturalWidth > 0)")
    assert browser.value("document.title") == "Clusters of X"
    shot = browser.ask("Page.captureScreenshot", format="png", captureBeyondViewport=True)["data"]
    grey = np.asarray(Image.open(BytesIO(b64decode(shot))).convert("L"))
    assert np.median(grey) > 240
    assert (grey < 80).mean() > 0.003


def test_a_page_asks_for_nothing_and_complains_of_nothing(browser, url):
    browser.visit(url, 800)
    asked = [e["params"]["request"]["url"] for e in browser.events if e.get("method") == "Network.requestWillBeSent"]
    assert [address for address in asked if not address.startswith("data:")] == [url]
    said = ("Log.entryAdded", "Runtime.consoleAPICalled", "Runtime.exceptionThrown")
    assert [event for event in browser.events if event.get("method") in said] == []
