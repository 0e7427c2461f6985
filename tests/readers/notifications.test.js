// Webhooks and web push messages, read by libraries that know nothing of the service.

import assert from "node:assert/strict";
import { createECDH, createPublicKey, randomBytes, verify } from "node:crypto";
import { once } from "node:events";
import { createServer } from "node:http";
import { after, before, test } from "node:test";

import ece from "http_ece";
import { Webhook } from "standardwebhooks";

import { startTodo } from "./todo.js";

let todo;
let server;
const waiting = [];
const received = [];

before(async () => {
  todo = await startTodo({ webhook_private_targets: "allow", vapid_subject: "mailto:ops@example.com" });
  server = createServer(async (request, answer) => {
    const pieces = await request.toArray();
    answer.writeHead(201).end();
    const taken = { headers: request.headers, body: Buffer.concat(pieces) };
    const next = waiting.shift();
    next ? next(taken) : received.push(taken);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
});

after(async () => {
  server?.close();
  await todo?.stop();
});

const origin = () => `http://127.0.0.1:${server.address().port}`;
const nextRequest = () => new Promise((resolve) => (received.length ? resolve(received.shift()) : waiting.push(resolve)));
const post = async (path, body) => (await todo.call("POST", path, JSON.stringify(body))).json();

test("the library of Standard Webhooks takes a webhook, and refuses one that was changed", async () => {
  const { id, secret } = await post("/api/webhooks", { url: `${origin()}/hook`, events: ["task.created"] });
  await post("/api/tasks", { title: "家賃を払う 🏠 \"now\"\n" });
  const { headers, body } = await nextRequest();
  const reader = new Webhook(secret);
  const read = reader.verify(body.toString(), headers);
  assert.equal(read.type, "task.created");
  assert.equal(read.data.task.title, "家賃を払う 🏠 \"now\"");
  assert.throws(() => reader.verify(`${body} `, headers));
  assert.throws(() => new Webhook(`whsec_${randomBytes(32).toString("base64")}`).verify(body.toString(), headers));
  await todo.call("DELETE", `/api/webhooks/${id}`);
});

test("a browser's library decrypts a push message, and its sender is who it says", async () => {
  const browser = createECDH("prime256v1");
  browser.generateKeys();
  const auth = randomBytes(16);
  const { publicKey } = await (await todo.call("GET", "/api/push-key")).json();
  const keys = { p256dh: browser.getPublicKey("base64url"), auth: auth.toString("base64url") };
  await post("/api/push-subscriptions", { endpoint: `${origin()}/push/1`, expirationTime: null, keys });

  const reminderId = "0190163d-8694-739b-aea5-966c26f8ad91";
  const data = {
    reminderId, taskId: reminderId, userId: todo.user.id, status: "pending", title: "Pay rent",
    dueTime: "2030-03-01T09:00:00Z", remindAt: "2030-03-01T08:00:00Z",
  };
  const event = { id: reminderId, source: "todo", specversion: "1.0", type: "todo.reminder", topic: "reminders", data };
  await todo.deliver("/events/notifier/reminders", event);
  const { headers, body } = await nextRequest();

  const message = JSON.parse(ece.decrypt(body, { version: "aes128gcm", privateKey: browser, authSecret: auth }));
  assert.deepEqual(
    [message.id, message.kind, message.title, message.dueDate],
    [reminderId, "reminder", "Pay rent", "2030-03-01T09:00:00Z"],
  );
  assert.equal(headers["content-encoding"], "aes128gcm");
  assert.equal(headers.urgency, "high");
  assert.equal(headers.ttl, "86400");
  assert.match(headers.topic, /^[\w-]{1,32}$/);

  const [, token, key] = headers.authorization.match(/^vapid t=(\S+), k=(\S+)$/);
  assert.equal(key, publicKey);
  const point = Buffer.from(key, "base64url");
  const jwk = { kty: "EC", crv: "P-256", x: point.subarray(1, 33).toString("base64url"), y: point.subarray(33).toString("base64url") };
  const [header, claims, signature] = token.split(".");
  const signer = { key: createPublicKey({ key: jwk, format: "jwk" }), dsaEncoding: "ieee-p1363" };
  assert.ok(verify("sha256", `${header}.${claims}`, signer, Buffer.from(signature, "base64url")));
  const { aud, exp, sub } = JSON.parse(Buffer.from(claims, "base64url"));
  assert.deepEqual([aud, sub], [origin(), "mailto:ops@example.com"]);
  const ahead = exp - Date.now() / 1000;
  assert.ok(ahead > 0 && ahead <= 24 * 60 * 60);
});
