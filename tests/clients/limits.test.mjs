// What the OpenAI SDK does when a key's budget or limit is reached: 402 ends it, 429 is tried again when it may be.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import OpenAI from 'openai';
import { direct, Stack } from './harness.mjs';

const model = 'gemini-2.5-flash';
const user = (content) => [{ role: 'user', content }];

describe('a key with terms', { skip: direct && 'only the daemon has budgets and limits' }, () => {
  let stack;

  before(async () => {
    stack = await Stack.start();
  });
  after(() => stack?.stop());

  // An SDK client, and what went over its wire: when each request was made, and what came back.
  function sdk(key) {
    const wire = [];
    const client = new OpenAI({
      baseURL: stack.baseUrl,
      apiKey: key,
      maxRetries: 2,
      fetch: async (url, options) => {
        const sent = performance.now();
        const answer = await fetch(url, options);
        wire.push({ sent, answered: performance.now(), status: answer.status, retryAfter: answer.headers.get('retry-after') });
        return answer;
      },
    });
    return { client, wire };
  }

  test('a budget that is used up is final: the SDK asks once and gives the error on', async () => {
    await stack.resetJournal();
    const { key } = await stack.nemo('keys', 'create', '--seat', 'poor', '--budget', '0.0001/month');
    const { client, wire } = sdk(key);
    for (const stream of [false, true]) {
      const error = await client.chat.completions.create({ model, messages: user('hello'), stream }).then(
        () => assert.fail('it was answered'),
        (thrown) => thrown,
      );
      assert.ok(error instanceof OpenAI.APIError);
      assert.equal(error.status, 402);
      assert.equal(error.code, 'budget_exceeded');
      assert.match(error.message, /Budget has been exceeded! .*key/);
    }
    assert.deepEqual(wire.map((one) => one.status), [402, 402]);
    assert.equal((await stack.journal()).length, 0, 'nothing was sent upstream');
  });

  test('a limit that is reached is retried after retry-after, and then answered', async () => {
    await stack.resetJournal();
    const { key } = await stack.nemo('keys', 'create', '--seat', 'single', '--parallel', '1');
    const { client, wire } = sdk(key);
    const long = await client.chat.completions.create({ model, messages: user('long'), stream: true, fake: { tokens: 30, chunk_ms: 20 } });
    const second = client.chat.completions.create({ model, messages: user('short') });
    for await (const _ of long) { /* to the end */ }
    assert.equal((await second).choices[0].finish_reason, 'stop');
    const [, refused, answered] = wire;
    assert.equal(refused.status, 429);
    assert.equal(answered.status, 200);
    assert.match(refused.retryAfter, /^[1-9]\d*$/);
    // The SDK waits as long as it is told: not less, and by no schedule of its own (which would begin with half a second).
    const waited = answered.sent - refused.answered;
    assert.ok(waited >= Number(refused.retryAfter) * 1000 - 2, `waited ${waited} ms of ${refused.retryAfter} s`);
    assert.equal((await stack.journal()).length, 2, 'what was refused reached nobody');
  });
});
