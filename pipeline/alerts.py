"""Alerts to people: one sentence to a chat (ALERT_WEBHOOK_URL) and by e-mail (SMTP_URL, ALERT_EMAIL).

What deserves one, and how often, is decided by whoever sends it. No personal data leaves through here.
"""

import re
import smtplib
import ssl
from collections.abc import Callable
from email.message import EmailMessage
from urllib.parse import SplitResult, unquote, urlsplit

import httpx

from pipeline import discretion
from pipeline.errors import ConfigurationError, RetryLater
from pipeline.settings import Settings

TIMEOUT = 15.0  # seconds; an alert waits inside a sensor's tick
LONGEST = 500  # characters
_QUERY = re.compile(r"(https?://[^\s?]+)\?\S+")
_PORTS = {"smtp": 587, "smtps": 465}


def is_configured(settings: Settings) -> bool:
    """Whether anybody wants to hear of it."""
    return bool(_value(settings, "ALERT_WEBHOOK_URL") or _value(settings, "ALERT_EMAIL"))


def send(settings: Settings, sentence: str, link: str = "") -> None:
    """Sends it wherever alerts go; raises RetryLater when one of the ways failed, after all were tried."""
    said = f"{discreet(sentence, discretion.secrets_of(settings.environment))} {link}".strip()
    problems = [problem for way in (_to_chat, _by_mail) if (problem := _tried(way, settings, said))]
    if problems:
        raise RetryLater(f"The alert could not be delivered: {'; '.join(problems)}")


def discreet(sentence: str, secrets: tuple[str, ...] = ()) -> str:
    """The sentence on one line, without secrets, e-mail addresses and what stands behind a `?` in pages' addresses."""
    line = " ".join(sentence.split())
    return _QUERY.sub(r"\1", discretion.discreet(line, secrets))[:LONGEST]


def _tried(way: Callable[[Settings, str], None], settings: Settings, said: str) -> str:
    """What went wrong, without the address: a webhook's is its password."""
    try:
        way(settings, said)
    except httpx.HTTPStatusError as error:
        return f"ALERT_WEBHOOK_URL answered {error.response.status_code}"
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        return f"ALERT_WEBHOOK_URL can't be reached ({type(error).__name__})"
    except smtplib.SMTPResponseException as error:
        return f"the mail server at SMTP_URL refused with {error.smtp_code}"
    except (OSError, smtplib.SMTPException) as error:
        return f"the mail server at SMTP_URL failed ({type(error).__name__})"
    return ""


def _to_chat(settings: Settings, said: str) -> None:
    """Slack and Teams both take a JSON object with `text`."""
    if url := _value(settings, "ALERT_WEBHOOK_URL"):
        httpx.post(url, json={"text": said}, timeout=TIMEOUT).raise_for_status()


def _by_mail(settings: Settings, said: str) -> None:
    recipients = [address.strip() for address in _value(settings, "ALERT_EMAIL").split(",") if address.strip()]
    if not recipients:
        return
    server = _mail_server(settings)
    user, password = unquote(server.username or ""), unquote(server.password or "")
    message = EmailMessage()
    message["Subject"] = said.split(". ")[0][:120]
    message["From"] = user if "@" in user else recipients[0]
    message["To"] = ", ".join(recipients)
    message.set_content(said)
    with _connected(server) as smtp:
        if user:
            smtp.login(user, password)
        smtp.send_message(message)


def _mail_server(settings: Settings) -> SplitResult:
    try:
        server = urlsplit(_value(settings, "SMTP_URL"))
        _ = server.port
    except ValueError:  # whose words may be a part of the password
        server = urlsplit("")
    if server.scheme not in _PORTS or not server.hostname:
        raise ConfigurationError(
            "ALERT_EMAIL is set, and SMTP_URL is not smtp://user:password@host:587 or smtps://user:password@host:465."
        )
    return server


def _connected(server: SplitResult) -> smtplib.SMTP:
    """Encrypted wherever the server can; a password never goes over a bare line."""
    host, port = server.hostname or "", server.port or _PORTS[server.scheme]
    context = ssl.create_default_context()
    if server.scheme == "smtps":
        return smtplib.SMTP_SSL(host, port, timeout=TIMEOUT, context=context)
    smtp = smtplib.SMTP(host, port, timeout=TIMEOUT)
    smtp.ehlo_or_helo_if_needed()
    if smtp.has_extn("starttls"):
        smtp.starttls(context=context)
    elif server.username:
        smtp.close()
        raise smtplib.SMTPNotSupportedError("the server offers no encryption")
    return smtp


def _value(settings: Settings, name: str) -> str:
    return settings.environment.get(name, "").strip()
