"""Titles of films that were never made."""

# ruff: noqa: SIM905 (a list of words reads best as a sentence)

import numpy as np

MANNERS = (
    "Silent Crimson Hidden Wandering Golden Broken Midnight Distant Velvet Burning Frozen Paper "
    "Hollow Electric Gentle Savage Borrowed Forgotten Emerald Restless Invisible Scarlet Winter "
    "Summer Northern Bitter Lucky Honest Crooked Painted Stolen Second Last Hungry Lonesome "
    "Amber Quiet Reluctant Perfect Impossible"
).split()
THINGS = (
    "Harbor Garden Mirror Orchard Station Letter Lantern River Kingdom Island Promise Stranger "
    "Violin Hotel Compass Circus Carnival Window Bridge Shadow Journey Summer Empire Secret "
    "Horizon Parade Melody Labyrinth Voyage Courtship Inheritance Alibi Masquerade Engine "
    "Neighbor Detective Astronaut Balloon Telegram Avalanche"
).split()
PEOPLE = (
    "Clockmaker Daughters Ghost Thieves Baker Pilot Widow Captain Children Architect Gardener "
    "Wolves Queen Tailor Lighthouse Spies Drummer Cartographer Librarian Fox"
).split()
PLACES = (
    "Lisbon Avalon Winterford Kyoto Saltmarsh Mars Havana Thornfield Marseille Cedar_Creek "
    "Budapest Blackwater Zanzibar Montreal Copper_Hill Naples Elsewhere Trieste Juniper_Bay Oslo"
).split()


def draw_titles(n: int, rng: np.random.Generator) -> np.ndarray:
    """Draw n different titles, such as "The Silent Harbor", as an array of str [n]."""
    titles = [f"The {manner} {thing}" for manner in MANNERS for thing in THINGS]
    titles += [f"The {who} of {place.replace('_', ' ')}" for who in PEOPLE for place in PLACES]
    return rng.choice(np.array(titles, dtype=object), n, replace=False)
