"""Pictures of reports, to be looked at: ``python -m tests.report.screenshots OUT``.

Drives Chromium, headless, over pages made from generated data: wide and narrow, light
and dark, and printed.
"""

import html
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

_FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--hide-scrollbars",
)
# Width and height of the window; a page is longer than any screen.
_DESKTOP, _PHONE, _HEIGHT = 1200, 390, 6400
# No window of Chromium is narrower; the rest of it stays empty.
_NARROWEST = 500


def chromium():
    """Where it is, or None."""
    return shutil.which("chromium")


def drive(*arguments, seconds=60):
    """Run Chromium once, with a profile of its own, and return what it prints."""
    with tempfile.TemporaryDirectory() as profile:
        command = [chromium(), *_FLAGS, f"--user-data-dir={profile}", *arguments]
        done = subprocess.run(
            command, capture_output=True, text=True, check=True, timeout=seconds
        )
    return done.stdout


def picture(page, place, *, width=_DESKTOP, height=_HEIGHT, dark=False):
    """Save a picture of a page as a device of some width shows it."""
    scheme = ["--blink-settings=preferredColorScheme=0"] if dark else []
    window = max(width, _NARROWEST)
    with tempfile.TemporaryDirectory() as folder:
        shown = page
        if width < window:
            # A frame is as narrow as it is told to be.
            text = html.escape(page.read_text(encoding="utf-8"), quote=True)
            shown = Path(folder, "frame.html")
            shown.write_text(
                '<meta name="color-scheme" content="light dark"><body style="margin:0">'
                f'<iframe srcdoc="{text}" style="border:0;width:{width}px;'
                f'height:{height}px"></iframe>',
                encoding="utf-8",
            )
        drive(
            *scheme,
            f"--window-size={window},{height}",
            f"--screenshot={place}",
            shown.as_uri(),
        )


def print_page(page, place):
    """Save what a printer would print."""
    drive("--no-pdf-header-footer", f"--print-to-pdf={place}", page.as_uri())


def main(folder):
    """Make all pages and pictures."""
    from tests.report.pages import PAGES

    if chromium() is None:
        raise SystemExit("There is no chromium here; Debian's package of it will do.")
    folder.mkdir(parents=True, exist_ok=True)
    for name, make in PAGES.items():
        page = make().save(folder / f"{name}.html", overwrite=True).resolve()
        for dark in (False, True):
            mode = "dark" if dark else "light"
            for device, width in (("desktop", _DESKTOP), ("phone", _PHONE)):
                place = folder / f"{name}-{device}-{mode}.png"
                height = _HEIGHT if device == "desktop" else _HEIGHT * 3 // 2
                picture(page, place.resolve(), width=width, height=height, dark=dark)
        print_page(page, (folder / f"{name}.pdf").resolve())
        print(f"{name}: {page}")


if __name__ == "__main__":
    if len(sys.argv) != 2:
        raise SystemExit(__doc__)
    main(Path(sys.argv[1]))
