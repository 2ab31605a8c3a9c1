"""What the figures of a row must reach, and whether they do: the one place that judges."""
import operator

SIGNS = {">=": operator.ge, "<=": operator.le, "<": operator.lt}


def goal(value, sign, limit, form="{}", of="", word="goal"):
    """"goal p99 <= 60 ms: holds", or missed."""
    verdict = "holds" if SIGNS[sign](value, limit) else "missed"
    return " ".join(filter(None, [word, of, sign, form.format(limit)])) + ": " + verdict
