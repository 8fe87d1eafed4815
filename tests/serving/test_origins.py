"""Pages of other hosts may ask if their origin is named, and none else."""

import pytest

from recvae.errors import OptionError
from recvae.serving import create_app

ASKED = {"items": [103], "k": 3}
SHOP = {"Origin": "https://shop.example"}
PREFLIGHT = SHOP | {
    "Access-Control-Request-Method": "POST",
    "Access-Control-Request-Headers": "authorization,content-type",
}


@pytest.mark.anyio
async def test_pages_of_named_origins_may_ask(served):
    async with served(allow_origins=[SHOP["Origin"]], token="secret") as client:
        allowed = await client.options("/recommend", headers=PREFLIGHT)
        assert allowed.status_code == 200
        assert allowed.headers["access-control-allow-origin"] == SHOP["Origin"]
        bearer = {"Authorization": "Bearer secret"}
        answer = await client.post("/recommend", json=ASKED, headers=SHOP | bearer)
        assert answer.headers["access-control-allow-origin"] == SHOP["Origin"]
        assert len(answer.json()["items"]) == 3
        refused = await client.post("/recommend", json=ASKED, headers=SHOP)
        assert refused.status_code == 401
        assert refused.headers["access-control-allow-origin"] == SHOP["Origin"]
        other = {"Origin": "https://evil.example"}
        assert (await client.options("/recommend", headers=PREFLIGHT | other)).status_code == 400
        answer = await client.post("/recommend", json=ASKED, headers=bearer | other)
        assert "access-control-allow-origin" not in answer.headers


@pytest.mark.anyio
async def test_without_named_origins_no_page_may_ask(served):
    async with served() as client:
        answer = await client.post("/recommend", json=ASKED, headers=SHOP)
        assert "access-control-allow-origin" not in answer.headers
        assert (await client.options("/recommend", headers=PREFLIGHT)).status_code == 405


@pytest.mark.parametrize("origin", ["shop.example", "https://shop.example/", "https://*.shop", ""])
def test_what_is_no_origin(folder, origin):
    with pytest.raises(OptionError, match="is no origin: write it as browsers do"):
        create_app(folder, allow_origins=[origin])
