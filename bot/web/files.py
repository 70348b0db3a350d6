"""Files over HTTP: what a page uploads and what it shows. How they are kept is in `bot/store/uploads.py`."""

from __future__ import annotations

from urllib.parse import quote

from fastapi import APIRouter, Request, Response
from starlette.requests import ClientDisconnect
from starlette.responses import FileResponse, JSONResponse

from bot.errors import StoreError, UserError
from bot.messages import Attachment
from bot.store.uploads import Uploads

SHOWN = ("image/png", "image/jpeg", "image/gif", "image/webp", "audio/", "video/")
"""What a browser may open in place; anything else is downloaded."""

HEADERS = {
    "Cache-Control": "private, max-age=31536000, immutable",
    "Content-Security-Policy": "default-src 'none'; sandbox",
    "X-Content-Type-Options": "nosniff",
}


def files(uploads: Uploads) -> APIRouter:
    """The routes below `/files`."""
    router = APIRouter(include_in_schema=False)

    @router.post("/files")
    async def upload(request: Request, name: str = "file") -> Response:
        try:
            kept = await uploads.keep(request.stream(), name)
        except UserError as error:
            return JSONResponse({"fault": str(error)}, 422)
        except StoreError as error:
            return JSONResponse({"fault": str(error)}, 500)
        except ClientDisconnect:
            return Response(status_code=499)
        return JSONResponse({"id": kept.id, "name": kept.name, "mime": kept.mime, "size": kept.size})

    @router.get("/files/{id}/{name}")
    async def download(id: str, name: str) -> Response:
        try:
            found = await uploads.find(id, name)
        except UserError as error:
            return Response(str(error), 404, media_type="text/plain")
        disposition = "inline" if found.mime.startswith(SHOWN) else "attachment"
        mime = found.mime if disposition == "inline" else "application/octet-stream"
        headers = {**HEADERS, "Content-Disposition": f"{disposition}; filename*=UTF-8''{quote(found.name, safe='')}"}
        return FileResponse(uploads.path(id), media_type=mime, headers=headers)

    return router


def url(source: Attachment) -> str:
    """Where a page finds the file."""
    return f"/files/{source.id}/{quote(source.name or 'file', safe='')}"
