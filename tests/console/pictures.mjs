// SPDX-License-Identifier: Apache-2.0
// Copies the pictures that docs/console.md shows from where console.pages left them. `npm run pictures`,
// after `./test --release -R console.pages`; another folder may be named.
import { copyFileSync, readFileSync } from 'node:fs';
import path from 'node:path';

const top = path.resolve(import.meta.dirname ?? path.dirname(new URL(import.meta.url).pathname), '../..');
const from = process.argv[2] ?? path.join(top, 'build/release/tests/console/screenshots');
const page = readFileSync(path.join(top, 'docs/console.md'), 'utf8');
for (const [, name] of page.matchAll(/\]\(console\/([\w-]+\.png)\)/g)) {
  copyFileSync(path.join(from, name), path.join(top, 'docs/console', name));
  console.log(name);
}
