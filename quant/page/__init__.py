"""The pages that people look at: a build folder's `index.html`, drawn from the records in its `reports`.

Every command that learns something of a build leaves a record there and has the page drawn anew.
"""

from quant.page.links import TRAINING, builds_of, link_training
from quant.page.records import PAGE
from quant.page.render import STYLE, update

__all__ = ["PAGE", "STYLE", "TRAINING", "builds_of", "link_training", "update"]
