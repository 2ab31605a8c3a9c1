"""A mail server that keeps what it gets, or refuses everything: for a while, or for good (5xx)."""
import socket

from aiosmtpd.controller import Controller


class MailSink:
    def __init__(self):
        with socket.create_server(("127.0.0.1", 0)) as probe:  # aiosmtpd must know it beforehand
            self.port = probe.getsockname()[1]
        self.refusing = False
        self.refusal = "451 come back later"
        self.refused = 0
        self.mails = []
        self.controller = Controller(self, hostname="127.0.0.1", port=self.port)
        self.controller.start()

    async def handle_MAIL(self, _server, _session, envelope, address, _options):
        if self.refusing:
            self.refused += 1
            return self.refusal
        envelope.mail_from = address
        return "250 OK"

    async def handle_DATA(self, _server, _session, envelope):
        self.mails.append(envelope.content.decode(errors="replace"))
        return "250 OK"

    def about(self, text):
        return [mail for mail in list(self.mails) if text in mail]

    def env(self):
        """What makes a Chronos server send its mail here."""
        return {"CHRONOS_SMTP_HOST": "127.0.0.1", "CHRONOS_SMTP_PORT": str(self.port),
                "CHRONOS_SMTP_TLS": "none", "CHRONOS_SMTP_FROM": "chronos@example.com"}

    def close(self):
        """May be repeated."""
        controller, self.controller = self.controller, None
        if controller:
            controller.stop()
