"""Which host a request goes to, and whether it got there."""

from __future__ import annotations

import ipaddress
import os
import re
from collections.abc import Iterator
from pathlib import Path
from traceback import walk_tb
from urllib.parse import SplitResult, urlsplit

from pulumi_hybrid.errors import Ambiguous, Error, Misconfigured, NotSent
from pulumi_hybrid.settings import ALICLOUD, TENCENTCLOUD, TENCENTCLOUD_DOMAIN, Cloud, Settings

CONNECT_SECONDS = 10.0
"""How long a connection may take."""
ANSWER_SECONDS = 60.0
"""How long an answer may take, where ``custom_timeouts`` do not say less."""

_READING = ("Describe", "Get", "List")
"""What the names of the vendors' actions that change nothing begin with."""

_HOST = r"[a-z0-9-]{1,63}(\.[a-z0-9-]{1,63})*"
_LONGEST_HOST = 253

_PROOFS_OF_NOTHING_SENT = {
    "NewConnectionError": "no connection",
    "NameResolutionError": "its host name is unknown",
    "ConnectTimeoutError": "no connection in time",
    "ConnectTimeout": "no connection in time",
    "ProxyError": "the proxy does not answer",
    "SSLCertVerificationError": "its certificate is not trusted",
    "InvalidURL": "the endpoint is no URL",
    "Misconfigured": "no key could be had",
}
"""Exceptions by class name: urllib3, requests and ssl are imported late, with the vendors' SDKs.
The last is our own, of the keys that an SDK asks for while it makes the request."""


def failure(cloud: Cloud, settings: Settings, title: str, error: BaseException, how: str) -> Error:
    """Our error for a request without an answer.

    Args:
        cloud: whose request it was.
        settings: what says where it went.
        title: the action, with its product.
        error: what was raised; all that it wraps is searched.
        how: what happened, in a word or two, where nothing proves that nothing was sent.
    """
    proof = _proof_of_nothing_sent(error)
    if proof:
        return NotSent(
            f"{cloud.title} could not be reached ({title}, {proof}). Nothing was sent. Check "
            f"{_way(cloud, settings)}."
        )
    return lost(title, how)


def _proof_of_nothing_sent(error: BaseException) -> str:
    """What shows that no part of the request left; empty where nothing does."""
    causes = list(_causes(error))
    for cause in causes:
        if proof := _PROOFS_OF_NOTHING_SENT.get(type(cause).__name__):
            return proof
    return "no TLS connection" if any(map(_is_of_a_handshake, causes)) else ""


def _is_of_a_handshake(error: BaseException) -> bool:
    """Whether it was raised in a TLS handshake, which ends before the request begins.

    Its class and words do not tell: a peer that breaks TLS later is told by the same ones.
    """
    return any(
        frame.f_code.co_name == "do_handshake" and frame.f_globals.get("__name__") == "ssl"
        for frame, _ in walk_tb(error.__traceback__)
    )


def _way(cloud: Cloud, settings: Settings) -> str:
    """What may be wrong on the way to the vendor; of the settings only what is set."""
    decides = [cloud.endpoint, *([TENCENTCLOUD_DOMAIN] if cloud is TENCENTCLOUD else [])]
    for setting in decides:
        if settings.get(setting):
            return f"the network, the proxy and {setting.key}"
    return "the network and the proxy"


def lost(title: str, how: str, id: str = "") -> Ambiguous:
    """The error for an answer that never came, or came in pieces.

    Args:
        title: the action, with its product.
        how: what was wrong with the answer.
        id: of what was made, where the answer says that much.
    """
    begun = f"the answer of {title} was lost ({how})"
    action = title.rpartition(" ")[2]
    if action.startswith(_READING):
        return Ambiguous(f"{begun}. It only reads: nothing was changed.", id)
    what = f"{id} was made, but cannot be used" if id else "it may have been done, or not"
    return Ambiguous(f"{begun}: {what}.", id)


def nameless(title: str, code: object) -> Ambiguous:
    """The error for an error without a RequestId, which may not be the vendor's at all.

    Its code is told where it looks like one; its message may hold anything, and is not.
    """
    known = f" {code}" if re.fullmatch(r"[A-Za-z][\w.]{0,80}", str(code), re.ASCII) else ""
    return lost(title, f"an error{known} without a RequestId")


def _causes(error: BaseException) -> Iterator[BaseException]:
    """All that an exception wraps: requests puts urllib3's into its arguments, too."""
    waiting: list[object] = [error]
    seen: set[int] = set()
    while waiting:
        cause = waiting.pop()
        if not isinstance(cause, BaseException) or id(cause) in seen:
            continue
        seen.add(id(cause))
        yield cause
        waiting += [
            cause.__cause__,
            cause.__context__,
            getattr(cause, "reason", None),
            getattr(cause, "inner_exception", None),
            *cause.args,
        ]


def certificates() -> str | None:
    """The file of a company's own certificates; neither SDK looks at both variables.

    Raises:
        Misconfigured: there is no such file.
    """
    for variable in ("REQUESTS_CA_BUNDLE", "SSL_CERT_FILE"):
        path = os.environ.get(variable)
        if path and not Path(path).exists():
            raise Misconfigured(f"{variable} names a file that does not exist. Correct or unset it")
        if path:
            return path
    return None


def endpoint(cloud: Cloud, settings: Settings) -> SplitResult | None:
    """The URL in place of the vendor's hosts.

    Raises:
        Misconfigured: it is none, has a path, or would send requests in the clear.
    """
    text = settings.get(cloud.endpoint)
    if text is None:
        return None
    key = cloud.endpoint.key
    try:
        # A host's case means nothing, but it is signed, and sent in small letters.
        url = urlsplit(text)
        url = url._replace(netloc=url.netloc.lower())
        port = url.port
    except ValueError:
        url = SplitResult("", "", "", "", "")
        port = None
    form = re.fullmatch(r"[\w.:\[\]-]+", url.netloc, re.ASCII)
    if url.scheme not in ("http", "https") or not url.hostname or port == 0 or not form:
        raise Misconfigured(
            f"{key} must be a URL such as http://127.0.0.1:8080. {cloud.endpoint.how_to_set}"
        )
    if url.path not in ("", "/") or url.query or url.fragment:
        raise Misconfigured(f"{key} must be a URL without a path: the vendor signs the path /")
    if _is_loopback(url.hostname):
        _bypass_proxies(cloud, url)
    elif url.scheme == "http":
        raise Misconfigured(
            f"{key} is plain http to another machine: codes would travel in the clear. Use https"
        )
    return url


def domain(settings: Settings) -> str | None:
    """Tencent Cloud's site, which the names of its hosts end with; None for the usual one.

    Raises:
        Misconfigured: it is no host name.
    """
    text = settings.get(TENCENTCLOUD_DOMAIN)
    if text is None:
        return None
    if len(text) > _LONGEST_HOST or not re.fullmatch(_HOST, text, re.ASCII | re.IGNORECASE):
        raise Misconfigured(
            f"{TENCENTCLOUD_DOMAIN.key} must be a host name, such as intl.tencentcloudapi.com. "
            f"{TENCENTCLOUD_DOMAIN.how_to_set}"
        )
    # As with an endpoint's host.
    return text.lower()


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _bypass_proxies(cloud: Cloud, url: SplitResult) -> None:
    """A proxy cannot reach this machine's own loopback."""
    for variable in ("NO_PROXY", "no_proxy"):
        # Tencent Cloud's SDK looks for host and port, requests for the host alone.
        hosts = [*os.environ.get(variable, "").split(","), url.netloc, url.hostname or ""]
        os.environ[variable] = ",".join(filter(None, dict.fromkeys(hosts)))
    if url.scheme == "http" and cloud is ALICLOUD:
        # Its SDK looks at no NO_PROXY, and takes no proxy of ours that says there is none. Plain
        # http goes to loopback alone, so nothing of a provider's process loses a proxy that it
        # needs. A program whose lookups ask an emulator does lose it: the SDK looks here with each
        # request, from whatever thread, so it cannot be put back in between.
        for variable in ("HTTP_PROXY", "http_proxy"):
            os.environ.pop(variable, None)
