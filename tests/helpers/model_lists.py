"""Write the lists of models anew, from the registry: two stubs, the reference, the search spaces.

python tests/helpers/model_lists.py
"""

import re
from collections.abc import Iterator
from pathlib import Path

from recvae.models.registry import BUILT_IN, MODELS

ROOT = Path(__file__).parents[2]
PLACES = dict(place.split(":") for place in BUILT_IN.values())
CLASSES = sorted(PLACES.values())


def written() -> Iterator[tuple[Path, str]]:
    """Each file that has a list, and what it should say."""
    for name, update in {
        "recvae/models/__init__.pyi": _stub_of_models,
        "recvae/__init__.pyi": _stub,
        "docs/api/models.md": _reference,
        "docs/tuning.md": _spaces,
    }.items():
        path = ROOT / name
        yield path, update(path.read_text(encoding="utf-8"))


def _stub_of_models(text: str) -> str:
    imports = set(re.findall(r"^from .*", text, re.MULTILINE))
    modules = {module.removeprefix("recvae.models"): cls for module, cls in PLACES.items()}
    imports |= {f"from {module} import {cls}" for module, cls in modules.items()}
    return "\n".join(sorted(imports)) + "\n\n" + _public(text)


def _stub(text: str) -> str:
    before, rest = text.split("from .models import (\n")
    block, rest = rest.split(")\n", 1)
    names = _in_order({*re.findall(r"\w+", block), *CLASSES})
    lines = "".join(f"    {name},\n" for name in names)
    imports = f"{before}from .models import (\n{lines})\n{rest}"
    return imports[: imports.index("__all__")] + _public(text)


def _public(text: str) -> str:
    names = re.findall(r'"(\w+)"', text[text.index("__all__") :])
    lines = "".join(f'    "{name}",\n' for name in _in_order({*names, *CLASSES}))
    return f"__all__ = [\n{lines}]\n"


def _in_order(names: set[str]) -> list[str]:
    """Constants, classes, functions, as ruff sorts them."""
    return sorted(names, key=lambda name: (not name.isupper(), not name[0].isupper(), name))


def _reference(text: str) -> str:
    missing = [f"::: recvae.{cls}\n\n" for cls in CLASSES if f"::: recvae.{cls}\n" not in text]
    end = text.index("::: recvae.models.contract.abilities")
    return text[:end] + "".join(missing) + text[end:]


def _spaces(text: str) -> str:
    rows = "".join(
        f"| `{name}` | `{option}` | {kind} |\n"
        for name in BUILT_IN
        for option, kind in MODELS[name].space.items()
    )
    return re.sub(r"(^\| `.*\n)+", lambda _: rows, text, flags=re.MULTILINE)


if __name__ == "__main__":
    for path, text in written():
        path.write_text(text, encoding="utf-8")
