"""A PostgreSQL server of a test's own, which ends with the test: tools/with_postgres.sh."""
import os
import subprocess

from chronos_server import ROOT

WITH_POSTGRES = ROOT / "tools" / "with_postgres.sh"


class Postgres:

    def __init__(self):
        self.process = subprocess.Popen([WITH_POSTGRES, "sh", "-c", "env | grep ^PG; echo; exec cat"],
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.env = {}
        for line in iter(self.process.stdout.readline, "\n"):
            assert line, "no PostgreSQL server came up"
            name, _, value = line.strip().partition("=")
            self.env[name] = value

    def sql(self, statement, database="postgres"):
        done = subprocess.run(["psql", "-At", "-v", "ON_ERROR_STOP=1", "-d", database, "-c", statement],
                              env={**os.environ, **self.env}, capture_output=True, text=True, check=True)
        return done.stdout.strip()

    def close(self):
        self.process.stdin.close()
        self.process.wait(60)
