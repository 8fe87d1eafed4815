"""The latent space as a tool: explain, blend, generate, look for the odd, draw, name, clean.

What these need is a fitted model, and no more. `__init__.pyi` lists them; they are imported when
they are first used, so that what needs scikit-learn (`pip install recvae[latent]`) asks for it
only then.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
