"""Names and cells are other people's texts: a page shows them, and never runs them."""

import html
import re

import pytest
from pages import NASTY, PAGES, nasty
from reading import Page
from screenshots import chromium, drive

# fmt: off
_MAY_STAND = {
    "html", "head", "meta", "title", "style", "body", "a", "header", "h1", "h2",
    "h3", "p", "nav", "ul", "li", "main", "div", "strong", "dl", "dt", "dd",
    "section", "figure", "figcaption", "b", "span", "svg", "g", "line", "circle",
    "rect", "text", "tspan", "table", "caption", "thead", "tbody", "tr", "th", "td",
    "details", "summary", "pre", "code", "footer",
}
# fmt: on


@pytest.fixture(scope="module")
def text():
    return nasty().to_html()


@pytest.fixture(scope="module")
def page(text):
    return Page(text)


def assert_harmless(page):
    assert {element["tag"] for element in page.elements} <= _MAY_STAND
    for element in page.elements:
        for name, value in element.items():
            assert not name.startswith("on"), element
            if name in ("href", "src", "action", "srcset", "xlink:href", "data"):
                assert value.startswith("#"), element


def test_names_stay_texts(page):
    assert_harmless(page)
    assert page.unbalanced == []
    for name in NASTY:
        assert name in page.text
    assert page.all("title")[0]["text"] == NASTY[0]
    # Templates are not filled a second time.
    assert "49" not in page.all("title")[0]["text"]
    assert "{{ 7 * 7 }}" in page.text


def test_names_are_whole_where_they_are_shortened(page):
    long = max(NASTY, key=len)
    assert any(element.get("title") == long for element in page.all("span"))
    assert any(long in element["text"] for element in page.all("th"))


def test_nothing_is_fetched(text):
    """The policy forbids it, and nothing asks for it."""
    page = Page(text)
    policy = [
        element["content"]
        for element in page.all("meta")
        if element.get("http-equiv") == "Content-Security-Policy"
    ]
    assert policy == ["default-src 'none'; style-src 'unsafe-inline'; img-src data:"]
    style = "".join(element["text"] for element in page.all("style"))
    assert not re.search(r"url\(|@import|https?:|//", style)
    assert not page.all("link", "script", "img", "iframe", "object", "embed", "base")


def test_a_notebook_gets_a_frame_that_may_nothing():
    shown = Page(nasty()._repr_html_())
    (frame,) = shown.elements
    assert frame["tag"] == "iframe"
    # No permission at all: no script, no form, not even the same origin.
    assert frame["sandbox"] is None
    assert_harmless(Page(frame["srcdoc"]))


@pytest.mark.parametrize("name", PAGES)
def test_all_pages_are_harmless(name):
    page = Page(PAGES[name]().to_html())
    assert_harmless(page)
    assert page.unbalanced == []


in_a_browser = pytest.mark.skipif(
    chromium() is None,
    reason="no chromium is installed; the tests above parse the same pages",
)


@in_a_browser
def test_a_browser_runs_nothing(tmp_path):
    place = nasty().save(tmp_path / "page.html")
    # What a browser has made of it, after all scripts would have run.
    found = drive("--dump-dom", place.as_uri())
    assert_harmless(Page(found))
    assert html.escape(NASTY[0], quote=False) in found


@in_a_browser
def test_a_browser_would_run_it_otherwise(tmp_path):
    """The same texts, not escaped, do run: the test above can fail."""
    place = tmp_path / "page.html"
    place.write_text("<script>document.title = 'ran'</script>", encoding="utf-8")
    assert "<title>ran</title>" in drive("--dump-dom", place.as_uri())
