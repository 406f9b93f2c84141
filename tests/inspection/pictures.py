"""What every picture is asked: can all of its texts be read?"""


def long_name(kind, number):
    return f"{kind} {number:02d} WITH A NAME OF FORTY CAPITAL LETTERS"[:40]


def texts(display):
    """Every text that is seen, and its box in pixels."""
    display.figure_.canvas.draw()
    seen = []
    for axes in (display.ax_, *display.ax_.child_axes):
        seen += [*axes.texts, axes._left_title, axes.title, axes._right_title]
        for axis in (axes.xaxis, axes.yaxis) if axes.axison else ():
            low, high = sorted(axis.get_view_interval())
            seen += [axis.label, axis.offsetText]
            for tick in axis.get_major_ticks():
                if low <= tick.get_loc() <= high:
                    seen += [tick.label1, tick.label2]
    return {
        text: text.get_window_extent()
        for text in seen
        if text.get_visible() and text.get_text()
    }


def assert_readable(display):
    """No two texts overlap, and none is cut off."""
    boxes = texts(display)
    figure = display.figure_.bbox
    for text, box in boxes.items():
        assert box.x0 >= figure.x0, text
        assert box.y0 >= figure.y0, text
        assert box.x1 <= figure.x1, text
        assert box.y1 <= figure.y1, text
    several = list(boxes.items())
    for place, (text, box) in enumerate(several):
        for other, its in several[:place]:
            assert not box.overlaps(its), (text, other)
