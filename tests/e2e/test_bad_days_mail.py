"""A mail server that is away or refuses: no mail is lost or doubled, jobs go on."""
import contextlib
import email
import socket
import sqlite3
import time

import pytest
from chronos_server import wait_until

ADDRESS = "ops@example.com"
FAILING = {"kind": "command", "argv": ["false"]}


def failing_job(server, name):
    notify = [{"on": "failure", "email": [ADDRESS]}]
    job = server.submit(FAILING, name=name, notify=notify)
    assert server.finished(job)["state"] == "failed"
    return job


def only_one(mail, name):
    """The mail came and no second one comes in the time of some more deliveries."""
    wait_until(lambda: mail.about(name), 60, f"the mail about {name}")
    time.sleep(2)
    return len(mail.about(name)) == 1


def attempts_recorded(server):
    with contextlib.closing(sqlite3.connect(f"file:{server.data_dir / 'chronos.db'}?mode=ro", uri=True)) as database:
        return database.execute("SELECT sum(attempts_made) FROM deliveries").fetchone()[0]


@pytest.fixture
def mailing(new_server, mail):
    return new_server(env=mail.env())


@pytest.fixture
def silent_port():
    with socket.create_server(("127.0.0.1", 0), backlog=64) as listener:
        yield listener.getsockname()[1]


def test_mail_comes_once(mailing, mail):
    failing_job(mailing, "job-with-mail")
    assert only_one(mail, "job-with-mail")


def test_mail_links_to_the_run(new_server, mail):
    """Made from the address when nobody said how people reach the server; not from one that is all addresses."""
    def text_about(server, name):
        failing_job(server, name)
        letter = email.message_from_string(wait_until(lambda: mail.about(name), 60, f"the mail about {name}")[0])
        parts = [part for part in letter.walk() if part.get_content_type() == "text/plain"]
        return parts[0].get_payload(decode=True).decode(), server.api("GET", "/api/runs").body["runs"][0]["id"]

    server = new_server(env=mail.env())
    text, run = text_about(server, "job-linked")
    assert f"http://127.0.0.1:{server.port}/runs/{run}" in text, text
    server.stop()
    server.address = "0.0.0.0"
    text, run = text_about(server.start(), "job-anywhere")
    assert run in text and "/runs/" not in text, text
    text, run = text_about(new_server(env=mail.env(), args=["--base-url", "https://ops.example.com/"]), "job-named")
    assert f"https://ops.example.com/runs/{run}" in text, text


def test_refused_mail_comes_later_once(mailing, mail):
    mail.refusing = True
    failing_job(mailing, "job-refused")
    wait_until(lambda: mail.refused, what="an attempt at the mail")
    assert mailing.works()
    mail.refusing = False
    assert only_one(mail, "job-refused")


def test_mail_survives_a_crash(mailing, mail):
    mail.refusing = True
    failing_job(mailing, "job-crashed")
    # One that is killed before it has recorded the refusal leaves the mail to whoever looks two minutes later.
    wait_until(lambda: attempts_recorded(mailing), what="an attempt at the mail, recorded")
    mailing.kill()
    mail.refusing = False
    mailing.start()
    assert only_one(mail, "job-crashed")


def test_mail_server_that_is_away_does_not_disturb(mailing, mail):
    mail.close()
    for number in range(5):
        failing_job(mailing, f"job-{number}")
    assert mailing.works()
    mailing.stop()


def test_mail_server_that_hangs_does_not_disturb(new_server, silent_port):
    """It takes the connection and never says a word: jobs run meanwhile, the mail stays due."""
    server = new_server(env={"CHRONOS_SMTP_HOST": "127.0.0.1", "CHRONOS_SMTP_TLS": "none",
                             "CHRONOS_SMTP_PORT": str(silent_port),
                             "CHRONOS_SMTP_FROM": "chronos@example.com"})
    for number in range(5):
        failing_job(server, f"job-{number}")
    assert server.works()
    waiting = [line for line in server.api("GET", "/metrics").body.decode().splitlines()
               if line.startswith("chronos_deliveries_waiting ")]
    assert waiting == ["chronos_deliveries_waiting 5"]
    server.stop()


def test_header_injection_is_impossible(mailing, mail):
    name = "job-inject\r\nBcc: evil@example.com\r\n\r\nbody"
    spec = {"name": name, "action": FAILING, "max_attempts": 1,
            "notify": [{"on": "failure", "email": [ADDRESS]}]}
    if mailing.api("POST", "/api/submitJob", spec).status == 422:
        return
    head = wait_until(lambda: mail.about("job-inject"))[0].partition("\r\n\r\n")[0]
    assert "\nBcc:" not in head, head
