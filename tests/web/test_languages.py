"""English, German, Japanese, Arabic: whole, and from right to left where it is so."""

import re
from pathlib import Path

import pytest
from chromium import PHONE
from playwright.sync_api import expect

from person import PASSWORD

WORDS = Path(__file__).resolve().parents[2] / "web/src/i18n"
SIGN_UP = {"de": "Registrieren", "ja": "登録", "ar": "إنشاء حساب"}


@pytest.mark.parametrize("language", SIGN_UP)
def test_a_browser_of_that_language_is_spoken_to_in_it(visitor, language):
    options = PHONE if language == "ar" else {}
    ann = visitor("ann", locale=language, **options)
    page = ann.page
    page.goto(ann.watch.origin + "/")
    page.get_by_role("button", name=SIGN_UP[language], exact=True).click()
    page.locator("[name=username]").fill(ann.name)
    page.locator("[name=email]").fill(f"{ann.name}@example.org")
    page.locator("[name=password]").fill(PASSWORD)
    page.locator("form button[type=submit]").click()
    expect(page.locator(".sidebar")).to_be_visible()
    assert page.evaluate("document.documentElement.lang") == language
    assert page.evaluate("document.documentElement.dir") == ("rtl" if language == "ar" else "ltr")
    page.locator(".sidebar-head .icon-button").last.click()
    page.locator("[name=name]").fill(f"Room {ann.name}")
    page.locator("dialog button[type=submit]").click()
    composer = page.locator(".composer-input")
    composer.fill("Hello")
    composer.press("Enter")
    expect(page.locator(".message:not(.pending) .content")).to_have_text("Hello")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    if language == "ar":
        # The arrow back stands at the right, and the place to write on the other side of its button.
        back, send = page.locator(".back").bounding_box(), page.locator(".send").bounding_box()
        assert back["x"] > 195 and send["x"] < 195
    # Another language at once, and also the next time.
    if language == "de":
        page.get_by_label("Einstellungen", exact=True).click()
        page.get_by_label("Sprache").last.select_option("ja")
        expect(page.get_by_role("dialog", name="設定")).to_be_visible()
        page.reload()
        expect(page.get_by_label("設定", exact=True)).to_be_visible()


def words_of(name):
    text = (WORDS / name).read_text()
    return dict(re.findall(r"^  (\w+): '((?:[^'\\]|\\.)*)',$", text, re.M))


@pytest.mark.parametrize("base, of", [("en", "lang"), ("admin-en", "admin")])
@pytest.mark.parametrize("language", SIGN_UP)
def test_no_word_is_left_out_or_filled_in_otherwise(language, base, of):
    english, other = words_of(f"{base}.ts"), words_of(f"{of}-{language}.ts")
    assert set(english) <= set(other)
    slots = lambda text: set(re.findall(r"\{\w+\}", text)) - {"{n}"}
    assert [word for word in english if slots(english[word]) != slots(other[word])] == []
