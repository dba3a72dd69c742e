"""The pages: one static file per face, and their assets, served from memory.

``web/`` is built into ``app/assets/web`` (``make web``). The build is small, so it is read once, compressed
once, and answered without touching the disk: a path that is not in it does not exist. An asset's name carries
its content's hash and may be kept for ever; a page is asked for anew each time, and mostly answered with 304.
"""

from __future__ import annotations

import gzip
import hashlib
import mimetypes
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import RedirectResponse

from app.auth.gate import open_to_all
from app.http.errors import ApiError
from app.http.shell import page_headers

FACE_PATHS: Final[Mapping[str, str]] = {
    "/sign-in": "signin",
    "/desk": "desk",
    "/floor": "wall",
    "/wall": "wall",
    "/customers": "customers",
    "/calls": "calls",
    "/figures": "figures",
    "/plan": "plan",
    "/people": "people",
}
"""Which built page answers a path."""

# The browser phone is on the desk alone.
_PAGE_HEADERS: Final[Mapping[str, Mapping[str, str]]] = {
    path: page_headers(microphone=face == "desk") for path, face in FACE_PATHS.items()
}
_ASSET_HEADERS: Final = {"Cache-Control": "public, max-age=31536000, immutable"}
_COMPRESSED: Final = {".html", ".js", ".css", ".svg", ".json"}
_UTF8: Final = {".html", ".js", ".css", ".svg", ".json"}

router = APIRouter(
    include_in_schema=False, dependencies=[Depends(open_to_all("a page asks who is signed in"))]
)


@dataclass(frozen=True, slots=True)
class BuiltFile:
    """One file of the build, as it is sent."""

    media_type: str
    plain: bytes
    packed: bytes | None
    etag: str

    @classmethod
    def read(cls, path: Path) -> BuiltFile:
        """Read and compress *path*."""
        plain = path.read_bytes()
        kind = mimetypes.types_map.get(path.suffix, "application/octet-stream")
        if path.suffix == ".js":
            kind = "text/javascript"
        packed = gzip.compress(plain, 9, mtime=0) if path.suffix in _COMPRESSED else None
        return cls(
            media_type=f"{kind}; charset=utf-8" if path.suffix in _UTF8 else kind,
            plain=plain,
            packed=packed if packed is not None and len(packed) < len(plain) else None,
            etag=f'"{hashlib.sha256(plain).hexdigest()[:20]}"',
        )

    def answer(self, request: Request, headers: Mapping[str, str]) -> Response:
        """Return the answer that fits what the browser has and takes."""
        sent = dict(headers) | {"ETag": self.etag, "Vary": "Accept-Encoding"}
        if request.headers.get("if-none-match") == self.etag:
            return Response(status_code=304, headers=sent)
        if self.packed is not None and "gzip" in request.headers.get("accept-encoding", ""):
            return Response(
                self.packed, headers=sent | {"Content-Encoding": "gzip"}, media_type=self.media_type
            )
        return Response(self.plain, headers=sent, media_type=self.media_type)


class Pages:
    """The build in memory.

    Args:
        home: Where it lies; a directory that is not there is a server without pages.
    """

    def __init__(self, home: Path) -> None:
        found = sorted(path for path in home.rglob("*") if path.is_file()) if home.is_dir() else []
        self._files = {path.relative_to(home).as_posix(): BuiltFile.read(path) for path in found}

    def paths(self) -> list[str]:
        """Return the paths of the pages that exist."""
        return [path for path, face in FACE_PATHS.items() if f"{face}.html" in self._files]

    def page(self, path: str) -> BuiltFile:
        """Return the page of a path.

        Raises:
            ApiError: 404, this installation has no such page.
        """
        found = self._files.get(f"{FACE_PATHS[path]}.html")
        if found is None:
            raise ApiError(
                404, "page_not_built", "this installation has no such page; in a checkout: make web"
            )
        return found

    def asset(self, name: str) -> BuiltFile | None:
        """Return an asset of the build, if there is one of this name."""
        return self._files.get(f"assets/{name}")


def built_pages() -> Pages:
    """Read the build of this installation."""
    return Pages(Path(__file__).resolve().parents[1] / "assets" / "web")


def _pages(request: Request) -> Pages:
    pages: Pages = request.app.state.pages
    return pages


@router.get("/")
async def home() -> Response:
    """Lead to the sign-in, which leads on."""
    return RedirectResponse("/sign-in", 307, headers={"Cache-Control": "no-cache"})


@router.get("/assets/{name}")
async def asset(name: str, request: Request) -> Response:
    """Give a script, a style sheet or a picture of the build."""
    found = _pages(request).asset(name)
    if found is None:
        raise ApiError(404, "not_found", "there is no such asset in this build")
    return found.answer(request, _ASSET_HEADERS)


async def _page(request: Request) -> Response:
    """Give a face's page."""
    return _pages(request).page(request.url.path).answer(request, _PAGE_HEADERS[request.url.path])


for _path in FACE_PATHS:
    router.add_api_route(_path, _page, methods=["GET"])
