// LangChain's OpenAI integration, through chat completions.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { ChatOpenAI, OpenAIEmbeddings } from '@langchain/openai';
import { AIMessage, HumanMessage, ToolMessage } from '@langchain/core/messages';
import { Stack } from './harness.mjs';

const weather = {
  type: 'function',
  function: {
    name: 'get_weather',
    parameters: { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] },
  },
};

describe('langchain', () => {
  let stack;
  let chat;

  before(async () => {
    stack = await Stack.start();
    chat = new ChatOpenAI({
      model: 'gemini-2.5-flash', apiKey: stack.key, configuration: { baseURL: stack.baseUrl }, maxRetries: 0,
    });
  });
  after(() => stack?.stop());

  test('invoke and stream give the same text', async () => {
    const whole = await chat.invoke('the same');
    let text = '';
    for await (const chunk of await chat.stream('the same')) text += chunk.content;
    assert.equal(text, whole.content);
    assert.equal(whole.usage_metadata.output_tokens, 12);
  });

  test('a tool round trip', async () => {
    const bound = chat.bindTools([weather]);
    const messages = [new HumanMessage('use the tool get_weather with {"city":"Bergen"}')];
    const first = await bound.invoke(messages);
    assert.ok(first instanceof AIMessage);
    const [call] = first.tool_calls;
    assert.deepEqual(call.args, { city: 'Bergen' });
    messages.push(first, new ToolMessage({ tool_call_id: call.id, content: 'rain' }));
    const second = await bound.invoke(messages);
    assert.equal(second.content, 'The tool said: rain');
  });

  test('documents are embedded', async () => {
    const embeddings = new OpenAIEmbeddings({
      model: 'text-embedding-005', apiKey: stack.key, configuration: { baseURL: stack.baseUrl }, maxRetries: 0,
    });
    const vectors = await embeddings.embedDocuments(['one', 'two']);
    assert.equal(vectors.length, 2);
    assert.ok(vectors[0].length > 10);
  });

  test('every token that upstream billed is in the ledger, at its exact price', () => stack.checkLedger());
});
