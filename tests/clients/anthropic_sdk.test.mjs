// The official Anthropic SDK for JavaScript, in front of a model that speaks OpenAI's dialect.

import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, test } from 'node:test';
import Anthropic from '@anthropic-ai/sdk';
import { direct, Stack } from './harness.mjs';

const model = 'gemini-2.5-flash';
const user = (content) => [{ role: 'user', content }];
const weather = {
  name: 'get_weather',
  description: 'The weather of a city.',
  input_schema: { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] },
};
const pixel = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==';

describe('anthropic', { skip: direct && 'the fake upstream does not speak this dialect' }, () => {
  let stack;
  let client;

  before(async () => {
    stack = await Stack.start();
    client = new Anthropic({ baseURL: stack.origin, apiKey: stack.key, maxRetries: 0 });
  });
  after(() => stack?.stop());
  beforeEach(() => stack.fake.post('/control/clear', {}));

  test('a message has text, a stop reason and usage', async () => {
    const message = await client.messages.create({ model, max_tokens: 100, messages: user('hello there') });
    assert.equal(message.role, 'assistant');
    assert.equal(message.content[0].text.split(' ').length, 12);
    assert.equal(message.stop_reason, 'end_turn');
    assert.equal(message.usage.output_tokens, 12);
  });

  test('a stream has the same text as the whole message, and its usage', async () => {
    const whole = await client.messages.create({ model, max_tokens: 100, messages: user('the same') });
    const types = [];
    const stream = client.messages.stream({ model, max_tokens: 100, messages: user('the same') });
    stream.on('streamEvent', (event) => types.push(event.type));
    const streamed = await stream.finalMessage();
    assert.equal(streamed.content[0].text, whole.content[0].text);
    assert.deepEqual(streamed.usage.output_tokens, whole.usage.output_tokens);
    assert.equal(streamed.stop_reason, 'end_turn');
    assert.deepEqual([types[0], ...types.slice(-3)],
      ['message_start', 'content_block_stop', 'message_delta', 'message_stop']);
  });

  test('an answer that is cut by max_tokens says so', async () => {
    const message = await client.messages.create({ model, max_tokens: 3, messages: user('a long story') });
    assert.equal(message.stop_reason, 'max_tokens');
    assert.equal(message.usage.output_tokens, 3);
  });

  for (const streamed of [false, true]) {
    test(`a tool round trip ${streamed ? 'in streams' : 'with whole messages'}`, async () => {
      const ask = (messages) => {
        const body = { model, max_tokens: 100, messages, tools: [weather], system: 'You use tools.' };
        return streamed ? client.messages.stream(body).finalMessage() : client.messages.create(body);
      };
      const messages = user('use the tool get_weather with {"city":"Kraków, Rynek 1"}');
      const first = await ask(messages);
      const call = first.content.find((block) => block.type === 'tool_use');
      assert.equal(first.stop_reason, 'tool_use');
      assert.equal(call.name, 'get_weather');
      assert.deepEqual(call.input, { city: 'Kraków, Rynek 1' });
      messages.push({ role: 'assistant', content: first.content });
      messages.push({ role: 'user', content: [{ type: 'tool_result', tool_use_id: call.id, content: 'rain, 4 degrees' }] });
      const second = await ask(messages);
      assert.equal(second.content[0].text, 'The tool said: rain, 4 degrees');
    });
  }

  test('several tools called at once keep their order and their arguments', async () => {
    await stack.script(model, { tool_calls: 3, tool_name: 'get_weather', tool_arguments: { city: 'Wrocław' } }, 1);
    const message = await client.messages.stream(
      { model, max_tokens: 100, messages: user('everywhere'), tools: [weather] }).finalMessage();
    const calls = message.content.filter((block) => block.type === 'tool_use');
    assert.equal(calls.length, 3);
    assert.equal(new Set(calls.map((call) => call.id)).size, 3);
    for (const call of calls) assert.deepEqual(call.input, { city: 'Wrocław' });
  });

  test('an image reaches the model', async () => {
    const source = { type: 'base64', media_type: 'image/png', data: pixel };
    const message = await client.messages.create({
      model, max_tokens: 50, messages: user([{ type: 'image', source }, { type: 'text', text: 'what is this?' }]),
    });
    assert.equal(message.content[0].type, 'text');
  });

  test('tokens can be counted without asking a model', async () => {
    await stack.resetJournal();
    const count = await client.messages.countTokens({ model, messages: user('how long is this sentence?') });
    assert.ok(count.input_tokens > 4 && count.input_tokens < 60, `${count.input_tokens}`);
    assert.equal((await stack.journal()).length, 0);
  });

  test('errors have the classes that the SDK gives them', async () => {
    const body = { model, max_tokens: 10, messages: user('hi') };
    await assert.rejects(client.messages.create({ ...body, model: 'no-such-model' }), Anthropic.NotFoundError);
    await assert.rejects(client.messages.create({ ...body, messages: 'hi' }), Anthropic.BadRequestError);
    const stranger = new Anthropic({ baseURL: stack.origin, apiKey: 'sk-nemo-wrong', maxRetries: 0 });
    await assert.rejects(stranger.messages.create(body), Anthropic.AuthenticationError);
    await stack.script(model, { status: 429 }, 1);
    await assert.rejects(client.messages.create(body), Anthropic.RateLimitError);
  });

  test('a stream that breaks is an error, not a short answer', async () => {
    await stack.script(model, { tokens: 40, cut_after_chunks: 9 }, 1);
    await assert.rejects(client.messages.stream({ model, max_tokens: 100, messages: user('broken') }).finalMessage());
  });

  test('a stream that the client leaves is cancelled upstream', async () => {
    await stack.resetJournal();
    await stack.script(model, { tokens: 2000, chunk_ms: 10, ignore_max_tokens: true }, 1);
    const stream = client.messages.stream({ model, max_tokens: 4000, messages: user('a very long story') });
    await new Promise((done) => stream.on('text', done));
    const end = assert.rejects(stream.done(), Anthropic.APIUserAbortError);
    stream.abort();
    await end;
    await stack.fake.wait({ cancelled: 1 });
    const row = await stack.row((one) => one.status === 'cancelled', 'the call that was left');
    assert.equal(row.surface, 'anthropic-messages');
    assert.equal(row.usage_source, 'partial');
  });

  test('every token that upstream billed is in the ledger, at its exact price', async () => {
    await stack.resetJournal();
    const before = (await stack.logs()).length;
    await client.messages.create({ model, max_tokens: 100, messages: user('one') });
    await client.messages.stream({ model, max_tokens: 100, messages: user('two') }).finalMessage();
    const rows = (await stack.logs(before + 2)).slice(before);
    const journal = await stack.journal();
    assert.deepEqual(rows.map((row) => [row.input_tokens, row.output_tokens]).sort(),
      journal.map((call) => [call.billed.input_tokens, call.billed.output_tokens]).sort());
  });
});
