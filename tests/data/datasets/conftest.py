import threading
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from recvae.data.datasets import download
from recvae.data.datasets.releases import RELEASES


@pytest.fixture(autouse=True)
def alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No test sees the user's data or cache, or the network."""
    monkeypatch.setenv("RECVAE_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("RECVAE_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setattr(download, "RETRIES", 0)
    publish_at(monkeypatch, "http://127.0.0.1:9/")


def publish_at(monkeypatch: pytest.MonkeyPatch, address: str) -> None:
    """Have every zip where no one is asked."""
    for name, release in RELEASES.items():
        if release.zip is not None:
            moved = replace(release.zip, url=f"{address}{name}.zip")
            monkeypatch.setitem(RELEASES, name, replace(release, zip=moved))


@pytest.fixture
def data_dir(tmp_path: Path) -> Path:
    folder = tmp_path / "data"
    folder.mkdir()
    return folder


class Server(ThreadingHTTPServer):
    """Serves a folder; what `cut_short` names, it serves by half so many times."""

    daemon_threads = True

    def __init__(self, folder: Path) -> None:
        super().__init__(("127.0.0.1", 0), partial(Handler, directory=str(folder)))
        self.folder = folder
        self.cut_short = 0
        self.requested: list[str] = []


class Handler(SimpleHTTPRequestHandler):
    server: Server

    def do_GET(self) -> None:
        self.server.requested.append(self.path)
        super().do_GET()

    def copyfile(self, source, outputfile) -> None:
        content = source.read()
        if self.server.cut_short > 0:
            self.server.cut_short -= 1
            content = content[: len(content) // 2]
        outputfile.write(content)

    def log_message(self, *args: object) -> None:
        pass


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    folder = tmp_path / "served"
    folder.mkdir()
    with Server(folder) as serving:
        publish_at(monkeypatch, f"http://127.0.0.1:{serving.server_port}/")
        thread = threading.Thread(target=serving.serve_forever, args=(0.01,))
        thread.start()
        yield serving
        serving.shutdown()
        thread.join()
