"""Which proxy and which certificates a download would use, in words. Passwords in addresses are not shown."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import urlsplit

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
