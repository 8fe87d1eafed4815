"""Estimator: the manners of scikit-learn, whose tools clone models and search their options."""

from dataclasses import fields
from typing import Any, Self

from recvae import options
from recvae.packages import sklearn


class Estimator:
    """A dataclass whose fields are its hyper-parameters, as scikit-learn asks for them.

    It takes no base class of scikit-learn's, which is not needed to use a model.
    """

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """The hyper-parameters by name, as they were given; `deep` changes nothing."""
        return {field.name: getattr(self, field.name) for field in fields(self)}  # type: ignore[arg-type]

    def set_params(self, **params: Any) -> Self:
        """Set hyper-parameters; return self. A fitted model has to be fitted anew.

        Raises:
            OptionError: there is no such hyper-parameter, or it is out of its range.
        """
        options.build(type(self), self.get_params() | params)
        for name, value in params.items():
            setattr(self, name, value)
        return self

    def __sklearn_tags__(self) -> Any:
        """What scikit-learn may know: rows are sparse, and there is no target."""
        utils = sklearn("utils")
        return utils.Tags(
            estimator_type=None,
            target_tags=utils.TargetTags(required=False),
            input_tags=utils.InputTags(sparse=True, positive_only=True),
        )
