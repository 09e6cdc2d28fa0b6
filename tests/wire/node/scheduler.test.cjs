// @aws-sdk/client-scheduler, version 3 for JavaScript, against a server of its own whose clock the test moves.
"use strict";

const assert = require("node:assert/strict");
const { spawn } = require("node:child_process");
const { once } = require("node:events");
const { createInterface } = require("node:readline");
const { after, before, test } = require("node:test");
const { Scheduler, paginateListSchedules } = require("@aws-sdk/client-scheduler");
const { SQS } = require("@aws-sdk/client-sqs");

const RoleArn = "arn:aws:iam::000000000000:role/any";
const Arn = "arn:aws:sqs:us-east-1:000000000000:ticks";
const FlexibleTimeWindow = { Mode: "OFF" };
let server, url, scheduler, sqs;

before(async () => {
  const flags = ["serve", "--listen", "127.0.0.1:0", "--ephemeral", "--clock", "2026-01-01T00:00:00Z", "--log-level", "warn"];
  server = spawn(process.env.AFTERWARD_BIN, flags, { stdio: ["ignore", "pipe", "ignore"] });
  const [line] = await once(createInterface({ input: server.stdout }), "line");
  url = line.split(" ")[2];
  const settings = {
    endpoint: url,
    region: "us-east-1",
    credentials: { accessKeyId: "afterward", secretAccessKey: "afterward" },
    maxAttempts: 1,
  };
  [scheduler, sqs] = [new Scheduler(settings), new SQS(settings)];
});

after(async () => {
  scheduler.destroy();
  sqs.destroy();
  server.kill();
  await once(server, "exit");
});

async function goTo(set) {
  const reply = await fetch(`${url}/_afterward/clock`, { method: "POST", body: JSON.stringify({ set }) });
  assert.equal(reply.status, 200, await reply.text());
}

test("client-scheduler v3: a schedule is made, shown, changed, run and deleted", async () => {
  const queue = (await sqs.createQueue({ QueueName: "ticks", Attributes: { VisibilityTimeout: "43200" } })).QueueUrl;
  const StartDate = new Date("2026-01-01T12:00:00.500Z");
  const made = await scheduler.createSchedule({
    Name: "hourly",
    ScheduleExpression: "rate(1 hour)",
    StartDate,
    FlexibleTimeWindow,
    Target: { Arn, RoleArn, Input: "tick ☃" },
  });
  assert.equal(made.ScheduleArn, "arn:aws:scheduler:us-east-1:000000000000:schedule/default/hourly");
  const shown = await scheduler.getSchedule({ Name: "hourly" });
  assert.equal(shown.StartDate.getTime(), StartDate.getTime(), "a date with milliseconds");
  assert.deepEqual(shown.CreationDate, new Date("2026-01-01T00:00:00Z"));
  assert.deepEqual([shown.State, shown.Target.Input], ["ENABLED", "tick ☃"]);
  for (const [now, expected] of [
    ["2026-01-01T12:00:00.499Z", []],
    ["2026-01-01T12:00:00.500Z", ["tick ☃"]],
    ["2026-01-01T13:00:00.500Z", ["tick ☃"]],
  ]) {
    await goTo(now);
    const messages = (await sqs.receiveMessage({ QueueUrl: queue, MaxNumberOfMessages: 10 })).Messages ?? [];
    assert.deepEqual(messages.map((message) => message.Body), expected, now);
  }
  const { Arn: _arn, CreationDate: _made, LastModificationDate: _changed, $metadata: _, ...input } = shown;
  await scheduler.updateSchedule({ ...input, State: "DISABLED" });
  const listed = (await scheduler.listSchedules({ State: "DISABLED" })).Schedules;
  assert.deepEqual(listed.map((schedule) => [schedule.Name, schedule.Target.Arn]), [["hourly", Arn]]);
  await scheduler.deleteSchedule({ Name: "hourly" });
  await assert.rejects(scheduler.getSchedule({ Name: "hourly" }), {
    name: "ResourceNotFoundException",
    message: "Schedule hourly does not exist.",
  });
});

test("client-scheduler v3: groups, tags, pages and refusals", async () => {
  const group = (await scheduler.createScheduleGroup({ Name: "g", Tags: [{ Key: "a b", Value: "c/d" }] })).ScheduleGroupArn;
  await scheduler.tagResource({ ResourceArn: group, Tags: [{ Key: "e", Value: "f" }] });
  await scheduler.untagResource({ ResourceArn: group, TagKeys: ["a b", "x&y"] });
  assert.deepEqual((await scheduler.listTagsForResource({ ResourceArn: group })).Tags, [{ Key: "e", Value: "f" }]);
  const names = ["a", "b", "c", "d", "e"];
  for (const Name of names) {
    const what = { ScheduleExpression: "rate(1 day)", State: "DISABLED", FlexibleTimeWindow };
    await scheduler.createSchedule({ Name, GroupName: "g", ...what, Target: { Arn, RoleArn } });
  }
  const found = [];
  for await (const page of paginateListSchedules({ client: scheduler, pageSize: 2 }, { GroupName: "g" })) {
    found.push(page.Schedules.map((schedule) => schedule.Name));
  }
  assert.deepEqual(found, [["a", "b"], ["c", "d"], ["e"]]);
  await assert.rejects(scheduler.createScheduleGroup({ Name: "g" }), { name: "ConflictException" });
  await assert.rejects(
    scheduler.createSchedule({ Name: "x", ScheduleExpression: "never", FlexibleTimeWindow, Target: { Arn, RoleArn } }),
    { name: "ValidationException", message: /^Invalid Schedule Expression never/ },
  );
  await scheduler.deleteScheduleGroup({ Name: "g" });
  assert.deepEqual((await scheduler.listSchedules({ NamePrefix: "a" })).Schedules, []);
});
