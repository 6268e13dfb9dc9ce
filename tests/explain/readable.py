"""A check of figures: all texts are inside, and none overlaps another one."""


def visible_texts(figure):
    """Return every visible text of a figure with its box in pixels."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.text import Text

    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    renderer = canvas.get_renderer()
    found = [text for text in figure.findobj(Text) if text.get_visible() and text.get_text().strip()]
    for axes in figure.axes:  # ticks outside the axis exist, but are not drawn
        for axis in (axes.xaxis, axes.yaxis):
            low, high = sorted(axis.get_view_interval())
            beyond = [tick for tick in axis.get_major_ticks() if not low <= tick.get_loc() <= high]
            hidden = [label for tick in beyond for label in (tick.label1, tick.label2)]
            found = [text for text in found if not any(text is label for label in hidden)]
    return [(text, text.get_window_extent(renderer)) for text in found]


def assert_readable(figure):
    """Check that all texts are inside the figure and that no two of them overlap (rotated texts excepted)."""
    shown = visible_texts(figure)
    for text, box in shown:
        assert box.x0 >= -1 and box.y0 >= -1, text
        assert box.x1 <= figure.bbox.width + 1 and box.y1 <= figure.bbox.height + 1, text
    straight = [(text, box) for text, box in shown if text.get_rotation() in (0, 90)]
    for i, (text, box) in enumerate(straight):
        for other, beside in straight[:i]:
            assert not box.shrunk(0.9, 0.9).overlaps(beside.shrunk(0.9, 0.9)), (text, other)
