"""A folder of fitted members, in which a fit is looked up before it is repeated."""

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
    # Without locks, two processes may do the same fit, with the same result.
    fcntl = None  # type: ignore[assignment]

# Errors of file systems that have no locks.
_NO_LOCKS = (errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP, errno.EINVAL)


def open_folder(memory: Any) -> Path | None:
    """Create the folder of the cache, inside the one that `memory` names.

    `memory` is None, a path or a joblib.Memory; the result is None if nothing is
    cached. Raises a ValueError if it is something else, and an OSError if the folder
    cannot be created.
    """
    location = memory
    if isinstance(memory, joblib.Memory) and memory.backend == "local":
        location = memory.location
    if location is None:
        return None
    if not isinstance(location, (str, os.PathLike)):
        raise ValueError(
            "memory must be None, the path of a folder, or a joblib.Memory whose "
            f"location is None or a local folder; got {memory!r}."
        )
    folder = Path(location).absolute() / "stackingnet_sk"
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise _cannot_write(folder, error) from error
    return folder


@dataclass(frozen=True, eq=False)
class CachedFit:
    """One fit and its file in the cache.

    Parameters
    ----------
    path : Path
        The file, which need not exist.
    versions : dict of str to str
        Versions of the packages on which the fit depends.
    code : dict of str to class or function
        Classes and functions that pickle may not find in another process, by their
        digests.
    """

    path: Path
    versions: dict[str, str]
    code: dict[str, Any] = field(default_factory=dict)

    def recall(self) -> Fitted | None:
        """Read the fit; None if it has to be done.

        Warns if the file is damaged or was written with other versions.
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
        """Fit and cache the result, unless another process does so in the meantime.

        `fit` is called while no other process or thread does the same fit. Returns the
        fit, whether another process has done it, and why it cannot be pickled, if so.
        Raises an OSError, and leaves no file, if it cannot be written.
        """
        key = self.path.stem
        with self._alone() as is_alone:
            # :meth:`recall` has already warned of an unusable file.
            with suppress(UnusableError):
                recalled = self._read()
                if recalled is not None:
                    return recalled, True, None
            fitted = fit()
            try:
                payload = pickle_fit(fitted, self.code)
            except Exception as error:
                return fitted, False, f"it cannot be pickled ({describe(error)})"
            try:
                if is_alone:
                    # A process that was killed while it wrote has left such files.
                    for part in self.path.parent.glob(f"{key}.*.part"):
                        part.unlink(missing_ok=True)
                write_fit(self.path, key, self.versions, payload)
            except OSError as error:
                raise _cannot_write(self.path.parent, error) from error
        return fitted, False, None

    def _read(self) -> Fitted | None:
        return read_fit(self.path, self.path.stem, self.versions, self.code)

    @contextmanager
    def _alone(self) -> Iterator[bool]:
        """Hold a lock on the fit, also against other threads.

        Yields False if there are no locks. The lock of a process that dies is released.
        """
        path = self.path.with_suffix(".lock")
        try:
            # The folder may have been removed since `open_folder` created it.
            path.parent.mkdir(parents=True, exist_ok=True)
            lock = None if fcntl is None else _lock(path)
        except OSError as error:
            raise _cannot_write(path.parent, error) from error
        try:
            yield lock is not None
        finally:
            if lock is not None:
                # Remove the file while the lock is held: a process that waits for the
                # lock then sees that the file is gone.
                with suppress(OSError):
                    path.unlink()
                # Unlock explicitly: a process that was forked meanwhile has the file
                # open, too, so closing it here does not release the lock.
                fcntl.flock(lock, fcntl.LOCK_UN)
                os.close(lock)


def _lock(path: Path) -> int | None:
    """Wait for a lock on a file; None if the file system has no locks."""
    while True:
        lock = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX)
            # The previous holder has removed the file. A lock on a removed file does
            # not keep out processes that create it anew, so try again.
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
