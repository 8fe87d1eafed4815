"""Damage: bytes of a file that are no longer what they were."""

import numpy as np

REGION = 16
"""Bytes. Each region of each file is damaged in turn."""
EXTREMES = [b"\xff" * 8, b"\x00" * 8, b"\xff" * 7 + b"\x7f", b"\x00" * 3 + b"\x80" + b"\xff" * 4]
"""Lengths and offsets that are none."""


def damaged(content: bytes, start: int, other: bytes, rng: np.random.Generator) -> bytes:
    """The content with something done to it, at the region that begins at `start`."""
    end = min(start + REGION, len(content))
    before, region, after = content[:start], content[start:end], content[end:]
    match rng.integers(12):
        case 0 | 1 | 2:
            return before + _with_a_bit_flipped(region, rng) + after
        case 3:
            return before + bytes(byte ^ 0xFF for byte in region) + after
        case 4:
            return before + bytes(len(region)) + after
        case 5:
            return before + rng.bytes(len(region)) + after
        case 6:
            extreme = EXTREMES[rng.integers(len(EXTREMES))]
            return (before + extreme + content[start + 8 :])[: len(content)]
        case 7:
            return before
        case 8:
            return before + after
        case 9:
            return before + region * int(rng.integers(2, 100)) + after
        case 10:
            return after + region + before
        case _:
            return before + other[start:end] + after


def _with_a_bit_flipped(region: bytes, rng: np.random.Generator) -> bytes:
    """The region with one bit the other way round."""
    if not region:
        return region
    place = rng.integers(len(region))
    flipped = region[place] ^ (1 << int(rng.integers(8)))
    return region[:place] + bytes([flipped]) + region[place + 1 :]
