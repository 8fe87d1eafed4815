"""Behind a real nginx, below a path, as people and programs use it."""

import shutil
import socket
import subprocess
from contextlib import contextmanager

import httpx
import pytest
from browser import Watch
from serving_client import listening

from recvae.serving import create_app

ASKED = {"items": [103], "k": 3}
CONF = """
daemon off; pid {folder}/pid; error_log stderr;
events {{}}
http {{
  access_log off;
  client_body_temp_path {folder}; proxy_temp_path {folder}; fastcgi_temp_path {folder};
  uwsgi_temp_path {folder}; scgi_temp_path {folder};
  server {{
    listen 127.0.0.1:{port};
    location /recs/ {{ proxy_pass {server}/; }}
  }}
}}
"""
"""As docs/serving.md says it."""


@contextmanager
def nginx(server, folder):
    """A proxy of the server; yield its URL."""
    program = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")
    if program is None:
        pytest.skip("needs nginx: apt-get install nginx-light")
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    conf = folder / "nginx.conf"
    conf.write_text(CONF.format(folder=folder, port=port, server=server))
    process = subprocess.Popen([program, "-c", conf], stderr=subprocess.DEVNULL)
    try:
        url = f"http://127.0.0.1:{port}/recs/"
        with httpx.Client(transport=httpx.HTTPTransport(retries=8)) as client:
            assert client.get(url + "health", timeout=60).status_code == 200
        yield url
    finally:
        process.terminate()
        process.wait(60)


@pytest.mark.slow
def test_all_is_there_behind_nginx_below_a_path(folder, tmp_path):
    app = create_app(folder, device="cpu")
    with listening(app) as server, nginx(server, tmp_path) as url:
        assert httpx.get(url.rstrip("/")).headers["location"].endswith("/recs/")
        for path in ("", "docs", "page/app.js", "swagger/swagger-ui.css", "items", "metrics"):
            assert httpx.get(url + path).status_code == 200, path
        assert len(httpx.post(url + "recommend", json=ASKED).json()["items"]) == 3
        described = httpx.get(url + "openapi.json")
        place = httpx.URL(described.url).join(described.json()["servers"][0]["url"])
        assert str(place) == url


@pytest.mark.filterwarnings("ignore::recvae.models.EmptyHistoryWarning")
def test_the_pages_work_behind_nginx_below_a_path(folder, tmp_path, browser):
    app = create_app(folder, device="cpu")
    with listening(app) as server, nginx(server, tmp_path) as url:
        page = browser.new_page()
        watch = Watch()
        watch.follow(page)
        page.goto(url + "docs")
        page.click("#operations-default-recommend_recommend_post")
        page.click("text=Try it out")
        with page.expect_response(lambda answer: answer.request.method == "POST") as answer:
            page.click("button.execute")
        assert (answer.value.url, answer.value.status) == (url + "recommend", 200)
        page.goto(url)
        page.click(".starters button >> nth=0")
        page.wait_for_selector("#picks > li")
        assert watch.problems == []
        page.close()
