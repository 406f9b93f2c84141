"""Tables of predictions: from the formats that people have, and made up."""

from stackingnet_sk.datasets.experts import make_experts
from stackingnet_sk.datasets.long import from_long
from stackingnet_sk.datasets.prediction_table import PredictionTable
from stackingnet_sk.datasets.snorkel import from_snorkel
from stackingnet_sk.datasets.wide import from_wide

__all__ = [
    "PredictionTable",
    "from_long",
    "from_snorkel",
    "from_wide",
    "make_experts",
]
