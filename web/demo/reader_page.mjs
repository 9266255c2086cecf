// The demo's table with a card reader on it: choose a card, put it in, and run the real symbolon-eid against the real pcscd.
import { createServer } from 'node:http';
import { spawn } from 'node:child_process';

const escape = (text) => String(text ?? '').replace(/[&<>"']/g, (c) => `&#${c.codePointAt(0)};`);

/**
 * @param {{port: number, program: string, environment: object, personas: {name: string, shows: string}[],
 *   symbols: string[], control: (line: string) => Promise<string>, idOrigin: string}} options
 */
export async function startReaderPage({ port, program, environment, personas, symbols, control, idOrigin }) {
  let inserted = '';

  const run = ({ link, pin, symbol, language }) => new Promise((resolve) => {
    const child = spawn(program, ['--headless', '--yes', '--lang', language, '--pin-fd', '3', ...(symbol ? ['--symbol', symbol] : []), link],
      { env: { ...process.env, ...environment }, stdio: ['ignore', 'pipe', 'pipe', 'pipe'] });
    let said = '';
    child.stdout.on('data', (chunk) => (said += chunk));
    child.stderr.on('data', (chunk) => (said += chunk));
    child.stdio[3].on('error', () => {});
    child.stdio[3].end(`${pin}\n`);
    child.on('error', (error) => resolve({ code: -1, said: String(error.message) }));
    child.on('close', (code) => resolve({ code, said }));
  });

  const page = ({ link = '', symbol = '', said = '', code }) => `<!doctype html>
<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>Card reader – Symbolon demo</title>
<style>
body{font:1rem/1.5 system-ui,sans-serif;max-width:44rem;margin:2rem auto;padding:0 1rem;color:#1c2430;background:#f6f7f9}
form,pre{background:#fff;border:1px solid #d5dae1;border-radius:.75rem;padding:1rem;margin:1rem 0}
label{display:block;margin:.75rem 0 .25rem;font-weight:600}select,input{font:inherit;padding:.5rem;width:100%;box-sizing:border-box}
button{font:inherit;font-weight:600;margin-top:1rem;padding:.75rem 1.25rem;border:0;border-radius:.5rem;background:#1d4f91;color:#fff}
pre{white-space:pre-wrap}.meta{color:#556}
</style>
<h1>The card reader on your desk</h1>
<p>In real life this is a USB reader, your identity card, and the program <code>symbolon-eid</code>. Here the card is virtual; the reader
service (<code>pcscd</code>) and the program are the real ones.</p>
<form method="post" action="/card"><input type="hidden" name="link" value="${escape(link)}">
<label for="persona">Card in the reader: <span id="inserted">${escape(inserted || 'none')}</span></label>
<select id="persona" name="persona"><option value="">(take the card out)</option>${personas.map((p) =>
    `<option value="${escape(p.name)}"${p.name === inserted ? ' selected' : ''}>${escape(p.name)} – ${escape(p.shows)}</option>`).join('')}</select>
<button>Change the card</button></form>
<form method="post" action="/run">
<label for="link">Link from the enrolment page</label><input id="link" name="link" value="${escape(link)}" required autocomplete="off">
<label for="symbol">Which symbol does the enrolment page show?</label>
<select id="symbol" name="symbol"><option value="">(choose)</option>${symbols.map((s) => `<option${s === symbol ? ' selected' : ''}>${escape(s)}</option>`).join('')}</select>
<label for="pin">PIN of the card (the virtual ones: 1234)</label><input id="pin" name="pin" value="1234" inputmode="numeric" autocomplete="off">
<button id="go">Run symbolon-eid</button></form>
${said ? `<h2 id="result">${code === 0 ? 'It worked' : 'It did not work'}</h2><pre id="said">${escape(said)}</pre><p>Go back to the enrolment page: it goes on by itself.</p>` : ''}
<p class="meta">Only links of ${escape(idOrigin)} are accepted here.</p></html>`;

  const server = createServer((request, response) => {
    const url = new URL(request.url, 'http://localhost');
    const answer = (html) => response.writeHead(200, { 'content-type': 'text/html; charset=utf-8' }).end(html);
    if (request.method === 'GET') {
      if (url.pathname !== '/') return response.writeHead(404).end();
      return answer(page({ link: url.searchParams.get('link') ?? '', symbol: url.searchParams.get('symbol') ?? '' }));
    }
    // Another site must not be able to run the program: its own page alone may post here.
    if (request.headers.origin !== `http://localhost:${server.address().port}`) return response.writeHead(403).end();
    let body = '';
    request.on('data', (chunk) => {
      body += chunk;
      if (body.length > 8192) request.destroy();
    });
    return request.on('end', async () => {
      try {
        const form = new URLSearchParams(body);
        const link = form.get('link') ?? '';
        if (url.pathname === '/card') {
          inserted = form.get('persona') ?? '';
          await control(inserted ? `insert ${inserted}` : 'remove');
          return answer(page({ link }));
        }
        if (url.pathname !== '/run') return response.writeHead(404).end();
        if (!link.startsWith(`symbolon-eid://${new URL(idOrigin).host}/`)) return answer(page({ link, said: 'This is not a link of the enrolment page.', code: 1 }));
        const result = await run({ link, pin: form.get('pin') ?? '', symbol: form.get('symbol') ?? '', language: 'en' });
        return answer(page({ link: result.code === 0 ? '' : link, said: result.said || '(it said nothing)', code: result.code }));
      } catch (error) {
        return answer(page({ said: String(error.message), code: 1 }));
      }
    });
  });
  await new Promise((resolve, reject) => server.once('error', reject).listen(port, '127.0.0.1', resolve));
  return {
    url: `http://localhost:${server.address().port}`,
    insert: async (name) => {
      inserted = name;
      return control(name ? `insert ${name}` : 'remove');
    },
    run,
    stop: () => new Promise((resolve) => {
      server.closeAllConnections();
      server.close(resolve);
    }),
  };
}
