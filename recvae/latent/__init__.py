"""The latent space as a tool: explain, blend, generate, find anomalies, draw, name, clean.

Every tool works on any fitted model that has what it needs; without that it raises OptionError, and
DataError for histories that do not have the training items as columns. `__init__.pyi` lists the
tools. They are imported when they are first used: only then a tool that needs scikit-learn asks for
it (`pip install recvae[latent]`).
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
