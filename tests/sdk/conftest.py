"""How does a client of Microsoft's find the world? Real host names, a proxy, and an authority to trust: as the operator does."""

from __future__ import annotations

import json
import os
import select
import subprocess
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
WORLD = Path(os.environ.get("WORLD", ROOT / "target/debug/world"))
CONTOSO = ROOT / "tests/world/worlds/contoso.yaml"

TENANT = "6f1c2c4e-8d0b-4b5e-9a53-0c6a3f1d2e01"
APP = "c0ffee00-1111-4222-8333-444455556666"
SECRET = "world-app-secret"
ACCOUNT = "svc-backup@contoso.com"
ACCOUNT_ID = "0d5b6a1c-2f3e-4a4d-8c5b-7e6f5a4b3c2d"
GLOBAL_ADMINISTRATOR = "62e90394-69f5-4237-9190-012177145e10"
DYNAMICS_ADMINISTRATOR = "44367163-eba1-44c3-98af-f5787879f96a"
POWER_PLATFORM_ADMINISTRATOR = "11648597-926c-4cf3-9c36-bcebb0ba8dcc"


class World:
    """A running world, and its control API."""

    def __init__(self, folder: Path, yaml: str) -> None:
        file = folder / "world.yaml"
        file.write_text(yaml)
        # With its parent: it ends even if this process is killed.
        self.process = subprocess.Popen(
            [WORLD, "up", "--with-parent", "--dir", folder, "--file", file],
            stdout=subprocess.PIPE,
            text=True,
        )
        ready, _, _ = select.select([self.process.stdout], [], [], 30)
        line = self.process.stdout.readline() if ready else ""
        if not line.startswith("ready "):
            self.stop()
            raise RuntimeError(f"the world did not start: {line!r}")
        addresses = json.loads((folder / "world.json").read_text())
        self.proxy: str = addresses["proxy"]
        self.control: str = addresses["control"]
        self.ca: str = addresses["ca"]

    def stop(self) -> None:
        self.process.terminate()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.process.stdout.close()

    def ask(self, method: str, path: str, body: object = None) -> object:
        """The control API is on the loopback interface: no proxy on the way."""
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.control + path, data, method=method)
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with opener.open(request, timeout=10) as answer:
            text = answer.read()
        return json.loads(text) if text else None

    def do(self, action: str, **words: object) -> object:
        """What a person does."""
        return self.ask("POST", f"/do/{action}", words)

    def fault(self, **fault: object) -> None:
        self.ask("POST", "/faults", fault)

    def calls(self, end: str) -> list[dict]:
        """What was asked at paths with this end, in order. The Graph client's begin with `/v1.0//`."""
        return [call for call in self.ask("GET", "/calls") if call["path"].endswith(end)]


def contoso(*changes: tuple[str, str], switches: str = "{}") -> str:
    """Contoso with pieces of the file replaced; each has to occur."""
    text = CONTOSO.read_text()
    for old, new in changes:
        assert old in text, f"not in contoso.yaml: {old}"
        text = text.replace(old, new, 1)
    return f"{text}\nswitches: {switches}\n"


@pytest.fixture
def start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., World]]:
    """Starts worlds; clients that are made afterwards go to the latest. What any of them was asked has to be in order."""
    worlds: list[World] = []

    def begin(*changes: tuple[str, str], switches: str = "{}") -> World:
        folder = tmp_path / f"world-{len(worlds)}"
        folder.mkdir()
        world = World(folder, contoso(*changes, switches=switches))
        worlds.append(world)
        for name in ("HTTPS_PROXY", "https_proxy"):
            monkeypatch.setenv(name, world.proxy)
        for name in ("NO_PROXY", "no_proxy", "HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
            monkeypatch.delenv(name, raising=False)
        for name in ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):
            monkeypatch.setenv(name, world.ca)
        return world

    yield begin
    violations: list[str] = []
    for world in worlds:
        try:
            violations += world.ask("GET", "/checks")["violations"]
        finally:
            world.stop()
    # A client made by Microsoft asks as Microsoft publishes; if the world's check says otherwise, the check is wrong.
    assert violations == []


@pytest.fixture
def world(start: Callable[..., World]) -> World:
    """The world of Contoso, as it is."""
    return start()
