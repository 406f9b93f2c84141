"""A page as a browser reads it, without a browser."""

from html.parser import HTMLParser

_VOID = {"meta", "line", "circle", "rect", "img", "link", "br", "hr", "input"}


class Page(HTMLParser):
    """Elements in order, with their attributes and the text within."""

    def __init__(self, text):
        super().__init__(convert_charrefs=True)
        self.elements, self.open, self.unbalanced = [], [], []
        self.text = ""
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attributes):
        inside = [element["tag"] for element in self.open]
        found = {"tag": tag, "text": "", "inside": inside, **dict(attributes)}
        self.elements.append(found)
        if tag not in _VOID:
            self.open.append(found)

    def handle_startendtag(self, tag, attributes):
        self.handle_starttag(tag, attributes)
        if tag not in _VOID:
            self.open.pop()

    def handle_endtag(self, tag):
        if tag in _VOID:
            return
        if not self.open or self.open[-1]["tag"] != tag:
            self.unbalanced.append(tag)
        else:
            self.open.pop()

    def handle_data(self, data):
        for element in self.open:
            element["text"] += data
        if not any(element["tag"] in ("style", "script") for element in self.open):
            self.text += data

    def all(self, *tags):
        """Elements of some kinds."""
        return [each for each in self.elements if each["tag"] in tags]
