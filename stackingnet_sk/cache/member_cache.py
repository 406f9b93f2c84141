"""A folder of fits of members: what was fitted once is read, not fitted again."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import joblib

from stackingnet_sk._warnings import warn_user
from stackingnet_sk.cache.fit_file import (
    Fitted,
    UnusableError,
    describe,
    pickle_fit,
    read_fit,
    write_fit,
)

try:
    import fcntl
except ImportError:
    # Without locks the same fit may be done twice, with the same result.
    fcntl = None  # type: ignore[assignment]

# What a file system says that has no locks.
_NO_LOCKS = (errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP, errno.EINVAL)


def open_folder(memory: Any) -> Path | None:
    """Make the folder of the cache.

    Parameters
    ----------
    memory : None, str, path-like or joblib.Memory
        Where fits are kept. Ours are in a folder of their own in there.

    Returns
    -------
    Path or None
        None where nothing is kept.

    Raises
    ------
    ValueError
        If it is something else.
    OSError
        If the folder cannot be made.
    """
    place = memory
    if isinstance(memory, joblib.Memory) and memory.backend == "local":
        place = memory.location
    if place is None:
        return None
    if not isinstance(place, (str, os.PathLike)):
        raise ValueError(
            "memory must be None, the path of a folder, or a joblib.Memory whose "
            f"location is None or a local folder; got {memory!r}."
        )
    folder = Path(place).absolute() / "stackingnet_sk"
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise _cannot_write(folder, error) from error
    return folder


@dataclass(frozen=True, eq=False)
class CachedFit:
    """The place of one fit in the cache.

    Parameters
    ----------
    path : Path
        The file, there or not.
    versions : dict of str to str
        Those of the packages on which the fit depends.
    code : dict of str to class or function
        What pickle may not find in another process, by its digest.
    """

    path: Path
    versions: dict[str, str]
    code: dict[str, Any] = field(default_factory=dict)

    def recall(self) -> Fitted | None:
        """Read the fit, if it is there and as it was written.

        Returns
        -------
        tuple of (estimator or None, ndarray or None) or None
            None if it is to be fitted.

        Warns
        -----
        UserWarning
            If there is a file that is damaged, or was written with other versions.
        """
        try:
            return self._read()
        except UnusableError as reason:
            warn_user(
                f"The cached fit {self.path} {reason}; it is fitted anew and "
                "overwritten.",
                UserWarning,
            )
            return None

    def fit_once(self, fit: Callable[[], Fitted]) -> tuple[Fitted, bool, str | None]:
        """Fit and keep the result, unless someone else does so in the meantime.

        Parameters
        ----------
        fit : callable
            Called without arguments while nobody else fits the same.

        Returns
        -------
        fitted : tuple of (estimator or None, ndarray or None)
        recalled : bool
            Whether someone else has fitted it.
        problem : str or None
            Why it is not kept: it cannot be pickled.

        Raises
        ------
        OSError
            If the file cannot be written; nothing of it is left.
        """
        key = self.path.stem
        with self._alone() as is_alone:
            # Of an unusable file :meth:`recall` has warned already.
            with suppress(UnusableError):
                found = self._read()
                if found is not None:
                    return found, True, None
            fitted = fit()
            try:
                payload = pickle_fit(fitted, self.code)
            except Exception as error:
                return fitted, False, f"it cannot be pickled ({describe(error)})"
            try:
                if is_alone:
                    # Left by a process that was killed while it wrote.
                    for left in self.path.parent.glob(f"{key}.*.part"):
                        left.unlink(missing_ok=True)
                write_fit(self.path, key, self.versions, payload)
            except OSError as error:
                raise _cannot_write(self.path.parent, error) from error
        return fitted, False, None

    def _read(self) -> Fitted | None:
        return read_fit(self.path, self.path.stem, self.versions, self.code)

    @contextmanager
    def _alone(self) -> Iterator[bool]:
        """Keep others from the same fit, threads too; a process that dies lets go."""
        path = self.path.with_suffix(".lock")
        try:
            # It may have been removed since it was opened.
            path.parent.mkdir(parents=True, exist_ok=True)
            lock = None if fcntl is None else _lock(path)
        except OSError as error:
            raise _cannot_write(path.parent, error) from error
        try:
            yield lock is not None
        finally:
            if lock is not None:
                # While it is held: who waits for it then sees that it is gone.
                with suppress(OSError):
                    path.unlink()
                # A process that was forked meanwhile has the file open, too.
                fcntl.flock(lock, fcntl.LOCK_UN)
                os.close(lock)


def _lock(path: Path) -> int | None:
    """Wait for a lock; None where the file system has none."""
    while True:
        lock = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX)
            # Who held it has removed the file, which others can't see any more.
            with suppress(FileNotFoundError):
                if os.path.samestat(os.fstat(lock), os.stat(path)):
                    return lock
        except BaseException as error:
            os.close(lock)
            if isinstance(error, OSError) and error.errno in _NO_LOCKS:
                return None
            raise
        os.close(lock)


def _cannot_write(folder: Path, error: OSError) -> OSError:
    return OSError(
        error.errno or errno.EIO,
        f"The cache of members at {folder} cannot be written "
        f"({error.strerror or error}). Free space there or allow writing, give another "
        "memory=, or memory=None to fit without a cache.",
    )
