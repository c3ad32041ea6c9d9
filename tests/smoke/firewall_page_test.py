# SPDX-License-Identifier: BSD-3-Clause
"""The page of `firewall --html`: parsed strictly, then shown by a real browser (Debian's chromium,
scripts/setup browser), at the width of a screen and of a telephone."""
import html
import html.parser
import os
import pathlib
import re
import shutil
import struct
import subprocess
import unittest
import zlib

from capture_files import PROGRAM, ReadTest

CAPTURES = pathlib.Path(os.environ["TAPWITNESS_SOURCE"]) / "tests" / "captures"
BROWSER = shutil.which("chromium")
VOID = {"meta", "link", "br"}
needs_browser = unittest.skipUnless(BROWSER, "no chromium: scripts/setup browser installs it")


class Page(html.parser.HTMLParser):
    """Elements, identifiers and references of a page; every element must be closed by its own."""

    def __init__(self, text):
        super().__init__()
        self.open, self.tags, self.ids, self.links, self.outside = [], [], [], [], []
        self.feed(text)
        self.close()
        assert not self.open, self.open

    def handle_starttag(self, tag, attributes):
        self.tags.append(tag)
        for name, value in attributes:
            if name == "id":
                self.ids.append(value)
            elif name in ("src", "href", "xlink:href", "action"):
                (self.links if value.startswith("#") else self.outside).append(value)
            assert not name.startswith("on"), name
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attributes):
        self.handle_starttag(tag, attributes)
        if tag not in VOID:
            self.open.pop()

    def handle_endtag(self, tag):
        assert self.open and self.open[-1] == tag, (tag, self.open)
        self.open.pop()


def picture(path):
    """Width, height and rows of a PNG of 8 bits without interlacing, as chromium writes it."""
    data = path.read_bytes()
    width, height, depth, kind = struct.unpack(">IIBB", data[16:26])
    assert depth == 8 and kind in (2, 6), (depth, kind)
    at, packed = 8, b""
    while at < len(data):
        size = struct.unpack(">I", data[at:at + 4])[0]
        if data[at + 4:at + 8] == b"IDAT":
            packed += data[at + 8:at + 8 + size]
        at += size + 12
    return width, height, zlib.decompress(packed)


class FirewallPage(ReadTest):
    def setUp(self):
        super().setUp()
        self.page = self.folder / "report.html"
        subprocess.run([PROGRAM, "firewall", "--outside", CAPTURES / "story-outside.pcap",
                        "--inside", CAPTURES / "story-inside.pcap", "--html", self.page,
                        "--text", self.folder / "report.txt"], check=True, timeout=60)
        self.text = self.page.read_text(encoding="utf-8")

    def browse(self, *options):
        # Its own network is of no use to it: whatever it asked for would fail and be logged.
        return subprocess.run(
            [BROWSER, "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
             f"--user-data-dir={self.folder / 'profile'}", "--no-first-run",
             "--enable-logging=stderr", "--disable-background-networking",
             "--disable-component-update", *options],
            capture_output=True, text=True, timeout=120, check=True)

    def test_elements_are_closed_and_nothing_is_referred_to_outside(self):
        page = Page(self.text)
        self.assertEqual(["data:,"], page.outside)
        self.assertEqual(len(page.ids), len(set(page.ids)))
        self.assertLessEqual({link[1:] for link in page.links}, set(page.ids))
        self.assertNotIn("script", page.tags)
        self.assertIn("svg", page.tags)

    def test_the_page_says_what_the_text_says(self):
        verdict = (self.folder / "report.txt").read_text(encoding="utf-8").splitlines()[0]
        self.assertIn(f"<h1>{html.escape(verdict)}</h1>", self.text)

    @needs_browser
    def test_a_browser_shows_it_and_fits_it_to_the_width(self):
        # The page itself has no scripts; this one holds it in a frame and measures it.
        for width in (1280, 390):
            with self.subTest(width=width):
                probe = self.folder / f"probe-{width}.html"
                body = re.sub(r"<meta http-equiv[^>]*>", "", self.text)
                probe.write_text(body.replace("</body>", (
                    "<script>const e = document.documentElement; document.title = "
                    "`${innerWidth} ${e.scrollWidth} ${e.clientWidth} "
                    "${performance.getEntriesByType('resource').length}`</script></body>")))
                frame = self.folder / f"frame-{width}.html"
                frame.write_text(
                    f"<iframe id=f width={width} height=900 style='border:0' src='{probe.name}'>"
                    "</iframe><p id=out></p><script>onload = () => { document.getElementById('out')"
                    ".textContent = document.getElementById('f').contentDocument.title }</script>")
                shown = self.browse("--allow-file-access-from-files", "--window-size=1400,900",
                                    "--dump-dom", f"file://{frame}").stdout
                found = re.search(r'<p id="out">(\d+) (\d+) (\d+) (\d+)</p>', shown)
                self.assertIsNotNone(found, shown[-500:])
                inner, scroll, client, resources = map(int, found.groups())
                self.assertEqual(width, inner)
                self.assertLessEqual(scroll, client)
                self.assertEqual(0, resources)

    @needs_browser
    def test_the_picture_is_not_blank_and_the_browser_complains_of_nothing(self):
        picture_path = self.folder / "page.png"
        shown = self.browse("--window-size=1280,900", f"--screenshot={picture_path}",
                            f"file://{self.page}")
        self.assertNotIn("CONSOLE", shown.stderr)
        width, height, pixels = picture(picture_path)
        self.assertEqual((1280, 900), (width, height))
        self.assertGreater(len(set(pixels)), 100)


if __name__ == "__main__":
    unittest.main()
