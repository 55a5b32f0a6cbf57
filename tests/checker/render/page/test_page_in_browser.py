"""The page in a real browser: it draws, says what one points at, and asks for nothing. Skipped where there is no Chromium."""

import re
import shutil
from io import BytesIO
from pathlib import Path

import pytest

from tttdit.checker.render.page.document import page

BROWSER = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
pytestmark = pytest.mark.skipif(
    BROWSER is None, reason="there is no chromium to look at the page with (Debian: apt install chromium)"
)

WIDE, NARROW = {"width": 1280, "height": 900}, {"width": 390, "height": 800}


@pytest.fixture(scope="module")
def browser():
    playwright = pytest.importorskip("playwright.sync_api")
    with playwright.sync_playwright() as started:
        opened = started.chromium.launch(executable_path=BROWSER, args=["--no-sandbox"])  # a container's root has none
        yield opened
        opened.close()


@pytest.fixture
def opened(browser, make_views):
    """Opens the page of a small spec; what went wrong in it, and what it asked for, is checked at the end."""
    problems, asked, pages = [], [], []

    def open_page(added="", viewport=WIDE, scheme="light"):
        Path("page.html").write_text(page("small", "spec.toml", make_views(added=added)), encoding="utf-8")
        tab = browser.new_page(viewport=viewport, color_scheme=scheme)
        pages.append(tab)
        tab.on("pageerror", lambda error: problems.append(str(error)))
        tab.on("console", lambda message: problems.append(message.text))
        tab.on("request", lambda request: asked.append(request.url))
        tab.goto(Path("page.html").resolve().as_uri())
        return tab

    yield open_page
    assert problems == []
    assert asked == [Path("page.html").resolve().as_uri()] * len(pages)
    for tab in pages:
        tab.close()


def colours(picture):
    """How many colours a picture has."""
    image = pytest.importorskip("PIL.Image").open(BytesIO(picture)).convert("RGB")
    return len(image.getcolors(maxcolors=1 << 24))


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("viewport", [WIDE, NARROW], ids=["wide", "narrow"])
def test_everything_is_drawn(opened, viewport, scheme):
    tab = opened(viewport=viewport, scheme=scheme)
    for figure in ("timeline", "settings", "peak"):
        drawn = tab.locator(f"[data-figure={figure}]:visible")
        assert drawn.count() == 1
        box = drawn.bounding_box()
        assert box["width"] > 0.7 * min(viewport["width"], 700) * 0.8
        assert box["height"] >= 290
        assert colours(drawn.screenshot()) > 12, f"{figure} is blank"
    assert tab.evaluate("document.documentElement.scrollWidth") <= viewport["width"], "nothing sticks out"
    light = tab.evaluate("getComputedStyle(document.body).backgroundColor")
    assert (light == "rgb(246, 247, 249)") == (scheme == "light")


def test_pointing_at_the_step_names_tensor_formula_and_line(opened):
    tab = opened()
    plot = tab.locator("[data-figure=timeline]")
    box = plot.bounding_box()
    plot.hover(position={"x": box["width"] * 0.5, "y": box["height"] * 0.7})
    told = tab.locator("#tooltip").inner_text()
    assert "backward of layers." in told
    assert "of layers.*" in told
    assert "*B*D*" in told
    assert "model.width (line 16)" in told
    assert "text.tokens_per_segment (line 11)" in told
    assert "memory.attention (line 25)" in told
    tab.mouse.move(2, 2)
    assert tab.locator("#tooltip").is_hidden()


def test_the_keyboard_goes_through_the_step(opened):
    tab = opened()
    plot = tab.locator("[data-figure=timeline]")
    plot.focus()
    plot.press("Home")
    first = tab.locator("#tooltip").inner_text()
    assert re.search(r"forward: \w+, operator \d of [\d,]+\n", first)
    plot.press("ArrowRight")
    assert tab.locator("#tooltip").inner_text() != first
    plot.press("Escape")
    assert tab.locator("#tooltip").is_hidden()


def test_pointing_at_a_setting_and_at_a_part_of_the_peak(opened):
    tab = opened()
    tab.locator("circle.own").first.hover()
    told = tab.locator("#tooltip").inner_text()
    assert "the spec's own setting" in told
    assert "attention; transformer_checkpoint_layer_group_size = 1" in told
    tab.locator("[data-cell]:visible").first.hover()
    assert "parameters before the step" in tab.locator("#tooltip").inner_text()


def test_stages_are_tabs(opened):
    tab = opened(added='\n[[stage]]\nname = "first"\n\n[[stage]]\nname = "second"\nmodel.layers = 2\n')
    assert tab.locator("#stage-0").is_visible()
    assert tab.locator("#stage-1").is_hidden()
    tab.get_by_role("tab", name="second").click()
    assert tab.locator("#stage-1").is_visible()
    assert tab.locator("#stage-0").is_hidden()


def test_without_scripts_all_stages_are_there(browser, make_views):
    text = page("small", "spec.toml", make_views(added='\n[[stage]]\nname = "first"\n\n[[stage]]\nname = "second"\n'))
    Path("page.html").write_text(text, encoding="utf-8")
    tab = browser.new_context(java_script_enabled=False).new_page()
    tab.goto(Path("page.html").resolve().as_uri())
    assert tab.get_by_role("heading", name="Stage second").is_visible()
    assert tab.locator("[data-figure=timeline]").count() == 2
    tab.context.close()
