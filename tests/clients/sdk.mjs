// SPDX-License-Identifier: Apache-2.0
// The official SDKs for Node.js, and the AI SDK, as clients: sdk.py in another language.
//
//   node sdk.mjs openai-chat|openai-responses|anthropic|google|ai-chat|ai-responses|ai-messages|ai-gemini
import readline from 'node:readline';

const PLACE = {
  type: 'object', properties: { city: { type: 'string' }, count: { type: 'integer' } },
  required: ['city', 'count'], additionalProperties: false,
};
const WEATHER = {
  type: 'object', properties: { city: { type: 'string' }, big: { type: 'integer' } },
  required: ['city'], additionalProperties: false,
};
const NOTHING = { type: 'object', properties: {} };
const TOOLS = [['weather', 'Tells the weather.', WEATHER], ['clock', 'Tells the time.', NOTHING]];
const ROUNDS_MAX = 6;
const EVENTS_BEFORE_ABORT = 12;
const LIMIT_MS = 60000;

// The tools: only the exact arguments give the right answer.
function use(name, args) {
  const said = JSON.stringify(args);
  if (name === 'clock') return said === '{}' ? 'clock-12' : `clock-0 ${said}`;
  if (said === '{"city":"Paris"}') return 'weather-18';
  return args.city === 'Łódź' && args.big === 1234567890123456 ? 'weather-19' : `weather-0 ${said}`;
}

async function some(stream) {
  let count = 0;
  for await (const event of stream) if (event && ++count === EVENTS_BEFORE_ABORT) break;
  return { text: 'left' };
}

class OpenAIChat {
  constructor(sdk, base, key) {
    this.client = new sdk.default({ baseURL: base + '/v1', apiKey: key, maxRetries: 0, timeout: LIMIT_MS });
  }

  static load = () => import('openai');

  ask(line, more) {
    const content = line.picture
      ? [{ type: 'text', text: line.say },
        { type: 'image_url', image_url: { url: 'data:image/png;base64,' + line.picture } }]
      : line.say;
    return { model: line.model, messages: [{ role: 'user', content }], ...more };
  }

  told({ message, end, usage }) {
    return {
      text: message.content, end,
      usage: [usage.prompt_tokens, usage.prompt_tokens_details?.cached_tokens ?? null,
        usage.completion_tokens, usage.completion_tokens_details?.reasoning_tokens ?? null],
    };
  }

  async whole(ask, stream) {
    let answer;
    if (stream) {
      answer = await this.client.chat.completions.stream(
        { ...ask, stream_options: { include_usage: true } }).finalChatCompletion();
    } else {
      answer = await this.client.chat.completions.create(ask);
    }
    const { message, finish_reason: end } = answer.choices[0];
    return { message, end, usage: answer.usage };
  }

  async chat(line, stream) { return this.told(await this.whole(this.ask(line), stream)); }

  async tools(line, stream) {
    const ask = this.ask(line, {
      tools: TOOLS.map(([name, description, parameters]) => (
        { type: 'function', function: { name, description, parameters } })),
    });
    for (let round = 0; round < ROUNDS_MAX; round++) {
      const answer = await this.whole(ask, stream);
      if (!answer.message.tool_calls?.length) return this.told(answer);
      const { parsed, ...kept } = answer.message;
      ask.messages.push(kept);
      for (const call of answer.message.tool_calls) {
        const { name, arguments: args } = call.function;
        ask.messages.push({ role: 'tool', tool_call_id: call.id, content: use(name, JSON.parse(args)) });
      }
    }
    throw new Error('it never ends');
  }

  async schema(line) {
    return this.told(await this.whole(this.ask(line, {
      response_format: { type: 'json_schema', json_schema: { name: 'place', schema: PLACE, strict: true } },
    })));
  }

  async abort(line) {
    return some(await this.client.chat.completions.create({ ...this.ask(line), stream: true }));
  }

  async models() {
    const names = [];
    for await (const model of this.client.models.list()) names.push(model.id);
    return { text: names.join(' ') };
  }
}

class OpenAIResponses extends OpenAIChat {
  ask(line, more) {
    const content = [{ type: 'input_text', text: line.say }];
    if (line.picture) {
      content.push({ type: 'input_image', detail: 'auto', image_url: 'data:image/png;base64,' + line.picture });
    }
    return {
      model: line.model, input: [{ role: 'user', content }], store: false,
      include: ['reasoning.encrypted_content'], ...more,
    };
  }

  told(answer) {
    const { usage } = answer;
    return {
      text: answer.output_text ?? textOf(answer), end: answer.incomplete_details?.reason ?? answer.status,
      usage: [usage.input_tokens, usage.input_tokens_details.cached_tokens, usage.output_tokens,
        usage.output_tokens_details.reasoning_tokens],
    };
  }

  async whole(ask, stream) {
    if (!stream) return this.client.responses.create(ask);
    const events = this.client.responses.stream(ask);
    for await (const event of events) {
      if (event.type === 'response.failed' || event.type === 'error') throw new Error(JSON.stringify(event));
    }
    return events.finalResponse();
  }

  async tools(line, stream) {
    const ask = this.ask(line, {
      tools: TOOLS.map(([name, description, parameters]) => (
        { type: 'function', name, description, parameters, strict: false })),
    });
    for (let round = 0; round < ROUNDS_MAX; round++) {
      const answer = await this.whole(ask, stream);
      const calls = answer.output.filter((item) => item.type === 'function_call');
      if (!calls.length) return this.told(answer);
      for (const item of answer.output) {
        const { parsed_arguments: parsed, ...kept } = item;
        ask.input.push(kept);
      }
      for (const call of calls) {
        const output = use(call.name, JSON.parse(call.arguments));
        ask.input.push({ type: 'function_call_output', call_id: call.call_id, output });
      }
    }
    throw new Error('it never ends');
  }

  async schema(line) {
    return this.told(await this.whole(this.ask(line, {
      text: { format: { type: 'json_schema', name: 'place', schema: PLACE, strict: true } },
    })));
  }

  async abort(line) {
    return some(await this.client.responses.create({ ...this.ask(line), stream: true }));
  }

  async count(line) {
    const { model, input } = this.ask(line);
    return { text: String((await this.client.responses.inputTokens.count({ model, input })).input_tokens) };
  }
}

function textOf(answer) {
  return answer.output.filter((item) => item.type === 'message')
    .flatMap((item) => item.content).map((part) => part.text ?? '').join('');
}

class Anthropic {
  constructor(sdk, base, key) {
    this.client = new sdk.default({ baseURL: base, apiKey: key, maxRetries: 0, timeout: LIMIT_MS });
  }

  static load = () => import('@anthropic-ai/sdk');

  ask(line, more) {
    const content = [{ type: 'text', text: line.say }];
    if (line.picture) {
      content.unshift({ type: 'image', source: { type: 'base64', media_type: 'image/png', data: line.picture } });
    }
    return {
      model: line.model, max_tokens: 4000, thinking: { type: 'enabled', budget_tokens: 2000 },
      messages: [{ role: 'user', content }], ...more,
    };
  }

  told(answer) {
    const { usage } = answer;
    const cached = usage.cache_read_input_tokens ?? 0;
    const all = (kind, field) => answer.content.filter((b) => b.type === kind).map((b) => b[field]).join('');
    return {
      text: all('text', 'text'), think: all('thinking', 'thinking'), end: answer.stop_reason,
      usage: [usage.input_tokens + cached + (usage.cache_creation_input_tokens ?? 0), cached,
        usage.output_tokens, usage.output_tokens_details?.thinking_tokens ?? null],
    };
  }

  async whole(ask, stream) {
    return stream ? this.client.messages.stream(ask).finalMessage() : this.client.messages.create(ask);
  }

  async chat(line, stream) { return this.told(await this.whole(this.ask(line), stream)); }

  async tools(line, stream) {
    const ask = this.ask(line, {
      tools: TOOLS.map(([name, description, schema]) => ({ name, description, input_schema: schema })),
    });
    for (let round = 0; round < ROUNDS_MAX; round++) {
      const answer = await this.whole(ask, stream);
      const calls = answer.content.filter((block) => block.type === 'tool_use');
      if (!calls.length) return this.told(answer);
      ask.messages.push({ role: 'assistant', content: answer.content }, {
        role: 'user',
        content: calls.map((call) => (
          { type: 'tool_result', tool_use_id: call.id, content: use(call.name, call.input) })),
      });
    }
    throw new Error('it never ends');
  }

  async schema(line) {
    return this.told(await this.whole(this.ask(line, {
      output_config: { format: { type: 'json_schema', schema: PLACE } },
    })));
  }

  async abort(line) {
    return some(await this.client.messages.create({ ...this.ask(line), stream: true }));
  }

  async count(line) {
    const { model, messages } = this.ask(line);
    return { text: String((await this.client.messages.countTokens({ model, messages })).input_tokens) };
  }

  async models() {
    const names = [];
    for await (const model of this.client.models.list()) names.push(model.id);
    return { text: names.join(' ') };
  }
}

class Google {
  constructor(sdk, base, key) {
    this.client = new sdk.GoogleGenAI({ apiKey: key, httpOptions: { baseUrl: base, timeout: LIMIT_MS } });
  }

  static load = () => import('@google/genai');

  ask(line, config) {
    const parts = [{ text: line.say }];
    if (line.picture) parts.push({ inlineData: { mimeType: 'image/png', data: line.picture } });
    return {
      model: line.model, contents: [{ role: 'user', parts }],
      config: { thinkingConfig: { includeThoughts: true }, ...config },
    };
  }

  told({ parts, end, usage }) {
    const all = (thought) => parts.filter((p) => Boolean(p.thought) === thought).map((p) => p.text ?? '').join('');
    return {
      text: all(false), think: all(true), end,
      usage: [usage.promptTokenCount, usage.cachedContentTokenCount ?? null,
        (usage.candidatesTokenCount ?? 0) + (usage.thoughtsTokenCount ?? 0), usage.thoughtsTokenCount ?? null],
    };
  }

  async whole(ask, stream) {
    const answers = stream ? await this.client.models.generateContentStream(ask)
      : [await this.client.models.generateContent(ask)];
    const told = { parts: [], end: null, usage: null };
    for await (const answer of answers) {
      const candidate = answer.candidates?.[0];
      told.parts.push(...(candidate?.content?.parts ?? []));
      told.end = candidate?.finishReason ?? told.end;
      told.usage = answer.usageMetadata ?? told.usage;
    }
    return told;
  }

  async chat(line, stream) { return this.told(await this.whole(this.ask(line), stream)); }

  async tools(line, stream) {
    const ask = this.ask(line, {
      tools: [{
        functionDeclarations: TOOLS.map(([name, description, schema]) => (
          { name, description, ...(schema === NOTHING ? {} : { parametersJsonSchema: schema }) })),
      }],
    });
    for (let round = 0; round < ROUNDS_MAX; round++) {
      const answer = await this.whole(ask, stream);
      const calls = answer.parts.filter((part) => part.functionCall).map((part) => part.functionCall);
      if (!calls.length) return this.told(answer);
      ask.contents.push({ role: 'model', parts: answer.parts }, {
        role: 'user',
        parts: calls.map(({ id, name, args }) => (
          { functionResponse: { id, name, response: { output: use(name, args ?? {}) } } })),
      });
    }
    throw new Error('it never ends');
  }

  async schema(line) {
    return this.told(await this.whole(this.ask(line, {
      responseMimeType: 'application/json', responseJsonSchema: PLACE,
    })));
  }

  async abort(line) {
    const left = new AbortController();
    const told = await some(await this.client.models.generateContentStream(
      this.ask(line, { abortSignal: left.signal })));
    left.abort();
    return told;
  }

  async count(line) {
    const { model, contents } = this.ask(line);
    return { text: String((await this.client.models.countTokens({ model, contents })).totalTokens) };
  }

  async models() {
    const names = [];
    for await (const model of await this.client.models.list()) names.push(model.name);
    return { text: names.join(' ') };
  }
}

// The AI SDK: one way of asking, and a provider for each dialect.
class AiSdk {
  static providers = {
    'ai-chat': ['openai-compatible', (m, base, key) => (id) => m.createOpenAICompatible(
      { name: 'station', baseURL: base + '/v1', apiKey: key, includeUsage: true,
        supportsStructuredOutputs: true })(id)],
    'ai-responses': ['openai', (m, base, key) => (id) => m.createOpenAI(
      { baseURL: base + '/v1', apiKey: key }).responses(id)],
    'ai-messages': ['anthropic', (m, base, key) => (id) => m.createAnthropic(
      { baseURL: base + '/v1', apiKey: key })(id)],
    'ai-gemini': ['google', (m, base, key) => (id) => m.createGoogleGenerativeAI(
      { baseURL: base + '/v1beta', apiKey: key })(id)],
  };

  static async load(kind) {
    const [name, make] = AiSdk.providers[kind];
    return { ai: await import('ai'), make, provider: await import('@ai-sdk/' + name) };
  }

  constructor({ ai, make, provider }, base, key) {
    this.ai = ai;
    this.model = make(provider, base, key);
  }

  ask(line, more) {
    const content = [{ type: 'text', text: line.say }];
    if (line.picture) content.push({ type: 'file', mediaType: 'image/png', data: line.picture });
    return {
      model: this.model(line.model), messages: [{ role: 'user', content }], maxRetries: 0,
      maxOutputTokens: 4000, abortSignal: AbortSignal.timeout(LIMIT_MS),
      // Without this it sends names of items back instead of the items, which only their vendor has.
      providerOptions: { openai: { store: false } }, ...more,
    };
  }

  async whole(ask, stream) {
    let failed = null;
    const answer = stream ? this.ai.streamText({ ...ask, onError: ({ error }) => { failed = error; } })
      : await this.ai.generateText(ask);
    if (stream) {
      for await (const part of answer.fullStream ?? answer.stream) {
        if (part.type === 'error') failed = part.error;
      }
      if (failed) throw failed;
    }
    const steps = await answer.steps;
    const last = steps[steps.length - 1];
    return {
      text: last.text, think: last.reasoningText ?? '', end: last.finishReason,
      usage: [last.usage.inputTokens ?? null, last.usage.inputTokenDetails?.cacheReadTokens ?? null,
        last.usage.outputTokens ?? null, last.usage.outputTokenDetails?.reasoningTokens ?? null],
    };
  }

  async chat(line, stream) { return this.whole(this.ask(line), stream); }

  async tools(line, stream) {
    const tools = Object.fromEntries(TOOLS.map(([name, description, schema]) => [name, this.ai.tool({
      description, inputSchema: this.ai.jsonSchema(schema), execute: async (args) => use(name, args),
    })]));
    return this.whole(this.ask(line, { tools, stopWhen: this.ai.stepCountIs(ROUNDS_MAX) }), stream);
  }

  async schema(line) {
    return this.whole(this.ask(line, {
      output: this.ai.Output.object({ schema: this.ai.jsonSchema(PLACE) }),
    }));
  }

  async abort(line) {
    const left = new AbortController();
    const answer = this.ai.streamText({ ...this.ask(line), abortSignal: left.signal, onError() {} });
    const told = await some(answer.fullStream ?? answer.stream);
    left.abort();
    return told;
  }
}

const KINDS = {
  'openai-chat': OpenAIChat, 'openai-responses': OpenAIResponses, anthropic: Anthropic, google: Google,
};
const kind = process.argv[2];
const Kind = KINDS[kind] ?? AiSdk;
const sdk = await Kind.load(kind);
process.on('unhandledRejection', () => {});     // of streams that were left

for await (const text of readline.createInterface({ input: process.stdin })) {
  const line = JSON.parse(text);
  let told;
  try {
    const [what, how] = line.do.split('+');
    told = await new Kind(sdk, line.base, line.key)[what](line, how === 'stream');
  } catch (error) {
    const status = error.status ?? error.statusCode ?? error.code ?? null;
    told = {
      error: error.name ?? 'Error', message: String(error.responseBody ?? error.message).slice(0, 600),
      status: typeof status === 'number' ? status : null,
    };
  }
  console.log(JSON.stringify(told));
}
process.exit(0);
