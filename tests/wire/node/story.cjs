// One story, told in the words of whichever SDK is under test: `sqs.call(action, parameters)` is all that it knows.
"use strict";

const assert = require("node:assert/strict");
const { test } = require("node:test");

const run = `${Date.now().toString(36)}${process.pid}`;
let made = 0;

/** Waits until `condition()` answers with something true. */
async function until(condition, what) {
  const deadline = Date.now() + 60_000;
  for (;;) {
    const value = await condition();
    if (value) return value;
    if (Date.now() > deadline) throw new Error(`waited 60 s, and still not: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 20)); // between two looks at a condition
  }
}

/** Plays every story through `sqs`. `codeOf(error)` is where this SDK puts Amazon's error code. */
function stories(sdk, sqs, codeOf) {
  const freshName = (end = "") => `${sdk.replace(/\W/g, "")}-${run}-${made++}${end}`;

  async function queue(attributes = {}, end = "") {
    const answer = await sqs.call("createQueue", { QueueName: freshName(end), Attributes: attributes });
    return answer.QueueUrl;
  }

  async function attributesOf(url) {
    return (await sqs.call("getQueueAttributes", { QueueUrl: url, AttributeNames: ["All"] })).Attributes;
  }

  async function receive(url, more = {}) {
    const answer = await sqs.call("receiveMessage", {
      QueueUrl: url,
      MaxNumberOfMessages: 10,
      WaitTimeSeconds: 5,
      AttributeNames: ["All"],
      MessageAttributeNames: ["All"],
      ...more,
    });
    return answer.Messages ?? [];
  }

  async function refused(action, parameters, codes) {
    await assert.rejects(sqs.call(action, parameters), (error) => {
      assert.ok(codes.includes(codeOf(error)), `${codeOf(error)}: ${error.message}`);
      return true;
    });
  }

  test(`${sdk}: a message with attributes is sent, received, extended and deleted`, async () => {
    const url = await queue();
    const sent = await sqs.call("sendMessage", {
      QueueUrl: url,
      MessageBody: "hällo ☃ <&>",
      MessageAttributes: {
        text: { DataType: "String", StringValue: "v" },
        number: { DataType: "Number", StringValue: "42" },
        bytes: { DataType: "Binary", BinaryValue: Buffer.from([0, 255, 16]) },
      },
    });
    const [message] = await receive(url);
    assert.equal(message.Body, "hällo ☃ <&>");
    assert.equal(message.MessageId, sent.MessageId);
    assert.equal(message.MD5OfMessageAttributes, sent.MD5OfMessageAttributes);
    assert.deepEqual([...message.MessageAttributes.bytes.BinaryValue], [0, 255, 16]);
    assert.equal(message.MessageAttributes.number.StringValue, "42");
    assert.equal(message.Attributes.ApproximateReceiveCount, "1");
    const held = { QueueUrl: url, ReceiptHandle: message.ReceiptHandle };
    await sqs.call("changeMessageVisibility", { ...held, VisibilityTimeout: 600 });
    await sqs.call("deleteMessage", held);
    assert.equal((await attributesOf(url)).ApproximateNumberOfMessagesNotVisible, "0");
  });

  test(`${sdk}: batches have an outcome per entry`, async () => {
    const url = await queue();
    const sent = await sqs.call("sendMessageBatch", {
      QueueUrl: url,
      Entries: [
        ...Array.from({ length: 9 }, (_, i) => ({ Id: `e${i}`, MessageBody: `body ${i}` })),
        { Id: "late", MessageBody: "late", DelaySeconds: 901 },
      ],
    });
    assert.equal(sent.Successful.length, 9);
    assert.deepEqual(sent.Failed.map((entry) => [entry.Id, entry.Code]), [["late", "InvalidParameterValue"]]);
    const messages = [];
    while (messages.length < 9) messages.push(...(await receive(url)));
    const gone = await sqs.call("deleteMessageBatch", {
      QueueUrl: url,
      Entries: messages.map((message, i) => ({ Id: `${i}`, ReceiptHandle: message.ReceiptHandle })),
    });
    assert.equal(gone.Successful.length, 9);
  });

  test(`${sdk}: a long poll wakes when a message is sent`, async () => {
    const url = await queue();
    const waiting = receive(url, { WaitTimeSeconds: 20 });
    await sqs.call("sendMessage", { QueueUrl: url, MessageBody: "wake up" });
    assert.deepEqual((await waiting).map((message) => message.Body), ["wake up"]);
  });

  test(`${sdk}: a FIFO queue keeps order and drops duplicates`, async () => {
    const url = await queue({ FifoQueue: "true", ContentBasedDeduplication: "true" }, ".fifo");
    for (const body of ["1", "2", "2", "3"]) {
      await sqs.call("sendMessage", { QueueUrl: url, MessageBody: body, MessageGroupId: "g" });
    }
    assert.deepEqual((await receive(url)).map((message) => message.Body), ["1", "2", "3"]);
    assert.deepEqual(await receive(url, { WaitTimeSeconds: 0 }), []);
  });

  test(`${sdk}: a failing message is dead-lettered and redriven`, async () => {
    const dead = await queue();
    const deadArn = (await attributesOf(dead)).QueueArn;
    const policy = JSON.stringify({ deadLetterTargetArn: deadArn, maxReceiveCount: 1 });
    const url = await queue({ RedrivePolicy: policy, VisibilityTimeout: "600" });
    await sqs.call("sendMessage", { QueueUrl: url, MessageBody: "bad" });
    const [message] = await receive(url);
    await sqs.call("changeMessageVisibility", {
      QueueUrl: url,
      ReceiptHandle: message.ReceiptHandle,
      VisibilityTimeout: 0,
    });
    await until(async () => {
      await receive(url, { WaitTimeSeconds: 0 });
      return (await attributesOf(dead)).ApproximateNumberOfMessages === "1";
    }, "the message is in the dead-letter queue");
    const sources = await sqs.call("listDeadLetterSourceQueues", { QueueUrl: dead });
    assert.deepEqual(sources.queueUrls, [url]);
    await sqs.call("startMessageMoveTask", { SourceArn: deadArn });
    const [task] = await until(async () => {
      const { Results } = await sqs.call("listMessageMoveTasks", { SourceArn: deadArn });
      return Results[0].Status === "COMPLETED" && Results;
    }, "the move task has completed");
    assert.equal(task.ApproximateNumberOfMessagesMoved, 1);
    assert.deepEqual((await receive(url)).map((again) => again.Body), ["bad"]);
  });

  test(`${sdk}: queues are listed, tagged, set, purged and deleted`, async () => {
    const url = await queue();
    const name = url.split("/").at(-1);
    assert.deepEqual((await sqs.call("listQueues", { QueueNamePrefix: name })).QueueUrls, [url]);
    assert.equal((await sqs.call("getQueueUrl", { QueueName: name })).QueueUrl, url);
    await sqs.call("tagQueue", { QueueUrl: url, Tags: { team: "blue", tier: "1" } });
    await sqs.call("untagQueue", { QueueUrl: url, TagKeys: ["tier"] });
    assert.deepEqual({ ...(await sqs.call("listQueueTags", { QueueUrl: url })).Tags }, { team: "blue" });
    await sqs.call("setQueueAttributes", { QueueUrl: url, Attributes: { DelaySeconds: "900" } });
    assert.equal((await attributesOf(url)).DelaySeconds, "900");
    await sqs.call("sendMessage", { QueueUrl: url, MessageBody: "delayed" });
    assert.equal((await attributesOf(url)).ApproximateNumberOfMessagesDelayed, "1");
    await sqs.call("purgeQueue", { QueueUrl: url });
    assert.equal((await attributesOf(url)).ApproximateNumberOfMessagesDelayed, "0");
    await sqs.call("deleteQueue", { QueueUrl: url });
    await refused("getQueueUrl", { QueueName: name }, ["AWS.SimpleQueueService.NonExistentQueue", "QueueDoesNotExist"]);
  });

  test(`${sdk}: errors carry Amazon's codes`, async () => {
    const url = await queue();
    const send = { QueueUrl: url, MessageBody: "x" };
    await refused("sendMessage", { ...send, DelaySeconds: 901 }, ["InvalidParameterValue", "InvalidParameterValueException"]);
    await refused("deleteMessage", { QueueUrl: url, ReceiptHandle: "nonsense" }, ["ReceiptHandleIsInvalid"]);
    const twice = [1, 2].map(() => ({ Id: "same", MessageBody: "x" }));
    await refused("sendMessageBatch", { QueueUrl: url, Entries: twice }, [
      "AWS.SimpleQueueService.BatchEntryIdsNotDistinct",
      "BatchEntryIdsNotDistinct",
    ]);
  });
}

module.exports = { stories };
