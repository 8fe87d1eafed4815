"""Building: a model from its name and options, or from the folder that it was saved to."""

from collections.abc import Mapping
from os import PathLike
from typing import Any

from recvae.disk.paths import path_of
from recvae.engine import devices
from recvae.errors import ModelFileError, did_you_mean, require_known
from recvae.models.contract import Recommender
from recvae.models.registry import MODELS
from recvae.options import ranges
from recvae.saved import storage


def build_model(name: str, options: Mapping[str, Any] | None = None) -> Recommender:
    """Make a recommender by name, with options that may be text.

    Raises:
        OptionError: no such model, no such option, or a value out of its range.
    """
    require_known(name, MODELS, "there is no model")
    return ranges.build(MODELS[name], options or {})


@devices.usual()
def load_model(folder: str | PathLike[str], device: str = "auto") -> Recommender:
    """Read a model that `save` wrote.

    Args:
        folder: the folder of the saved model.
        device: the device to put an autoencoder on.

    Raises:
        MissingFileError: there is no model in the folder.
        ModelFileError: a file is damaged, missing or of another version.
        OptionError: the device is not on this machine.
    """
    folder = path_of(folder)
    described, stored = storage.read_manifest(folder)
    if described.model not in MODELS:
        raise ModelFileError(
            f"{folder} holds a model {described.model!r}: {did_you_mean(described.model, MODELS)}"
        )
    devices.resolve(device)
    chosen = dict(described.options)
    if "device" in chosen:
        chosen["device"] = device
    with storage.as_model_file_error(folder):
        model = ranges.build(MODELS[described.model], chosen)
        return model.take(storage.load_saved(described, stored))
