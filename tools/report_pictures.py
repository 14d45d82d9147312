"""Take the pictures of docs/report.md from a report, in Debian's Chromium.

python tools/report_pictures.py SITE docs/images
"""

import argparse
import base64
import shutil
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

DESK, PHONE = {"width": 1280, "height": 900}, {"width": 390, "height": 844}
#: Name, page, window, scheme, and the panel that is scrolled to.
PICTURES = (
    ("report-leaderboard", "index.html", DESK, "light", ""),
    ("report-phone", "index.html", PHONE, "dark", ""),
    ("report-solver", "candidates/solver-robust.html", DESK, "light", ""),
    ("report-plots", "suites/default-v4.html", {"width": 1280, "height": 1640}, "light", ""),
    ("report-phone-plots", "suites/default-v4.html", PHONE, "dark", "over-time"),
)
QUIET = ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"]


def main() -> None:
    """Read the arguments and take every picture."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("site", type=Path, help="folder that podlab report made")
    parser.add_argument("out", type=Path, help="folder for the pictures")
    arguments = parser.parse_args()
    arguments.out.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=QUIET)
        for name, *view in PICTURES:
            picture = arguments.out / f"{name}.webp"
            picture.write_bytes(take(browser, arguments.site, *view))
            print(f"{picture}: {picture.stat().st_size / 1e3:.0f} kB")
        browser.close()


def take(
    browser: Browser, site: Path, name: str, window: dict[str, int], scheme: str, panel: str
) -> bytes:
    """Return the visible part of a page in a window, as WebP."""
    context = browser.new_context(viewport=window, color_scheme=scheme)
    page = context.new_page()
    page.goto((site.resolve() / name).as_uri())
    if panel:
        page.locator(f"#{panel}").evaluate("(panel) => panel.scrollIntoView()")
    page.wait_for_timeout(1500)  # plots draw when they are seen
    session = context.new_cdp_session(page)
    screenshot = session.send("Page.captureScreenshot", {"format": "webp", "quality": 82})
    context.close()
    return base64.b64decode(screenshot["data"])


if __name__ == "__main__":
    main()
