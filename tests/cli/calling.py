"""The command, called as a user calls it: fixtures that test modules take from here."""

import io
import json
import sys
from dataclasses import dataclass

import pytest

from stackingnet_sk.cli import main


@dataclass
class Answer:
    """What a call left behind: exit status, standard output and error."""

    status: int
    out: bytes
    err: str

    @property
    def text(self):
        return self.out.decode()

    @property
    def json(self):
        def refuse(constant):
            raise AssertionError(f"{constant} is no JSON")

        return json.loads(self.out, parse_constant=refuse)

    @property
    def errors(self):
        return [line for line in self.err.splitlines() if line.startswith("Error:")]


@pytest.fixture
def command(capsysbinary, monkeypatch):
    """Call the command with arguments, and bytes on standard input."""

    def call(*arguments, stdin=b""):
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin)))
        capsysbinary.readouterr()
        status = main([str(argument) for argument in arguments])
        found = capsysbinary.readouterr()
        return Answer(status, found.out, found.err.decode())

    return call


@pytest.fixture
def refused(command, tmp_path):
    """Assert that a call is refused as the help promises, and return its line.

    Exit status 2, one line that begins with "Error:", nothing on standard output, and
    all files as they were.
    """

    def look():
        return {
            path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()
        }

    def call(*arguments, **options):
        before = look()
        answer = command(*arguments, **options)
        assert answer.status == 2, answer
        assert len(answer.errors) == 1, answer.err
        assert answer.err.splitlines()[-1] == answer.errors[0], "the last line"
        assert "Traceback" not in answer.err
        assert answer.out == b""
        assert look() == before
        return answer.errors[0]

    return call


@pytest.fixture
def write(tmp_path):
    """Write a table to a file and return its path."""

    def put(data, name="table.csv"):
        path = tmp_path / name
        path.write_bytes(data.encode() if isinstance(data, str) else data)
        return path

    return put
