"""A page that everybody can read: by keyboard, by ear, in the dark and on paper."""

import re

import pytest
from pages import PAGES
from reading import Page

from stackingnet_sk.report import charts, words


@pytest.fixture(scope="module")
def texts():
    return {name: make().to_html() for name, make in PAGES.items()}


@pytest.fixture(params=PAGES)
def page(request, texts):
    return Page(texts[request.param])


def test_names_lead_where_they_say(page):
    ids = [element["id"] for element in page.elements if "id" in element]
    assert len(ids) == len(set(ids))
    for link in page.all("a"):
        assert link["href"][1:] in ids
    for section in page.all("section"):
        assert section["aria-labelledby"] in ids
    linked = {link["href"][1:] for link in page.all("a")}
    assert {section["id"] for section in page.all("section")} <= linked


def test_tables_say_what_they_are(page):
    tables = page.all("table")
    assert len(page.all("caption")) == len(tables) > 2
    for head in page.all("th"):
        assert head["scope"] in ("col", "row")
        assert head["text"].strip()


def test_rows_have_as_many_cells_as_heads(texts):
    for text in texts.values():
        for table in re.findall(r"<table>.*?</table>", text, re.DOTALL):
            rows = [
                len(re.findall(r"<t[hd][ >]", row))
                for row in re.findall(r"<tr.*?</tr>", table, re.DOTALL)
            ]
            assert len(set(rows)) == 1, table


def test_pictures_have_words(page):
    for element in page.elements:
        if element.get("role") in ("img", "region"):
            assert element["aria-label"].strip()


def test_what_scrolls_can_be_reached_by_keyboard(page):
    for element in page.elements:
        if element.get("class") == "scroll":
            assert element["tabindex"] == "0"
    before = zip(page.elements, page.elements[1:], strict=False)
    above = [one for one, other in before if other["tag"] == "table"]
    assert all(element["class"] == "scroll" for element in above)
    assert page.all("a")[0]["class"] == "skip"


def test_headings_do_not_skip(page):
    levels = [int(each["tag"][1]) for each in page.all("h1", "h2", "h3")]
    assert levels.count(1) == 1
    assert levels[0] == 1


def _colours(text, start):
    block = text[text.index(start) :]
    block = block[: block.index("}")]
    return dict(re.findall(r"--(\w+): (#[0-9a-f]{6})", block))


def _luminance(colour):
    channels = [int(colour[k : k + 2], 16) / 255 for k in (1, 3, 5)]
    linear = [
        c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels
    ]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def _contrast(one, other):
    low, high = sorted([_luminance(one), _luminance(other)])
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize(
    "scheme", [":root {", "(prefers-color-scheme: dark)", "@media print"]
)
def test_colours_contrast(texts, scheme):
    """WCAG AA: 4.5 for texts on each ground, 3 for marks."""
    colours = _colours(texts["two"], scheme)
    for ground in ("paper", "raised", "notice"):
        for ink in ("ink", "soft", "accent", "good", "bad"):
            assert _contrast(colours[ink], colours[ground]) >= 4.5, (ink, ground)
    assert _contrast(colours["other"], colours["paper"]) >= 3


@pytest.mark.parametrize("scheme", [":root {", "(prefers-color-scheme: dark)"])
def test_numbers_in_the_heat_map_can_be_read(texts, scheme):
    colours = _colours(texts["two"], scheme)
    for hue in ("cool", "warm"):
        assert _contrast(colours["ink"], colours[hue]) >= 4.5, hue


def test_marks_stay_on_their_charts(texts):
    for text in texts.values():
        places = re.findall(r'(?:x1|x2|cx|cy|y1|y2|x)="(-?[\d.]+)%"', text)
        assert places
        assert all(0 <= float(place) <= 100 for place in places)


@pytest.mark.parametrize(
    "values", [[0.0, 1.0], [-3.2, 8.9], [1e-7, 3e-7], [1e6, 5e6], [2.0, 2.0], [0.0]]
)
def test_axes(values):
    """Places rise with values; ticks are round, on the axis, and not too many."""
    scale = charts.Scale.over(values)
    places = [scale.at(value) for value in sorted(values)]
    assert places == sorted(places)
    assert all(0 < place < 100 for place in places)
    assert 2 <= len(scale.ticks) <= 7
    assert all(scale.low - 1e-9 <= tick <= scale.high + 1e-9 for tick in scale.ticks)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "0"),
        (0.5, "0.500"),
        (12.345, "12.3"),
        (1234.5, "1,234"),
        (-0.25, "−0.250"),
        (1.5e-15, "1.5\u00a0×\u00a010⁻¹⁵"),
        (2e12, "2.0\u00a0×\u00a010¹²"),
        (float("inf"), "∞"),
        (float("nan"), "–"),
    ],
)
def test_numbers_for_people(value, text):
    assert words.number(value) == text


@pytest.mark.parametrize(
    ("triple", "is_number", "sign", "texts"),
    [
        ([0.2612, 0.232, 0.291], True, False, ("0.261", "0.232 to 0.291")),
        ([0.8731, 0.6, 0.95], False, False, ("87\u00a0%", "60 to 95\u00a0%")),
        (
            [0.8731, 0.871, 0.8753],
            False,
            False,
            ("87.3\u00a0%", "87.1 to 87.5\u00a0%"),
        ),
        ([-0.0204, -0.0536, 0.0048], True, True, ("−0.020", "−0.054 to +0.005")),
        ([1234.0, 1000.0, 1500.0], True, False, ("1,234", "1,000 to 1,500")),
        ([float("nan")] * 3, True, False, ("–", "– to –")),
    ],
)
def test_figures_have_the_digits_that_their_interval_allows(
    triple, is_number, sign, texts
):
    assert words.figure(triple, is_number, sign=sign) == texts


def test_long_names_keep_their_ends():
    name = "vendor/a-very-long-name-of-a-model-70b-instruct"
    short = charts.shortened(name, 22)
    assert len(short) == 22
    assert name.startswith(short.split("…")[0])
    assert name.endswith(short.split("…")[1])
