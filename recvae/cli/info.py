"""`recvae info`: shows what a saved model is, and where it comes from."""

from typing import Any

import recvae as rv
from recvae.cli.arguments import Json, ModelFolder
from recvae.cli.output import show


def info(model: ModelFolder, *, json: Json = False) -> None:
    """Validate a saved model, and say what it is: its data, options, code and checksums.

    [bold]Examples[/bold]

    $ recvae info runs/vae

    $ recvae info runs/vae --json
    """
    from recvae.saved.storage import read_manifest

    recommender = rv.load_model(model, device="cpu")
    described, stored = read_manifest(model)
    files = {role: file.checksum for role, file in stored.files.items()}
    learnt = {
        "interactions": int(recommender.item_counts_.sum()),
        "parameters": recommender.n_parameters,
        "bytes": recommender.n_bytes,
    }
    facts = described.model_dump(mode="json") | learnt | {"sha256": files}
    show(_as_text(facts), facts, json)


def _as_text(facts: dict[str, Any]) -> str:
    lines = {
        "model": facts["model"],
        "trained on": "{n_users:,} users x {n_items:,} items, {interactions:,} interactions, "
        "fingerprint {fingerprint}".format(**facts),
        "a like": "weighs {min_weight:g} or more".format(**facts) if facts["min_weight"] else "",
        "learnt": "{parameters:,} parameters, {bytes:,} bytes".format(**facts),
        "saved by": "recvae {recvae}".format(**facts),
        **_origin_lines(facts["origin"]),
        "options": ", ".join(f"{name}={value}" for name, value in facts["options"].items()),
        **facts["sha256"],
    }
    return "\n".join(f"{name:<11} {value}" for name, value in lines.items() if value)


def _origin_lines(origin: dict[str, Any] | None) -> dict[str, str]:
    if origin is None:
        return {"fitted": "not yet, when it was saved"}
    code = f"recvae {origin['recvae']}, commit {origin['commit'] or 'unknown'}"
    best = origin["best"]
    return {
        "fitted": origin["fitted"],
        "by": "{}, Python {python}, torch {torch}, numpy {numpy}".format(code, **origin),
        "best": "{metric} {value:.4f} in epoch {epoch}".format(**best) if best else "",
    }
