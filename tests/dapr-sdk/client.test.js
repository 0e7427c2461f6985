// The SDK's client against the built sidecar.

import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import { after, before, test } from "node:test";

import { CommunicationProtocolEnum, DaprClient, HttpMethod } from "@dapr/dapr";

import { quiet, startSidecar } from "./sidecar.js";

let sidecar, client, app;

before(async () => {
  app = createServer(async (request, response) => {
    const body = (await request.toArray()).join("");
    const { method, url, headers } = request;
    response.setHeader("content-type", "application/json");
    response.statusCode = url === "/missing" ? 404 : 200;
    response.end(JSON.stringify({ method, url, body, header: headers["x-mine"] }));
  }).listen(0, "127.0.0.1");
  await once(app, "listening");
  sidecar = await startSidecar({ appPort: app.address().port });
  client = new DaprClient({
    daprHost: "127.0.0.1",
    daprPort: sidecar.port,
    communicationProtocol: CommunicationProtocolEnum.HTTP,
    logger: quiet,
  });
});

after(async () => {
  await client.stop();
  assert.equal(await sidecar.stop(), 0);
  app.closeAllConnections();
  app.close();
});

/** What the sidecar answered, out of the SDK's error. */
const refusal = (error) => {
  const { status, error_msg } = JSON.parse(error.message);
  return { status, code: JSON.parse(error_msg).errorCode };
};

test("the client finds the sidecar healthy", async () => {
  await client.start();
  assert.equal(await client.health.isHealthy(), true);
});

test("state is saved, read and deleted", async () => {
  const saved = await client.state.save("statestore", [
    { key: "a", value: { n: 1, text: "ä" } },
    { key: "b", value: "text" },
    { key: "c", value: [1, 2], metadata: { ttlInSeconds: "100" } },
  ]);
  assert.deepEqual(saved, {});
  assert.deepEqual(await client.state.get("statestore", "a"), { n: 1, text: "ä" });
  assert.equal(await client.state.get("statestore", "b"), "text");
  assert.equal(await client.state.get("statestore", "absent"), "");
  const many = await client.state.getBulk("statestore", ["a", "c", "absent"]);
  const byKey = Object.fromEntries(many.map((entry) => [entry.key, entry]));
  assert.deepEqual(byKey.a.data, { n: 1, text: "ä" });
  assert.deepEqual(byKey.c.data, [1, 2]);
  assert.equal(byKey.absent.data, undefined);
  assert.deepEqual(await client.state.delete("statestore", "a"), {});
  assert.equal(await client.state.get("statestore", "a"), "");
});

test("a stale entity tag is refused", async () => {
  await client.state.save("statestore", [{ key: "guarded", value: 1 }]);
  const [{ etag }] = await client.state.getBulk("statestore", ["guarded"]);
  assert.deepEqual(await client.state.save("statestore", [{ key: "guarded", value: 2, etag }]), {});
  const { error } = await client.state.save("statestore", [{ key: "guarded", value: 3, etag }]);
  assert.deepEqual(refusal(error), { status: 409, code: "ERR_STATE_SAVE" });
  const removed = await client.state.delete("statestore", "guarded", { etag });
  assert.deepEqual(refusal(removed.error), { status: 409, code: "ERR_STATE_DELETE" });
  assert.equal(await client.state.get("statestore", "guarded"), 2);
});

test("a transaction is all or nothing", async () => {
  const upsert = (key, value, etag) => ({ operation: "upsert", request: { key, value, etag } });
  await client.state.transaction("statestore", [upsert("t1", 1), upsert("t2", 2), upsert("t3", 3)]);
  await client.state.transaction("statestore", [upsert("t1", 10), { operation: "delete", request: { key: "t2" } }]);
  assert.equal(await client.state.get("statestore", "t1"), 10);
  assert.equal(await client.state.get("statestore", "t2"), "");
  const lost = client.state.transaction("statestore", [upsert("t1", 20), upsert("t3", 30, "stale")]);
  await assert.rejects(lost, (error) => refusal(error).status === 409);
  assert.equal(await client.state.get("statestore", "t1"), 10);
});

test("an unknown component is refused as Dapr does", async () => {
  const { error } = await client.pubsub.publish("absent", "topic", { n: 1 });
  assert.deepEqual(refusal(error), { status: 404, code: "ERR_PUBSUB_NOT_FOUND" });
  const saved = await client.state.save("absent", [{ key: "k", value: 1 }]);
  assert.deepEqual(refusal(saved.error), { status: 400, code: "ERR_STATE_STORE_NOT_FOUND" });
  const bulk = await client.pubsub.publishBulk("absent", "topic", ["one"]);
  assert.equal(bulk.failedMessages.length, 1);
});

test("secrets are read", async () => {
  assert.deepEqual(await client.secret.get("secrets", "plain"), { plain: "a secret" });
  assert.deepEqual(await client.secret.getBulk("secrets"), {
    plain: { plain: "a secret" },
    "nested:deep": { "nested:deep": "another" },
  });
  await assert.rejects(client.secret.get("secrets", "absent"), (error) => refusal(error).code === "ERR_SECRET_GET");
});

test("an app is invoked", async () => {
  const posted = await client.invoker.invoke("sdk", "path/x?q=1", HttpMethod.POST, { n: 1 }, { headers: { "x-mine": "y" } });
  assert.deepEqual(posted, { method: "POST", url: "/path/x?q=1", body: '{"n":1}', header: "y" });
  assert.equal((await client.invoker.invoke("sdk", "path", HttpMethod.GET)).method, "GET");
  await assert.rejects(client.invoker.invoke("sdk", "missing", HttpMethod.GET), (error) => JSON.parse(error.message).status === 404);
  const nobody = client.invoker.invoke("nobody", "path", HttpMethod.GET);
  await assert.rejects(nobody, (error) => refusal(error).code === "ERR_DIRECT_INVOKE");
});

test("an output binding is asked", async () => {
  const sent = await client.binding.send("app", "post", { n: 1 }, { path: "/bound", "X-Mine": "y" });
  assert.deepEqual(sent, { method: "POST", url: "/bound", body: '{"n":1}', header: "y" });
  assert.equal((await client.binding.send("app", "get", "")).method, "GET");
  const missing = client.binding.send("app", "get", "", { path: "missing" });
  await assert.rejects(missing, (error) => refusal(error).code === "ERR_INVOKE_OUTPUT_BINDING");
});

test("metadata tells components, and keeps labels", async () => {
  assert.equal(await client.metadata.set("label", "value"), true);
  const metadata = await client.metadata.get();
  assert.equal(metadata.id, "sdk");
  assert.equal(metadata.extended.label, "value");
  const capabilities = Object.fromEntries(metadata.components.map(({ name, capabilities }) => [name, capabilities]));
  assert.deepEqual(capabilities.statestore, ["ETAG", "TRANSACTIONAL", "TTL"]);
  assert.deepEqual(Object.keys(capabilities).sort(), ["app", "pubsub", "secrets", "statestore", "tick", "tock"]);
});

test("the sidecar ends when the client asks for it", async () => {
  const other = await startSidecar();
  const its = new DaprClient({ daprHost: "127.0.0.1", daprPort: other.port, logger: quiet });
  await its.sidecar.shutdown();
  const [code] = await other.ended;
  assert.equal(code, 0);
  await its.stop();
  await other.stop();
});
