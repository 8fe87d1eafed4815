"""The recommenders, by class and by name.

`__init__.pyi` lists the public names, which are imported when they are first used: who asks for the
names of the models, or for one of them, does not wait for the others.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
