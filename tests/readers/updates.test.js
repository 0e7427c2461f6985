// The stream of updates, read by a library that knows nothing of it, as a page does: by its cookie, over a bad network.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { EventSource } from "eventsource";

import { startProxy } from "./proxy.js";
import { startTodo } from "./todo.js";

const DEADLINE = 60_000;
const CHANGES = 300;
/** The service remembers some more changes than this for pages that are away. */
const AHEAD = 150;

let todo;
let proxy;

before(async () => {
  todo = await startTodo();
  proxy = await startProxy(todo.address);
});

after(async () => {
  proxy.stop();
  await todo.stop();
});

/** Signs in as a page does, and gives the cookies that the browser would send with each path. */
async function signIn() {
  const body = JSON.stringify({ email: "ada@example.com", password: "correct horse" });
  const answer = await fetch(`${todo.address}/api/auth/sign-in`, { method: "POST", headers: { "content-type": "application/json" }, body });
  const cookies = answer.headers.getSetCookie().map((cookie) => {
    const [value, ...attributes] = cookie.split("; ");
    return { value, path: attributes.find((attribute) => attribute.startsWith("Path=")).slice("Path=".length) };
  });
  const sent = (path) => cookies.filter((cookie) => path.startsWith(cookie.path)).map((cookie) => cookie.value).join("; ");
  return { cookie: sent("/api/updates"), sessionCookie: sent("/api/auth/sign-out") };
}

function open(cookie) {
  const withCookie = (input, init) => fetch(input, { ...init, headers: { ...init.headers, cookie } });
  return new EventSource(`${proxy.address}/api/updates`, { fetch: withCookie });
}

/** Waits for a state, with a deadline. */
async function eventually(what, look) {
  const end = Date.now() + DEADLINE;
  while (!look()) {
    assert.ok(Date.now() < end, `waited in vain: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

test("EventSource is told every change once and in order, however often the connection is cut", async () => {
  const { cookie } = await signIn();
  const source = open(cookie);
  const told = [];
  let opened = 0;
  let cuts = 0;
  source.addEventListener("open", () => (opened += 1));
  source.addEventListener("reset", () => assert.fail("nothing was missed for long"));
  source.addEventListener("update", (event) => {
    assert.equal(Number(event.lastEventId), JSON.parse(event.data).sequence);
    told.push(Number(event.lastEventId));
  });
  try {
    await eventually("an open stream", () => opened === 1);
    const { id } = await (await todo.call("POST", "/api/tasks", JSON.stringify({ title: "counted" }))).json();
    for (let number = 2; number <= CHANGES; number += 1) {
      await eventually("a page that keeps up", () => number - (told.at(-1) ?? 0) < AHEAD);
      await todo.call("PATCH", `/api/tasks/${id}`, JSON.stringify({ title: `counted ${number}` }));
      if (number % 75 === 0 && number < CHANGES) {
        // Only what is open can be cut.
        await eventually("a stream to cut", () => opened > cuts);
        cuts += 1;
        proxy.cut();
      }
    }
    await eventually("the last change", () => told.at(-1) === CHANGES);
    assert.deepEqual(told, Array.from({ length: CHANGES }, (_, index) => index + 1));
    assert.ok(cuts === 3 && opened > cuts, `the stream was cut ${cuts} times and opened ${opened} times`);
  } finally {
    source.close();
  }
});

test("EventSource is told that the user has signed out, and finds the door closed", async () => {
  const { cookie, sessionCookie } = await signIn();
  const source = open(cookie);
  let ready = false;
  let end;
  let refused;
  source.addEventListener("ready", () => (ready = true));
  source.addEventListener("end", (event) => (end = JSON.parse(event.data)));
  source.addEventListener("error", (event) => (refused = event.code ?? refused));
  try {
    await eventually("an open stream", () => ready);
    await fetch(`${todo.address}/api/auth/sign-out`, { method: "POST", headers: { cookie: sessionCookie } });
    await eventually("the end", () => end);
    assert.deepEqual(end, { reason: "signed-out", reconnect: false });
    await eventually("a refusal", () => refused === 401);
    assert.equal(source.readyState, EventSource.CLOSED);
  } finally {
    source.close();
  }
});
