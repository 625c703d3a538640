"""A mailbox for aiosmtpd: keeps each mail as JSON in a folder, and misbehaves as the files in it say.

answer: what every recipient is answered with, as in `451 4.3.0 later`; hang: mails are kept and never answered."""
import asyncio, email, json, pathlib
from email import policy


class Mailbox:
    def __init__(self, folder):
        self.folder = pathlib.Path(folder)

    @classmethod
    def from_cli(cls, parser, folder):
        return cls(folder)

    async def handle_RCPT(self, server, session, envelope, address, options):
        answer = self.folder / "answer"
        if answer.exists():
            return answer.read_text()
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 welcome"

    async def handle_DATA(self, server, session, envelope):
        mail = email.message_from_bytes(envelope.original_content, policy=policy.default)
        kept = {
            "to": envelope.rcpt_tos,
            "from": str(mail["From"]),
            "encrypted": session.ssl is not None,
            "message_id": str(mail["Message-ID"]),
            "subject": str(mail["Subject"]),
            "auto_submitted": str(mail["Auto-Submitted"]),
            "text": mail.get_body(("plain",)).get_content(),
            "html": mail.get_body(("html",)).get_content(),
        }
        draft = self.folder / "draft"
        draft.write_text(json.dumps(kept))
        draft.rename(self.folder / f"{len(list(self.folder.glob('*.json')))}.json")
        if (self.folder / "hang").exists():
            await asyncio.sleep(600)
        return "250 2.0.0 kept"
