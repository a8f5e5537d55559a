// Every way in which an upstream fails, with a healthy one beside it, as a client of the OpenAI SDK meets it.
//
//   NEMO_FAULT_ROUNDS  how often each case is repeated (default 5; scripts/test-faults: 100)

import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { after, before, describe, test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import OpenAI from 'openai';
import { Fake, Stack, direct } from './harness.mjs';
import { exactDollars, nanoDollars } from './ledger.mjs';

const rounds = Number(process.env.NEMO_FAULT_ROUNDS ?? 5);
const words = 60;
const callTimeoutMs = 20_000;
const lanes = 8; // cases that run side by side
const messages = [{ role: 'user', content: 'tell me something long' }];

// `at`: which upstream is asked first; `script`: what it is told to do, per mode; `seen`: what the client must see;
// `trouble`: what the ledger's trace says of the first attempt, where the fault could be mistaken for another.
const everywhere = (script) => ({ whole: script, stream: script });
const cases = [
  { name: 'refused', at: 'refused', script: everywhere({}), seen: 'answer', trouble: /refused|connect to/ },
  { name: 'reset', script: everywhere({ cut_before_head: true }), seen: 'answer', trouble: /reset/ },
  { name: 'TLS failure', at: 'tls', script: everywhere({}), seen: 'answer', trouble: /SSL|TLS/ },
  { name: 'DNS failure', at: 'dns', script: everywhere({}), seen: 'answer', trouble: /resolve/ },
  { name: '401', script: everywhere({ status: 401 }), seen: 401 },
  { name: '404', script: everywhere({ status: 404 }), seen: 404 },
  // Its deployment is left alone for that long, so every round takes a model of its own.
  { name: '429, retry-after 7', script: everywhere({ status: 429, retry_after: '7' }), seen: 'answer', fresh: true },
  { name: '429', script: everywhere({ status: 429 }), seen: 'answer' },
  { name: '500', script: everywhere({ status: 500 }), seen: 'answer' },
  { name: '503', script: everywhere({ status: 503 }), seen: 'answer' },
  { name: '529', script: everywhere({ status: 529 }), seen: 'answer' },
  { name: 'no head', script: everywhere({ delay_ms: 600_000 }), seen: 'answer', trouble: /^504|time|300 ms/ },
  { name: 'no first token', script: everywhere({ stall_after_chunks: 0 }), seen: 'answer', trouble: /^504|time|300 ms/ },
  { name: 'cut before content', script: everywhere({ cut_after_chunks: 1 }), seen: 'answer' },
  { name: 'error event before content', script: everywhere({ error_event_after: 1 }), seen: 'answer' },
  { name: 'malformed before content', script: everywhere({ malformed: 'json', malformed_after: 1 }), seen: 'answer' },
  { name: 'empty 200', script: everywhere({ empty_200: true }), seen: 'answer' },
  { name: 'gzip garbage', script: everywhere({ gzip_garbage: true }), seen: 'answer', trouble: /compressed, but not readable/ },
  // Chunk 0 is the role. What is whole has sent nothing on by then.
  // A reset may take back what was sent and not read yet, so fewer words may come.
  { name: 'cut after 40 of 60', script: { stream: { cut_after_chunks: 41, chunk_ms: 1 } }, seen: 'cut', least: 1 },
  { name: 'closed after 40 of 60', script: { stream: { cut_after_chunks: 41, cut: 'close' } }, seen: 'cut' },
  { name: 'half an answer', script: { whole: { cut_after_chunks: 1 } }, seen: 'answer' },
  { name: 'stall after 40 of 60', script: { stream: { stall_after_chunks: 41 } }, seen: 'cut' },
  { name: 'stall in an answer', script: { whole: { stall_after_chunks: 1 } }, seen: 'answer' },
  // What is sent on is sent as it came, and upstream's statement of its usage follows it.
  { name: 'malformed after 40 of 60', script: { stream: { malformed: 'json', malformed_after: 41 } }, seen: 'garbled' },
  { name: 'error event after 40 of 60', script: { stream: { error_event_after: 41 } }, seen: 'cut' },
];
// Lays the faults of a rule aside.
const clean = { cut_after_chunks: null, stall_after_chunks: null, malformed: '', error_event_after: null };
cases.forEach((one, index) => (one.model = `fault-${index}`));

const modelOf = (one, mode, round) => (one.fresh ? `${one.model}-${mode}-${round}` : `${one.model}-${mode}`);

function modelsOf(one) {
  const each = one.fresh ? Array.from({ length: rounds }, (_, round) => round) : [0];
  return Object.keys(one.script).flatMap((mode) => each.map((round) => modelOf(one, mode, round)));
}

// Dollars per million tokens, so that a token is a round number of nano-dollars.
const price = { input: 1_000n, output: 10_000n };
const costOf = (row) => BigInt(row.input_tokens) * price.input + BigInt(row.output_tokens) * price.output;

const upstreamToml = (name, url, more = '') =>
  `[[upstream]]\nname = "${name}"\nkind = "openai"\nbase_url = "${url}/v1"\nkey = "env:FAKE_KEY"\n${more}\n`;
const short = 'first_token_timeout = "300ms"\nidle_timeout = "300ms"\n';

function configFor({ first, second, plain, routing }) {
  const parts = ['listen = "127.0.0.1:0"\n', routing];
  parts.push(upstreamToml('first', first, short), upstreamToml('second', second));
  parts.push(upstreamToml('refused', 'http://127.0.0.1:1'));
  parts.push(upstreamToml('tls', plain.replace('http:', 'https:')));
  parts.push(upstreamToml('dns', 'http://nobody.invalid', 'connect_timeout = "2s"\n'));
  for (const one of cases) {
    for (const model of modelsOf(one)) {
      parts.push(`[model."${model}"]\ncontext_window = 100000\nprice = { input = "1", output = "10" }\n`);
      parts.push(`[[deployment]]\nmodel = "${model}"\nupstream = "${one.at ?? 'first'}"\norder = 1\n`);
      parts.push(`[[deployment]]\nmodel = "${model}"\nupstream = "second"\norder = 2\n`);
    }
  }
  return parts.join('\n');
}

// A daemon, the upstream that fails and the one that does not, and a client of a key with a budget and a limit.
class Bench {
  static async start(routing) {
    const bench = new Bench();
    bench.plain = createServer(() => {}).on('clientError', (_, socket) => socket.destroy());
    await new Promise((done) => bench.plain.listen(0, '127.0.0.1', done));
    bench.second = await Fake.start(['--script', JSON.stringify({ tokens: words, seed: 'second' })]);
    const addresses = { second: bench.second.url, plain: `http://127.0.0.1:${bench.plain.address().port}`, routing };
    bench.stack = await Stack.start({ config: (first) => configFor({ ...addresses, first }) });
    for (const one of cases.filter(({ at }) => !at)) {
      for (const [mode, script] of Object.entries(one.script)) {
        const pattern = one.fresh ? `${one.model}-${mode}-*` : `${one.model}-${mode}`;
        await bench.stack.script(pattern, { tokens: words, ...script });
      }
    }
    bench.created = await bench.stack.nemo(
      'keys', 'create', '--seat', 'faults', '--budget', '1000/month', '--parallel', String(2 * lanes));
    bench.client = new OpenAI({
      baseURL: bench.stack.baseUrl, apiKey: bench.created.key, maxRetries: 0, timeout: callTimeoutMs, logLevel: 'off',
    });
    return bench;
  }

  // What the upstream says when nothing is wrong.
  async textOf(fake, model, script) {
    const answer = await fake.post('/v1/chat/completions', { model, messages, fake: script });
    return answer.choices[0].message.content;
  }

  async call(one, mode, round) {
    const model = modelOf(one, mode, round);
    const begun = performance.now();
    const seen = { model, mode, text: '', error: null, id: null, attempts: null };
    const note = (headers) => {
      seen.id = headers?.get('x-nemo-request-id');
      seen.attempts = Number(headers?.get('x-nemo-attempts'));
      seen.upstream = headers?.get('x-nemo-upstream');
    };
    try {
      const body = { model, messages, stream: mode === 'stream' };
      const { data, response } = await this.client.chat.completions.create(body).withResponse();
      note(response.headers);
      if (mode === 'whole') seen.text = data.choices[0].message.content;
      else for await (const chunk of data) seen.text += chunk.choices[0]?.delta.content ?? '';
    } catch (error) {
      seen.error = error;
      if (error.headers) note(error.headers);
    }
    seen.ms = performance.now() - begun;
    return seen;
  }

  // Nothing runs any more: at the daemon, at the upstreams, in the books.
  async comesToRest() {
    const deadline = Date.now() + 10_000;
    for (;;) {
      const status = await this.stack.nemo('status');
      const open = await Promise.all([this.stack.fake, this.second].map(async (fake) => (await fake.get('/journal/summary')).open));
      const [budget] = (await this.stack.nemo('budgets')).filter((each) => each.scope === 'key');
      const left = { calls: status.open_calls, waiting: status.ledger.waiting, upstream: open, reserved: nanoDollars(budget.reserved) };
      if (!left.calls && !left.waiting && open.every((count) => count === 0) && left.reserved === 0n) return budget;
      assert.ok(Date.now() < deadline, `still held: ${JSON.stringify({ ...left, reserved: budget.reserved })}`);
      await pause(50);
    }
  }

  // As many calls at once as the key may make: no place was lost.
  async everyPlaceIsFree(model) {
    const calls = Array.from({ length: 2 * lanes }, () =>
      this.client.chat.completions.create({ model, messages, fake: { chunk_ms: 5, status: 200 } }));
    const answers = await Promise.all(calls);
    assert.ok(answers.every((answer) => answer.choices[0].message.content.length > 0));
  }

  async stop() {
    await this.stack?.stop();
    await this.second?.program.stop();
    this.plain.closeAllConnections();
    await new Promise((done) => this.plain.close(done));
  }
}

function check(one, seen, expected) {
  const what = `${one.name}, ${seen.mode}: ${seen.error?.status ?? ''} ${seen.error ?? seen.text.slice(0, 40)}`;
  assert.ok(seen.ms < callTimeoutMs, `${what}: took ${seen.ms} ms`);
  assert.ok(!(seen.error instanceof OpenAI.APIConnectionTimeoutError), `${what}: it hung`);
  assert.ok(seen.id, `${what}: no request id`);
  if (one.seen === 'answer') {
    assert.equal(seen.error, null, what);
    assert.equal(seen.text, expected.second, `${what}: not the second's text, once`);
    assert.equal(seen.attempts, 2, what);
    assert.equal(seen.upstream, 'second', what);
  } else if (one.seen === 'cut' || one.seen === 'garbled') {
    const kind = one.seen === 'cut' ? OpenAI.APIError : SyntaxError;
    assert.ok(seen.error instanceof kind, `${what}: no error of the right kind`);
    assert.equal(seen.attempts, 1, what);
    const came = seen.text.split(' ');
    assert.ok(came.length >= (one.least ?? 40) && came.length <= 40, `${what}: ${came.length} words`);
    assert.deepEqual(came, expected.first.split(' ').slice(0, came.length), `${what}: not the words that were sent`);
  } else {
    assert.equal(seen.error?.status, one.seen, what);
    assert.equal(seen.attempts, 1, what);
  }
}

function checkRow(one, seen, row, expected) {
  const what = `${one.name}, ${seen.mode}: ${JSON.stringify(row)}`;
  assert.ok(row, `${one.name}, ${seen.mode}: no row`);
  assert.equal(row.attempts, seen.attempts, what);
  assert.equal(nanoDollars(row.cost), costOf(row), what);
  if (one.seen === 'answer') {
    assert.deepEqual([row.status, row.upstream, row.usage_source, row.output_tokens], ['ok', 'second', 'provider', words], what);
  } else if (one.seen === 'garbled') {
    assert.equal(row.upstream, 'first', what);
    assert.ok(row.status === 'ok' ? row.output_tokens === words : row.status === 'cancelled', what);
  } else if (one.seen === 'cut') {
    assert.deepEqual([row.status, row.upstream, row.usage_source], ['error', 'first', 'partial'], what);
    // Counted at four bytes a token, as nobody stated it.
    assert.equal(row.output_tokens, Math.ceil(seen.text.length / 4), what);
  } else {
    assert.deepEqual([row.status, row.http_status, row.cost], ['error', one.seen, '0'], what);
  }
}

// "5 x 200", the attempts, and what the ledger has charged.
function lineOf(one, mode, calls, rows) {
  const tally = (values) => {
    const counts = new Map();
    for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1);
    return [...counts].map(([value, count]) => `${count} x ${value}`).join(', ');
  };
  const shown = ({ error, text }) => {
    if (!error) return '200';
    return error.status ?? `200, ${text.split(' ').length} words, then ${error.code ?? error.type ?? error.name}`;
  };
  const charged = rows.map((row) => `${row.output_tokens} out, $${row.cost} (${row.usage_source})`);
  const slowest = Math.max(...calls.map(({ ms }) => ms));
  return [one.name, mode, tally(calls.map(shown)), tally(calls.map(({ attempts }) => attempts)), tally(charged), slowest.toFixed(0)];
}

function print(title, lines, head = ['case', 'mode', 'the client saw', 'attempts', 'charged', 'slowest ms']) {
  const all = [head, ...lines];
  const widths = all[0].map((_, column) => Math.max(...all.map((line) => String(line[column]).length)));
  console.log(`\n${title}\n${all.map((line) => line.map((cell, column) => String(cell).padEnd(widths[column])).join('  ').trimEnd()).join('\n')}\n`);
}

// What the trace says of the first attempt of one call of each case.
async function firstTroubles(bench, results) {
  const jobs = results.map(({ one, mode, calls }) => async () => {
    const { attempts } = await bench.stack.nemo('why', calls[0].id);
    const { http_status: status, error } = attempts[0];
    return [one.name, mode, status ?? 0, error ?? '', one.trouble ?? /./];
  });
  return sideBySide(jobs);
}

async function sideBySide(jobs) {
  const waiting = [...jobs];
  const results = [];
  const worker = async () => {
    for (let job = waiting.shift(); job; job = waiting.shift()) results.push(await job());
  };
  await Promise.all(Array.from({ length: lanes }, worker));
  return results;
}

describe('an upstream that fails beside a healthy one', { skip: direct && 'only the daemon fails over' }, () => {
  // Out of the way: with it the later rounds would not meet the fault.
  const withoutBreaker = '[routing]\nallowed_fails = 1000000\ncooldown = "0s"\n';
  const jobsOf = (times, run) =>
    cases.flatMap((one) => Object.keys(one.script).map((mode) => async () => {
      const calls = [];
      for (let round = 0; round < times; ++round) calls.push(await run(one, mode, round));
      return { one, mode, calls };
    }));

  // Rows by request id, and what they cost together.
  async function readLedger(bench, count) {
    const budget = await bench.comesToRest();
    const rows = await bench.stack.nemo('logs', '-n', '10000');
    assert.equal(rows.length, count);
    const sum = rows.reduce((total, row) => total + nanoDollars(row.cost), 0n);
    assert.equal(budget.spent && exactDollars(nanoDollars(budget.spent)), exactDollars(sum), 'the budget has what the rows have');
    return new Map(rows.map((row) => [row.id, row]));
  }

  async function show(bench, title, results, eachRow, { troubles = false } = {}) {
    const ledger = await readLedger(bench, results.reduce((sum, { calls }) => sum + calls.length, 0));
    const lines = [];
    const wrong = [];
    for (const { one, mode, calls } of results) {
      lines.push(lineOf(one, mode, calls, calls.map(({ id }) => ledger.get(id)).filter(Boolean)));
      for (const call of calls) {
        try {
          eachRow(one, call, ledger.get(call.id));
        } catch (error) {
          wrong.push(error.message);
        }
      }
    }
    const place = ([name]) => cases.findIndex((one) => one.name === name);
    print(title, lines.sort((a, b) => place(a) - place(b)));
    if (troubles) {
      const all = await firstTroubles(bench, results.filter(({ one }) => one.seen === 'answer'));
      print('the first attempt', all.map((line) => line.slice(0, 4)).sort((a, b) => place(a) - place(b)), ['case', 'mode', 'status', 'what the trace says']);
      for (const [name, mode, , error, pattern] of all) if (!pattern.test(error)) wrong.push(`${name}, ${mode}: another fault: ${error}`);
    }
    assert.deepEqual([...new Set(wrong)].slice(0, 20), []);
    await bench.everyPlaceIsFree('fault-8-whole');
  }

  test(`each fault, ${rounds} times`, async () => {
    const bench = await Bench.start(withoutBreaker);
    try {
      const expected = new Map();
      const run = async (one, mode, round) => {
        const model = modelOf(one, mode, round);
        if (!expected.has(model)) {
          expected.set(model, {
            second: await bench.textOf(bench.second, model, {}),
            first: ['cut', 'garbled'].includes(one.seen) ? await bench.textOf(bench.stack.fake, model, clean) : '',
          });
        }
        return bench.call(one, mode, round);
      };
      const results = await sideBySide(jobsOf(rounds, run));
      await show(bench, `${rounds} rounds, the breaker out of the way`, results, (one, call, row) => {
        check(one, call, expected.get(call.model));
        checkRow(one, call, row);
      }, { troubles: true });
    } finally {
      await bench.stop();
    }
  });

  test('with the breaker as it comes: a deployment that goes on failing is not asked any more', async () => {
    const bench = await Bench.start('');
    const times = Math.min(rounds, 5); // one more than three failures in a row
    try {
      const results = await sideBySide(jobsOf(times, (one, mode, round) => bench.call(one, mode, one.fresh ? 0 : round)));
      await show(bench, 'the breaker as it comes', results, (one, call) => {
        const what = `${one.name}, ${call.mode}: ${call.error}`;
        assert.ok(call.ms < callTimeoutMs, what);
        if (one.seen === 'answer') assert.equal(call.error, null, what);
        assert.ok(call.attempts === 1 || call.attempts === 2, what);
      });
      for (const { one, mode, calls } of results.filter(({ one }) => one.seen === 'answer')) {
        assert.equal(calls[0].attempts, 2, `${one.name}, ${mode}: the first meets the fault`);
        assert.equal(calls.at(-1).attempts, 1, `${one.name}, ${mode}: the last does not`);
      }
    } finally {
      await bench.stop();
    }
  });
});
