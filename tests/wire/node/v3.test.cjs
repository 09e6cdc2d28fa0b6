// @aws-sdk/client-sqs, version 3 for JavaScript.
"use strict";

const { SQS } = require("@aws-sdk/client-sqs");
const { stories } = require("./story.cjs");

const client = new SQS({
  endpoint: process.env.AFTERWARD_WIRE_URL,
  region: "us-east-1",
  credentials: { accessKeyId: "afterward", secretAccessKey: "afterward" },
  maxAttempts: 1,
});

stories("client-sqs v3", { call: (action, parameters) => client[action](parameters) }, (error) => error.name);
