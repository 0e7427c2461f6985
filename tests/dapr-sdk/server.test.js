// The SDK's server, an app that subscribes and is invoked, with the built sidecar in front of it.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { CommunicationProtocolEnum, DaprPubSubStatusEnum, DaprServer, HttpMethod } from "@dapr/dapr";

import { eventually, freePort, quiet, startSidecar } from "./sidecar.js";

let server, sidecar, client;
const received = { plain: [], failing: [], buried: [], important: [], ordinary: [], many: [], ticks: [] };

before(async () => {
  const [appPort, daprPort] = [await freePort(), await freePort()];
  server = new DaprServer({
    serverHost: "127.0.0.1",
    serverPort: String(appPort),
    communicationProtocol: CommunicationProtocolEnum.HTTP,
    clientOptions: { daprHost: "127.0.0.1", daprPort: String(daprPort), logger: quiet },
    logger: quiet,
  });
  client = server.client;
  await server.pubsub.subscribe("pubsub", "plain", async (data, headers) => {
    received.plain.push({ data, headers });
  });
  await server.pubsub.subscribeWithOptions("pubsub", "failing", {
    deadLetterTopic: "buried",
    callback: async (data) => {
      received.failing.push(data);
      if (data.drop) return DaprPubSubStatusEnum.DROP;
      const tries = received.failing.filter(({ n }) => n === data.n).length;
      return tries < 3 ? DaprPubSubStatusEnum.RETRY : DaprPubSubStatusEnum.SUCCESS;
    },
  });
  await server.pubsub.subscribe("pubsub", "buried", async (data) => {
    received.buried.push(data);
  });
  const rules = [{ match: 'event.type == "important"', path: "important" }];
  await server.pubsub.subscribeWithOptions("pubsub", "routed", { route: { default: "ordinary", rules } });
  for (const route of ["important", "ordinary"]) {
    server.pubsub.subscribeToRoute("pubsub", "routed", route, async (data) => {
      received[route].push(data);
    });
  }
  const bulk = { maxMessagesCount: 10, maxAwaitDurationMs: 50 };
  await server.pubsub.subscribeBulk("pubsub", "many", async (data) => {
    received.many.push(data);
  }, bulk);
  await server.binding.receive("tick", async (data) => {
    received.ticks.push(data);
  });
  await server.invoker.listen("hello", async ({ body, query }) => ({ body: JSON.parse(body), query }), {
    method: HttpMethod.POST,
  });
  sidecar = await startSidecar({ appPort, port: daprPort });
  await server.start();
});

after(async () => {
  await server.stop();
  assert.equal(await sidecar.stop(), 0);
});

test("what the client publishes comes to the server", async () => {
  assert.deepEqual(await client.pubsub.publish("pubsub", "plain", { n: 1, text: "ä" }), {});
  const metadata = { "cloudevent.type": "mine", partitionKey: "k" };
  assert.deepEqual(await client.pubsub.publish("pubsub", "plain", "text", { metadata }), {});
  await eventually("two deliveries", () => received.plain.length >= 2);
  const [object, text] = ["object", "string"].map((type) => received.plain.find(({ data }) => typeof data === type));
  assert.deepEqual(object.data, { n: 1, text: "ä" });
  assert.equal(text.data, "text");
  // In Kafka the key is the message's own, and no header beside it.
  assert.equal(text.headers["__key"] ?? text.headers["partitionkey"], "k");
  assert.equal(text.headers["pubsubname"], "pubsub");
});

test("an event of the client's own comes as it is", async () => {
  const event = { specversion: "1.0", id: "own-1", source: "test", type: "t", data: { own: true } };
  const options = { contentType: "application/cloudevents+json" };
  assert.deepEqual(await client.pubsub.publish("pubsub", "plain", event, options), {});
  await eventually("the delivery", () => received.plain.some(({ data }) => data.own));
});

test("what is published in bulk comes in order", async () => {
  const messages = Array.from({ length: 20 }, (_, n) => ({
    entryID: String(n),
    event: { bulk: n },
    contentType: "application/json",
    metadata: { partitionKey: "bulk" },
  }));
  assert.deepEqual(await client.pubsub.publishBulk("pubsub", "plain", messages), { failedMessages: [] });
  const came = () => received.plain.map(({ data }) => data.bulk).filter((n) => n !== undefined);
  await eventually("twenty deliveries", () => came().length >= 20);
  assert.deepEqual(came(), messages.map(({ event }) => event.bulk));
  assert.deepEqual(await client.pubsub.publishBulk("pubsub", "plain", ["one", { two: 2 }]), { failedMessages: [] });
  await eventually("both", () => received.plain.some(({ data }) => data === "one") && received.plain.some(({ data }) => data.two));
});

test("a message comes again until the server takes it, and one that it drops is a dead letter", async () => {
  await client.pubsub.publish("pubsub", "failing", { n: 7 });
  await client.pubsub.publish("pubsub", "failing", { n: 8, drop: true });
  await eventually("the third try", () => received.failing.filter(({ n }) => n === 7).length >= 3);
  await eventually("the dead letter", () => received.buried.length >= 1);
  assert.deepEqual(received.buried, [{ n: 8, drop: true }]);
});

test("events go the way that the server's rules say", async () => {
  await client.pubsub.publish("pubsub", "routed", { n: 1 });
  await client.pubsub.publish("pubsub", "routed", { n: 2 }, { metadata: { "cloudevent.type": "important" } });
  await eventually("both deliveries", () => received.important.length + received.ordinary.length >= 2);
  assert.deepEqual([received.important, received.ordinary], [[{ n: 2 }], [{ n: 1 }]]);
});

test("a server that subscribes in bulk gets every event", async () => {
  const events = Array.from({ length: 25 }, (_, n) => ({ many: n }));
  assert.deepEqual(await client.pubsub.publishBulk("pubsub", "many", events), { failedMessages: [] });
  await eventually("all deliveries", () => received.many.length >= events.length);
  assert.deepEqual(received.many.map(({ many }) => many).sort((a, b) => a - b), events.map(({ many }) => many));
});

test("a cron binding calls the server that takes it", async () => {
  await eventually("two ticks", () => received.ticks.length >= 2);
  const { components } = await client.metadata.get();
  assert.deepEqual(components.find(({ name }) => name === "tick").capabilities, ["INPUT_BINDING"]);
});

test("the server is invoked through the sidecar", async () => {
  const answer = await client.invoker.invoke("sdk", "hello?x=1", HttpMethod.POST, { name: "ada" });
  assert.deepEqual(answer, { body: { name: "ada" }, query: "/hello?x=1" });
});

test("metadata tells what the server subscribes to", async () => {
  const { subscriptions } = await client.metadata.get();
  assert.deepEqual(subscriptions.map(({ topic }) => topic).sort(), ["buried", "failing", "many", "plain", "routed"]);
  assert.ok(subscriptions.every(({ type }) => type === "PROGRAMMATIC"));
  const { rules } = subscriptions.find(({ topic }) => topic === "routed");
  assert.equal(rules[0].match, 'event.type == "important"');
});
