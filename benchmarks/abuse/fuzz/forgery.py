"""Forgery: files that are well formed and say something else."""

import json
from typing import Any

import numpy as np
from safetensors.numpy import load, save

JUNK: list[Any] = [
    *(None, True, False, 0, 1, -1, 3, 10**9, 2**31, 2**63, 10**30, 0.5, -0.0, 1e308, 1e-320),
    *(float("nan"), float("inf"), "", "x", "0", "-1", "auto", "counts", "binary", "cpu", "\ud800"),
    *("weights", "../model.json", "/etc/passwd", "a\0b", "..\\x", "items.parquet\n", "é" * 300),
    *([], {}, [[]], [1] * 200, {"name": "x"}, [10**12], {"tensor": "state.parameters.0"}),
    *("mult-dae", "ease", "popularity", "F64", "BF16", "I8", "BOOL", "F8_E4M3", 10**12, [0, 0]),
]
TYPES = ["float64", "float16", "int64", "int32", "int8", "uint64", "bool"]
EXTREMES = [np.nan, np.inf, -np.inf, -1, 1e38, 2**31 - 1, -(2**31)]


def forged_json(content: Any, rng: np.random.Generator) -> Any:
    """A document with one of its values replaced, left out, doubled or put elsewhere."""
    paths = list(_paths(content))
    path = paths[rng.integers(len(paths))]
    if not path:
        return JUNK[rng.integers(len(JUNK))]
    holder = content
    for key in path[:-1]:
        holder = holder[key]
    match rng.integers(6):
        case 0:
            del holder[path[-1]]
        case 1 if isinstance(holder, dict):
            holder[f"{path[-1]}2"] = holder[path[-1]]
        case 2:
            source = paths[rng.integers(1, len(paths))]
            holder[path[-1]] = json.loads(json.dumps(_at(content, source)))
        case 3 if isinstance(holder[path[-1]], int | float):
            holder[path[-1]] = holder[path[-1]] * int(rng.choice([-1, 2, 10**6])) + 1
        case _:
            holder[path[-1]] = JUNK[rng.integers(len(JUNK))]
    return content


def forged_tensors(content: bytes, rng: np.random.Generator) -> bytes:
    """A safetensors file with one tensor of another type, shape, name or content."""
    tensors = load(content)
    names = sorted(tensors)
    name, other = names[rng.integers(len(names))], names[rng.integers(len(names))]
    match rng.integers(8):
        case 0:
            tensors[name] = tensors[name].astype(TYPES[rng.integers(len(TYPES))])
        case 1:
            tensors[name] = np.ascontiguousarray(tensors[name].T)
        case 2:
            tensors[name] = tensors[name].reshape(*tensors[name].shape, 1)
        case 3:
            tensors[name] = tensors[other]
        case 4:
            del tensors[name]
        case 5:
            tensors[f"{name}2"] = tensors[name]
        case 6:
            tensors[name] = np.concatenate([np.atleast_1d(tensors[name])] * 2)
        case _:
            tensors[name] = with_extremes(tensors[name], rng)
    return save(tensors)


def with_extremes(values: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """An array with one value, or all, out of any range."""
    values = values.copy()
    with np.errstate(all="ignore"):
        extreme = np.asarray(EXTREMES[rng.integers(len(EXTREMES))]).astype(values.dtype)
    if values.size and rng.random() < 0.7:
        values.flat[rng.integers(values.size)] = extreme
    else:
        values[...] = extreme
    return values


def forged_header(content: bytes, rng: np.random.Generator) -> bytes:
    """A safetensors file whose header claims something else, or is longer than it is."""
    n_bytes = int.from_bytes(content[:8], "little")
    header, data = content[8 : 8 + n_bytes], content[8 + n_bytes :]
    if rng.random() < 0.3:
        lengths = [0, 1, n_bytes - 1, n_bytes + 1, len(content), 10**8, 2**31, 2**63, 2**64 - 1]
        return lengths[rng.integers(len(lengths))].to_bytes(8, "little") + header + data
    claimed = json.dumps(forged_json(json.loads(header), rng)).encode()
    if rng.random() < 0.05:
        claimed += b" " * 2**20
    return len(claimed).to_bytes(8, "little") + claimed + data


def _paths(content: Any, path: tuple[Any, ...] = ()) -> Any:
    """The keys that lead to each value of a document."""
    yield path
    if isinstance(content, dict | list):
        pairs = content.items() if isinstance(content, dict) else enumerate(content)
        for key, part in pairs:
            yield from _paths(part, (*path, key))


def _at(content: Any, path: tuple[Any, ...]) -> Any:
    """What lies there."""
    for key in path:
        content = content[key]
    return content
