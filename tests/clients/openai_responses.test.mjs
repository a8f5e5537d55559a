// OpenAI's Responses, by its own SDK and by LangChain.

import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, test } from 'node:test';
import OpenAI from 'openai';
import { direct, Stack } from './harness.mjs';

const model = 'gemini-2.5-flash';
const weather = {
  type: 'function',
  name: 'get_weather',
  strict: false,
  parameters: { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] },
};

describe('responses', { skip: direct && 'the fake upstream does not speak this dialect' }, () => {
  let stack;
  let client;

  before(async () => {
    stack = await Stack.start();
    client = new OpenAI({ baseURL: stack.baseUrl, apiKey: stack.key, maxRetries: 0 });
  });
  after(() => stack?.stop());
  beforeEach(() => stack.fake.post('/control/clear', {}));

  test('a response has text, a status and usage', async () => {
    const response = await client.responses.create({ model, input: 'hello there', instructions: 'Be short.' });
    assert.equal(response.output_text.split(' ').length, 12);
    assert.equal(response.status, 'completed');
    assert.equal(response.usage.output_tokens, 12);
    assert.equal(response.usage.total_tokens, response.usage.input_tokens + 12);
  });

  test('a stream has the same text, in the order of events that clients wait for', async () => {
    const whole = await client.responses.create({ model, input: 'the same' });
    const events = [];
    for await (const event of await client.responses.create({ model, input: 'the same', stream: true })) events.push(event);
    const types = events.map((event) => event.type);
    assert.deepEqual(types.slice(0, 4), ['response.created', 'response.in_progress', 'response.output_item.added',
      'response.content_part.added']);
    assert.deepEqual(types.slice(-4), ['response.output_text.done', 'response.content_part.done',
      'response.output_item.done', 'response.completed']);
    assert.deepEqual(events.map((event) => event.sequence_number), events.map((_, i) => i));
    const text = events.filter((event) => event.type === 'response.output_text.delta').map((event) => event.delta).join('');
    assert.equal(text, whole.output_text);
    assert.equal(events.at(-1).response.usage.output_tokens, 12);
  });

  for (const streamed of [false, true]) {
    test(`a tool round trip ${streamed ? 'in streams' : 'with whole responses'}`, async () => {
      const ask = async (input) => {
        const body = { model, input, tools: [weather], store: false };
        return streamed ? client.responses.stream(body).finalResponse() : client.responses.create(body);
      };
      const input = [{ role: 'user', content: 'use the tool get_weather with {"city":"Kraków"}' }];
      const first = await ask(input);
      const call = first.output.find((item) => item.type === 'function_call');
      assert.equal(call.name, 'get_weather');
      assert.deepEqual(JSON.parse(call.arguments), { city: 'Kraków' });
      input.push(...first.output.map(({ parsed_arguments, ...item }) => item));
      input.push({ type: 'function_call_output', call_id: call.call_id, output: 'rain, 4 degrees' });
      const second = await ask(input);
      assert.equal(second.output_text, 'The tool said: rain, 4 degrees');
    });
  }

  test('what needs state on the server is refused with a reason', async () => {
    await assert.rejects(client.responses.create({ model, input: 'go on', previous_response_id: 'resp_1' }),
      (error) => error instanceof OpenAI.BadRequestError && /previous_response_id/.test(error.message));
  });

  test('a stream that breaks ends as failed', async () => {
    await stack.script(model, { tokens: 40, cut_after_chunks: 9 }, 1);
    const types = [];
    for await (const event of await client.responses.create({ model, input: 'broken', stream: true })) types.push(event.type);
    assert.equal(types.at(-1), 'response.failed');
  });

  test('a WebSocket is refused at once, so that the client posts instead', async () => {
    const { request } = await import('node:http');
    const status = await new Promise((done, fail) => {
      const asked = request(`${stack.baseUrl}/responses`, {
        headers: { connection: 'Upgrade', upgrade: 'websocket', 'sec-websocket-version': '13', 'sec-websocket-key': 'eA==' },
      });
      asked.on('response', (answer) => { answer.resume(); done(answer.statusCode); });
      asked.on('error', fail);
      asked.end();
    });
    assert.equal(status, 426);
  });

  test('LangChain asks through Responses and calls its tools', async () => {
    const { ChatOpenAI } = await import('@langchain/openai');
    const chat = new ChatOpenAI({
      model, apiKey: stack.key, configuration: { baseURL: stack.baseUrl }, useResponsesApi: true, maxRetries: 0,
    });
    const answer = await chat.invoke('hello there');
    assert.equal(answer.text.split(' ').length, 12);
    const asked = await chat.bindTools([{ type: 'function', function: { name: weather.name, parameters: weather.parameters } }]).invoke('use the tool get_weather with {"city":"Oslo"}');
    assert.deepEqual(asked.tool_calls.map((call) => [call.name, call.args]), [['get_weather', { city: 'Oslo' }]]);
  });

  test('rows name the surface', async () => {
    const rows = await stack.logs(1);
    assert.ok(rows.every((row) => row.surface === 'openai-responses'));
  });
});
