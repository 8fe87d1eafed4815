"""Templates: pages of HTML from a package's `templates/`, everything in them escaped."""

from typing import Any

import jinja2


def render(package: str, name: str, **values: Any) -> str:
    """Fill in a package's template; a value that it names and does not get is an error."""
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader(package),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
    )
    return environment.get_template(name).render(**values)
