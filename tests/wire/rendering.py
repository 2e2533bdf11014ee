"""Components of a message as HTML that looks like Discord's client, for pictures to look at.

Sizes, colours and order follow the desktop client of 2026; what a card does not use is not drawn.
"""

import html
import re
from collections.abc import Callable, Mapping
from pathlib import PurePosixPath
from typing import Final

from tests.wire.shapes import Json

ROW, BUTTON, MENU, SECTION, TEXT, GALLERY, FILE, SEPARATOR, CONTAINER = 1, 2, 3, 9, 10, 12, 13, 14, 17
VIDEO = (".mp4", ".webm", ".mov")
STYLE: Final = """
:root[data-theme=dark] { --back: #1a1a1e; --box: #242429; --line: #38383f; --text: #dfe0e2; --soft: #94959c;
  --button: #3b3b42; --link: #70a7ff; --menu: #1d1d21; --chip: #3c3d6b; --chip-text: #c9cdfb; }
:root[data-theme=light] { --back: #fbfbfb; --box: #ffffff; --line: #dcdce0; --text: #2f3035; --soft: #6f7078;
  --button: #e6e6ea; --link: #006ce7; --menu: #ffffff; --chip: #e6e8fd; --chip-text: #4752c4; }
* { box-sizing: border-box; }
body { margin: 0; padding: 16px; background: var(--back); color: var(--text);
  font: 16px/1.375 "gg sans", "Noto Sans", "Helvetica Neue", Helvetica, Arial, "Noto Sans CJK SC", sans-serif; }
.message { display: grid; grid-template-columns: 40px minmax(0, 1fr); gap: 16px; }
.face { width: 40px; height: 40px; border-radius: 50%; background: #5865f2; }
.name { font-weight: 500; margin-bottom: 4px; } .name small { color: var(--soft); font-weight: 400; margin-left: 8px; }
.app { background: #5865f2; color: white; border-radius: 4px; font-size: 12px; padding: 1px 4px; margin-left: 4px; }
.stack { display: flex; flex-direction: column; gap: 8px; max-width: 600px; }
.container { border: 1px solid var(--line); border-left: 4px solid var(--accent, var(--line)); background: var(--box);
  border-radius: 8px; padding: 16px; display: flex; flex-direction: column; gap: 8px; }
.section { display: flex; justify-content: space-between; gap: 16px; }
.text { overflow-wrap: anywhere; } h3 { font-size: 20px; line-height: 1.25; margin: 0 0 4px; font-weight: 700; }
.sub { font-size: 13px; color: var(--soft); } .line { min-height: 1em; }
.chip { background: var(--chip); color: var(--chip-text); border-radius: 3px; padding: 0 2px; font-weight: 500; }
code { background: var(--menu); border: 1px solid var(--line); border-radius: 4px; font-size: 14px; padding: 0 3px; }
.button { background: var(--button); border-radius: 8px; padding: 5px 12px; font-size: 14px; font-weight: 500;
  white-space: nowrap; height: 32px; }
.row { display: flex; flex-wrap: wrap; gap: 8px; }
.menu { background: var(--menu); border: 1px solid var(--line); border-radius: 8px; padding: 8px 12px; width: 100%;
  max-width: 400px; color: var(--soft); display: flex; justify-content: space-between; }
hr { border: 0; border-top: 1px solid var(--line); width: 100%; margin: 4px 0; }
.gallery { display: grid; gap: 4px; border-radius: 8px; overflow: hidden; grid-template-columns: 1fr; }
.gallery.two { grid-template-columns: 1fr 1fr; } .gallery > * { position: relative; }
.gallery.two > * { height: 260px; }
.gallery img, .gallery video { width: 100%; height: 100%; max-height: 350px; object-fit: cover; display: block; }
.gallery b { position: absolute; inset: 0; margin: auto; width: 48px; height: 48px; border-radius: 50%;
  background: #000a; color: white; display: grid; place-items: center; }
.file { border: 1px solid var(--line); border-radius: 8px; padding: 12px 16px; display: flex; gap: 12px; }
.file i { width: 30px; height: 40px; border-radius: 4px; background: #5865f2; flex: none; }
.file a { color: var(--link); } .file small { color: var(--soft); display: block; font-size: 12px; }
@media (max-width: 480px) { body { padding: 8px; } .message { grid-template-columns: 1fr; } .face { display: none; }
  .gallery.two > * { height: 160px; } .container { padding: 12px; } }
"""
_INLINE: Final[tuple[tuple[str, str], ...]] = (
    (r"\*\*(.+?)\*\*", r"<strong>\1</strong>"),
    (r"`([^`]+)`", r"<code>\1</code>"),
    (r"&lt;@(\d+)&gt;", r'<span class="chip">@Alex</span>'),
)


def page(components: list[Json], *, theme: str, address: Callable[[str], str], sizes: Mapping[str, int]) -> str:
    """The message as a page.

    Args:
        components: As they are sent.
        theme: dark or light.
        address: Where a file of the message lies, by its name.
        sizes: Bytes of the files, by name.

    """
    body = "".join(_component(component, address, sizes) for component in components)
    return (
        f'<!doctype html><html data-theme="{theme}"><meta charset="utf-8"><style>{STYLE}</style>'
        '<div class="message"><div class="face"></div><div><div class="name">Stemcord<span class="app">APP</span>'
        f'<small>Today at 14:02</small></div><div class="stack">{body}</div></div></div></html>'
    )


def _component(sent: Json, address: Callable[[str], str], sizes: Mapping[str, int]) -> str:
    inner = "".join(_component(each, address, sizes) for each in sent.get("components") or [])
    match sent["type"]:
        case 17:
            colour = sent.get("accent_color")
            accent = "" if colour is None else f' style="--accent: #{colour:06x}"'
            return f'<div class="container"{accent}>{inner}</div>'
        case 9:
            beside = _component(sent["accessory"], address, sizes)
            return f'<div class="section"><div>{inner}</div>{beside}</div>'
        case 10:
            return f'<div class="text">{markdown(sent["content"])}</div>'
        case 14:
            return "<hr>"
        case 12:
            items = [_media(item["media"]["url"], address) for item in sent["items"]]
            return f'<div class="gallery {"two" if len(items) > 1 else ""}">{"".join(items)}</div>'
        case 13:
            name = sent["file"]["url"].removeprefix("attachment://")
            size = f"{sizes.get(name, 0) / 1e6:.2f} MB"
            return f'<div class="file"><i></i><div><a>{html.escape(name)}</a><small>{size}</small></div></div>'
        case 1:
            return f'<div class="row">{inner}</div>'
        case 2:
            return f'<span class="button">{html.escape(sent.get("label") or "")}</span>'
        case 3:
            return f'<div class="menu"><span>{html.escape(sent.get("placeholder") or "")}</span><span>⌄</span></div>'
        case other:
            raise ValueError(f"components of type {other} are not drawn")


def _media(url: str, address: Callable[[str], str]) -> str:
    name = url.removeprefix("attachment://")
    place = html.escape(address(name))
    if PurePosixPath(name).suffix in VIDEO:
        return f'<div><video src="{place}#t=2" preload="auto" muted></video><b>▶</b></div>'
    return f'<div><img src="{place}"></div>'


def markdown(text: str) -> str:
    """The part of Discord's Markdown that cards use."""
    return "".join(_line(line) for line in text.split("\n"))


def _line(line: str) -> str:
    kept: list[str] = []

    def keep(match: re.Match[str]) -> str:
        kept.append(match[1])
        return f"\x00{len(kept) - 1}\x00"

    shown = html.escape(re.sub(r"\\(.)", keep, line), quote=False)
    for pattern, by in _INLINE:
        shown = re.sub(pattern, by, shown)
    shown = re.sub(r"\x00(\d+)\x00", lambda match: html.escape(kept[int(match[1])], quote=False), shown)
    if shown.startswith("### "):
        return f"<h3>{shown.removeprefix('### ')}</h3>"
    if shown.startswith("-# "):
        return f'<div class="sub">{shown.removeprefix("-# ")}</div>'
    return f'<div class="line">{shown}</div>'
