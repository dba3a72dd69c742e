"""One mail with a report: written, handed to the mail server, and what came of it.

SMTP says *accepted* and no more. What is cut off between that word and our noting it is sent again, with the
same ``Message-ID``, by which mail servers and readers know it for the one they have.
"""

from __future__ import annotations

import smtplib
import ssl
from collections.abc import Sequence
from dataclasses import dataclass
from email.message import EmailMessage
from email.utils import format_datetime
from typing import Final
from uuid import UUID

from app.figures.report_mail_texts import MailText
from app.settings import MailSettings

_TEMPORARY: Final = range(400, 500)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """It was accepted; *refused* names the recipients for whom it was not."""

    refused: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class NotSent(Exception):
    """It was not accepted.

    Attributes:
        reason: Stable word for the page's catalogue, and the server's code behind it where there is one.
        may_try_again: The fault may pass.
    """

    reason: str
    may_try_again: bool


def message_of(
    said: MailText,
    attached: tuple[str, str, bytes],
    *,
    sender: str,
    recipients: Sequence[str],
    sending_id: UUID,
) -> EmailMessage:
    """Return the mail.

    Args:
        attached: Name, media type and content of the file.
        sending_id: Becomes the ``Message-ID``: the same however often it is tried.
    """
    name, media_type, content = attached
    message = EmailMessage()
    message["From"] = sender
    message["To"] = ", ".join(recipients)
    message["Subject"] = said.subject
    message["Date"] = format_datetime(said.at)
    message["Message-ID"] = f"<{sending_id}@{sender.rpartition('@')[2]}>"
    message["Auto-Submitted"] = "auto-generated"  # nobody's absence note answers it
    message.set_content(said.body)
    main, _, sub = media_type.partition(";")[0].partition("/")
    message.add_attachment(content, maintype=main, subtype=sub, filename=name)
    return message


def send(settings: MailSettings, message: EmailMessage, recipients: Sequence[str]) -> Sent:
    """Hand a mail to the mail server; blocks for as long as that takes.

    Raises:
        NotSent: it did not take it.
    """
    try:
        with _opened(settings) as server:
            refused = server.send_message(message, from_addr=settings.sender, to_addrs=list(recipients))
    except smtplib.SMTPRecipientsRefused as error:
        codes = [code for code, _ in error.recipients.values()]
        is_passing = any(code in _TEMPORARY for code in codes)
        raise NotSent(f"mail_recipients_refused {max(codes)}", is_passing) from None
    except smtplib.SMTPAuthenticationError as error:
        raise NotSent(f"mail_login_refused {error.smtp_code}", error.smtp_code in _TEMPORARY) from None
    except smtplib.SMTPNotSupportedError:
        raise NotSent("mail_not_secured", False) from None
    except smtplib.SMTPServerDisconnected:
        raise NotSent("mail_unreachable", True) from None
    except smtplib.SMTPResponseException as error:
        raise NotSent(f"mail_refused {error.smtp_code}", error.smtp_code in _TEMPORARY) from None
    except ssl.SSLError:
        raise NotSent("mail_not_secured", False) from None
    except (OSError, smtplib.SMTPException):
        raise NotSent("mail_unreachable", True) from None
    return Sent(refused=tuple(sorted(refused)))


def _opened(settings: MailSettings) -> smtplib.SMTP:
    server: smtplib.SMTP
    if settings.security == "tls":
        server = smtplib.SMTP_SSL(
            settings.host, settings.port, timeout=settings.timeout_s, context=ssl.create_default_context()
        )
    else:
        server = smtplib.SMTP(settings.host, settings.port, timeout=settings.timeout_s)
    try:
        if settings.security == "starttls":
            server.starttls(context=ssl.create_default_context())
        if settings.user:
            server.login(settings.user, settings.password.get_secret_value())
    except BaseException:
        server.close()
        raise
    return server
