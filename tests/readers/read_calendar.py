"""Reads a calendar from standard input with `icalendar` and prints what it says, as JSON."""

import datetime
import json
import sys

import icalendar


def moment(value):
    """A day, or an instant in UTC by the calendar's own zones."""
    if isinstance(value, datetime.datetime):
        return value.astimezone(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
    return value.isoformat()


def read(component):
    categories = component.get("CATEGORIES")
    found = {
        "uid": str(component["UID"]),
        "title": str(component["SUMMARY"]),
        "description": str(component["DESCRIPTION"]) if "DESCRIPTION" in component else None,
        "status": str(component.get("STATUS", "")),
        "tags": [str(tag) for tag in categories.cats] if categories else [],
        "parent": str(component.get("RELATED-TO", "")),
        "rule": component["RRULE"].to_ical().decode() if "RRULE" in component else None,
        "due": moment(component["DUE"].dt) if "DUE" in component else None,
        "start": moment(component["DTSTART"].dt) if "DTSTART" in component else None,
        "alarms": [int(alarm["TRIGGER"].dt.total_seconds() / -60) for alarm in component.walk("VALARM")],
    }
    # What the library could not make sense of.
    found["errors"] = [str(error) for error in component.errors]
    return found


calendar = icalendar.Calendar.from_ical(sys.stdin.buffer.read())
components = [part for part in calendar.subcomponents if part.name in ("VTODO", "VEVENT")]
json.dump({"zones": len(calendar.walk("VTIMEZONE")), "components": [read(part) for part in components]}, sys.stdout)
