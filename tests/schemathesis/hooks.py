"""What the OpenAPI document alone cannot tell Schemathesis: a user to ask as, texts of our own formats, and leniency."""

import itertools
import json
import os
import urllib.request

import schemathesis
from hypothesis import strategies as st

ADDRESS = os.environ["TODO_ADDRESS"]
NUMBERS = itertools.count()


def sign_up():
    """A new account's access token."""
    person = {"email": f"person{next(NUMBERS)}@example.com", "name": "Schemathesis", "password": "correct horse"}
    headers = {"content-type": "application/json"}
    request = urllib.request.Request(f"{ADDRESS}/api/auth/sign-up", json.dumps(person).encode(), headers)
    with urllib.request.urlopen(request) as answer:
        return json.load(answer)["token"]


TOKEN = sign_up()


@schemathesis.auth(refresh_interval=None)
class SignedIn:
    """One account asks everything, but for its own end."""

    def get(self, case, context):
        return sign_up() if case.method == "DELETE" and case.path == "/api/me" else TOKEN

    def set(self, case, data, context):
        case.headers["Authorization"] = f"Bearer {data}"


DAYS = st.lists(st.sampled_from(["MO", "TU", "WE", "TH", "FR", "SA", "SU"]), min_size=1, unique=True)
RULES = st.builds(
    lambda frequency, interval, days: f"FREQ={frequency};INTERVAL={interval};BYDAY={','.join(days)}",
    st.sampled_from(["WEEKLY", "MONTHLY"]),
    st.integers(1, 12),
    DAYS,
)
CRON = st.builds("{} {} * * {}".format, st.integers(0, 59), st.integers(0, 23), st.integers(0, 6))
WORDS = st.sampled_from(["none", "daily", "weekly", "monthly", "yearly"])

schemathesis.openapi.format("recurrence", st.one_of(WORDS, CRON, RULES))
schemathesis.openapi.format("entity-tag", st.one_of(st.just("*"), st.integers(1, 9).map('"{}"'.format)))
schemathesis.openapi.format(
    "time-zone", st.sampled_from(["UTC", "Europe/Berlin", "America/New_York", "Asia/Kolkata", "Pacific/Apia"])
)


@schemathesis.hook
def before_call(context, case, kwargs):
    """A number that comes twice is answered and not done, which `tests/scenarios` shows; here every write is done."""
    number = case.headers.get("Idempotency-Key", "")
    if 1 <= len(number.strip()) <= 255:
        case.headers["Idempotency-Key"] = f"{number[:240]}-{next(NUMBERS)}"


@schemathesis.hook
def filter_case(context, case):
    """Leaves out what is taken though no schema can say so: parameters without a value, repeats in a list."""
    query = case.query if isinstance(case.query, dict) else {}
    body = case.body if isinstance(case.body, dict) else {}
    change = body.get("set") if isinstance(body.get("set"), dict) else {}
    lists = [part.get(name) for part in (body, change) for name in ("tags", "reminders")]
    return all(str(value).strip() for value in query.values()) and not any(map(repeats, lists))


def repeats(items):
    return isinstance(items, list) and len(set(map(str, items))) < len(items)
