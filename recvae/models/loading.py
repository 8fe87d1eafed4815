"""Loading: reads a saved model, of the class that its manifest names."""

from os import PathLike
from pathlib import Path

from recvae import options
from recvae.engine import devices
from recvae.errors import ModelFileError, did_you_mean
from recvae.models.contract.recommender import Recommender
from recvae.models.registry import MODELS
from recvae.saved import storage


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
    folder = Path(folder).expanduser()
    described, stored = storage.read_manifest(folder)
    if described.model not in MODELS:
        raise ModelFileError(
            f"{folder} holds a model {described.model!r}: {did_you_mean(described.model, MODELS)}"
        )
    devices.resolve(device)
    chosen = dict(described.options)
    if "device" in chosen:
        chosen["device"] = device
    with storage.one_clear_error(folder):
        model = options.build(MODELS[described.model], chosen)
        return model.take(storage.load_saved(described, stored))
