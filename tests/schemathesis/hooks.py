"""What the OpenAPI document alone cannot tell Schemathesis: a user to ask as, texts of our own formats, and leniency."""

import itertools
import json
import os
import urllib.request

import schemathesis
from hypothesis import strategies as st

ADDRESS = os.environ["TODO_ADDRESS"]
NUMBERS = itertools.count()


def post(path, body, headers):
    """What the application answers to JSON, and the cookie that it sets."""
    headers = {"content-type": "application/json", **headers}
    request = urllib.request.Request(ADDRESS + path, json.dumps(body).encode(), headers)
    with urllib.request.urlopen(request) as answer:
        return json.load(answer), (answer.headers["set-cookie"] or "").split(";")[0]


def sign_up():
    """A new account's access token and refresh cookie."""
    person = {"email": f"person{next(NUMBERS)}@example.com", "name": "Schemathesis", "password": "correct horse"}
    body, cookie = post("/api/auth/sign-up", person, {})
    return body["token"], cookie


def open_feed():
    """The secret of a calendar feed with a task in it, of an account that the run does not touch."""
    headers = {"authorization": f"Bearer {sign_up()[0]}"}
    post("/api/tasks", {"title": "Pay rent", "dueDate": "2026-03-01"}, headers)
    feed, _ = post("/api/calendar", {}, headers)
    return feed["url"].removeprefix("/api/calendar/").removesuffix(".ics")


TOKEN, _ = sign_up()
# What ends an account, or uses up its cookie, is asked as a new person each time.
ALONE = [("DELETE", "/api/me"), ("POST", "/api/auth/refresh")]


@schemathesis.auth(refresh_interval=None)
class SignedIn:
    """One account asks everything else."""

    def get(self, case, context):
        return sign_up() if (case.method, case.path) in ALONE else (TOKEN, "")

    def set(self, case, data, context):
        token, cookie = data
        case.headers["Authorization"] = f"Bearer {token}"
        if cookie:
            case.headers["Cookie"] = cookie


DAYS = st.lists(st.sampled_from(["MO", "TU", "WE", "TH", "FR", "SA", "SU"]), min_size=1, unique=True)
RULES = st.builds(
    lambda frequency, interval, days: f"FREQ={frequency};INTERVAL={interval};BYDAY={','.join(days)}",
    st.sampled_from(["WEEKLY", "MONTHLY"]),
    st.integers(1, 12),
    DAYS,
)
CRON = st.builds("{} {} * * {}".format, st.integers(0, 59), st.integers(0, 23), st.integers(0, 6))
WORDS = st.sampled_from(["none", "daily", "weekly", "monthly", "yearly"])

schemathesis.openapi.format("feed-secret", st.one_of(st.just(open_feed()), st.uuids().map(str)))
# A name that never resolves (RFC 2606); and the keys of the example of RFC 8291.
schemathesis.openapi.format("webhook-url", st.uuids().map("https://hooks.example/{}".format))
schemathesis.openapi.format(
    "push-public-key",
    st.just("BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4"),
)
schemathesis.openapi.format("push-secret", st.just("BTBZMqHH6r4Tts7J_aSIgg"))
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
