// aws-sdk v2 for JavaScript: the last release, which speaks JSON to SQS, and one from when it spoke Query.
"use strict";

const { stories } = require("./story.cjs");

for (const [name, AWS] of [
  ["aws-sdk v2", require("aws-sdk")],
  ["aws-sdk v2, Query", require("aws-sdk-query")],
]) {
  const client = new AWS.SQS({
    endpoint: process.env.AFTERWARD_WIRE_URL,
    region: "us-east-1",
    accessKeyId: "afterward",
    secretAccessKey: "afterward",
    maxRetries: 0,
  });
  stories(name, { call: (action, parameters) => client[action](parameters).promise() }, (error) => error.code);
}
