"""How plots look: matplotlib settings for light and dark pages.

The colours of the series are Okabe and Ito's, which colour-blind readers can tell apart, with the
pale ones darkened on white and the dark ones lightened on black to a contrast of at least 3:1.
Each model has its own marker as well.
"""

from typing import Any

from matplotlib.rcsetup import cycler

MARKERS = "osD^vPXp"

STYLE: dict[Any, Any] = {
    "axes.axisbelow": True,
    "axes.facecolor": "none",
    "axes.grid": True,
    "axes.labelsize": 10,
    "axes.spines.bottom": False,
    "axes.spines.left": False,
    "axes.spines.right": False,
    "axes.spines.top": False,
    "axes.titlelocation": "left",
    "axes.titlesize": 11,
    "errorbar.capsize": 0,
    "grid.linewidth": 0.7,
    "legend.fontsize": 9,
    "legend.frameon": False,
    "lines.linewidth": 1.8,
    "lines.markersize": 5,
    "savefig.dpi": 160,
    "svg.hashsalt": "recvae",
    "xtick.labelsize": 9,
    "xtick.major.size": 0,
    "ytick.labelsize": 9,
    "ytick.major.size": 0,
}


def _theme(paper: str, ink: str, faint: str, series: str) -> dict[Any, Any]:
    inked = ("text.color", "axes.labelcolor", "axes.titlecolor", "xtick.color", "ytick.color")
    return {
        **STYLE,
        "figure.facecolor": paper,
        "savefig.facecolor": paper,
        "grid.color": faint,
        "axes.prop_cycle": cycler(color=series.split()),
        **dict.fromkeys(inked, ink),
    }


LIGHT = _theme(
    paper="#ffffff",
    ink="#1f2430",
    faint="#dfe2e8",
    series="#0072b2 #d55e00 #00805e #b0478a #a87100 #3a8fc4 #6b6b6b #1f2430",
)

DARK = _theme(
    paper="#14171d",
    ink="#e4e7ee",
    faint="#323845",
    series="#56b4e9 #ff8f4f #35c99d #e79ac6 #f0bd45 #9fd3f5 #a5a9b2 #e4e7ee",
)
