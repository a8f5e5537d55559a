// The official OpenAI SDK for JavaScript.

import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, test } from 'node:test';
import OpenAI from 'openai';
import { direct, Stack } from './harness.mjs';

const model = 'gemini-2.5-flash';
const user = (content) => [{ role: 'user', content }];
const weather = {
  type: 'function',
  function: {
    name: 'get_weather',
    parameters: { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] },
  },
};

describe('openai', () => {
  let stack;
  let client;

  before(async () => {
    stack = await Stack.start();
    client = new OpenAI({ baseURL: stack.baseUrl, apiKey: stack.key, maxRetries: 0 });
  });
  after(() => stack?.stop());
  beforeEach(() => stack.fake.post('/control/clear', {}));

  test('a chat answer has text, a finish reason and usage', async () => {
    const answer = await client.chat.completions.create({ model, messages: user('hello there') });
    assert.equal(answer.choices[0].message.content.split(' ').length, 12);
    assert.equal(answer.choices[0].finish_reason, 'stop');
    assert.equal(answer.model, model);
    assert.deepEqual(
      [answer.usage.prompt_tokens, answer.usage.completion_tokens, answer.usage.total_tokens], [6, 12, 18]);
  });

  test('a stream has the same text as the whole answer, and usage when it was asked for', async () => {
    const whole = await client.chat.completions.create({ model, messages: user('the same') });
    const stream = await client.chat.completions.create({
      model, messages: user('the same'), stream: true, stream_options: { include_usage: true },
    });
    let text = '';
    let usage;
    for await (const chunk of stream) {
      text += chunk.choices[0]?.delta.content ?? '';
      usage = chunk.usage ?? usage;
    }
    assert.equal(text, whole.choices[0].message.content);
    assert.equal(usage.completion_tokens, 12);
    assert.equal(usage.prompt_tokens, whole.usage.prompt_tokens);
  });

  test('a stream that was not asked for usage has no chunk without choices', async () => {
    const stream = await client.chat.completions.create({ model, messages: user('no usage please'), stream: true });
    const chunks = [];
    for await (const chunk of stream) chunks.push(chunk);
    assert.ok(chunks.length >= 12);
    assert.ok(chunks.every((chunk) => chunk.choices.length === 1), 'an event without choices was sent');
    assert.ok(chunks.every((chunk) => !chunk.usage), 'usage was sent to a client that did not ask');
    assert.equal(chunks.at(-1).choices[0].finish_reason, 'stop');
  });

  test('cached and reasoning tokens are told as upstream told them', async () => {
    await stack.script(model, { reasoning_tokens: 31, cached_tokens: 2, tokens: 4 }, 1);
    const answer = await client.chat.completions.create({ model, messages: user('think hard') });
    assert.equal(answer.usage.completion_tokens, 35);
    assert.equal(answer.usage.completion_tokens_details.reasoning_tokens, 31);
    assert.equal(answer.usage.prompt_tokens_details.cached_tokens, 2);
  });

  test('text with characters of several bytes arrives whole, however it was cut on the way', async () => {
    await stack.script(model, { unicode: true, split: 'utf8', tokens: 20 });
    const whole = await client.chat.completions.create({ model, messages: user('smile') });
    const stream = await client.chat.completions.create({ model, messages: user('smile'), stream: true });
    let text = '';
    for await (const chunk of stream) text += chunk.choices[0]?.delta.content ?? '';
    assert.equal(text, whole.choices[0].message.content);
    assert.ok(/[^\x00-\x7f]/.test(text) && !text.includes('\ufffd'));
  });

  test('a tool round trip: call, result, final text', async () => {
    const messages = user('use the tool get_weather with {"city":"Kraków"}');
    const first = await client.chat.completions.create({ model, messages, tools: [weather] });
    const [call] = first.choices[0].message.tool_calls;
    assert.equal(first.choices[0].finish_reason, 'tool_calls');
    assert.equal(call.function.name, 'get_weather');
    assert.deepEqual(JSON.parse(call.function.arguments), { city: 'Kraków' });
    messages.push(first.choices[0].message, { role: 'tool', tool_call_id: call.id, content: 'rain, 4 degrees' });
    const second = await client.chat.completions.create({ model, messages, tools: [weather] });
    assert.equal(second.choices[0].message.content, 'The tool said: rain, 4 degrees');
  });

  test('tool arguments that come in pieces make the same call', async () => {
    const stream = client.chat.completions.stream({
      model, messages: user('use the tool get_weather with {"city":"Łódź, Piotrkowska 1"}'), tools: [weather],
    });
    const final = await stream.finalChatCompletion();
    const [call] = final.choices[0].message.tool_calls;
    assert.deepEqual(JSON.parse(call.function.arguments), { city: 'Łódź, Piotrkowska 1' });
  });

  test('a completion between prefix and suffix', async () => {
    const request = { model: 'codestral-2', prompt: 'def add(a, b):\n', suffix: '\n\nprint(add(1, 2))', max_tokens: 5 };
    const answer = await client.completions.create(request);
    assert.equal(answer.choices[0].text.trim().split(' ').length, 5);
    assert.equal(answer.choices[0].finish_reason, 'length');
    assert.equal(answer.usage.completion_tokens, 5);
    let text = '';
    for await (const chunk of await client.completions.create({ ...request, stream: true })) {
      text += chunk.choices[0]?.text ?? '';
    }
    assert.equal(text, answer.choices[0].text);
  });

  test('embeddings come in base64 unless asked otherwise, and decode to the same numbers', async () => {
    const request = { model: 'text-embedding-005', input: ['one', 'two'], dimensions: 37 };
    const decoded = await client.embeddings.create(request);
    const plain = await client.embeddings.create({ ...request, encoding_format: 'float' });
    assert.equal(decoded.data.length, 2);
    assert.equal(decoded.data[0].embedding.length, 37);
    assert.deepEqual(decoded.data.map((one) => one.embedding), plain.data.map((one) => one.embedding));
    assert.notDeepEqual(decoded.data[0].embedding, decoded.data[1].embedding);
  });

  test('models can be listed and looked up', async () => {
    const ids = [];
    for await (const one of client.models.list()) ids.push(one.id);
    assert.ok(ids.includes(model) && ids.includes('codestral-2'));
    assert.equal((await client.models.retrieve(model)).id, model);
    await assert.rejects(client.models.retrieve('no-such-model'), OpenAI.NotFoundError);
  });

  test('a stream that the client leaves is cancelled upstream and written down as partial', async () => {
    await stack.resetJournal();
    await stack.script(model, { tokens: 2000, chunk_ms: 10 });
    const abort = new AbortController();
    const stream = await client.chat.completions.create(
      { model, messages: user('a very long story'), stream: true }, { signal: abort.signal });
    let chunks = 0;
    await assert.rejects(async () => {
      for await (const _ of stream) {
        if (++chunks === 5) abort.abort();
      }
      throw new OpenAI.APIUserAbortError();  // newer versions end the loop without an error
    }, OpenAI.APIUserAbortError);
    await stack.fake.wait({ cancelled: 1 });
    const [call] = await stack.journal();
    assert.equal(call.cancelled, true);
    assert.ok(call.chunks_sent < 1000, `upstream went on for ${call.chunks_sent} chunks`);
    if (direct) return;
    const row = await stack.row((one) => one.status === 'cancelled', 'the call that was left');
    assert.equal(row.usage_source, 'partial');
    assert.ok(row.output_tokens > 0 && row.input_tokens > 0);
    assert.notEqual(row.cost, '0');
  });

  test('a wrong key is an authentication error', { skip: direct && 'the fake takes any key' }, async () => {
    const stranger = new OpenAI({ baseURL: stack.baseUrl, apiKey: 'sk-nemo-wrong', maxRetries: 0 });
    await stack.resetJournal();
    await assert.rejects(stranger.chat.completions.create({ model, messages: user('hi') }), (error) => {
      assert.ok(error instanceof OpenAI.AuthenticationError);
      assert.equal(error.code, 'invalid_api_key');
      return true;
    });
    assert.equal((await stack.journal()).length, 0, 'a call without a good key reached upstream');
  });

  test('an unknown model is not found', { skip: direct && 'the fake answers for any model' }, async () => {
    await assert.rejects(
      client.chat.completions.create({ model: 'gemini-2.5-flahs', messages: user('hi') }), (error) => {
        assert.ok(error instanceof OpenAI.NotFoundError);
        assert.equal(error.code, 'model_not_found');
        assert.match(error.message, /gemini-2\.5-flash/, 'the nearest ids are named');
        return true;
      });
  });

  test('a field of the wrong type is a bad request', { skip: direct && 'the fake takes anything' }, async () => {
    await assert.rejects(client.chat.completions.create({ model, messages: 'not a list' }), OpenAI.BadRequestError);
  });

  test('a refusal by upstream keeps its status and message', async () => {
    await stack.script(model, { status: 400, error_message: 'temperature is too hot', error_code: 'bad_value' }, 1);
    await assert.rejects(client.chat.completions.create({ model, messages: user('hi') }), (error) => {
      assert.ok(error instanceof OpenAI.BadRequestError);
      assert.match(error.message, /temperature is too hot/);
      return true;
    });
  });

  test('the SDK retries a 429 twice, and each try reaches upstream', async () => {
    await stack.resetJournal();
    await stack.script(model, { status: 429 });
    const patient = new OpenAI({ baseURL: stack.baseUrl, apiKey: stack.key, maxRetries: 2 });
    await assert.rejects(patient.chat.completions.create({ model, messages: user('hi') }), OpenAI.RateLimitError);
    const journal = await stack.journal();
    assert.deepEqual(journal.map((call) => call.status), [429, 429, 429]);
  });

  test('a 429 that passes is not seen by the caller', async () => {
    await stack.resetJournal();
    await stack.script(model, { status: 429 }, 1);
    const patient = new OpenAI({ baseURL: stack.baseUrl, apiKey: stack.key, maxRetries: 2 });
    const answer = await patient.chat.completions.create({ model, messages: user('hi again') });
    assert.equal(answer.choices[0].finish_reason, 'stop');
    assert.deepEqual((await stack.journal()).map((call) => call.status), [429, 200]);
  });

  test('a broken upstream is a server error', async () => {
    await stack.script(model, { status: 500, error_shape: 'html' }, 1);
    await assert.rejects(client.chat.completions.create({ model, messages: user('hi') }), OpenAI.InternalServerError);
  });

  test('a stream that breaks after its first words is an error, never a clean end', async () => {
    await stack.script(model, { tokens: 50, cut_after_chunks: 10 }, 1);
    await assert.rejects(async () => {
      const stream = await client.chat.completions.create({ model, messages: user('break'), stream: true });
      for await (const _ of stream) { /* to the end */ }
    });
  });
});

describe('money', () => {
  let stack;

  before(async () => {
    stack = await Stack.start();
  });
  after(() => stack?.stop());

  test('every token that upstream billed is in the ledger, at its exact price', async () => {
    const client = new OpenAI({ baseURL: stack.baseUrl, apiKey: stack.key, maxRetries: 0 });
    await stack.script('gemini-2.5-flash-lite', { reasoning_tokens: 7, cached_tokens: 3, gemini_usage: true });
    const calls = [];
    for (let i = 0; i < 12; ++i) {
      const messages = user(`question number ${i} ${'x'.repeat(i * 7)}`);
      const options = i % 3 === 0 ? {} : { stream: true, ...(i % 3 === 1 && { stream_options: { include_usage: true } }) };
      const name = i % 2 === 0 ? model : 'gemini-2.5-flash-lite';
      calls.push(client.chat.completions.create({ model: name, messages, max_tokens: 3 + i, ...options }).then(async (answer) => {
        if (options.stream) for await (const _ of answer) { /* to the end */ }
      }));
    }
    calls.push(client.completions.create({ model: 'codestral-2', prompt: 'a = ', suffix: '\n' }));
    calls.push(client.embeddings.create({ model: 'text-embedding-005', input: 'some text to place' }));
    await Promise.all(calls);
    await stack.fake.wait({ ended: 14 });
    await stack.checkLedger();
    if (!direct) assert.equal((await stack.logs(14)).length, 14);
  });
});
