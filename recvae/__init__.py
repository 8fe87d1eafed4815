"""recvae: recommendations with variational autoencoders, and honest comparisons.

    import recvae as rv

    data = rv.load_dataset("sample", min_rating=4, min_user_items=5)
    split = rv.split_users(data, n_validation=300, n_test=300)
    model = rv.MultVAE().fit(split.train, validation=split.validation)
    print(rv.evaluate(model, split.test))

`__init__.pyi` lists the public names. They are imported when they are first used, so that
`import recvae` and the command's `--help` do not wait for torch.
"""

import lazy_loader

__version__ = "0.2.0"

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
