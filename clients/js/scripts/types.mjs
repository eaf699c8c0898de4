// Writes src/generated/rest.ts and src/generated/live.ts from the two API documents, so that no type of the wire is
// written by hand. Both files hold types only: a bundler that takes src/ as it is needs neither.
//
//   node scripts/types.mjs [FOLDER OF THE DOCUMENTS]
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const here = dirname(fileURLToPath(import.meta.url));
const documents = process.argv[2] ?? join(here, '../../../docs/api');
const target = join(here, '../src/generated');
const read = (name) => JSON.parse(readFileSync(join(documents, name), 'utf8'));
const header = (name) => `// Made of docs/api/${name} by scripts/types.mjs. Not to be edited.\n\n`;

function camel(name) {
  return name.replace(/(?:^|_)([a-z])/g, (_, letter) => letter.toUpperCase());
}

function named(ref) {
  const parts = ref.split('/');
  return parts[2] === 'messages' ? `${camel(parts[3])}Frame` : parts.at(-1);
}

function literal(value) {
  return JSON.stringify(value).replace(/^"(.*)"$/, (_, text) => `'${text.replaceAll("'", "\\'")}'`);
}

function comment(schema, indent) {
  if (!schema.description) return '';
  return `${indent}/** ${schema.description.replaceAll('*/', '* /').replace(/\s*\n\s*/g, ' ')} */\n`;
}

const unique = (list) => [...new Set(list)].join(' | ');

function type(schema, indent = '') {
  if (schema.$ref) return named(schema.$ref);
  if (schema.const !== undefined) return literal(schema.const);
  if (schema.enum) return unique(schema.enum.map(literal));
  if (schema.allOf) return schema.allOf.map((each) => type(each, indent)).join(' & ');
  const either = schema.anyOf ?? schema.oneOf;
  if (either) return unique(either.map((each) => type(each, indent)));
  if (Array.isArray(schema.type)) return unique(schema.type.map((each) => type({ ...schema, type: each }, indent)));
  switch (schema.type) {
    case 'array': {
      const items = type(schema.items ?? {}, indent);
      return /[|&]/.test(items) ? `(${items})[]` : `${items}[]`;
    }
    case 'object': return object(schema, indent);
    case 'integer': case 'number': return 'number';
    case 'string': case 'boolean': case 'null': return schema.type;
    default: return 'unknown';
  }
}

function object({ properties, required = [], additionalProperties }, indent) {
  if (!properties) {
    const values = typeof additionalProperties === 'object' ? type(additionalProperties, indent) : 'unknown';
    return `Record<string, ${values}>`;
  }
  const inner = `${indent}  `;
  const lines = Object.entries(properties).map(([name, schema]) =>
    `${comment(schema, inner)}${inner}${name}${required.includes(name) ? '' : '?'}: ${type(schema, inner)};\n`);
  return `{\n${lines.join('')}${indent}}`;
}

function declare(name, schema) {
  return `${comment(schema, '')}export type ${name} = ${type(schema)};\n\n`;
}

// --- REST: the schemas, and one table of all calls by "METHOD /path".
function resolve(root, value) {
  return value.$ref ? value.$ref.slice(2).split('/').reduce((at, key) => at[key], root) : value;
}

function fields(root, parameters, place) {
  const found = parameters.map((each) => resolve(root, each)).filter((each) => each.in === place);
  if (!found.length) return '';
  const inner = found.map(({ name, required, schema }) => `${name}${required ? '' : '?'}: ${type(schema)}`);
  const optional = found.every((each) => !each.required) ? '?' : '';
  return `    ${place}${optional}: { ${inner.join('; ')} };\n`;
}

function json(root, value) {
  const content = value && resolve(root, value).content;
  return content?.['application/json']?.schema;
}

function call(root, path, method, operation, shared) {
  const parameters = [...shared, ...(operation.parameters ?? [])];
  const body = json(root, operation.requestBody);
  const good = Object.entries(operation.responses).filter(([status]) => status.startsWith('2'));
  const answers = good.map(([, response]) => json(root, response)).map((schema) => (schema ? type(schema) : 'void'));
  return `  /** ${operation.summary ?? ''} */\n  '${method.toUpperCase()} ${path}': {\n`
    + fields(root, parameters, 'path') + fields(root, parameters, 'query')
    + (body ? `    body: ${type(body)};\n` : '')
    + `    answer: ${unique(answers) || 'void'};\n  };\n`;
}

function rest() {
  const root = read('openapi.json');
  let text = header('openapi.json');
  for (const [name, schema] of Object.entries(root.components.schemas)) {
    if (!name.startsWith('Classic')) text += declare(name, schema);
  }
  text += '/** Every call of version 1. */\nexport interface Calls {\n';
  for (const [path, item] of Object.entries(root.paths)) {
    if (!path.startsWith('/v1/') || path === '/v1/ws') continue;
    for (const method of ['get', 'post', 'put', 'patch', 'delete']) {
      if (item[method]) text += call(root, path, method, item[method], item.parameters ?? []);
    }
  }
  return `${text}}\n`;
}

function live() {
  const root = read('asyncapi.json');
  let text = header('asyncapi.json');
  const { messages, schemas } = root.components;
  for (const [name, schema] of Object.entries(schemas)) if (!name.startsWith('Classic')) text += declare(name, schema);
  const plain = Object.keys(messages).filter((name) => !name.startsWith('classic_'));
  for (const name of plain) text += declare(`${camel(name)}Frame`, messages[name].payload);
  const of = (names) => names.map((name) => `${camel(name)}Frame`).join(' | ');
  const down = root.operations.toClient.messages.map((each) => each.$ref.split('/').at(-1));
  text += `export type ServerFrame = ${of(down)};\n\n`;
  return `${text}export type ClientFrame = ${of(plain.filter((name) => !down.includes(name)))};\n`;
}

mkdirSync(target, { recursive: true });
writeFileSync(join(target, 'rest.ts'), rest());
writeFileSync(join(target, 'live.ts'), live());
