// The calendars that the service writes, read by two libraries that know nothing of it.

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { readFile } from "node:fs/promises";
import path from "node:path";
import { after, before, test } from "node:test";

import ICAL from "ical.js";

import { startTodo } from "./todo.js";

const PYTHON = process.env.PYTHON ?? "python3";
const DATA = path.resolve(import.meta.dirname, "../data/tasks-1000.json");
const STATUS = { pending: "NEEDS-ACTION", "in-progress": "IN-PROCESS", completed: "COMPLETED" };

let todo;
let tasks;

before(async () => {
  todo = await startTodo();
  await todo.call("POST", "/api/import", await readFile(DATA));
  const more = {
    title: 'Pay; rent, "now"\\ or 家賃を払う 🏠 '.repeat(6).trim(),
    description: "one\ntwo; three, four\\five\n\tsix: seven",
    tags: ["a,b", "c;d"],
    dueDate: "2026-10-24T07:00:00Z",
    timeZone: "Europe/Berlin",
    recurrence: "FREQ=WEEKLY;COUNT=3",
    reminders: [15],
    subtasks: [{ title: "ask, first", done: true }, { title: "pay" }],
  };
  await todo.call("POST", "/api/tasks", JSON.stringify(more));
  const sydney = { title: "Call", dueDate: "2026-04-01T22:30:00Z", timeZone: "Australia/Lord_Howe", recurrence: "daily" };
  await todo.call("POST", "/api/tasks", JSON.stringify(sydney));
  tasks = (await (await todo.call("GET", "/api/export?format=json")).json()).tasks;
});

after(() => todo.stop());

/** What ical.js says, in the form of read_calendar.py. */
function readWithIcalJs(text) {
  const calendar = new ICAL.Component(ICAL.parse(text));
  const zones = calendar.getAllSubcomponents("vtimezone");
  ICAL.TimezoneService.reset();
  zones.forEach((zone) => ICAL.TimezoneService.register(zone));
  const moment = (time) => {
    if (!time) return null;
    return time.isDate ? time.toString() : `${time.convertToZone(ICAL.Timezone.utcTimezone).toString().replace("Z", "")}Z`;
  };
  const components = [...calendar.getAllSubcomponents("vtodo"), ...calendar.getAllSubcomponents("vevent")];
  const read = (part) => ({
    uid: part.getFirstPropertyValue("uid"),
    title: part.getFirstPropertyValue("summary"),
    description: part.getFirstPropertyValue("description"),
    status: part.getFirstPropertyValue("status") ?? "",
    tags: part.getFirstProperty("categories")?.getValues() ?? [],
    parent: part.getFirstPropertyValue("related-to") ?? "",
    rule: part.getFirstPropertyValue("rrule")?.toString() ?? null,
    due: moment(part.getFirstPropertyValue("due")),
    start: moment(part.getFirstPropertyValue("dtstart")),
    alarms: part.getAllSubcomponents("valarm").map((alarm) => alarm.getFirstPropertyValue("trigger").toSeconds() / -60),
    errors: [],
  });
  return { zones: zones.length, components: components.map(read) };
}

function readWithIcalendar(text) {
  const script = path.join(import.meta.dirname, "read_calendar.py");
  return JSON.parse(execFileSync(PYTHON, [script], { input: text, maxBuffer: 1 << 26, encoding: "utf8" }));
}

const READERS = { "ical.js": readWithIcalJs, icalendar: readWithIcalendar };

for (const [name, read] of Object.entries(READERS)) {
  test(`${name} reads every task of an export as it is`, async () => {
    const text = await (await todo.call("GET", "/api/export?format=ics")).text();
    const { zones, components } = read(text);
    assert.ok(zones >= 2, `${zones} zones`);
    const byId = new Map(components.map((part) => [part.uid, part]));
    assert.equal(byId.size, components.length);
    assert.equal(components.filter((part) => !part.parent).length, tasks.length);
    for (const task of tasks) {
      const part = byId.get(task.id);
      const rule = task.recurrence.includes("FREQ=") || ["daily", "weekly", "monthly", "yearly"].includes(task.recurrence);
      const found = { ...part, rule: part.rule !== null, start: undefined };
      assert.deepEqual(found, {
        uid: task.id,
        title: task.title,
        description: task.description,
        status: STATUS[task.status],
        tags: task.tags,
        parent: "",
        rule: rule && task.dueDate !== null,
        due: task.dueDate?.replace(/\.\d+Z$/, "Z") ?? null,
        start: undefined,
        alarms: task.reminders,
        errors: [],
      });
      const steps = components.filter((part) => part.parent === task.id);
      assert.deepEqual(steps.map((step) => [step.title, step.status === "COMPLETED"]), task.subtasks.map((step) => [step.title, step.done]));
    }
  });

  test(`${name} reads the calendar feed`, async () => {
    const { url } = await (await todo.call("POST", "/api/calendar")).json();
    const { components } = read(await (await fetch(todo.address + url)).text());
    const open = tasks.filter((task) => task.dueDate !== null && task.status !== "completed");
    assert.deepEqual(new Set(components.map((part) => part.uid)), new Set(open.map((task) => task.id)));
    for (const task of open) {
      const part = components.find((part) => part.uid === task.id);
      assert.deepEqual([part.title, part.start, part.errors], [task.title, task.dueDate.replace(/\.\d+Z$/, "Z"), []]);
    }
  });
}

test("what comes back keeps its wall-clock time when the clocks change", async () => {
  const text = await (await todo.call("GET", "/api/export?format=ics")).text();
  const calendar = new ICAL.Component(ICAL.parse(text));
  ICAL.TimezoneService.reset();
  calendar.getAllSubcomponents("vtimezone").forEach((zone) => ICAL.TimezoneService.register(zone));
  const rent = calendar.getAllSubcomponents("vtodo").find((part) => part.getFirstPropertyValue("summary").startsWith("Pay; rent"));
  const occurrences = new ICAL.RecurExpansion({ component: rent, dtstart: rent.getFirstPropertyValue("dtstart") });
  const found = [];
  for (let next = occurrences.next(); next; next = occurrences.next()) {
    found.push(next.convertToZone(ICAL.Timezone.utcTimezone).toString());
  }
  // Berlin leaves summer time on 25 October 2026.
  assert.deepEqual(found, ["2026-10-24T07:00:00Z", "2026-10-31T08:00:00Z", "2026-11-07T08:00:00Z"]);
});
