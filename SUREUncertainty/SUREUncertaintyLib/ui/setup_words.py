"""What Set-up says in words: the way to the internet, and a bug report that holds no name, no path and no voxel."""

from __future__ import annotations

import platform
from collections.abc import Iterable, Mapping, Sequence
from urllib.parse import urlsplit

from .. import __version__
from ..core.translation import Translate
from ..presenters import texts

PROXIES = ("HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy")
CERTIFICATES = ("PIP_CERT", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE")


def network_text(environment: Mapping[str, str], translate: Translate = str) -> str:
    """One sentence from the variables that pip honours."""
    proxy = next((environment[name] for name in PROXIES if environment.get(name)), "")
    bundle = next((environment[name] for name in CERTIFICATES if environment.get(name)), "")
    through = translate(texts.THROUGH_PROXY if proxy else texts.NO_PROXY).format(proxy=_without_password(proxy))
    trusted = translate(texts.WITH_CERTIFICATES if bundle else texts.OWN_CERTIFICATES).format(bundle=bundle)
    return f"{through} {trusted}"


def _without_password(address: str) -> str:
    parts = urlsplit(address if "//" in address else f"//{address}")
    host = parts.hostname or ""
    return f"{host}:{parts.port}" if parts.port else host


LAST_LINES = 200


def report_text(
    slicer_version: str, dependencies: Sequence[tuple[str, str, str]], log: Iterable[str], last_failure: str = ""
) -> str:
    """Versions, what is installed, the last failure and the end of the worker's log."""
    lines = [
        f"SURE Uncertainty {__version__}",
        f"3D Slicer {slicer_version}",
        f"{platform.system()} {platform.release()} {platform.machine()}, Python {platform.python_version()}",
        *(f"{package}: {version or 'not installed'}" for package, version, _ in dependencies),
        "",
        f"Last failure: {last_failure or 'none'}",
        "",
        *list(log)[-LAST_LINES:],
    ]
    return "\n".join(lines)
