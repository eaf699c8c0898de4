// Builds the web client and writes a C++ file that holds it and the API documents, each also compressed.
//
//   node embed.mjs FOLDER OUT.cpp DOCUMENT...       everything made goes into FOLDER
//
// Run by cmake/embed.cmake, under a lock: several build folders share web/node_modules.
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { copyFileSync, existsSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { basename, dirname, extname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { brotliCompressSync, constants, gzipSync } from 'node:zlib';

const web = join(dirname(fileURLToPath(import.meta.url)), '..');
const [folder, out, ...documents] = process.argv.slice(2);
const dist = join(folder, 'dist');

const TYPES = {
  '.html': 'text/html; charset=utf-8', '.js': 'text/javascript; charset=utf-8', '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml', '.json': 'application/json', '.png': 'image/png',
  '.webmanifest': 'application/manifest+json',
};
const NAMES = { '/docs.html': '/docs', '/parley.postman_collection.json': '/postman.json' };

// The packages of the lock file; the network is needed for these alone, and only when the lock changed.
function install() {
  const lock = join(web, 'package-lock.json');
  const mark = join(web, 'node_modules/.installed.json');
  if (existsSync(mark) && readFileSync(mark, 'utf8') === readFileSync(lock, 'utf8')) return;
  execFileSync('npm', ['ci', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'],
    { cwd: web, stdio: ['ignore', 'inherit', 'inherit'] });
  copyFileSync(lock, mark);
}

function build() {
  execFileSync(process.execPath, [join(web, 'node_modules/vite/bin/vite.js'), 'build', '--outDir', dist,
    '--emptyOutDir', '--logLevel', 'warn'], { cwd: web, stdio: ['ignore', 'inherit', 'inherit'] });
}

function filesOf(place) {
  return readdirSync(place, { withFileTypes: true }).flatMap((entry) => {
    const path = join(place, entry.name);
    return entry.isDirectory() ? filesOf(path) : [path];
  });
}

// Only where it makes the file clearly smaller.
function compressed(file, number) {
  const bytes = readFileSync(file);
  const variants = {
    gz: gzipSync(bytes, { level: 9 }),
    br: brotliCompressSync(bytes, { params: { [constants.BROTLI_PARAM_SIZE_HINT]: bytes.length } }),
  };
  const found = {};
  for (const [kind, small] of Object.entries(variants)) {
    if (small.length > bytes.length * 0.9) continue;
    found[kind] = join(folder, 'compressed', `${number}.${kind}`);
    writeFileSync(found[kind], small);
  }
  return found;
}

// 64 bits: it tells versions apart, and guards nothing.
function etagOf(file) {
  return createHash('sha256').update(readFileSync(file)).digest('hex').slice(0, 16);
}

function source(rows) {
  let symbols = '';
  const view = (name, file) => {
    if (!file) return '{}';
    symbols += `PARLEY_EMBED(${name}, "${file}")\n`;
    return `bytes_of(web_${name}, web_${name}_end)`;
  };
  const table = rows.map(({ path, file, gz, br, hashed }, i) =>
    `        {"${path}", "${TYPES[extname(file)]}", ${view(i, file)},\n`
    + `         ${view(`${i}_gz`, gz)}, ${view(`${i}_br`, br)}, ${hashed}, "\\"${etagOf(file)}\\""},\n`).join('');
  return `// Made by web/scripts/embed.mjs.
#include "api/web_files.hpp"

// Both sides of a file's bytes get a symbol.
#define PARLEY_EMBED(name, file)                                                                   \\
    extern "C" const char web_##name[], web_##name##_end[];                                        \\
    asm(".pushsection .rodata\\n.balign 16\\n.global web_" #name "\\nweb_" #name ":\\n"               \\
        ".incbin \\"" file "\\"\\n.global web_" #name "_end\\nweb_" #name "_end:\\n.byte 0\\n.popsection\\n");

${symbols}
namespace parley::api {

namespace {
std::string_view bytes_of(const char* begin, const char* end) {
    return {begin, static_cast<std::size_t>(end - begin)};
}
} // namespace

std::span<const WebFile> web_files() {
    static const WebFile files[] = {
${table}    };
    return files;
}

} // namespace parley::api
`;
}

install();
build();
rmSync(join(folder, 'compressed'), { recursive: true, force: true });
mkdirSync(join(folder, 'compressed'), { recursive: true });
const served = [
  ...filesOf(dist).map((file) => ({ file, path: `/${relative(dist, file)}` })),
  ...documents.map((file) => ({ file, path: `/${basename(file)}` })),
].filter(({ file }) => TYPES[extname(file)]);
const rows = served.map(({ file, path }, number) => ({
  file,
  path: NAMES[path] ?? path.replace(/(^|\/)index\.html$/, '$1'),
  hashed: path.startsWith('/assets/'),
  ...compressed(file, number),
}));
writeFileSync(out, source(rows));
