"""Tables of predictions: collected out of fold, checked, clipped, normalized."""

from stackingnet_sk.predictions.answers import NUMBER, Answer, ClassAnswer, one_column
from stackingnet_sk.predictions.blocks import (
    Block,
    about,
    blocks_of,
    column_names,
    comes_in_blocks,
    split_columns,
    sum_blocks,
)
from stackingnet_sk.predictions.dask_blocks import is_dask, sum_partitions
from stackingnet_sk.predictions.groups import group_columns
from stackingnet_sk.predictions.labels import (
    as_array,
    is_labelled,
    labelled_part,
    unmasked,
)
from stackingnet_sk.predictions.members import (
    FittedMembers,
    Members,
    Metadata,
    are_pairs,
    check_fitted,
    cross_predict,
    has_row_numbers,
    is_prefit,
    members_in_use,
    restrict_splits,
    route_metadata,
)
from stackingnet_sk.predictions.out_of_fold import (
    OutOfFold,
    check_splits,
    collect_out_of_fold,
    task_names,
)
from stackingnet_sk.predictions.ranges import PredictionClipper, PredictionNormalizer
from stackingnet_sk.predictions.table import check_predictions, is_number
from stackingnet_sk.predictions.training_rows import TrainingRows
from stackingnet_sk.predictions.votes import (
    ClassAnswers,
    check_probabilities,
    classes_of_votes,
    code_texts,
    encode_votes,
    names_of_blocks,
    sorted_classes,
)

__all__ = [
    "NUMBER",
    "Answer",
    "Block",
    "ClassAnswer",
    "ClassAnswers",
    "FittedMembers",
    "Members",
    "Metadata",
    "OutOfFold",
    "PredictionClipper",
    "PredictionNormalizer",
    "TrainingRows",
    "about",
    "are_pairs",
    "as_array",
    "blocks_of",
    "check_fitted",
    "check_predictions",
    "check_probabilities",
    "check_splits",
    "classes_of_votes",
    "code_texts",
    "collect_out_of_fold",
    "column_names",
    "comes_in_blocks",
    "cross_predict",
    "encode_votes",
    "group_columns",
    "has_row_numbers",
    "is_dask",
    "is_labelled",
    "is_number",
    "is_prefit",
    "labelled_part",
    "members_in_use",
    "names_of_blocks",
    "one_column",
    "restrict_splits",
    "route_metadata",
    "sorted_classes",
    "split_columns",
    "sum_blocks",
    "sum_partitions",
    "task_names",
    "unmasked",
]
