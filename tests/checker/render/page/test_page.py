"""The page as a text: self-contained, the same every time, with everything escaped."""

import json
import re
from html.parser import HTMLParser

import pytest
from attrs import evolve

from tttdit.checker.render.page.cells import Box
from tttdit.checker.render.page.document import page
from tttdit.checker.render.page.elements import amount, data, element, written
from tttdit.checker.render.page.peak_figure import groups
from tttdit.checker.render.page.settings_figure import points
from tttdit.checker.render.page.timeline import timeline


class Elements(HTMLParser):
    """All elements and texts of a page."""

    def __init__(self, text):
        super().__init__()
        self.found, self.texts = [], []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        self.found.append((tag, dict(attributes)))

    def handle_data(self, data):
        self.texts.append(data)


def test_it_asks_for_nothing_from_outside(make_views):
    text = page("small", "spec.toml", make_views())
    elements = Elements(text)
    assert not {tag for tag, _ in elements.found} & {"link", "img", "iframe", "object", "embed", "base", "form"}
    for tag, attributes in elements.found:
        assert not {"src", "href", "onload", "onclick", "onerror"} & set(attributes), tag
    addresses = set(re.findall(r"https?://[^\s\"'<]+", text))
    assert addresses == {"http://www.w3.org/2000/svg"}, "a name, not an address that is looked up"
    assert "url(" not in text
    policy = next(attributes["content"] for _, attributes in elements.found if "http-equiv" in attributes)
    assert policy.startswith("default-src 'none'")


def test_the_same_spec_gives_the_same_page(make_views):
    assert page("small", "spec.toml", make_views()) == page("small", "spec.toml", make_views())


def test_text_of_a_spec_stays_text(make_views):
    evil = '<script>alert("x")</script>'
    (view,) = make_views()
    view = evolve(view, stage=evolve(view.stage, name=f"{evil}\u202e\x07"))
    text = page(evil, f"{evil}.toml", [view, view])
    assert evil not in text
    assert "\u202e" not in text
    assert "\x07" not in text
    elements = Elements(text)
    assert sum(tag == "script" for tag, _ in elements.found) == 2, "the data, and the page's own"
    assert any(evil in one for one in elements.texts)


def test_data_cannot_end_its_element():
    text = written(data({"key": "</script><!-- & \u2028"}))
    assert text.count("</script>") == 1
    inside = text.partition(">")[2].rpartition("<")[0]
    assert json.loads(inside) == {"key": "</script><!-- & \u2028"}


def test_attributes_are_escaped():
    assert written(element("p", 'a < b & "c"', class_='x" onclick="y')) == (
        '<p class="x&quot; onclick=&quot;y">a &lt; b &amp; "c"</p>'
    )


def test_sections_and_stages(make_views):
    views = make_views(added='\n[[stage]]\nname = "first"\n\n[[stage]]\nname = "second"\nmodel.layers = 2\n')
    text = " ".join(Elements(page("small", "spec.toml", views)).texts)
    for title in ("Over the step", "Settings of [memory]", "What the peak consists of", "Symbols in formulas"):
        assert text.count(title) == 2, title
    assert "Stage first" in text
    assert "Stage second" in text
    assert amount(views[0].prediction.peak_bytes) in text


def test_a_stage_without_a_survey_has_no_settings(make_views):
    (view,) = make_views()
    text = page("small", "spec.toml", [evolve(view, survey=None)])
    assert "Settings of [memory]" not in text
    assert "What the peak consists of" in text


@pytest.mark.parametrize("runtime", ["plain", "fsdp2"])
def test_the_treemap_is_all_that_lives_at_the_peak(make_views, runtime):
    (view,) = make_views(runtime)
    found = groups(view, timeline(view).components)
    assert sum(group.nbytes for group in found) == view.drawn_bytes
    for group in found:
        sizes = [cell.nbytes for cell in group.cells]
        assert sizes == sorted(sizes, reverse=True) or group.cells[-1].name.endswith("smaller")


def test_points_are_the_survey(make_views):
    (view,) = make_views()
    found = points(view.survey)
    assert len(found) == len(view.survey.every)
    assert sum(point.is_own for point in found) >= 1
    assert found[-1].is_own, "it lies on top"
    assert {point.fits for point in found} == {True, False}
    best = sorted((point for point in found if point.is_best), key=lambda point: point.needed_bytes)
    flops = [point.recompute_flops for point in best]
    assert flops == sorted(flops, reverse=True)
    assert found[-1].name == "attention; " + "; ".join(
        f"{key} = {value}" for key, value in found[-1].values.items() if not isinstance(value, bool)
    )


def test_numbers_have_thousands_separators():
    assert amount(1_234_567 * 1024**3) == "1,234,567.00 GiB"
    assert amount(5 * 1024**2) == "5.00 MiB", "0.00 GiB says nothing"
    assert Box(0, 0, 10, 4).within(1, 3) == Box(1, 4, 8, 0)
