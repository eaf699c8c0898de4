"""Files: chosen, dropped, pasted; on their way; shown, opened and fetched."""

from files import file, png, transfer
from playwright.sync_api import expect


def choose(who, *files):
    who.page.locator("input[type=file]").set_input_files(list(files))
    expect(who.page.locator(".staged-file")).to_have_count(len(files))


def pictures(who):
    return who.page.locator(".picture img.is-shown")


def test_a_picture_is_chosen_sent_seen_and_opened(ann, bob, room):
    choose(ann, file("harbour.png"), file("notes.txt", "text/plain", b"buy soup"))
    expect(ann.page.locator(".staged-file img")).to_be_visible()
    ann.page.get_by_label("Remove notes.txt").click()
    ann.composer.fill("look at this")
    ann.composer.press("Enter")
    expect(ann.page.locator(".staged-file")).to_have_count(0)
    for who in (ann, bob):
        who.sees("look at this")
        expect(pictures(who)).to_have_count(1)
    expect(bob.page.locator(".outgoing")).to_have_count(0)
    expect(ann.page.locator(".outgoing")).to_have_count(0)

    bob.page.get_by_label("Open harbour.png").click()
    lightbox = bob.page.get_by_role("dialog", name="harbour.png")
    expect(lightbox.locator("img")).to_be_visible()
    with bob.page.expect_download() as download:
        lightbox.get_by_label("Download harbour.png").click()
    assert download.value.suggested_filename == "harbour.png"
    assert download.value.path().read_bytes() == png()

    # Another one is next to it.
    choose(ann, file("second.png", data=png(80, 80, (200, 80, 40))))
    ann.composer.press("Enter")
    expect(pictures(bob)).to_have_count(2)
    bob.page.keyboard.press("ArrowRight")
    expect(bob.page.get_by_role("dialog", name="second.png")).to_be_visible()
    expect(bob.page.get_by_label("Next picture")).to_have_count(0)
    bob.page.keyboard.press("Escape")
    expect(bob.page.locator(".lightbox")).to_have_count(0)
    expect(bob.page.get_by_label("Open harbour.png")).to_be_focused()


def test_files_are_dropped_and_pasted(ann, bob, room):
    zone = ann.page.locator(".drop-zone")
    dropped = transfer(ann.page, "plan.txt", "text/plain", b"first soup, then bread")
    zone.dispatch_event("dragenter", {"dataTransfer": dropped})
    expect(ann.page.locator(".drop-here")).to_be_visible()
    zone.dispatch_event("drop", {"dataTransfer": dropped})
    expect(ann.page.locator(".drop-here")).to_have_count(0)
    expect(ann.page.locator(".staged-file")).to_have_count(1)
    ann.page.evaluate(
        """(data) => document.querySelector('.composer-input').dispatchEvent(
            new ClipboardEvent('paste', { clipboardData: data, bubbles: true, cancelable: true }))""",
        transfer(ann.page, "pasted.png"),
    )
    expect(ann.page.locator(".staged-file")).to_have_count(2)
    ann.page.get_by_label("Send", exact=True).click()
    expect(pictures(bob)).to_have_count(1)
    with bob.page.expect_download() as download:
        bob.page.get_by_label("Download plan.txt").click()
    assert download.value.path().read_bytes() == b"first soup, then bread"


def test_an_upload_shows_how_far_it_is_and_can_be_cancelled_or_tried_again(visitor):
    ann = visitor("ann", allow=["status of 415", "ERR_FAILED"]).sign_up()
    ann.make_room(f"Slow {ann.name}")
    held = []

    def hold(route):
        if route.request.method == "PUT":
            held.append(route)
        else:
            route.fallback()

    ann.page.context.route("**/*", hold)
    choose(ann, file("first.png"))
    ann.composer.fill("with words")
    ann.composer.press("Enter")
    card = ann.page.locator(".outgoing")
    expect(card).to_contain_text("first.png")
    expect(card.get_by_role("progressbar")).to_be_visible()
    # Others are not held up by it.
    ann.say("meanwhile")
    ann.sees("meanwhile")
    card.get_by_label("Cancel the upload").click()
    expect(card).to_have_count(0)

    choose(ann, file("second.png"))
    ann.composer.press("Enter")
    ann.page.wait_for_timeout(300)
    held[-1].fulfill(status=415, content_type="application/json", body='{"code":"media_type_not_allowed"}')
    expect(card.get_by_role("alert")).to_contain_text("does not take files of this type")
    ann.page.context.unroute_all(behavior="ignoreErrors")
    card.get_by_label("Try again").click()
    expect(pictures(ann)).to_have_count(1)
    expect(card).to_have_count(0)


def test_what_the_server_does_not_take_is_told(visitor):
    ann = visitor("ann", allow=["status of 415"]).sign_up()
    ann.make_room(f"Types {ann.name}")
    choose(ann, file("tool.exe", "application/x-msdownload", b"MZ"))
    ann.composer.press("Enter")
    expect(ann.page.locator(".outgoing").get_by_role("alert")).to_contain_text("does not take files of this type")
