// Prints what AsyncAPI's own parser thinks of the document that is named: one JSON list.
import { readFileSync } from 'node:fs';
import asyncapi from '@asyncapi/parser';

const parser = new asyncapi.Parser();
const { document, diagnostics } = await parser.parse(readFileSync(process.argv[2], 'utf8'));
console.log(JSON.stringify({
  channels: document?.channels().all().map((c) => c.address()) ?? [],
  diagnostics: diagnostics.map(({ code, severity, message, path }) => ({ code, severity, message, path })),
}));
