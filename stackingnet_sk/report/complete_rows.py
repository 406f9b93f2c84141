"""Work-around: comparing numbers takes the rows that all models predict.

`rank_models` and `dependence` refuse numbers with missing predictions. Once they take
them, this module is to be deleted, and its callers pass all rows.
"""

from __future__ import annotations

import numpy as np

from stackingnet_sk.report.subject import Subject

# With fewer complete rows, models are not compared.
_FEWEST = 10


def complete_rows(subject: Subject) -> tuple[Subject | None, int]:
    """Take the rows that can be compared, None if too few; and count the complete ones.

    The subject itself comes back where all rows can be compared.
    """
    complete = np.all(subject.answered(), axis=1)
    n_complete = int(complete.sum())
    if not subject.is_number or complete.all():
        return subject, n_complete
    if n_complete < _FEWEST:
        return None, n_complete
    return subject.take(complete.nonzero()[0]), n_complete
