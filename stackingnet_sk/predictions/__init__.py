"""Tables of predictions: collected out of fold, checked, clipped, normalized."""

from stackingnet_sk.predictions.answers import NUMBER, Answer, ClassAnswer, one_column
from stackingnet_sk.predictions.labels import is_labelled, labelled_part
from stackingnet_sk.predictions.out_of_fold import (
    OutOfFold,
    check_splits,
    collect_out_of_fold,
    task_names,
)
from stackingnet_sk.predictions.ranges import PredictionClipper, PredictionNormalizer
from stackingnet_sk.predictions.table import check_predictions, is_number

__all__ = [
    "NUMBER",
    "Answer",
    "ClassAnswer",
    "OutOfFold",
    "PredictionClipper",
    "PredictionNormalizer",
    "check_predictions",
    "check_splits",
    "collect_out_of_fold",
    "is_labelled",
    "is_number",
    "labelled_part",
    "one_column",
    "task_names",
]
