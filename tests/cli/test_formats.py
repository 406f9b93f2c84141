"""One table in every format that is read: always the same combination."""

import codecs
import io
import json

import calling
import numpy as np
import pyarrow as pa
import pytest
from example_tables import column, from_csv, numbers, to_csv, to_jsonl, votes
from pyarrow import parquet

command, write = calling.command, calling.write

HEADS = ("a", "b", "c", "label")
NUMBERS = numbers(missing=0.1)
VOTES = votes(missing=0.1)


@pytest.fixture
def combined(command, write):
    """Combine a table and return the answers, as texts."""

    def call(data, *options, name="table.csv"):
        path = write(data, name)
        answer = command("combine", path, *options)
        assert answer.status == 0, answer.err
        return column(answer.out, "combined")

    return call


@pytest.fixture
def expected(combined):
    """The answers for plain CSV, which the Python API vouches for elsewhere."""
    return {
        "numbers": combined(to_csv(NUMBERS)),
        "votes": combined(to_csv(VOTES)),
    }


def to_parquet(rows, heads=HEADS, kind=None):
    """Texts become numbers or categories where asked for; empty cells null."""
    columns = {}
    for name, cells in zip(heads, zip(*rows, strict=True), strict=True):
        values = [cell or None for cell in cells]
        if kind == "numbers":
            values = [None if cell is None else float(cell) for cell in values]
        column = pa.array(values)
        columns[name] = column.dictionary_encode() if kind == "categories" else column
    file = io.BytesIO()
    parquet.write_table(pa.table(columns), file)
    return file.getvalue()


# ------------------------------------------------------------------------------- CSV


@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
@pytest.mark.parametrize("source", ["numbers", "votes"])
def test_separators_are_found(combined, expected, source, separator):
    rows = NUMBERS if source == "numbers" else VOTES
    assert combined(to_csv(rows, separator=separator)) == expected[source]


@pytest.mark.parametrize(
    ("separator", "option"), [("\t", "tab"), ("\t", "\t"), (":", ":"), ("~", "~")]
)
def test_separators_can_be_named(combined, expected, separator, option):
    data = to_csv(NUMBERS, separator=separator)
    assert combined(data, "--separator", option) == expected["numbers"]


@pytest.mark.parametrize("separator", [";", "\t", ","])
def test_decimals_behind_commas(combined, expected, separator):
    rows = [[cell.replace(".", ",") for cell in row] for row in NUMBERS]
    # Of thousandths nobody can say which of the two they are; of others one can.
    rows[0] = [f"{cell}0" if cell else cell for cell in rows[0]]
    found = combined(to_csv(rows, separator=separator))
    assert [cell.replace(",", ".") for cell in found] == expected["numbers"]
    assert "," in found[0], "they are written as they were read"


def test_decimals_behind_commas_can_be_named(combined, expected):
    rows = [[cell.replace(".", ",") for cell in row] for row in NUMBERS]
    data = to_csv(rows, separator=";")
    found = combined(data, "--decimal", ",")
    assert [cell.replace(",", ".") for cell in found] == expected["numbers"]


@pytest.mark.parametrize(
    "data",
    [
        to_csv(VOTES).replace("\n", "\r\n"),
        to_csv(VOTES).replace("\n", "\n\n"),
        "\n\n" + to_csv(VOTES),
        to_csv(VOTES).rstrip("\n"),
        to_csv(VOTES, quoting=1),
        to_csv(VOTES, quoting=1).replace("\n", "\r\n"),
        codecs.BOM_UTF8 + to_csv(VOTES).encode(),
        to_csv([[f" {cell}  " for cell in row] for row in VOTES]),
    ],
    ids=["CRLF", "gaps", "first", "last", "quoted", "quoted CRLF", "BOM", "blanks"],
)
def test_dialects_of_csv(combined, expected, data):
    assert combined(data) == expected["votes"]


@pytest.mark.parametrize(
    "heads", ["a, b, c, label", "a , b , c , label ", '"a"," b",c,label\t']
)
def test_blanks_around_names_are_not_part_of_them(combined, expected, heads):
    """Spaces after commas are common; a label that is not found becomes a model."""
    lines = to_csv(VOTES).split("\n", 1)
    assert combined(f"{heads}\n{lines[1]}") == expected["votes"]
    assert combined(f"{heads}\n{lines[1]}", "--label", "label") == expected["votes"]


@pytest.mark.parametrize(
    ("encoding", "named"),
    [
        ("utf-8", "utf-8"),
        ("utf-8-sig", "utf-8"),
        ("utf-8-sig", "UTF8"),
        ("utf-8-sig", "utf-8-sig"),
        ("latin-1", "latin-1"),
        ("cp1252", "cp1252"),
        ("utf-16", "utf-16"),
        ("shift_jis", "shift_jis"),
    ],
)
def test_encodings_can_be_named(command, write, encoding, named):
    """The first column's name shows what is made of a byte order mark."""
    name = "猫" if encoding == "shift_jis" else "äé"
    data = to_csv(VOTES, heads=(name, "b", "c", "label")).encode(encoding)
    answer = command("combine", write(data), "--encoding", named)
    assert answer.status == 0, answer.err
    heads, _ = from_csv(answer.out)
    assert heads == [name, "b", "c", "label", "combined", "combined_probability"]


def test_cells_with_everything_in_them(combined, expected):
    """Separators, quotes, line ends, emoji; long ones, of which some are quoted."""
    prose = [
        'said "no",\nthen "yes"',
        "a;b\tc|d",
        "naïve 🙂",
        "x\r\ny",
        "plain",
        "x" * 10**6,
    ]
    rows = [[prose[n % 6], *row] for n, row in enumerate(VOTES)]
    data = to_csv(rows, heads=("prose", *HEADS))
    assert combined(data) == expected["votes"]


@pytest.mark.parametrize("quoted", [False, True])
def test_a_cell_of_any_length(combined, expected, quoted):
    """A whole document beside the answers."""
    document = "All work and no play. " * 300_000 + ("," if quoted else "")
    rows = [[document if n == 3 else "short", *row] for n, row in enumerate(VOTES)]
    assert combined(to_csv(rows, heads=("document", *HEADS))) == expected["votes"]


# -------------------------------------------------------------------- other formats


@pytest.mark.parametrize(
    "name", ["table.parquet", "table.PARQUET", "table", "table.csv"]
)
@pytest.mark.parametrize("kind", ["texts", "categories"])
def test_parquet_votes(combined, expected, kind, name):
    data = to_parquet(VOTES, kind=kind)
    assert combined(data, name=name) == expected["votes"]


@pytest.mark.parametrize("kind", ["texts", "numbers"])
def test_parquet_numbers(combined, expected, kind):
    data = to_parquet(NUMBERS, kind=kind)
    assert combined(data, name="table.parquet") == expected["numbers"]


@pytest.mark.parametrize(
    "kind",
    [pa.float32(), pa.int8(), pa.uint16(), pa.int64(), pa.decimal128(21, 2)],
    ids=str,
)
def test_kinds_of_parquet_numbers(command, write, kind):
    """Decimals too: databases export them."""
    rng = np.random.default_rng(0)
    whole = rng.integers(1, 100, size=(3, 30))
    columns = {
        name: pa.array(cells.tolist()).cast(kind)
        for name, cells in zip(["a", "b", "label"], whole, strict=True)
    }
    file = io.BytesIO()
    parquet.write_table(pa.table(columns), file)
    answer = command("combine", write(file.getvalue(), "table.parquet"))
    assert answer.status == 0, answer.err
    text = to_csv(whole.T.tolist(), heads=("a", "b", "label"))
    expected = command("combine", write(text), "--task", "regression")
    found, wanted = column(answer.out, "combined"), column(expected.out, "combined")
    assert found == wanted


writes_views = pytest.mark.skipif(
    int(pa.__version__.partition(".")[0]) < 21,
    reason="pyarrow before 21 writes no views of texts, so it makes no such file",
)


@pytest.mark.parametrize(
    "kind",
    [pa.large_string(), pytest.param(pa.string_view(), marks=writes_views)],
    ids=str,
)
def test_kinds_of_parquet_texts(combined, expected, kind):
    columns = zip(HEADS, zip(*VOTES, strict=True), strict=True)
    table = pa.table({name: pa.array(cells).cast(kind) for name, cells in columns})
    file = io.BytesIO()
    parquet.write_table(table, file)
    assert combined(file.getvalue(), name="table.parquet") == expected["votes"]


@pytest.mark.parametrize(
    "cell",
    [[1, 2], {"x": 1}, b"\xff", True, 1.5, "2024-01-01"],
    ids=["list", "struct", "bytes", "truth value", "number", "text"],
)
def test_parquet_columns_that_are_no_answers(command, write, tmp_path, cell):
    """They are left out by --ignore, and come back in a Parquet file."""
    table = parquet.read_table(io.BytesIO(to_parquet(VOTES)))
    table = table.append_column("more", pa.array([cell] * len(VOTES)))
    file = io.BytesIO()
    parquet.write_table(table, file)
    path, out = write(file.getvalue(), "table.parquet"), tmp_path / "out.parquet"
    answer = command("combine", path, "--ignore", "more", "--out", out)
    assert answer.status == 0, answer.err
    back = parquet.read_table(out)
    assert back.select(table.column_names) == table


@pytest.mark.parametrize("name", ["table.jsonl", "table.ndjson", "table.json", "table"])
def test_jsonl(combined, expected, name):
    assert combined(to_jsonl(VOTES), name=name) == expected["votes"]
    data = to_jsonl(NUMBERS, number=True)
    assert combined(data, name=name) == expected["numbers"]
    assert combined("\n" + data + "\n", name=name) == expected["numbers"]


def test_jsonl_without_some_keys(combined, expected):
    """A missing key is a missing answer."""
    lines = (json.loads(line) for line in to_jsonl(VOTES).splitlines())
    sparse = [{key: cell for key, cell in line.items() if cell} for line in lines]
    # The order of columns is that in which they occur.
    sparse[0] = dict.fromkeys(HEADS) | sparse[0]
    data = "".join(json.dumps(line) + "\n" for line in sparse)
    assert combined(data, name="table.jsonl") == expected["votes"]


# ------------------------------------------------------------------- standard input


@pytest.mark.parametrize(
    ("data", "source"),
    [
        (to_csv(VOTES).encode(), "votes"),
        (to_csv(NUMBERS, separator="\t").encode(), "numbers"),
        (to_jsonl(VOTES).encode(), "votes"),
        (to_parquet(VOTES), "votes"),
        (to_parquet(NUMBERS, kind="numbers"), "numbers"),
    ],
    ids=["csv", "tsv", "jsonl", "parquet", "parquet numbers"],
)
def test_standard_input_of_each_format(command, expected, data, source):
    answer = command("combine", "-", stdin=data)
    assert answer.status == 0, answer.err
    assert column(answer.out, "combined") == expected[source]
    assert answer.err.startswith("Format: ")


@pytest.mark.parametrize("kind", ["csv", "jsonl", "parquet"])
def test_the_format_can_be_named(command, expected, kind):
    data = {
        "csv": to_csv(VOTES).encode(),
        "jsonl": to_jsonl(VOTES).encode(),
        "parquet": to_parquet(VOTES),
    }[kind]
    answer = command("combine", "-", "--format", kind, stdin=data)
    assert answer.status == 0, answer.err
    assert "Format:" not in answer.err
    assert column(answer.out, "combined") == expected["votes"]


def test_what_excel_exports(combined, command, expected, write):
    """Its own first line, and columns that are empty; a workbook is no table."""
    rows = [[*row, "", ""] for row in VOTES]
    data = "sep=;\n" + to_csv(rows, heads=(*HEADS, "", ""), separator=";")
    assert combined(data) == expected["votes"]
    answer = command("combine", write(b"PK\x03\x04...", "book.xlsx"))
    assert answer.status == 2
    assert "save the sheet as CSV" in answer.err
    assert combined(to_csv(VOTES).replace("\n", "\r")) == expected["votes"]
