"""Models of a model hub: asks for the list of files and for permission before anything is downloaded. The bytes: `fetching.py`."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from urllib.parse import quote

import httpx
from pydantic import BaseModel, Field, ValidationError

from bot.errors import PullError
from bot.origins import Hub
from bot.pull.fetching import Asset, fetch
from bot.pull.steps import Access, Noted, counting

WEIGHTS = {"safetensors": "*.safetensors", "ctranslate2": "model.bin", "diffusers": "*/*.safetensors", "onnx": "*.onnx"}
BESIDE = ("*.json", "*.txt", "*.model", "*.jinja", "*.tiktoken", "LICENSE*", "NOTICE*", "USE_POLICY*")
"""What is taken besides the weights: configuration, tokenizer, licence. No Python file and no pickle is among them."""

DESCRIBING = ("config.json", "tokenizer_config.json", "chat_template.jinja", "adapter_config.json")
"""The files that say what kind of model it is and how it is spoken to."""

MOST_DESCRIBED = 1 << 20
"""Bytes of such a file."""

HUB = "https://huggingface.co"
"""The public one."""


def same(one: str, other: str) -> bool:
    """Whether two addresses are those of one hub; "" is the public one's."""
    return (one or HUB).rstrip("/").lower() == (other or HUB).rstrip("/").lower()


class _Lfs(BaseModel):
    sha256: str


class _File(BaseModel):
    path: str = Field(alias="rfilename")
    size: int | None = None
    blob: str = Field("", alias="blobId")
    lfs: _Lfs | None = None


class _Card(BaseModel):
    license: str | list[str] | None = None
    language: str | list[str] | None = None


class Weights(BaseModel):
    """What the hub has counted: `total` parameters."""

    total: int = 0


class Info(BaseModel):
    """The part of the hub's answer that is used; `gated` is false, or how access is granted; `weights.total` counts parameters."""

    sha: str
    gated: bool | str = False
    siblings: tuple[_File, ...] = ()
    card: _Card | None = Field(None, alias="cardData")
    weights: Weights | None = Field(None, alias="safetensors")


def look(source: Hub, access: Access) -> tuple[Info, dict[str, bytes]]:
    """What the hub says of a repository, and its small files that say what kind of model it is. Raises PullError, as a pull would."""
    with httpx.Client(timeout=30, proxy=access.proxy or None) as client:
        info, assets = _planned(source, access, client)
        small = {path: asset for path, asset in assets.items() if path in DESCRIBING and asset.size <= MOST_DESCRIBED}
        return info, {path: _ask(source, asset.url, asset.url, asset.headers, client) for path, asset in small.items()}


def bring_hub(source: Hub, made: Path, access: Access, noted: Noted) -> None:
    """Downloads the repository's files into `made`; those that are there already are kept. Raises PullError."""
    with httpx.Client(timeout=30, proxy=access.proxy or None) as client:
        assets = plan(source, access, client)
        _sweep(made, assets)
        total = sum(asset.size for asset in assets.values())
        before = 0
        for path, asset in assets.items():
            into = made / path
            into.parent.mkdir(parents=True, exist_ok=True)
            if not (into.exists() and asset.matches(into)):
                fetch(asset, into, client, counting(noted, before, total))
            before += asset.size
            noted("downloading", before, total)


def _sweep(made: Path, assets: Mapping[str, Asset]) -> None:
    """Removes what an earlier try left and the repository has no longer."""
    for path in [path for path in made.rglob("*") if path.is_file()]:
        if path.relative_to(made).as_posix().removesuffix(".part") not in assets:
            path.unlink()


def plan(source: Hub, access: Access, client: httpx.Client) -> dict[str, Asset]:
    """The files to bring, by path. Raises PullError when the repository is gated, missing or has no weights that are safe to load."""
    return _planned(source, access, client)[1]


def _planned(source: Hub, access: Access, client: httpx.Client) -> tuple[Info, dict[str, Asset]]:
    from huggingface_hub import constants, get_token  # here, because a start of the bot needs neither

    endpoint = (access.endpoint or constants.ENDPOINT).rstrip("/")
    token = "" if access.anonymous else access.token or (get_token() if same(endpoint, constants.ENDPOINT) else "")
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    info = _info(source, endpoint, headers, client)
    files = [file for file in info.siblings if wanted(source, file.path)]
    if not any(PurePosixPath(file.path).match(WEIGHTS[source.format]) for file in files):
        raise PullError(
            f"{source.repo} at {source.revision} has no {source.format} weights; other formats can carry code and are not taken"
        )
    at = f"{endpoint}/{source.repo}/resolve/{info.sha}"
    return info, {file.path: _asset(source, file, f"{at}/{quote(file.path)}", headers) for file in files}


def _info(source: Hub, endpoint: str, headers: Mapping[str, str], client: httpx.Client) -> Info:
    about = f"{endpoint}/api/models/{source.repo}"
    answer = _ask(source, endpoint, f"{about}/revision/{quote(source.revision, safe='')}?blobs=true", headers, client)
    try:
        info = Info.model_validate_json(answer)
    except ValidationError as error:
        raise PullError(f"{endpoint} does not answer as a model hub does; check `endpoint` under [models]") from error
    if info.gated:
        _ask(source, endpoint, f"{about}/auth-check", headers, client)
    return info


def _ask(source: Hub, endpoint: str, url: str, headers: Mapping[str, str], client: httpx.Client) -> bytes:
    try:
        answer = client.get(url, headers=dict(headers), follow_redirects=True)
    except (httpx.TransportError, httpx.InvalidURL) as error:
        raise PullError(f"{endpoint} cannot be reached ({error}); check the network, the proxy or `endpoint` under [models]") from error
    if answer.is_success:
        return answer.content
    raise PullError(_refusal(source, endpoint, answer, known="Authorization" in headers))


def _refusal(source: Hub, endpoint: str, answer: httpx.Response, *, known: bool) -> str:
    """The hub tells gated, private and missing apart by a header, and answers 401 for all three to those it does not know."""
    page = f"{endpoint}/{source.repo}"
    match answer.headers.get("X-Error-Code", ""):
        case "GatedRepo":
            return f"{source.repo} is gated: accept its licence on {page} with {_as_whom(endpoint, known)}"
        case "RevisionNotFound":
            return f"{source.repo} has no revision {source.revision!r}; see {page}/commits/main"
        case _ if answer.headers.get("X-Error-Message", "").startswith("Invalid credentials"):
            places = "HOBNOB_MODELS__TOKEN in .env, `token` and `trusted_hub` under [models] in bot.toml, HF_TOKEN"
            return f"the hub does not know the token; the first of these that is set has it: {places}"
        case _ if answer.status_code in (401, 403, 404):
            return f"{page} does not exist, or is private and the token does not open it"
        case _:
            return f"the hub answered {answer.status_code} when asked about {page}; try again later"


def _as_whom(endpoint: str, known: bool) -> str:
    """The account that opens what is gated. To tell Hobnob of it, the way that is shortest and holds for commands and pages alike."""
    if known:
        return "the account of your token; a fine-grained token has to be allowed to read gated repositories besides"
    where = "" if same(endpoint, HUB) else f" and HOBNOB_MODELS__TRUSTED_HUB={endpoint}"
    way = f"HOBNOB_MODELS__TOKEN=…{where} in .env beside bot.toml, or where you are asked for one"
    return f"your account, then give a token of that account ({endpoint}/settings/tokens): {way}"


def wanted(source: Hub, path: str) -> bool:
    """Whether the file is taken: the format's weights or what belongs beside them, at the top or in a listed folder."""
    pure = PurePosixPath(path)
    if pure.is_absolute() or ".." in pure.parts or str(pure.parent) not in (".", *source.folders):
        return False
    if pure.match(WEIGHTS[source.format]):
        return not source.weights or path in source.weights
    return any(pure.match(pattern) for pattern in BESIDE)


def _asset(source: Hub, file: _File, url: str, headers: Mapping[str, str]) -> Asset:
    sha256 = source.hashes.get(file.path) or (file.lfs.sha256 if file.lfs else "")
    if file.size is None or not (sha256 or file.blob):
        raise PullError(f"{source.repo}: the hub tells no size or hash for {file.path}; it cannot be verified and is not taken")
    return Asset(url, file.size, sha256, file.blob, headers)
